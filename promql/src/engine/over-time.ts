// Hot: the …_over_time() functions that fold a window's samples into one value.
//
// Sums walk each window, or look at running sums of twice the precision: others would lose the compensated bits. Counts
// need only the bounds of windows.

import { compensate } from './kahan.ts';
import { prefixSums } from './prefix-sums.ts';
import { perWindow, type RangeKernel } from './range-kernel.ts';
import type { Windows } from './windows.ts';

/** Windows of more samples than this on average are summed from running sums. */
const LONG = 32;

/**
 * The compensation is found without a branch (Knuth's 2Sum), which gives the bits of compensate() while all is finite;
 * a window where something is not is walked again with care.
 */
function sum(w: Windows, lo: number, hi: number): number {
  const { values } = w;
  let total = 0;
  let rest = 0;
  for (let i = lo; i < hi; i++) {
    const value = values[i]!;
    const next = total + value;
    const part = next - total;
    rest += total - (next - part) + (value - part);
    total = next;
  }
  return Number.isFinite(total + rest) ? total + rest : carefulSum(w, lo, hi);
}

function carefulSum(w: Windows, lo: number, hi: number): number {
  let total = 0;
  let rest = 0;
  for (let i = lo; i < hi; i++) {
    const value = w.values[i]!;
    const next = total + value;
    rest = compensate(total, value, next, rest);
    total = next;
  }
  return total === Infinity || total === -Infinity ? total : total + rest;
}

/** As sum(). */
function average(w: Windows, lo: number, hi: number): number {
  const { values } = w;
  let total = 0;
  let rest = 0;
  for (let i = lo; i < hi; i++) {
    const value = values[i]!;
    const next = total + value;
    const part = next - total;
    rest += total - (next - part) + (value - part);
    total = next;
  }
  return Number.isFinite(total + rest) ? total / (hi - lo) + rest / (hi - lo) : carefulAverage(w, lo, hi);
}

function carefulAverage(w: Windows, lo: number, hi: number): number {
  let total = w.values[lo]!;
  let compensation = 0;
  for (let i = lo + 1; i < hi; i++) {
    const value = w.values[i]!;
    const next = total + value;
    if (next === Infinity || next === -Infinity) return incrementalAverage(w, lo, i, hi, total, compensation);
    compensation = compensate(total, value, next, compensation);
    total = next;
  }
  return total / (hi - lo) + compensation / (hi - lo);
}

/** Goes on from sample `i`, where the sum would overflow, with a running mean. */
function incrementalAverage(
  w: Windows,
  lo: number,
  i: number,
  hi: number,
  total: number,
  rest: number,
): number {
  let mean = total / (i - lo);
  let compensation = rest / (i - lo);
  for (let at = i; at < hi; at++) {
    const count = at - lo + 1;
    const share = (count - 1) / count;
    const value = w.values[at]! / count;
    const before = share * mean;
    const next = before + value;
    compensation = compensate(before, value, next, share * compensation);
    mean = next;
  }
  return mean + compensation;
}

/** The index of the extreme sample; a NaN is extreme only if there is nothing else. */
function extreme(better: (value: number, best: number) => boolean) {
  return (w: Windows, lo: number, hi: number): number => {
    let best = lo;
    for (let i = lo; i < hi; i++) {
      if (better(w.values[i]!, w.values[best]!) || Number.isNaN(w.values[best])) best = i;
    }
    return best;
  };
}

/**
 * The largest (sign 1) or smallest (-1) sample of each window; NaN only if there is nothing else.
 * A queue holds the samples that may still win, best first, so that a sample is looked at once however many windows
 * it is in.
 */
function slidingExtreme(sign: 1 | -1): RangeKernel {
  let queue = new Int32Array(0);
  return (w, _params, out, at) => {
    const { values, lo, hi, steps } = w;
    if (queue.length < w.count) queue = new Int32Array(2 * w.count);
    let head = 0;
    let tail = 0;
    let next = 0;
    for (let step = 0; step < steps; step++) {
      const end = hi[step]!;
      for (; next < end; next++) {
        const value = values[next]! * sign;
        if (Number.isNaN(value)) continue;
        while (tail > head && values[queue[tail - 1]!]! * sign < value) tail--;
        queue[tail++] = next;
      }
      const first = lo[step]!;
      while (head < tail && queue[head]! < first) head++;
      out.valid[at + step] = end > first ? 1 : 0;
      out.values[at + step] = head < tail ? values[queue[head]!]! : NaN;
    }
  };
}

const latestMaximum = extreme((value, best) => value >= best);
const latestMinimum = extreme((value, best) => value <= best);

/** Counts pairs of neighbours in each window, from one pass over the series. */
function countPairs(counts: (before: number, now: number) => boolean): RangeKernel {
  return (w, _params, out, at) => {
    const until = new Int32Array(w.count + 1);
    for (let i = 1; i < w.count; i++) {
      until[i + 1] = until[i]! + (counts(w.values[i - 1]!, w.values[i]!) ? 1 : 0);
    }
    for (let step = 0; step < w.steps; step++) {
      const lo = w.lo[step]!;
      const hi = w.hi[step]!;
      out.valid[at + step] = hi > lo ? 1 : 0;
      if (hi > lo) out.values[at + step] = until[hi]! - until[lo + 1]!;
    }
  };
}

const walkedSums = perWindow(sum);

const sums: RangeKernel = (w, params, out, at) => {
  if (w.total > LONG * w.steps) prefixSums(w, out, at, sum);
  else walkedSums(w, params, out, at);
};

export const overTimeKernels = {
  sum_over_time: sums,
  avg_over_time: perWindow(average),
  max_over_time: slidingExtreme(1),
  min_over_time: slidingExtreme(-1),
  count_over_time: perWindow((_w, lo, hi) => hi - lo),
  present_over_time: perWindow(() => 1),
  absent_over_time: perWindow(() => 1),
  first_over_time: perWindow((w, lo) => w.values[lo]!),
  last_over_time: perWindow((w, _lo, hi) => w.values[hi - 1]!),
  ts_of_first_over_time: perWindow((w, lo) => w.times[lo]! / 1000),
  ts_of_last_over_time: perWindow((w, _lo, hi) => w.times[hi - 1]! / 1000),
  ts_of_max_over_time: perWindow((w, lo, hi) => w.times[latestMaximum(w, lo, hi)]! / 1000),
  ts_of_min_over_time: perWindow((w, lo, hi) => w.times[latestMinimum(w, lo, hi)]! / 1000),
  resets: countPairs((before, now) => now < before),
  changes: countPairs((before, now) => now !== before && !(Number.isNaN(now) && Number.isNaN(before))),
} satisfies Record<string, RangeKernel>;
