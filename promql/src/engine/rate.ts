// Hot: rate(), increase() and delta(): the difference over a window, extrapolated to its edges; irate() and idelta().
//
// Counter resets are found once per series and then looked up by window, and added in their order, so that the result
// has the bits that a walk over each window would give.

import type { RangeKernel } from './range-kernel.ts';
import type { Windows } from './windows.ts';

/** Samples may come this much later than the average interval and still count as reaching the window's edge. */
export const EDGE_TOLERANCE = 1.1;

function extrapolated(isCounter: boolean, isRate: boolean): RangeKernel {
  return (w, _params, out, at) => {
    const resets = isCounter ? findResets(w) : NO_RESETS;
    const edges = edgesOf(w);
    const unit = isRate ? w.rangeMs / 1000 : 1;
    let nextReset = 0;
    for (let step = 0; step < w.steps; step++) {
      const lo = w.lo[step]!;
      const hi = w.hi[step]!;
      out.valid[at + step] = hi - lo >= 2 ? 1 : 0;
      if (hi - lo < 2) continue;
      while (nextReset < resets.length && resets[nextReset]! <= lo) nextReset++;
      let change = w.values[hi - 1]! - w.values[lo]!;
      for (let r = nextReset; r < resets.length && resets[r]! < hi; r++) change += w.values[resets[r]! - 1]!;
      out.values[at + step] = change * (edges.factor(step, change, w.values[lo]!, isCounter) / unit);
    }
  };
}

/** What extrapolation knows of each window without its values, the same for all series with the same times. */
class Edges {
  private readonly sampled: Float64Array;
  private readonly toStart: Float64Array;
  private readonly toEnd: Float64Array;
  /** How much longer the extrapolated interval is, if zero is not near. */
  private readonly farFromZero: Float64Array;
  generation = -1;

  constructor(steps: number) {
    this.sampled = new Float64Array(steps);
    this.toStart = new Float64Array(steps);
    this.toEnd = new Float64Array(steps);
    this.farFromZero = new Float64Array(steps);
  }

  fill(w: Windows): void {
    this.generation = w.generation;
    for (let step = 0; step < w.steps; step++) {
      const lo = w.lo[step]!;
      const last = w.hi[step]! - 1;
      if (last <= lo) continue;
      const endMs = w.endMs(step);
      const firstMs = w.times[lo]!;
      const lastMs = w.times[last]!;
      let toStart = (firstMs - (endMs - w.rangeMs)) / 1000;
      let toEnd = (endMs - lastMs) / 1000;
      const sampled = (lastMs - firstMs) / 1000;
      const average = sampled / (last - lo);
      const threshold = average * EDGE_TOLERANCE;
      if (toStart >= threshold) toStart = average / 2;
      if (toEnd >= threshold) toEnd = average / 2;
      this.sampled[step] = sampled;
      this.toStart[step] = toStart;
      this.toEnd[step] = toEnd;
      this.farFromZero[step] = sampled === 0 ? 1 : (sampled + toStart + toEnd) / sampled;
    }
  }

  /** As extrapolation(). */
  factor(step: number, change: number, first: number, isCounter: boolean): number {
    if (isCounter && change > 0 && first >= 0) {
      // A counter starts at zero: do not extrapolate below that.
      const sampled = this.sampled[step]!;
      const toZero = sampled * (first / change);
      if (toZero < this.toStart[step]! && sampled !== 0)
        return (sampled + toZero + this.toEnd[step]!) / sampled;
    }
    return this.farFromZero[step]!;
  }
}

const edgesByWindows = new WeakMap<Windows, Edges>();

function edgesOf(w: Windows): Edges {
  let edges = edgesByWindows.get(w);
  if (edges === undefined) edgesByWindows.set(w, (edges = new Edges(w.steps)));
  if (edges.generation !== w.generation) edges.fill(w);
  return edges;
}

const NO_RESETS = new Int32Array(0);

/** The indexes of samples that are below the one before. */
function findResets(w: Windows): Int32Array {
  let resets = 0;
  for (let i = 1; i < w.count; i++) if (w.values[i]! < w.values[i - 1]!) resets++;
  if (resets === 0) return NO_RESETS;
  const indexes = new Int32Array(resets);
  let next = 0;
  for (let i = 1; i < w.count; i++) if (w.values[i]! < w.values[i - 1]!) indexes[next++] = i;
  return indexes;
}

/**
 * How much longer than the sampled interval the extrapolated one is, of a window of two samples or more. Of a counter, `first`
 * is the first value and `change` its increase.
 */
export function extrapolation(
  w: Windows,
  step: number,
  change: number,
  first: number,
  isCounter: boolean,
): number {
  return edgesOf(w).factor(step, change, first, isCounter);
}

/** From the last two samples of a window alone. */
function instant(isRate: boolean): RangeKernel {
  return (w, _params, out, at) => {
    for (let step = 0; step < w.steps; step++) {
      const last = w.hi[step]! - 1;
      const spanMs = last > w.lo[step]! ? w.times[last]! - w.times[last - 1]! : 0;
      out.valid[at + step] = spanMs === 0 ? 0 : 1;
      if (spanMs === 0) continue;
      const before = w.values[last - 1]!;
      const now = w.values[last]!;
      const change = isRate && now < before ? now : now - before;
      out.values[at + step] = isRate ? change / (spanMs / 1000) : change;
    }
  };
}

export const rateKernels = {
  rate: extrapolated(true, true),
  increase: extrapolated(true, false),
  delta: extrapolated(false, false),
  irate: instant(true),
  idelta: instant(false),
} satisfies Record<string, RangeKernel>;
