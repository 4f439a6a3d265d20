// What range functions make of windows that hold native histograms, by function.

import { type FloatHistogram, HistogramMean, HistogramSum, wasReset } from '@flotilla/model';
import { extendedHistogram } from './extended-histogram.ts';
import { extrapolated, instant } from './histogram-rate.ts';
import type { MixedKernel, MixedResult, MixedWindow } from './mixed-window.ts';
import { beganBetween } from './start-times.ts';

/** Floats or histograms: of both nothing, and a warning. */
function ofOneKind(ofHistograms: MixedKernel): MixedKernel {
  return (w) => {
    if (w.histogramCount === 0) return w.floatResult;
    if (w.floatCount === 0) return ofHistograms(w);
    w.noted.annotations.mixedSamples(w.metric, w.noted.pos);
    return undefined;
  };
}

function rate(isCounter: boolean, isRate: boolean): MixedKernel {
  const kernel = extrapolated(isCounter, isRate);
  return (w) => {
    if (w.histogramCount === 0 || w.floatCount === 0) return kernel(w);
    w.noted.annotations.mixedSamples(w.metric, w.noted.pos);
    return undefined;
  };
}

function folded(begin: typeof HistogramSum | typeof HistogramMean): MixedKernel {
  return ofOneKind((w) => {
    const { list, step } = w;
    const { annotations, pos } = w.noted;
    const lo = w.histograms.lo[step]!;
    const hi = w.histograms.hi[step]!;
    const sum = new begin(list[lo]!);
    let reconciled = false;
    for (let i = lo + 1; i < hi; i++) {
      const outcome = sum.add(list[i]!);
      reconciled ||= outcome === 'reconciled';
      if (outcome !== 'incompatible') continue;
      annotations.mixedSchemas(w.metric, pos);
      return undefined;
    }
    if (reconciled) annotations.boundsReconciled('aggregation', pos);
    if (hasHint(list, lo, hi, 'reset') && hasHint(list, lo, hi, 'not_reset'))
      annotations.resetCollision('aggregation', pos);
    return sum.result();
  });
}

function hasHint(
  list: readonly FloatHistogram[],
  lo: number,
  hi: number,
  hint: FloatHistogram['hint'],
): boolean {
  for (let i = lo; i < hi; i++) if (list[i]!.hint === hint) return true;
  return false;
}

/** Of the floats alone; notes that there are others. */
const floatsAlone: MixedKernel = (w) => {
  if (w.floatCount > 0 && w.histogramCount > 0) w.noted.annotations.ignoredInRange(w.metric, w.noted.pos);
  return w.floatResult;
};

/** The sample at an index of all. */
function sampleAt({ all }: MixedWindow, i: number): number | FloatHistogram {
  return all.histograms?.at(i) ?? all.values[i]!;
}

const first: MixedKernel = (w) => sampleAt(w, w.all.lo[w.step]!);
const last: MixedKernel = (w) => sampleAt(w, w.all.hi[w.step]! - 1);

function pairs(counts: (w: MixedWindow, i: number) => boolean, anchored: boolean): MixedKernel {
  return (w) => {
    const hi = w.all.hi[w.step]!;
    let from = w.all.lo[w.step]!;
    if (anchored) {
      const startMs = w.all.endMs(w.step) - w.all.rangeMs;
      let inside = from;
      while (inside < hi && w.all.times[inside]! <= startMs) inside++;
      if (inside === hi) return undefined;
      from = Math.max(from, inside - 1);
    }
    let count = 0;
    for (let i = from + 1; i < hi; i++) if (counts(w, i)) count++;
    return count;
  };
}

function isReset(w: MixedWindow, i: number): boolean {
  const before = sampleAt(w, i - 1);
  const now = sampleAt(w, i);
  if (typeof before === 'number') {
    return typeof now !== 'number' || now < before || beganBetween(w.all, i);
  }
  return typeof now === 'number' || beganBetween(w.all, i) || wasReset(now, before);
}

function isChange(w: MixedWindow, i: number): boolean {
  const before = sampleAt(w, i - 1);
  const now = sampleAt(w, i);
  if (typeof before !== 'number') return typeof now === 'number' || !now.equals(before);
  return now !== before && !(Number.isNaN(now) && Number.isNaN(before));
}

const count: MixedKernel = (w) => w.floatCount + w.histogramCount;
const one = (): MixedResult => 1;

export const mixedKernels: Readonly<Record<string, MixedKernel>> = {
  rate: rate(true, true),
  increase: rate(true, false),
  delta: rate(false, false),
  irate: instant(true),
  idelta: instant(false),
  sum_over_time: folded(HistogramSum),
  avg_over_time: folded(HistogramMean),
  count_over_time: count,
  present_over_time: one,
  absent_over_time: one,
  first_over_time: first,
  last_over_time: last,
  ts_of_first_over_time: (w) => w.all.times[w.all.lo[w.step]!]! / 1000,
  ts_of_last_over_time: (w) => w.all.times[w.all.hi[w.step]! - 1]! / 1000,
  resets: pairs(isReset, false),
  changes: pairs(isChange, false),
};

export const anchoredMixedKernels: Readonly<Record<string, MixedKernel>> = {
  rate: ofOneKind(extendedHistogram(false, true, true)),
  increase: ofOneKind(extendedHistogram(false, true, false)),
  delta: ofOneKind(extendedHistogram(false, false, false)),
  resets: pairs(isReset, true),
  changes: pairs(isChange, true),
};

export const smoothedMixedKernels: Readonly<Record<string, MixedKernel>> = {
  rate: ofOneKind(extendedHistogram(true, true, true)),
  increase: ofOneKind(extendedHistogram(true, true, false)),
  delta: ofOneKind(extendedHistogram(true, false, false)),
};

/** The function's kernel; most know only floats. */
export function mixedKernelOf(kernels: Readonly<Record<string, MixedKernel>>, func: string): MixedKernel {
  return (Object.hasOwn(kernels, func) ? kernels[func] : undefined) ?? floatsAlone;
}
