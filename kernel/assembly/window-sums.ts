// Hot: sums and averages of windows, with the bits of Prometheus's compensated walk over each.
//
// Where windows overlap, sums of windows are differences of running sums, which are kept to twice the precision of a
// number. Such a difference and the walk's total and compensation are both within a bound of the exact sum. Where all
// numbers within the bound round to the same bits, those are the result; else the window is walked. Mostly the bound is 0.
// An average also depends on the walk's total, which is then added up for eight windows at a time without compensation.

import { compensate, lostBy, lostByTwo } from './kahan';
import { hiOf, leastLength, loOf, paddedOf, pairOf, sampleAt, stepsOf, totalOf } from './window-table';

/** Magnitudes up to here can be added without care for infinity. */
const TAME: f64 = 1e300;
/**
 * All sums and losses are multiples of a value's last bit, which is more than 2^-53 of the value. If the least value that is
 * not 0 is this share, 2^-50, of n + 1 times all magnitudes, no loss has 2^53 last bits: then nothing errs at all.
 */
const EXACT: f64 = 8.881784197001252e-16;
/**
 * Else, with u = 2^-53, n samples and magnitudes M, a running loss errs by n^2 u^2 M and so does a walk's compensation; with
 * what is lost between them that is less than 8 (n + 1)^2 u^2 M. Twice that, as the bound itself is rounded: 2^-102.
 */
const BOUND: f64 = 1.9721522630525295e-31;

/** How far differences of running sums may be off, Infinity if they tell nothing. */
function boundOf(values: usize, count: u32): f64 {
  const end = values + (<usize>count << 3);
  let sums = f64x2.splat(0), leasts = f64x2.splat(Infinity);
  let at = values;
  for (; at + 16 <= end; at += 16) {
    const two = f64x2.abs(v128.load(at));
    sums = f64x2.add(sums, two);
    // A zero becomes NaN, which is not less.
    leasts = f64x2.pmin(leasts, v128.or(two, f64x2.eq(two, f64x2.splat(0))));
  }
  let magnitudes = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  let least = min(f64x2.extract_lane(leasts, 0), f64x2.extract_lane(leasts, 1));
  if (at != end) {
    const value = abs(load<f64>(at));
    magnitudes += value;
    if (value != 0) least = min(least, value);
  }
  if (!(magnitudes <= TAME)) return Infinity;
  const n = <f64>count + 1;
  return least >= n * EXACT * magnitudes ? 0 : n * n * BOUND * magnitudes;
}

/** Writes (sum, what it has lost) up to each sample. */
function fillSums(values: usize, count: u32, sums: usize): void {
  let total: f64 = 0, loss: f64 = 0;
  v128.store(sums, f64x2.splat(0));
  const end = values + (<usize>count << 3);
  let to = sums + 16;
  for (let at = values; at < end; at += 8, to += 16) {
    const value = load<f64>(at);
    const next = total + value;
    loss += lostBy(total, value, next);
    total = next;
    store<f64>(to, total);
    store<f64>(to, loss, 8);
  }
}

/** The running sum, and its loss, up to the bound whose index is at `bound`. */
@inline function sumsAt(sums: usize, bound: usize): v128 {
  return v128.load(sums + (<usize>load<u32>(bound) << 4));
}

/** The loss of the difference of two windows' running sums `to` and `from`, whose own losses differ by `losses`. */
@inline function lostWith(to: v128, from: v128, sum: v128, losses: v128): v128 {
  return f64x2.add(lostByTwo(to, f64x2.neg(from), sum), losses);
}

@inline function firsts(a: v128, b: v128): v128 {
  return v128.shuffle<f64>(a, b, 0, 2);
}

@inline function seconds(a: v128, b: v128): v128 {
  return v128.shuffle<f64>(a, b, 1, 3);
}

