// Hot: rate(), increase(), delta(), irate() and idelta() of native histograms, and of floats whose counters' beginnings are
// known: a sample's start time tells of a reset that no value shows, and where an increase began from zero.

import {
  addHistograms,
  FloatHistogram,
  scaledDifference,
  subtractHistograms,
  wasReset,
} from '@flotilla/model';
import type { HistogramOperation } from './annotations.ts';
import type { MixedKernel, MixedWindow } from './mixed-window.ts';
import { EDGE_TOLERANCE, extrapolation } from './rate.ts';
import { beganBetween, beginsBeforeLast } from './start-times.ts';
import type { Windows } from './windows.ts';

/** Where notes go, and the metric that they name. */
export type Noting = Pick<MixedWindow, 'noted' | 'metric'>;

/** One of two histograms is exponential and the other is not. */
export class MixedSchemas extends Error {}

/** Notes what a combination of histograms shows; throws MixedSchemas. */
export function combined(
  a: FloatHistogram,
  b: FloatHistogram,
  operation: Exclude<HistogramOperation, 'aggregation'>,
  { noted }: Noting,
): FloatHistogram {
  const result = operation === 'addition' ? addHistograms(a, b) : subtractHistograms(a, b);
  if (result === undefined) throw new MixedSchemas();
  if (result.boundsReconciled) noted.annotations.boundsReconciled(operation, noted.pos);
  return result.histogram;
}

/** What `compute` gives; nothing, and a warning, for a mix of schemas. */
export function unlessMixedSchemas<T>(w: Noting, compute: () => T): T | undefined {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof MixedSchemas)) throw error;
    w.noted.annotations.mixedSchemas(w.metric, w.noted.pos);
    return undefined;
  }
}

export function extrapolated(isCounter: boolean, isRate: boolean): MixedKernel {
  const finish = (w: MixedWindow, factor: number): number =>
    isRate ? factor / (w.all.rangeMs / 1000) : factor;
  return (w) => {
    if (w.histogramCount > 0) {
      const steady = steadyChange(w, isCounter, finish);
      if (steady !== undefined) return steady;
      return unlessMixedSchemas(w, () => {
        const [change, factor] = histogramChange(w, isCounter);
        return change?.times(finish(w, factor));
      });
    }
    if (w.floats.startTimesMs === undefined || !isCounter) return w.floatResult;
    const [change, factor] = floatChange(w);
    return change === undefined ? undefined : change * finish(w, factor);
  };
}

/** The change over a window in which nothing happened but observations; undefined if anything else may have. */
function steadyChange(
  w: MixedWindow,
  isCounter: boolean,
  finish: (w: MixedWindow, factor: number) => number,
): FloatHistogram | undefined {
  const { histograms, list, step } = w;
  const lo = histograms.lo[step]!;
  const hi = histograms.hi[step]! - 1;
  if (hi === lo || histograms.startTimesMs !== undefined) return undefined;
  const first = list[lo]!;
  const last = list[hi]!;
  const isSteady = isCounter
    ? w.neighbours.areSteady(lo, hi)
    : first.hint === 'gauge' && last.hint === 'gauge';
  if (!isSteady) return undefined;
  const factor = extrapolation(histograms, step, last.count - first.count, first.count, isCounter);
  return scaledDifference(last, first, finish(w, factor), w.isSummed);
}

/** Where the counter of a window's first sample began, if that is inside the window. */
function beginning(windows: Windows, step: number): number | undefined {
  const lo = windows.lo[step]!;
  const startMs = windows.startTimesMs?.[lo] ?? 0;
  const inside = startMs > windows.endMs(step) - windows.rangeMs && startMs < windows.times[lo]!;
  return startMs !== 0 && inside ? startMs : undefined;
}

/** The factor of extrapolation if the counter began inside of the window: to the right only. */
function factorFrom(windows: Windows, step: number, startMs: number): number {
  const lo = windows.lo[step]!;
  const last = windows.hi[step]! - 1;
  const lastMs = windows.times[last]!;
  const average = last > lo ? (lastMs - windows.times[lo]!) / 1000 / (last - lo) : 0;
  let toEnd = (windows.endMs(step) - lastMs) / 1000;
  if (toEnd >= average * EDGE_TOLERANCE) toEnd = average / 2;
  const sampled = (lastMs - startMs) / 1000;
  return sampled === 0 ? 1 : (sampled + toEnd) / sampled;
}

/** The increase of floats, and the factor of its extrapolation. */
function floatChange(w: MixedWindow): [change: number | undefined, factor: number] {
  const { floats, step } = w;
  const { values } = floats;
  const lo = floats.lo[step]!;
  const hi = floats.hi[step]!;
  let change = values[hi - 1]! - values[lo]!;
  noteOverlap(w, floats);
  for (let i = lo + 1; i < hi; i++) {
    if (values[i]! < values[i - 1]! || beganBetween(floats, i)) change += values[i - 1]!;
  }
  const startMs = beginning(floats, step);
  if (startMs !== undefined) return [change + values[lo]!, factorFrom(floats, step, startMs)];
  if (hi - lo === 1) return [undefined, 1];
  return [change, extrapolation(floats, step, change, values[lo]!, true)];
}

