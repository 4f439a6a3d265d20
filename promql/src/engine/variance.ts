// Hot: stdvar_over_time() and stddev_over_time(), by Welford's way, compensated, two windows at a time.
//
// Each sample waits for a division of the one before, so one window alone leaves most of a processor idle. Errors of
// additions are found without a branch (Knuth's 2Sum), which gives the bits of compensate() while all is finite; a window
// where something is not is walked again with care.

import { compensate } from './kahan.ts';
import type { RangeKernel } from './range-kernel.ts';
import type { Windows } from './windows.ts';

/** The sums of squares of the two last windows. */
const squaresOfTwo = new Float64Array(2);

/** Windows of `count` samples from a and from b on. */
function walkTwo(values: Float64Array, a: number, b: number, count: number): void {
  let meanA = 0;
  let meanRestA = 0;
  let squaresA = 0;
  let restA = 0;
  let meanB = 0;
  let meanRestB = 0;
  let squaresB = 0;
  let restB = 0;
  for (let i = 0; i < count; i++) {
    const valueA = values[a + i]!;
    const valueB = values[b + i]!;
    const deltaA = valueA - (meanA + meanRestA);
    const deltaB = valueB - (meanB + meanRestB);
    const partA = deltaA / (i + 1);
    const partB = deltaB / (i + 1);
    let next = meanA + partA;
    let part = next - meanA;
    meanRestA += meanA - (next - part) + (partA - part);
    meanA = next;
    next = meanB + partB;
    part = next - meanB;
    meanRestB += meanB - (next - part) + (partB - part);
    meanB = next;
    const squareA = deltaA * (valueA - (meanA + meanRestA));
    next = squaresA + squareA;
    part = next - squaresA;
    restA += squaresA - (next - part) + (squareA - part);
    squaresA = next;
    const squareB = deltaB * (valueB - (meanB + meanRestB));
    next = squaresB + squareB;
    part = next - squaresB;
    restB += squaresB - (next - part) + (squareB - part);
    squaresB = next;
  }
  squaresOfTwo[0] = squaresA + restA;
  squaresOfTwo[1] = squaresB + restB;
}

function carefulVariance(w: Windows, lo: number, hi: number): number {
  let mean = 0;
  let meanRest = 0;
  let squares = 0;
  let squaresRest = 0;
  for (let i = lo; i < hi; i++) {
    const value = w.values[i]!;
    const delta = value - (mean + meanRest);
    const part = delta / (i - lo + 1);
    const nextMean = mean + part;
    meanRest = compensate(mean, part, nextMean, meanRest);
    mean = nextMean;
    const square = delta * (value - (mean + meanRest));
    const nextSquares = squares + square;
    squaresRest = compensate(squares, square, nextSquares, squaresRest);
    squares = nextSquares;
  }
  return (squares + squaresRest) / (hi - lo);
}

/** Writes the variance of each window. */
function variances(w: Windows, out: Float64Array, at: number): void {
  const { lo, hi, steps, values } = w;
  for (let step = 0; step < steps; step += 2) {
    const a = lo[step]!;
    const count = hi[step]! - a;
    // Its pair is the next window if that is as long, else itself.
    const nextCount = step + 1 < steps ? hi[step + 1]! - lo[step + 1]! : -1;
    const hasPair = nextCount === count;
    const b = hasPair ? lo[step + 1]! : a;
    walkTwo(values, a, b, count);
    const first = squaresOfTwo[0]!;
    const second = squaresOfTwo[1]!;
    out[at + step] = Number.isFinite(first) ? first / count : carefulVariance(w, a, a + count);
    if (!hasPair) step--;
    else out[at + step + 1] = Number.isFinite(second) ? second / count : carefulVariance(w, b, b + count);
  }
}

function kernel(isDeviation: boolean): RangeKernel {
  return (w, _params, out, at) => {
    const { lo, hi, steps } = w;
    variances(w, out.values, at);
    for (let step = 0; step < steps; step++) {
      out.valid[at + step] = hi[step]! > lo[step]! ? 1 : 0;
      if (isDeviation) out.values[at + step] = Math.sqrt(out.values[at + step]!);
    }
  };
}

export const varianceKernels = {
  stdvar_over_time: kernel(false),
  stddev_over_time: kernel(true),
} satisfies Record<string, RangeKernel>;
