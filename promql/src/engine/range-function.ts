// A function over windows: rate(), …_over_time() and their like, row by row.

import { METRIC_NAME } from '@flotilla/model';
import type { PositionRange } from '../ast.ts';
import type { Evaluation } from './evaluation.ts';
import type { Grid } from './grid.ts';
import { type MixedKernel, MixedWindow } from './mixed-window.ts';
import { BaseOperator, type Operator } from './operator.ts';
import type { RangeKernel } from './range-kernel.ts';
import type { RangeSource } from './range-source.ts';
import { withoutNames } from './series-list.ts';
import { anyFloat, FLOAT, type Tile } from './tile.ts';
import type { Windows } from './windows.ts';

export interface RangeCall {
  readonly func: string;
  readonly kernel: RangeKernel;
  /** For series that hold native histograms, or whose start times matter. */
  readonly mixed: MixedKernel;
  readonly source: RangeSource;
  readonly windows: Windows;
  /** How far beyond their range windows reach, for `anchored` and `smoothed`. */
  readonly beforeMs: number;
  readonly afterMs: number;
  /** Scalar arguments, in order. */
  readonly params: readonly Operator[];
  /** Where the first argument is in the query. */
  readonly pos: PositionRange;
  /** Nobody sees the results but a sum or an average. */
  readonly isSummed: boolean;
}

/** These give back samples as they are, so the series keeps its name. */
const KEEP_NAME = new Set(['last_over_time', 'first_over_time']);

/** A look at the clock takes as long as a twentieth of a row of one step. */
const CELLS_PER_CHECK = 16;

/** What names of counters end in. */
export const COUNTER_SUFFIX = /_(?:total|sum|count|bucket)$/;

export class RangeFunction extends BaseOperator {
  private readonly call: RangeCall;
  private readonly mixedWindow: MixedWindow;
  private params: readonly Float64Array[] = [];
  /** The last name that was seen to be a counter's. */
  private counterName: string | undefined;

  constructor(call: RangeCall, grid: Grid, evaluation: Evaluation) {
    super(grid, evaluation);
    this.call = call;
    const noted = { annotations: evaluation.annotations, pos: call.pos };
    this.mixedWindow = new MixedWindow(call.windows, noted, call.isSummed);
  }

  async open(): Promise<void> {
    const { source, func, params } = this.call;
    const rows: Float64Array[] = [];
    for (const param of params) {
      await param.open();
      rows.push(await this.evaluation.scalarRow(param));
    }
    this.params = rows;
    await source.open();
    const keep = KEEP_NAME.has(func);
    this.series = keep ? source.series : withoutNames(source.series, this.evaluation.delayedNameRemoval);
  }

  read(from: number, to: number, into: Tile, row: number): void {
    const { func, kernel, source, windows, beforeMs, afterMs } = this.call;
    const { steps } = this.grid;
    const rowsPerCheck = Math.max(1, Math.floor(CELLS_PER_CHECK / steps));
    for (let i = from; i < to; i++) {
      const at = (row + i - from) * steps;
      source.load(i, windows);
      this.counter.addWindows(windows.locate(beforeMs, afterMs), windows.lo, windows.hi, source.isStored);
      if (windows.histograms === undefined && windows.startTimesMs === undefined) {
        kernel(windows, this.params, into, at);
      } else {
        this.readMixed(i, into, at);
      }
      this.noteNonCounter(i, into, at);
      if (func === 'quantile_over_time') this.warnOfPhi(into, at);
      if (i % rowsPerCheck === 0) this.evaluation.check();
    }
  }

  private readMixed(index: number, into: Tile, at: number): void {
    const { source, kernel, mixed, beforeMs, afterMs } = this.call;
    this.mixedWindow.metric = source.series.labels[index]!.get(METRIC_NAME);
    this.mixedWindow.run(kernel, mixed, this.params, { beforeMs, afterMs }, into, at);
  }

  private noteNonCounter(index: number, into: Tile, at: number): void {
    const { func, source, pos } = this.call;
    if (func !== 'rate' && func !== 'increase') return;
    const metric = source.metric ?? source.series.labels[index]!.get(METRIC_NAME);
    if (metric === this.counterName || metric === '') return;
    if (COUNTER_SUFFIX.test(metric)) {
      this.counterName = metric;
      return;
    }
    if (anyFloat(into.valid, at, at + this.grid.steps)) {
      this.evaluation.annotations.possibleNonCounter(metric, pos);
    }
  }

  private warnOfPhi(into: Tile, at: number): void {
    const phis = this.params[0]!;
    for (let step = 0; step < phis.length; step++) {
      const phi = phis[step]!;
      if (phi >= 0 && phi <= 1) continue;
      if (into.valid[at + step] === FLOAT) this.evaluation.annotations.invalidQuantile(phi, this.call.pos);
    }
  }
}
