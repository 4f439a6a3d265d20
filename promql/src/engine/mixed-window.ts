// Windows of series that are not all floats: range functions see their floats and their histograms apart.
//
// The function's own kernel runs over the floats; what comes of the whole window is for its MixedKernel to say. Series
// of floats alone never come here, unless it is known when their counters began.

import type { FloatHistogram } from '@flotilla/model';
import type { PositionRange } from '../ast.ts';
import type { HistogramColumn } from '../storage.ts';
import type { Annotations } from './annotations.ts';
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
  private readonly floatResults: Tile;

  constructor(all: Windows, noted: Noted) {
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
    this.floats.locate(reach.beforeMs, reach.afterMs);
    this.histograms.locate(reach.beforeMs, reach.afterMs);
    kernel(this.floats, params, this.floatResults, 0);
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
    this.all.keepHistograms();
    const { times, values, histograms, startTimesMs, count } = this.all;
    const isFloat = (_: unknown, i: number): boolean => i < count && histograms?.at(i) === undefined;
    const isHistogram = (_: unknown, i: number): boolean => i < count && histograms?.at(i) !== undefined;
    this.floats.times = times.filter(isFloat);
    this.floats.values = values.filter(isFloat);
    this.floats.startTimesMs = startTimesMs?.filter(isFloat);
    this.floats.count = this.floats.times.length;
    this.histograms.times = times.filter(isHistogram);
    this.list = listed(histograms, count);
    this.histograms.histograms = this.list;
    this.histograms.startTimesMs = startTimesMs?.filter(isHistogram);
    this.histograms.count = this.histograms.times.length;
  }
}

function listed(column: HistogramColumn | undefined, count: number): FloatHistogram[] {
  const list: FloatHistogram[] = [];
  for (let i = 0; i < count; i++) {
    const one = column?.at(i);
    if (one !== undefined) list.push(one);
  }
  return list;
}
