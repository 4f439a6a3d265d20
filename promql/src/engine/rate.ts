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
    const edges = edgesOf(w, isRate ? w.rangeMs / 1000 : 1);
    out.valid.set(edges.enough, at);
    const resets = isCounter ? findResets(w) : NO_RESETS;
    if (resets.length > 0) withResets(w, edges, resets, out.values, at);
    else if (isCounter) withoutResets(w, edges, out.values, at);
    else differences(w, edges, out.values, at);
  };
}

/** Of a gauge. */
function differences(
  { steps, lo, hi, values }: Windows,
  { enough, far }: Edges,
  out: Float64Array,
  at: number,
): void {
  for (let step = 0; step < steps; step++) {
    if (enough[step] === 0) continue;
    out[at + step] = (values[hi[step]! - 1]! - values[lo[step]!]!) * far[step]!;
  }
}

/** Of a counter that only grows. */
function withoutResets(
  { steps, lo, hi, values }: Windows,
  edges: Edges,
  out: Float64Array,
  at: number,
): void {
  const { enough, far, sampled, toStart } = edges;
  for (let step = 0; step < steps; step++) {
    if (enough[step] === 0) continue;
    const first = values[lo[step]!]!;
    const change = values[hi[step]! - 1]! - first;
    const isNear = first >= 0 && change > 0 && sampled[step]! * (first / change) < toStart[step]!;
    out[at + step] = change * (isNear ? edges.factor(step, change, first, true) / edges.unit : far[step]!);
  }
}

function withResets(w: Windows, edges: Edges, resets: Int32Array, out: Float64Array, at: number): void {
  const { lo, hi, values } = w;
  let nextReset = 0;
  for (let step = 0; step < w.steps; step++) {
    if (edges.enough[step] === 0) continue;
    const first = lo[step]!;
    const end = hi[step]!;
    while (nextReset < resets.length && resets[nextReset]! <= first) nextReset++;
    let change = values[end - 1]! - values[first]!;
    for (let r = nextReset; r < resets.length && resets[r]! < end; r++) change += values[resets[r]! - 1]!;
    out[at + step] = change * (edges.factor(step, change, values[first]!, true) / edges.unit);
  }
}

/** What extrapolation knows of each window without its values, the same for all series with the same times. */
class Edges {
  /** 1 for windows of two samples or more, about which alone the rest says something. */
  readonly enough: Uint8Array;
  readonly sampled: Float64Array;
  readonly toStart: Float64Array;
  /** How much longer the extrapolated interval is if zero is not near, over `unit`. */
  readonly far: Float64Array;
  unit = 1;
  generation = -1;
  private readonly toEnd: Float64Array;
  private readonly farFromZero: Float64Array;

  constructor(steps: number) {
    this.enough = new Uint8Array(steps);
    this.sampled = new Float64Array(steps);
    this.toStart = new Float64Array(steps);
    this.toEnd = new Float64Array(steps);
    this.farFromZero = new Float64Array(steps);
    this.far = new Float64Array(steps);
  }

  fill(w: Windows, unit: number): void {
    this.generation = w.generation;
    this.unit = unit;
    for (let step = 0; step < w.steps; step++) {
      const lo = w.lo[step]!;
      const last = w.hi[step]! - 1;
      this.enough[step] = last > lo ? 1 : 0;
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
      this.far[step] = this.farFromZero[step]! / unit;
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

function edgesOf(w: Windows, unit: number): Edges {
  let edges = edgesByWindows.get(w);
  if (edges === undefined) edgesByWindows.set(w, (edges = new Edges(w.steps)));
  if (edges.generation !== w.generation || edges.unit !== unit) edges.fill(w, unit);
  return edges;
}

const NO_RESETS = new Int32Array(0);

/** The indexes of samples that are below the one before. */
function findResets(w: Windows): Int32Array {
  const { values, count } = w;
  let resets = 0;
  let before = -Infinity;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    if (value < before) resets++;
    before = value;
  }
  if (resets === 0) return NO_RESETS;
  const indexes = new Int32Array(resets);
  let next = 0;
  for (let i = 1; i < count; i++) if (values[i]! < values[i - 1]!) indexes[next++] = i;
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
  return edgesOf(w, 1).factor(step, change, first, isCounter);
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
