// Hot: variances and deviations of windows by Welford's way, compensated, eight windows at a time.
//
// Each sample waits for a division of the one before, so that one window alone leaves most of a processor idle. A window in
// which something is not finite is walked again with care.

import { compensate, lostBy, lostByTwo } from './kahan';
import { hiOf, leastLength, loOf, pairOf, sampleAt, stepsOf } from './window-table';

/** Mean, its loss, squares, their loss of eight windows each. */
const states = memory.data(256, 16);

@inline function keep(pair: usize, mean: v128, meanLoss: v128, squares: v128, loss: v128): void {
  v128.store(states + pair, mean);
  v128.store(states + pair, meanLoss, 64);
  v128.store(states + pair, squares, 128);
  v128.store(states + pair, loss, 192);
}

export function windowVariances(table: usize, values: usize, isDeviation: bool, out: usize): void {
  const steps = stepsOf(table) << 2;
  const lo = loOf(table), hi = hiOf(table);
  for (let i: usize = 0; i < steps; i += 32) {
    const end = min<usize>(i + 32, steps);
    // Alone, a window or two are quicker than with copies beside them.
    const least = end - i > 8 ? leastLength(lo + i, hi + i) : 0;
    walkEight(values, lo + i, least);
    for (let j = i; j < end; j += 4) {
      const variance = finish(sampleAt(values, lo + j), sampleAt(values, hi + j), least, states + ((j - i) << 1));
      store<f64>(out + (j << 1), isDeviation ? sqrt(variance) : variance);
    }
  }
}

/** The first `count` samples of eight windows. */
@inline function walkEight(values: usize, lo: usize, count: u32): void {
  const p0 = sampleAt(values, lo), p1 = sampleAt(values, lo + 4), p2 = sampleAt(values, lo + 8);
  const p3 = sampleAt(values, lo + 12), p4 = sampleAt(values, lo + 16), p5 = sampleAt(values, lo + 20);
  const p6 = sampleAt(values, lo + 24), p7 = sampleAt(values, lo + 28);
  const one = f64x2.splat(1);
  let n = f64x2.splat(0);
  let meanA = n, meanB = n, meanC = n, meanD = n;
  let meanLossA = n, meanLossB = n, meanLossC = n, meanLossD = n;
  let centreA = n, centreB = n, centreC = n, centreD = n;
  let squaresA = n, squaresB = n, squaresC = n, squaresD = n;
  let lossA = n, lossB = n, lossC = n, lossD = n;
  for (let i: usize = 0; i < <usize>count << 3; i += 8) {
    n = f64x2.add(n, one);
    const a = pairOf(p0 + i, p1 + i);
    const b = pairOf(p2 + i, p3 + i);
    const c = pairOf(p4 + i, p5 + i);
    const d = pairOf(p6 + i, p7 + i);
    const deltaA = f64x2.sub(a, centreA);
    const deltaB = f64x2.sub(b, centreB);
    const deltaC = f64x2.sub(c, centreC);
    const deltaD = f64x2.sub(d, centreD);
    const partA = f64x2.div(deltaA, n);
    const partB = f64x2.div(deltaB, n);
    const partC = f64x2.div(deltaC, n);
    const partD = f64x2.div(deltaD, n);
    const nextA = f64x2.add(meanA, partA);
    const nextB = f64x2.add(meanB, partB);
    const nextC = f64x2.add(meanC, partC);
    const nextD = f64x2.add(meanD, partD);
    meanLossA = f64x2.add(meanLossA, lostByTwo(meanA, partA, nextA));
    meanLossB = f64x2.add(meanLossB, lostByTwo(meanB, partB, nextB));
    meanLossC = f64x2.add(meanLossC, lostByTwo(meanC, partC, nextC));
    meanLossD = f64x2.add(meanLossD, lostByTwo(meanD, partD, nextD));
    meanA = nextA;
    meanB = nextB;
    meanC = nextC;
    meanD = nextD;
    centreA = f64x2.add(meanA, meanLossA);
    centreB = f64x2.add(meanB, meanLossB);
    centreC = f64x2.add(meanC, meanLossC);
    centreD = f64x2.add(meanD, meanLossD);
    const squareA = f64x2.mul(deltaA, f64x2.sub(a, centreA));
    const squareB = f64x2.mul(deltaB, f64x2.sub(b, centreB));
    const squareC = f64x2.mul(deltaC, f64x2.sub(c, centreC));
    const squareD = f64x2.mul(deltaD, f64x2.sub(d, centreD));
    const totalA = f64x2.add(squaresA, squareA);
    const totalB = f64x2.add(squaresB, squareB);
    const totalC = f64x2.add(squaresC, squareC);
    const totalD = f64x2.add(squaresD, squareD);
    lossA = f64x2.add(lossA, lostByTwo(squaresA, squareA, totalA));
    lossB = f64x2.add(lossB, lostByTwo(squaresB, squareB, totalB));
    lossC = f64x2.add(lossC, lostByTwo(squaresC, squareC, totalC));
    lossD = f64x2.add(lossD, lostByTwo(squaresD, squareD, totalD));
    squaresA = totalA;
    squaresB = totalB;
    squaresC = totalC;
    squaresD = totalD;
  }
  keep(0, meanA, meanLossA, squaresA, lossA);
  keep(16, meanB, meanLossB, squaresB, lossB);
  keep(32, meanC, meanLossC, squaresC, lossC);
  keep(48, meanD, meanLossD, squaresD, lossD);
}

/** The variance of a window whose first `done` samples have come to `state`. */
function finish(from: usize, end: usize, done: u32, state: usize): f64 {
  let mean = load<f64>(state), meanLoss = load<f64>(state, 64);
  let squares = load<f64>(state, 128), loss = load<f64>(state, 192);
  let n = <f64>done, centre = mean + meanLoss;
  for (let at = from + (<usize>done << 3); at < end; at += 8) {
    const value = load<f64>(at);
    n += 1;
    const delta = value - centre;
    const part = delta / n;
    const nextMean = mean + part;
    meanLoss += lostBy(mean, part, nextMean);
    mean = nextMean;
    centre = mean + meanLoss;
    const square = delta * (value - centre);
    const next = squares + square;
    loss += lostBy(squares, square, next);
    squares = next;
  }
  return isFinite(squares + loss) ? (squares + loss) / n : carefulVariance(from, end);
}

function carefulVariance(from: usize, end: usize): f64 {
  let mean: f64 = 0, meanLoss: f64 = 0, squares: f64 = 0, loss: f64 = 0, n: f64 = 0;
  for (let at = from; at < end; at += 8) {
    const value = load<f64>(at);
    n += 1;
    const delta = value - (mean + meanLoss);
    const part = delta / n;
    const nextMean = mean + part;
    meanLoss = compensate(mean, part, nextMean, meanLoss);
    mean = nextMean;
    const square = delta * (value - (mean + meanLoss));
    const nextSquares = squares + square;
    loss = compensate(squares, square, nextSquares, loss);
    squares = nextSquares;
  }
  return (squares + loss) / n;
}
