// Hot: the instant vector selector: at each step the latest sample that is not older than the lookback.
//
// One pass over the times and the steps together, once for all series with the same times. A stale marker ends a series
// until its next sample.

import { isStale } from '@flotilla/model';
import type { Series } from '../storage.ts';
import type { Evaluation } from './evaluation.ts';
import type { Grid } from './grid.ts';
import { BaseOperator } from './operator.ts';
import type { Selection } from './selection.ts';
import { storedSeries } from './series-list.ts';
import { setHistogram, type Tile } from './tile.ts';

/** Whether steps look at times that move with them, or all at one time (`@`). Either includes the offset. */
export interface LookTimes {
  readonly firstMs: number;
  readonly stepMs: number;
}

/** The times that steps of a grid look at. */
export function lookTimes(grid: Grid, offsetMs: number, atMs: number | undefined): LookTimes {
  if (atMs !== undefined) return { firstMs: atMs - offsetMs, stepMs: 0 };
  return { firstMs: grid.startMs - offsetMs, stepMs: grid.stepMs };
}

/** What a cell gets: the sample's value, or in seconds its time or when its counter began (0 for unknown). */
export type SampleColumn = 'value' | 'time' | 'start';

export class InstantSelector extends BaseOperator {
  private readonly selection: Selection;
  private readonly times: LookTimes;
  private readonly column: SampleColumn;
  /** For each step the place of its sample, −1 for none, in columns with these times. */
  private readonly picks: Int32Array;
  private picked: Float64Array | undefined;
  /** The first pick if each step has the next sample, as when steps are as long as the interval; else −1. */
  private run = -1;

  constructor(
    selection: Selection,
    times: LookTimes,
    grid: Grid,
    evaluation: Evaluation,
    column: SampleColumn = 'value',
  ) {
    super(grid, evaluation);
    this.selection = selection;
    this.times = times;
    this.column = column;
    this.picks = new Int32Array(grid.steps);
  }

  open(): Promise<void> {
    this.series = storedSeries(this.selection);
    return Promise.resolve();
  }

  /** Whether any sample of some rows is a native histogram. */
  holdsHistograms(rows: readonly number[]): boolean {
    return rows.some((row) => this.selection.series[row]!.histograms !== undefined);
  }

  read(from: number, to: number, into: Tile, row: number): void {
    const { steps } = this.grid;
    for (let i = from; i < to; i++) {
      this.lookUp(this.selection.series[i]!, into, (row + i - from) * steps);
    }
    this.evaluation.check();
  }

  private lookUp(series: Series, into: Tile, at: number): void {
    const { timestampsMs, values } = series;
    if (this.picked !== timestampsMs) this.pick(timestampsMs);
    const { picks } = this;
    const column = this.columnOf(series);
    const unit = this.column === 'value' ? 1 : 1000;
    const histograms = this.column === 'value' ? series.histograms : undefined;
    if (this.run >= 0 && unit === 1 && histograms === undefined && this.copyRun(values, into, at)) return;
    let found = 0;
    for (let step = 0; step < picks.length; step++) {
      const pick = picks[step]!;
      const fresh = pick >= 0 && !isStale(values, pick);
      into.valid[at + step] = fresh ? 1 : 0;
      if (!fresh) continue;
      found++;
      into.values[at + step] = column[pick]! / unit;
      const histogram = histograms?.at(pick);
      if (histogram !== undefined) setHistogram(into, at + step, histogram);
    }
    this.counter.addCells(found, into.valid, at);
  }

  private pick(timestampsMs: Float64Array): void {
    const { stepMs } = this.times;
    const { lookbackMs } = this.evaluation;
    const count = timestampsMs.length;
    let next = 0;
    let timeMs = this.times.firstMs;
    for (let step = 0; step < this.picks.length; step++, timeMs += stepMs) {
      while (next < count && timestampsMs[next]! <= timeMs) next++;
      const fresh = next > 0 && timestampsMs[next - 1]! > timeMs - lookbackMs;
      this.picks[step] = fresh ? next - 1 : -1;
    }
    this.picked = timestampsMs;
    const [first = -1] = this.picks;
    this.run = this.picks.every((pick, step) => pick === first + step) ? first : -1;
  }

  /** False if there is a NaN, which may be a stale marker. */
  private copyRun(values: Float64Array, into: Tile, at: number): boolean {
    const { length } = this.picks;
    const from = this.run;
    for (let step = 0; step < length; step++) {
      const value = values[from + step]!;
      if (value !== value) return false; // oxlint-disable-line no-self-compare
      into.values[at + step] = value;
    }
    into.valid.fill(1, at, at + length);
    this.counter.addCells(length, into.valid, at);
    return true;
  }

  private columnOf({ timestampsMs, values, startTimesMs }: Series): Float64Array {
    if (this.column === 'value') return values;
    return this.column === 'time' ? timestampsMs : (startTimesMs ?? new Float64Array(values.length));
  }
}
