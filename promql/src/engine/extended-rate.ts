// Hot: rate functions over `anchored` and `smoothed` windows, which look outside the window instead of extrapolating.
//
// `anchored` takes the last sample before the window as its start; `smoothed` also interpolates at both edges. The
// windows that come here are wider than the range by the lookback, on the left and for `smoothed` on both sides.

import type { RangeKernel } from './range-kernel.ts';
import type { Windows } from './windows.ts';

function extended(smoothed: boolean, isCounter: boolean, isRate: boolean): RangeKernel {
  return (w, _params, out, at) => {
    for (let step = 0; step < w.steps; step++) {
      const change = extendedChange(w, step, smoothed, isCounter);
      out.valid[at + step] = change === undefined ? 0 : 1;
      if (change === undefined) continue;
      out.values[at + step] = isRate ? change / (w.rangeMs / 1000) : change;
    }
  };
}

/** The first index in [lo, end) whose time is at or after `timeMs` (or just after it), else `end`. */
function search(w: Windows, lo: number, end: number, timeMs: number, after: boolean): number {
  let i = lo;
  while (i < end && (after ? w.times[i]! <= timeMs : w.times[i]! < timeMs)) i++;
  return i;
}

function extendedChange(w: Windows, step: number, smoothed: boolean, isCounter: boolean): number | undefined {
  const lo = w.lo[step]!;
  if (w.hi[step] === lo) return undefined;
  const endMs = w.endMs(step);
  const startMs = endMs - w.rangeMs;
  let last = w.hi[step]! - 1;
  let first = Math.max(lo, search(w, lo, last, startMs, true) - 1);
  if (smoothed) last = search(w, lo, last, endMs, false);
  if (w.times[last]! <= startMs || (smoothed && w.times[first]! > endMs)) return undefined;

  const left =
    smoothed && w.times[first]! < startMs ? interpolate(w, first, startMs, isCounter) : w.values[first]!;
  const beyond = smoothed && last > lo && w.times[last]! > endMs;
  const right = beyond ? interpolate(w, last - 1, endMs, isCounter) : w.values[last]!;
  if (!isCounter) return right - left;
  if (w.times[first]! <= startMs) first++;
  if (w.times[last]! >= endMs) last--;
  return right - left + resetCorrection(w, first, last, left, right);
}

/** A window's samples with one at each of its edges; what an `anchored` or `smoothed` range selector itself gives. */
export function extendedSamples(
  w: Windows,
  step: number,
  smoothed: boolean,
): [times: number[], values: number[]] {
  const lo = w.lo[step]!;
  if (w.hi[step] === lo) return [[], []];
  const endMs = w.endMs(step);
  const startMs = endMs - w.rangeMs;
  let last = w.hi[step]! - 1;
  let first = Math.max(lo, search(w, lo, last, startMs, true) - 1);
  if (smoothed) last = search(w, lo, last, endMs, false);
  if (w.times[last]! <= startMs) return [[], []];
  const left =
    smoothed && w.times[first]! < startMs ? interpolate(w, first, startMs, false) : w.values[first]!;
  const beyond = smoothed && last > lo && w.times[last]! > endMs;
  const right = beyond ? interpolate(w, last - 1, endMs, false) : w.values[last]!;
  if (w.times[first]! <= startMs) first++;
  if (w.times[last]! >= endMs) last--;
  const inner = (column: Float64Array): number[] => [...column.subarray(first, Math.max(first, last + 1))];
  return [
    [startMs, ...inner(w.times), endMs],
    [left, ...inner(w.values), right],
  ];
}

/** The value between samples i and i + 1; a counter that was reset between them starts from zero. */
export function interpolate(w: Windows, i: number, timeMs: number, isCounter: boolean): number {
  const y2 = w.values[i + 1]!;
  const y1 = isCounter && y2 < w.values[i]! ? 0 : w.values[i]!;
  return y1 + ((y2 - y1) * (timeMs - w.times[i]!)) / (w.times[i + 1]! - w.times[i]!);
}

function resetCorrection(w: Windows, first: number, last: number, left: number, right: number): number {
  let correction = 0;
  let before = left;
  for (let i = first; i <= last; i++) {
    const now = w.values[i]!;
    if (now < before) correction += before;
    before = now;
  }
  return right < before ? correction + before : correction;
}

/** resets() and changes() from the last sample before the window on; nothing if no sample is inside. */
function anchoredCount(counts: (before: number, now: number) => boolean): RangeKernel {
  return (w, _params, out, at) => {
    for (let step = 0; step < w.steps; step++) {
      const inside = search(w, w.lo[step]!, w.hi[step]!, w.endMs(step) - w.rangeMs, true);
      out.valid[at + step] = inside < w.hi[step]! ? 1 : 0;
      let count = 0;
      for (let i = Math.max(inside, w.lo[step]! + 1); i < w.hi[step]!; i++) {
        if (counts(w.values[i - 1]!, w.values[i]!)) count++;
      }
      out.values[at + step] = count;
    }
  };
}

export const anchoredKernels = {
  rate: extended(false, true, true),
  increase: extended(false, true, false),
  delta: extended(false, false, false),
  resets: anchoredCount((before, now) => now < before),
  changes: anchoredCount((before, now) => now !== before && !(Number.isNaN(now) && Number.isNaN(before))),
} satisfies Record<string, RangeKernel>;

export const smoothedKernels = {
  rate: extended(true, true, true),
  increase: extended(true, true, false),
  delta: extended(true, false, false),
} satisfies Record<string, RangeKernel>;