function noteOverlap({ step, metric, noted }: MixedWindow, windows: Windows): void {
  for (let i = windows.lo[step]! + 1; i < windows.hi[step]!; i++) {
    if (!beginsBeforeLast(windows, i)) continue;
    noted.annotations.startTimeOverlap(metric, noted.pos);
    return;
  }
}

function histogramChange(
  w: MixedWindow,
  isCounter: boolean,
): [change: FloatHistogram | undefined, factor: number] {
  const { histograms, list, step } = w;
  const first = list[histograms.lo[step]!]!;
  const change = w.histogramCount > 1 ? histogramIncrease(w, isCounter) : undefined;
  const startMs = isCounter ? beginning(histograms, step) : undefined;
  if (startMs !== undefined) {
    const whole = change === undefined ? first : combined(change, first, 'addition', w);
    return [whole, factorFrom(histograms, step, startMs)];
  }
  if (change === undefined) return [undefined, 1];
  return [change, extrapolation(histograms, step, change.count, first.count, isCounter)];
}

/** The last histogram less the first, resets added. */
function histogramIncrease(w: MixedWindow, isCounter: boolean): FloatHistogram {
  const { histograms, list, step, noted, metric } = w;
  const lo = histograms.lo[step]!;
  const last = histograms.hi[step]! - 1;
  const first = isCounter ? firstToRegard(histograms, list, lo) : list[lo]!;
  const schema = isCounter
    ? coarsestSchema(list, first, lo, last)
    : Math.min(first.schema, list[last]!.schema);
  const isGauge = (i: number): boolean => list[i]!.hint === 'gauge';
  if (list[last]!.isCustom !== first.isCustom) {
    if (isCounter && (isGauge(lo) || isGauge(last))) noted.annotations.notCounter(metric, noted.pos);
    throw new MixedSchemas();
  }
  let change = combined(list[last]!.coarser(schema), first, 'subtraction', w);
  if (isCounter) {
    noteOverlap(w, histograms);
    change = withResets(change, first, w);
    for (let i = lo; i <= last; i++) if (isGauge(i)) noted.annotations.notCounter(metric, noted.pos);
  } else if (!isGauge(lo) || !isGauge(last)) {
    noted.annotations.notGauge(metric, noted.pos);
  }
  return change.withHint('gauge').compact();
}

/** The first histogram of a counter; nothing in place of it if there was a reset right after it. */
function firstToRegard(windows: Windows, list: readonly FloatHistogram[], lo: number): FloatHistogram {
  const first = list[lo]!;
  const second = list[lo + 1]!;
  if (!beganBetween(windows, lo + 1) && !wasReset(second, first)) return first;
  return new FloatHistogram({ schema: second.schema, customBounds: second.customBounds });
}

function coarsestSchema(
  list: readonly FloatHistogram[],
  first: FloatHistogram,
  lo: number,
  last: number,
): number {
  let schema = Math.min(first.schema, list[last]!.schema);
  for (let i = lo + 1; i < last; i++) {
    if (list[i]!.isCustom !== first.isCustom) throw new MixedSchemas();
    schema = Math.min(schema, list[i]!.schema);
  }
  return schema;
}

function withResets(start: FloatHistogram, first: FloatHistogram, w: MixedWindow): FloatHistogram {
  const { histograms, list, step } = w;
  let change = start;
  let before = first;
  for (let i = histograms.lo[step]! + 1; i < histograms.hi[step]!; i++) {
    const now = list[i]!;
    if (beganBetween(histograms, i) || wasReset(now, before))
      change = combined(change, before, 'addition', w);
    before = now;
  }
  return change;
}

/** From the last two samples alone, whatever they are. */
export function instant(isRate: boolean): MixedKernel {
  return (w) => {
    const { all, step, noted, metric } = w;
    const last = all.hi[step]! - 1;
    const spanMs = last > all.lo[step]! ? all.times[last]! - all.times[last - 1]! : 0;
    if (spanMs === 0) return undefined;
    const seconds = spanMs / 1000;
    const before = all.histograms?.at(last - 1);
    const now = all.histograms?.at(last);
    if (before === undefined && now === undefined) {
      const value = all.values[last]!;
      const isReset = isRate && (value < all.values[last - 1]! || beganBetween(all, last));
      const change = isReset ? value : value - all.values[last - 1]!;
      return isRate ? change / seconds : change;
    }
    if (before !== undefined && now !== undefined) {
      return unlessMixedSchemas(w, () => {
        const change = instantChange(w, before, now, isRate && beganBetween(all, last), isRate);
        return isRate ? change.over(seconds) : change;
      });
    }
    noted.annotations.mixedSamples(metric, noted.pos);
    return undefined;
  };
}

function instantChange(
  w: MixedWindow,
  before: FloatHistogram,
  now: FloatHistogram,
  began: boolean,
  isRate: boolean,
): FloatHistogram {
  const { annotations, pos } = w.noted;
  const gauges = [before, now].filter(({ hint }) => hint === 'gauge').length;
  if (isRate && gauges > 0) annotations.notCounter(w.metric, pos);
  if (!isRate && gauges < 2) annotations.notGauge(w.metric, pos);
  if (isRate && (began || wasReset(now, before))) return now.withHint('gauge').compact();
  const same = scaledDifference(now, before, 1);
  return same ?? combined(now, before, 'subtraction', w).withHint('gauge').compact();
}
