// Hot: windows of series that are not all floats: range functions see their floats and their histograms apart.
//
// The function's own kernel runs over the floats; what comes of the whole window is for its MixedKernel to say. Series
// of floats alone never come here, unless it is known when their counters began.

import type { FloatHistogram } from '@flotilla/model';
import type { PositionRange } from '../ast.ts';
import type { HistogramColumn } from '../storage.ts';
import type { Annotations } from './annotations.ts';
import { Neighbours } from './neighbours.ts';
import type { RangeKernel } from './range-kernel.ts';
import { FLOAT, makeTile, NOTHING, setHistogram, type Tile } from './tile.ts';
import type { Windows } from './windows.ts';

/** What a window comes to; undefined for nothing. */
export type MixedResult = number | FloatHistogram | undefined;

export type MixedKernel = (w: MixedWindow) => MixedResult;

/** Where notes about a function go, and what they name. */
export interface Noted {
  readonly annotations: Annotations;
  /** Where the function's first argument is in the query. */
  readonly pos: PositionRange;
}

/** The window of one step. One object serves all windows of an operator. */
export class MixedWindow {
  step = 0;
  /** Of the series, for annotations. */
  metric = '';
  /** All samples; only the floats; only the histograms, all of which are set. */
  readonly all: Windows;
  readonly floats: Windows;
  readonly histograms: Windows;
  /** The windows' histograms, for loops over [lo, hi) of `histograms`. */
  list: readonly FloatHistogram[] = [];
  readonly noted: Noted;
  /** Whether results are summed up and compacted then, so that they may have empty buckets. */
  readonly isSummed: boolean;
  /** Of `list`. */
  readonly neighbours = new Neighbours();
  private readonly floatResults: Tile;
  /** Whether `floatResults` is what the function makes of no floats. */
  private isOfNoFloats = false;

  constructor(all: Windows, noted: Noted, isSummed = false) {
    this.isSummed = isSummed;
    this.all = all;
    this.floats = all.emptyCopy();
    this.histograms = all.emptyCopy();
    this.noted = noted;
    this.floatResults = makeTile(all.steps);
  }

  get floatCount(): number {
    return this.floats.hi[this.step]! - this.floats.lo[this.step]!;
  }

  get histogramCount(): number {
    return this.histograms.hi[this.step]! - this.histograms.lo[this.step]!;
  }

  /** What the function makes of the floats. */
  get floatResult(): number | undefined {
    return this.floatResults.valid[this.step] === FLOAT ? this.floatResults.values[this.step]! : undefined;
  }

  /** Writes a row; `all` has its samples and windows. */
  run(
    kernel: RangeKernel,
    mixed: MixedKernel,
    params: readonly Float64Array[],
    reach: { readonly beforeMs: number; readonly afterMs: number },
    into: Tile,
    at: number,
  ): void {
    this.split();
    this.histograms.locate(reach.beforeMs, reach.afterMs);
    if (this.floats.count > 0 || !this.isOfNoFloats) {
      this.floats.locate(reach.beforeMs, reach.afterMs);
      kernel(this.floats, params, this.floatResults, 0);
      this.isOfNoFloats = this.floats.count === 0;
    }
    for (this.step = 0; this.step < this.all.steps; this.step++) {
      const cell = at + this.step;
      const empty = this.all.hi[this.step] === this.all.lo[this.step];
      const result = empty ? undefined : mixed(this);
      into.valid[cell] = result === undefined ? NOTHING : FLOAT;
      if (typeof result === 'number') into.values[cell] = result;
      else if (result !== undefined) setHistogram(into, cell, result);
    }
  }

  private split(): void {
    const { all, histograms } = this;
    all.keepHistograms();
    if (areHistograms(all.histograms, all.count)) {
      this.list = all.histograms;
      pick(all, [], this.floats);
      // The very same columns, so that the windows of series with the same times are known.
      histograms.times = all.times;
      histograms.startTimesMs = all.startTimesMs;
      histograms.count = all.count;
      histograms.timesAreFixed = all.timesAreFixed;
    } else this.splitMixed();
    this.neighbours.reset(this.list);
  }

  private splitMixed(): void {
    const { all } = this;
    const list: FloatHistogram[] = [];
    const places: number[] = [];
    const floats: number[] = [];
    for (let i = 0; i < all.count; i++) {
      const histogram = all.histograms?.at(i);
      if (histogram === undefined) {
        floats.push(i);
        continue;
      }
      places.push(i);
      list.push(histogram);
    }
    this.list = list;
    pick(all, floats, this.floats);
    pick(all, places, this.histograms);
  }
}

/** Whether all of the first `count` samples are histograms, in a list of no more than these. */
function areHistograms(
  column: HistogramColumn | undefined,
  count: number,
): column is HistogramColumn & readonly FloatHistogram[] {
  if (!Array.isArray(column) || column.length !== count) return false;
  for (let i = 0; i < count; i++) if (column[i] === undefined) return false;
  return true;
}

/** Points windows at some of the samples of others. */
function pick(all: Windows, places: readonly number[], into: Windows): void {
  into.times = Float64Array.from(places, (i) => all.times[i]!);
  into.values = Float64Array.from(places, (i) => all.values[i]!);
  into.startTimesMs = all.startTimesMs && Float64Array.from(places, (i) => all.startTimesMs![i]!);
  into.count = places.length;
  into.timesAreFixed = false;
}
