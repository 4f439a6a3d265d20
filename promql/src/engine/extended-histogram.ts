// rate functions of native histograms over `anchored` and `smoothed` windows; see extended-rate.ts.

import { type FloatHistogram, wasReset } from '@flotilla/model';
import { combined, MixedSchemas, type Noting, unlessMixedSchemas } from './histogram-rate.ts';
import type { MixedKernel, MixedResult, MixedWindow } from './mixed-window.ts';

/** The positions in `list` of the samples that count, and the window's edges. */
interface Extent {
  readonly first: number;
  readonly last: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly smoothed: boolean;
}

export function extendedHistogram(smoothed: boolean, isCounter: boolean, isRate: boolean): MixedKernel {
  return (w) => {
    const extent = extentOf(w, smoothed);
    if (extent === undefined) return undefined;
    return unlessMixedSchemas(w, () => change(w, extent, isCounter, isRate));
  };
}

function extentOf(w: MixedWindow, smoothed: boolean): Extent | undefined {
  const { times } = w.histograms;
  const lo = w.histograms.lo[w.step]!;
  const endMs = w.all.endMs(w.step);
  const startMs = endMs - w.all.rangeMs;
  let last = w.histograms.hi[w.step]! - 1;
  const search = (isFound: (timeMs: number) => boolean): number => {
    let i = lo;
    while (i < last && !isFound(times[i]!)) i++;
    return i;
  };
  const first = Math.max(lo, search((timeMs) => timeMs > startMs) - 1);
  if (smoothed) last = search((timeMs) => timeMs >= endMs);
  if (times[last]! <= startMs || (smoothed && times[first]! > endMs)) return undefined;
  return { first, last, startMs, endMs, smoothed };
}

function change(w: MixedWindow, extent: Extent, isCounter: boolean, isRate: boolean): MixedResult {
  const { first, last, startMs, endMs, smoothed } = extent;
  const { list, noted, metric } = w;
  const { times } = w.histograms;
  checkKinds(w, extent, isCounter);
  const left =
    smoothed && times[first]! < startMs ? interpolated(w, first, startMs, isCounter) : list[first]!;
  const beyond = smoothed && last > w.histograms.lo[w.step]! && times[last]! > endMs;
  const right = beyond ? interpolated(w, last - 1, endMs, isCounter) : list[last]!;
  if (!isCounter && (left.hint !== 'gauge' || right.hint !== 'gauge'))
    noted.annotations.notGauge(metric, noted.pos);
  let result = combined(right, left, 'subtraction', w);
  const correction = isCounter ? resetCorrection(w, extent, left, right) : undefined;
  if (correction !== undefined) result = combined(result, correction, 'addition', w);
  if (isRate) result = result.over(w.all.rangeMs / 1000);
  return result.withHint('gauge').compact();
}

function checkKinds({ list, noted, metric }: MixedWindow, { first, last }: Extent, isCounter: boolean): void {
  for (let i = first; i <= last; i++) {
    if (list[i]!.isCustom !== list[first]!.isCustom) throw new MixedSchemas();
    if (isCounter && list[i]!.hint === 'gauge') noted.annotations.notCounter(metric, noted.pos);
  }
}

/** The histogram between those at i and i + 1. */
function interpolated(w: MixedWindow, i: number, timeMs: number, isCounter: boolean): FloatHistogram {
  const { list } = w;
  const { times } = w.histograms;
  return between(w, list[i]!, times[i]!, list[i + 1]!, times[i + 1]!, timeMs, isCounter);
}

/** The histogram at a time between two others; a counter that was reset begins at zero. */
export function between(
  w: Noting,
  a: FloatHistogram,
  aMs: number,
  b: FloatHistogram,
  bMs: number,
  timeMs: number,
  isCounter: boolean,
): FloatHistogram {
  if (timeMs === aMs) return a;
  if (timeMs === bMs) return b;
  const share = (timeMs - aMs) / (bMs - aMs);
  if (isCounter && wasReset(b, a)) return b.times(share);
  return combined(combined(b, a, 'subtraction', w).times(share), a, 'addition', w);
}

/** What resets took away between the edges; undefined for nothing. */
function resetCorrection(
  w: MixedWindow,
  { first, last, startMs, smoothed }: Extent,
  left: FloatHistogram,
  right: FloatHistogram,
): FloatHistogram | undefined {
  const { list } = w;
  let from = first + 1;
  let before = left;
  if (smoothed && w.histograms.times[first]! < startMs && wasReset(list[first + 1]!, list[first]!)) {
    // The left edge lies in that reset, and has taken it into account.
    before = list[first + 1]!;
    from++;
  }
  if (from > last) return undefined;
  let correction: FloatHistogram | undefined;
  for (let i = from; i <= last; i++) {
    const now = i === last ? right : list[i]!;
    if (wasReset(now, before)) {
      correction = correction === undefined ? before : combined(correction, before, 'addition', w);
    }
    before = now;
  }
  return correction;
}
