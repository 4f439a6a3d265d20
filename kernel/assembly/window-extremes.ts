// Hot: maxima and minima of windows. Of equal samples the first counts, and a NaN only if there is nothing else.
//
// Where windows overlap, the column becomes that of the extremes of 2, 4, 8 … samples from each on. A window's extreme
// is that of two of them, which may overlap: so a sample is looked at some times, however many windows it is in.

import { hasNaN } from './columns';
import { hiOf, levelsOf, loOf, paddedOf, pairOf, sampleAt, stepsOf, totalOf } from './window-table';

/** Of two pairs, of which `a` is the earlier. */
@inline function better(a: v128, b: v128, isMax: bool, mayBeNaN: bool): v128 {
  const picked = isMax ? f64x2.pmax(a, b) : f64x2.pmin(a, b);
  return mayBeNaN ? v128.bitselect(b, picked, f64x2.ne(a, a)) : picked;
}

/** Spoils the values. */
export function windowExtremes(table: usize, values: usize, count: u32, isMax: bool, out: usize): void {
  const mayBeNaN = hasNaN(values, count);
  if (totalOf(table) <= <u64>count << 1) {
    if (isMax && mayBeNaN) scanAll(table, values, out, true, true);
    else if (isMax) scanAll(table, values, out, true, false);
    else if (mayBeNaN) scanAll(table, values, out, false, true);
    else scanAll(table, values, out, false, false);
  } else if (isMax && mayBeNaN) climb(table, values, count, out, true, true);
  else if (isMax) climb(table, values, count, out, true, false);
  else if (mayBeNaN) climb(table, values, count, out, false, true);
  else climb(table, values, count, out, false, false);
}

@inline function scanAll(table: usize, values: usize, out: usize, isMax: bool, mayBeNaN: bool): void {
  const n = stepsOf(table) << 2;
  const lo = loOf(table), hi = hiOf(table);
  for (let i: usize = 0; i < n; i += 4) {
    const from = sampleAt(values, lo + i), end = sampleAt(values, hi + i);
    // Both halves at once, each in its order.
    const half = ((end - from) >> 4) << 3;
    let best = pairOf(from, from + half);
    for (let at = from + 8; at < from + half; at += 8)
      best = better(best, pairOf(at, at + half), isMax, mayBeNaN);
    best = better(best, v128.shuffle<f64>(best, best, 1, 0), isMax, mayBeNaN);
    if (end - from != half << 1) best = better(best, v128.load64_zero(end - 8), isMax, mayBeNaN);
    store<f64>(out + (i << 1), f64x2.extract_lane(best, 0));
  }
}

@inline function climb(
  table: usize,
  values: usize,
  count: u32,
  out: usize,
  isMax: bool,
  mayBeNaN: bool,
): void {
  const levels = levelsOf(table);
  for (let level: u32 = 0; ; level++) {
    if (levels >> level & 1) readLevel(table, values, level, out, isMax, mayBeNaN);
    if (levels >> level <= 1) return;
    const apart = <usize>8 << level;
    // Where twice as many samples begin. One more may be written, which nobody reads.
    const end = values + (<usize>count << 3) - (apart << 1);
    for (let at = values; at <= end; at += 16)
      v128.store(at, better(v128.load(at), v128.load(at + apart), isMax, mayBeNaN));
  }
}

/** Writes the results of windows of 2^level samples up to twice as many. */
@inline function readLevel(
  table: usize,
  values: usize,
  level: u32,
  out: usize,
  isMax: bool,
  mayBeNaN: bool,
): void {
  const n = paddedOf(table) << 2;
  const lo = loOf(table), hi = hiOf(table);
  const back = <usize>8 << level;
  for (let i: usize = 0; i < n; i += 8) {
    const fromA = load<u32>(lo + i), fromB = load<u32>(lo + i, 4);
    const toA = load<u32>(hi + i), toB = load<u32>(hi + i, 4);
    const isA = (toA - fromA) >> level == 1, isB = (toB - fromB) >> level == 1;
    if (!(isA || isB)) continue;
    // A window of another level is read as if it were empty.
    const a = isA ? values + (<usize>fromA << 3) : values, endA = isA ? values + (<usize>toA << 3) - back : values;
    const b = isB ? values + (<usize>fromB << 3) : values, endB = isB ? values + (<usize>toB << 3) - back : values;
    const two = better(pairOf(a, b), pairOf(endA, endB), isMax, mayBeNaN);
    if (isA && isB) v128.store(out + (i << 1), two);
    else if (isA) v128.store64_lane(out + (i << 1), two, 0);
    else v128.store64_lane(out + (i << 1) + 8, two, 1);
  }
}