/** `sums`: room for 16 bytes for each sample and one more. */
export function windowSums(table: usize, values: usize, count: u32, sums: usize, out: usize): void {
  const bound = totalOf(table) > <u64>count ? boundOf(values, count) : Infinity;
  if (bound == Infinity) {
    walkSums(table, values, out);
    return;
  }
  fillSums(values, count, sums);
  const slack = f64x2.splat(bound);
  const n = paddedOf(table) << 2;
  const lo = loOf(table), hi = hiOf(table);
  for (let i: usize = 0; i < n; i += 8) {
    const toA = sumsAt(sums, hi + i), toB = sumsAt(sums, hi + i + 4);
    const fromA = sumsAt(sums, lo + i), fromB = sumsAt(sums, lo + i + 4);
    const to = firsts(toA, toB), from = firsts(fromA, fromB);
    const sum = f64x2.sub(to, from);
    const lost = lostWith(to, from, sum, f64x2.sub(seconds(toA, toB), seconds(fromA, fromB)));
    const high = f64x2.add(sum, f64x2.add(lost, slack));
    const low = f64x2.add(sum, f64x2.sub(lost, slack));
    const at = out + (i << 1);
    v128.store(at, high);
    const same = i64x2.eq(high, low);
    if (i64x2.all_true(same)) continue;
    for (let j = i; j < i + 8; j += 4)
      store<f64>(out + (j << 1), walkSum(sampleAt(values, lo + j), sampleAt(values, hi + j)));
  }
}

function walkSums(table: usize, values: usize, out: usize): void {
  const n = stepsOf(table) << 2;
  const lo = loOf(table), hi = hiOf(table);
  for (let i: usize = 0; i < n; i += 4)
    store<f64>(out + (i << 1), walkSum(sampleAt(values, lo + i), sampleAt(values, hi + i)));
}

/** What the last walk() came to. */
let walkedTotal: f64 = 0;
let walkedRest: f64 = 0;

/** Adds up a window; whether all was finite. */
function walk(from: usize, end: usize): bool {
  let total: f64 = 0, rest: f64 = 0;
  for (let at = from; at < end; at += 8) {
    const value = load<f64>(at);
    const next = total + value;
    rest += lostBy(total, value, next);
    total = next;
  }
  walkedTotal = total;
  walkedRest = rest;
  return isFinite(total + rest);
}

function walkSum(from: usize, end: usize): f64 {
  return walk(from, end) ? walkedTotal + walkedRest : carefulSum(from, end);
}

function carefulSum(from: usize, end: usize): f64 {
  let total: f64 = 0, rest: f64 = 0;
  for (let at = from; at < end; at += 8) {
    const value = load<f64>(at);
    const next = total + value;
    rest = compensate(total, value, next, rest);
    total = next;
  }
  return abs(total) == Infinity ? total : total + rest;
}

/** As windowSums(). */
export function windowAverages(table: usize, values: usize, count: u32, sums: usize, out: usize): void {
  const bound = totalOf(table) > <u64>count ? boundOf(values, count) : Infinity;
  if (bound == Infinity) {
    walkAverages(table, values, out);
    return;
  }
  fillSums(values, count, sums);
  const slack = f64x2.splat(bound);
  const n = paddedOf(table) << 2;
  const lo = loOf(table), hi = hiOf(table);
  addUp(table, values, out);
  for (let i: usize = 0; i < n; i += 8) {
    const toA = sumsAt(sums, hi + i), toB = sumsAt(sums, hi + i + 4);
    const fromA = sumsAt(sums, lo + i), fromB = sumsAt(sums, lo + i + 4);
    const to = firsts(toA, toB), from = firsts(fromA, fromB);
    const sum = f64x2.sub(to, from);
    const lost = lostWith(to, from, sum, f64x2.sub(seconds(toA, toB), seconds(fromA, fromB)));
    const at = out + (i << 1);
    const total = v128.load(at);
    const rest = f64x2.add(f64x2.sub(sum, total), lost);
    const lengths = i32x4.sub(v128.load64_zero(hi + i), v128.load64_zero(lo + i));
    const counts = f64x2.convert_low_i32x4_u(lengths);
    const mean = f64x2.div(total, counts);
    const high = f64x2.add(mean, f64x2.div(f64x2.add(rest, slack), counts));
    const low = f64x2.add(mean, f64x2.div(f64x2.sub(rest, slack), counts));
    v128.store(at, high);
    if (i64x2.all_true(i64x2.eq(high, low))) continue;
    for (let j = i; j < i + 8; j += 4)
      store<f64>(out + (j << 1), walkAverage(sampleAt(values, lo + j), sampleAt(values, hi + j)));
  }
}

