// Hot: the …_over_time() functions that fold a window's samples into one value.
//
// What looks at every sample of a window is the kernel's; the rest needs only the bounds of windows.

import { type WindowFold, windowFolds } from '@flotilla/kernel';
import { perWindow, type RangeKernel } from './range-kernel.ts';
import type { Windows } from './windows.ts';

/** What the kernel makes of each window. */
function folded(fold: WindowFold): RangeKernel {
  return (w, _params, out, at) => {
    w.markPresent(out.valid, at);
    fold(w, w.values, w.count, out.values, at);
  };
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

const latestMaximum = extreme((value, best) => value >= best);
const latestMinimum = extreme((value, best) => value <= best);

const count: RangeKernel = (w, _params, out, at) => {
  w.markPresent(out.valid, at);
  const { values } = out;
  const { lo, hi, steps } = w;
  for (let step = 0; step < steps; step++) values[at + step] = hi[step]! - lo[step]!;
};

const one: RangeKernel = (w, _params, out, at) => {
  w.markPresent(out.valid, at);
  const { values } = out;
  for (let step = 0; step < w.steps; step++) values[at + step] = 1;
};

const first: RangeKernel = (w, _params, out, at) => {
  w.markPresent(out.valid, at);
  const { lo, hi, steps, values } = w;
  for (let step = 0; step < steps; step++)
    if (hi[step]! > lo[step]!) out.values[at + step] = values[lo[step]!]!;
};

const last: RangeKernel = (w, _params, out, at) => {
  w.markPresent(out.valid, at);
  const { lo, hi, steps, values } = w;
  for (let step = 0; step < steps; step++)
    if (hi[step]! > lo[step]!) out.values[at + step] = values[hi[step]! - 1]!;
};

export const overTimeKernels = {
  sum_over_time: folded(windowFolds.sum),
  avg_over_time: folded(windowFolds.average),
  max_over_time: folded(windowFolds.maximum),
  min_over_time: folded(windowFolds.minimum),
  stdvar_over_time: folded(windowFolds.variance),
  stddev_over_time: folded(windowFolds.deviation),
  count_over_time: count,
  present_over_time: one,
  absent_over_time: one,
  first_over_time: first,
  last_over_time: last,
  ts_of_first_over_time: perWindow((w, lo) => w.times[lo]! / 1000),
  ts_of_last_over_time: perWindow((w, _lo, hi) => w.times[hi - 1]! / 1000),
  ts_of_max_over_time: perWindow((w, lo, hi) => w.times[latestMaximum(w, lo, hi)]! / 1000),
  ts_of_min_over_time: perWindow((w, lo, hi) => w.times[latestMinimum(w, lo, hi)]! / 1000),
  resets: folded(windowFolds.resets),
  changes: folded(windowFolds.changes),
} satisfies Record<string, RangeKernel>;
