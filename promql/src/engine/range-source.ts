// Where a range function gets its samples from: the storage, or a subquery.

import { type FloatHistogram, isStale, METRIC_NAME } from '@flotilla/model';
import type { HistogramColumn, Series } from '../storage.ts';
import type { Evaluation } from './evaluation.ts';
import { columnAt } from './histogram-column.ts';
import type { Operator } from './operator.ts';
import type { Selection } from './selection.ts';
import { NO_SERIES, type SeriesList, storedSeries } from './series-list.ts';
import { histogramAt, NOTHING, type Tile } from './tile.ts';

/** The columns that a source fills in; Windows is one. */
export interface SampleColumns {
  times: Float64Array;
  values: Float64Array;
  /** The histograms among the samples; undefined if there are none. */
  histograms: HistogramColumn | undefined;
  /** Undefined if no start time is known. */
  startTimesMs: Float64Array | undefined;
  count: number;
  /** Whether another series with the same array for times, and as many of them, has the same times. */
  timesAreFixed: boolean;
}

export interface RangeSource {
  /** Whether its samples are those of a storage. */
  readonly isStored: boolean;
  /** What all series are called, if the selector says it. */
  readonly metric: string | undefined;
  /** Set by open(). */
  readonly series: SeriesList;
  open(): Promise<void>;
  /** Points `into` at the samples of a series, oldest first, without stale markers. They last until the next load. */
  load(index: number, into: SampleColumns): void;
}

/** Samples as they were scraped. */
export class StorageSource implements RangeSource {
  readonly isStored = true;
  readonly metric: string | undefined;
  series: SeriesList = NO_SERIES;
  private readonly selection: Selection;
  private readonly withStartTimes: boolean;

  constructor(selection: Selection, withStartTimes: boolean) {
    this.metric = selection.matchers.find(({ name, type }) => name === METRIC_NAME && type === '=')?.value;
    this.selection = selection;
    this.withStartTimes = withStartTimes;
  }

  open(): Promise<void> {
    this.series = storedSeries(this.selection);
    return Promise.resolve();
  }

  load(index: number, into: SampleColumns): void {
    const series = this.selection.series[index]!;
    const live = hasStale(series) ? withoutStale(series) : series;
    into.times = live.timestampsMs;
    into.values = live.values;
    into.histograms = live.histograms;
    into.startTimesMs = this.withStartTimes ? live.startTimesMs : undefined;
    into.count = live.values.length;
    into.timesAreFixed = live === series;
  }
}

function hasStale({ values, hasNaN }: Series): boolean {
  if (hasNaN === false) return false;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value !== value && isStale(values, i)) return true; // oxlint-disable-line no-self-compare
  }
  return false;
}

function withoutStale({ labels, timestampsMs, values, histograms, startTimesMs }: Series): Series {
  const live = (_: unknown, i: number): boolean => !isStale(values, i);
  const places = [...values.keys()].filter((i) => !isStale(values, i));
  return {
    labels,
    timestampsMs: timestampsMs.filter(live),
    values: values.filter(live),
    ...(histograms && { histograms: columnAt(histograms, places) }),
    ...(startTimesMs && { startTimesMs: startTimesMs.filter(live) }),
  };
}

/** Between steps, samples may have been left out or repeated, so nothing is known of resets. */
function withUnknownResets(histogram: FloatHistogram | undefined): FloatHistogram | undefined {
  return histogram?.hint === 'gauge' ? histogram : histogram?.withHint('unknown');
}

/** The steps of an inner expression. */
export class SubquerySource implements RangeSource {
  readonly isStored = false;
  readonly metric = undefined;
  series: SeriesList = NO_SERIES;
  private readonly input: Operator;
  private readonly evaluation: Evaluation;
  private row: Tile | undefined;
  /** Of all steps. */
  private allTimes = new Float64Array(0);
  private times = new Float64Array(0);
  private values = new Float64Array(0);

  constructor(input: Operator, evaluation: Evaluation) {
    this.input = input;
    this.evaluation = evaluation;
  }

  async open(): Promise<void> {
    const { steps } = this.input.grid;
    this.row = this.evaluation.take(1, steps, 'a subquery');
    this.evaluation.budget.take(24 * steps, 'a subquery');
    this.allTimes = Float64Array.from(
      { length: steps },
      (_, step) => this.input.grid.startMs + step * this.input.grid.stepMs,
    );
    this.times = new Float64Array(steps);
    this.values = new Float64Array(steps);
    await this.input.open();
    this.series = this.input.series;
  }

  load(index: number, into: SampleColumns): void {
    const { steps } = this.input.grid;
    const row = this.row!;
    this.input.read(index, index + 1, row, 0);
    const histograms: (FloatHistogram | undefined)[] | undefined = row.histograms && [];
    let count = 0;
    for (let step = 0; step < steps; step++) {
      if (row.valid[step] === NOTHING) continue;
      this.times[count] = this.allTimes[step]!;
      histograms?.push(withUnknownResets(histogramAt(row, step)));
      this.values[count++] = row.values[step]!;
    }
    into.histograms = histograms;
    into.startTimesMs = undefined;
    into.times = count === steps ? this.allTimes : this.times;
    into.timesAreFixed = count === steps;
    into.values = this.values;
    into.count = count;
  }
}
