// Hot: rate(), increase() and delta(): the difference over a window, extrapolated to its edges; irate() and idelta().
//
// Counter resets are found once per series and then looked up by window, and added in their order, so that the result
// has the bits that a walk over each window would give.

import { type WindowEdges, windowRates } from '@flotilla/kernel';
import type { RangeKernel } from './range-kernel.ts';
import type { Tile } from './tile.ts';
import type { Windows } from './windows.ts';

/** Samples may come this much later than the average interval and still count as reaching the window's edge. */
export const EDGE_TOLERANCE = 1.1;
/** An instant query has one. */
const FEW_STEPS = 2;

function extrapolated(isCounter: boolean, isRate: boolean): RangeKernel {
  return (w, _params, out, at) => {
    const edges = edgesOf(w, isRate ? w.rangeMs / 1000 : 1);
    if (w.steps <= FEW_STEPS) {
      oneByOne(w, edges, isCounter, out, at);
      return;
    }
    out.valid.set(edges.enough, at);
    if (windowRates(edges, w.values, w.count, isCounter, out.values, at)) return;
    withResets(w, edges, findResets(w), out.values, at);
  };
}

/** As what follows does it, for windows so few that telling the kernel of them takes longer. */
function oneByOne(w: Windows, edges: Edges, isCounter: boolean, out: Tile, at: number): void {
  const { lo, hi, values } = w;
  for (let step = 0; step < w.steps; step++) {
    const isEnough = edges.enough[step]!;
    out.valid[at + step] = isEnough;
    if (isEnough === 0) continue;
    const first = lo[step]!;
    const end = hi[step]!;
    let change = values[end - 1]! - values[first]!;
    if (isCounter) for (let i = first + 1; i < end; i++) if (isReset(values, i)) change += values[i - 1]!;
    out.values[at + step] = change * (edges.factor(step, change, values[first]!, isCounter) / edges.unit);
  }
}

/** Of a counter that does not only grow. */
function withResets(
  w: Windows,
  edges: Edges,
  resets: readonly number[],
  out: Float64Array,
  at: number,
): void {
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
class Edges implements WindowEdges {
  readonly steps: number;
  readonly lo: Int32Array;
  readonly hi: Int32Array;
  readonly enough: Uint8Array;
  readonly sampled: Float64Array;
  readonly toStart: Float64Array;
  readonly toEnd: Float64Array;
  /** How much longer the extrapolated interval is if zero is not near, over `unit`. */
  readonly far: Float64Array;
  unit = 1;
  generation = 0;
  /** The generation of the windows that it knows. */
  private windowsGeneration = -1;
  private readonly farFromZero: Float64Array;

  constructor({ steps, lo, hi }: Windows) {
    this.steps = steps;
    this.lo = lo;
    this.hi = hi;
    this.enough = new Uint8Array(steps);
    this.sampled = new Float64Array(steps);
    this.toStart = new Float64Array(steps);
    this.toEnd = new Float64Array(steps);
    this.farFromZero = new Float64Array(steps);
    this.far = new Float64Array(steps);
  }

  isOf(w: Windows, unit: number): boolean {
    return this.windowsGeneration === w.generation && this.unit === unit;
  }

  fill(w: Windows, unit: number): void {
    this.generation++;
    this.windowsGeneration = w.generation;
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
  if (edges === undefined) edgesByWindows.set(w, (edges = new Edges(w)));
  if (!edges.isOf(w, unit)) edges.fill(w, unit);
  return edges;
}

function isReset(values: Float64Array, i: number): boolean {
  return values[i]! < values[i - 1]!;
}

/** The indexes of samples that are below the one before. */
function findResets({ values, count }: Windows): number[] {
  const indexes: number[] = [];
  for (let i = 1; i < count; i++) if (isReset(values, i)) indexes.push(i);
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
