// Where a range function gets its samples from: the storage, or a subquery.

import { isStale } from '@flotilla/model';
import type { Series } from '../storage.ts';
import type { Evaluation } from './evaluation.ts';
import type { Operator } from './operator.ts';
import type { Selection } from './selection.ts';
import { listOf, NO_SERIES, type SeriesList } from './series-list.ts';
import type { Tile } from './tile.ts';

/** The columns that a source fills in; Windows is one. */
export interface SampleColumns {
  times: Float64Array;
  values: Float64Array;
  count: number;
}

export interface RangeSource {
  /** Set by open(). */
  readonly series: SeriesList;
  open(): Promise<void>;
  /** Points `into` at the samples of a series, oldest first, without stale markers. They last until the next load. */
  load(index: number, into: SampleColumns): void;
}

/** Samples as they were scraped. */
export class StorageSource implements RangeSource {
  series: SeriesList = NO_SERIES;
  private readonly selection: Selection;

  constructor(selection: Selection) {
    this.selection = selection;
  }

  open(): Promise<void> {
    this.series = listOf(
      this.selection.series.map((series) => series.labels),
      true,
    );
    return Promise.resolve();
  }

  load(index: number, into: SampleColumns): void {
    const series = this.selection.series[index]!;
    const live = hasStale(series.values) ? withoutStale(series) : series;
    into.times = live.timestampsMs;
    into.values = live.values;
    into.count = live.values.length;
  }
}

function hasStale(values: Float64Array): boolean {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value !== value && isStale(values, i)) return true; // oxlint-disable-line no-self-compare
  }
  return false;
}

function withoutStale(series: Series): Series {
  const times = new Float64Array(series.values.length);
  const values = new Float64Array(series.values.length);
  let count = 0;
  for (let i = 0; i < series.values.length; i++) {
    if (isStale(series.values, i)) continue;
    times[count] = series.timestampsMs[i]!;
    values[count++] = series.values[i]!;
  }
  return {
    labels: series.labels,
    timestampsMs: times.subarray(0, count),
    values: values.subarray(0, count),
  };
}

/** The steps of an inner expression. */
export class SubquerySource implements RangeSource {
  series: SeriesList = NO_SERIES;
  private readonly input: Operator;
  private readonly evaluation: Evaluation;
  private row: Tile | undefined;
  private times = new Float64Array(0);
  private values = new Float64Array(0);

  constructor(input: Operator, evaluation: Evaluation) {
    this.input = input;
    this.evaluation = evaluation;
  }

  async open(): Promise<void> {
    const { steps } = this.input.grid;
    this.row = this.evaluation.take(1, steps, 'a subquery');
    this.evaluation.budget.take(16 * steps, 'a subquery');
    this.times = new Float64Array(steps);
    this.values = new Float64Array(steps);
    await this.input.open();
    this.series = this.input.series;
  }

  load(index: number, into: SampleColumns): void {
    const { startMs, stepMs, steps } = this.input.grid;
    const row = this.row!;
    this.input.read(index, index + 1, row, 0);
    let count = 0;
    for (let step = 0; step < steps; step++) {
      if (row.valid[step] === 0) continue;
      this.times[count] = startMs + step * stepMs;
      this.values[count++] = row.values[step]!;
    }
    into.times = this.times;
    into.values = this.values;
    into.count = count;
  }
}