/** Writes what each window's samples come to if they are added up in order, one after the other. */
function addUp(table: usize, values: usize, out: usize): void {
  const n = paddedOf(table) << 2;
  const lo = loOf(table), hi = hiOf(table);
  for (let i: usize = 0; i < n; i += 32) {
    const from = lo + i;
    const least = <usize>leastLength(from, hi + i) << 3;
    const at = out + (i << 1);
    if (areSideBySide(from)) addNeighbours(sampleAt(values, from), least, at);
    else addEight(values, from, least, at);
    for (let j: usize = 0; j < 32; j += 4) {
      let total = load<f64>(at + (j << 1));
      const end = sampleAt(values, hi + i + j);
      for (let p = sampleAt(values, from + j) + least; p < end; p += 8) total += load<f64>(p);
      store<f64>(at + (j << 1), total);
    }
  }
}

/** Whether each of eight windows begins one sample after the one before. */
@inline function areSideBySide(lo: usize): bool {
  const first = i32x4.splat(load<i32>(lo));
  const a = i32x4.eq(v128.load(lo), i32x4.add(first, i32x4(0, 1, 2, 3)));
  const b = i32x4.eq(v128.load(lo, 16), i32x4.add(first, i32x4(4, 5, 6, 7)));
  return i32x4.all_true(v128.and(a, b));
}

@inline function addNeighbours(from: usize, bytes: usize, out: usize): void {
  let a = f64x2.splat(0), b = a, c = a, d = a;
  for (let at = from; at < from + bytes; at += 8) {
    a = f64x2.add(a, v128.load(at));
    b = f64x2.add(b, v128.load(at, 16));
    c = f64x2.add(c, v128.load(at, 32));
    d = f64x2.add(d, v128.load(at, 48));
  }
  storeFour(out, a, b, c, d);
}

@inline function addEight(values: usize, lo: usize, bytes: usize, out: usize): void {
  const p0 = sampleAt(values, lo), p1 = sampleAt(values, lo + 4), p2 = sampleAt(values, lo + 8);
  const p3 = sampleAt(values, lo + 12), p4 = sampleAt(values, lo + 16), p5 = sampleAt(values, lo + 20);
  const p6 = sampleAt(values, lo + 24), p7 = sampleAt(values, lo + 28);
  let a = f64x2.splat(0), b = a, c = a, d = a;
  for (let i: usize = 0; i < bytes; i += 8) {
    a = f64x2.add(a, pairOf(p0 + i, p1 + i));
    b = f64x2.add(b, pairOf(p2 + i, p3 + i));
    c = f64x2.add(c, pairOf(p4 + i, p5 + i));
    d = f64x2.add(d, pairOf(p6 + i, p7 + i));
  }
  storeFour(out, a, b, c, d);
}

@inline function storeFour(out: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(out, a);
  v128.store(out, b, 16);
  v128.store(out, c, 32);
  v128.store(out, d, 48);
}

function walkAverages(table: usize, values: usize, out: usize): void {
  const n = stepsOf(table) << 2;
  const lo = loOf(table), hi = hiOf(table);
  for (let i: usize = 0; i < n; i += 4)
    store<f64>(out + (i << 1), walkAverage(sampleAt(values, lo + i), sampleAt(values, hi + i)));
}

function walkAverage(from: usize, end: usize): f64 {
  if (!walk(from, end)) return carefulAverage(from, end);
  const count = <f64>((end - from) >> 3);
  return walkedTotal / count + walkedRest / count;
}

function carefulAverage(from: usize, end: usize): f64 {
  let total = load<f64>(from), rest: f64 = 0;
  for (let at = from + 8; at < end; at += 8) {
    const value = load<f64>(at);
    const next = total + value;
    if (abs(next) == Infinity) return incrementalAverage(from, at, end, total, rest);
    rest = compensate(total, value, next, rest);
    total = next;
  }
  const count = <f64>((end - from) >> 3);
  return total / count + rest / count;
}

/** Goes on from the sample at `at`, where the sum would overflow, with a running mean. */
function incrementalAverage(from: usize, at: usize, end: usize, total: f64, rest: f64): f64 {
  let count = <f64>((at - from) >> 3);
  let mean = total / count, compensation = rest / count;
  for (let p = at; p < end; p += 8) {
    const share = count / (count + 1);
    count += 1;
    const value = load<f64>(p) / count;
    const before = share * mean;
    const next = before + value;
    compensation = compensate(before, value, next, share * compensation);
    mean = next;
  }
  return mean + compensation;
}
