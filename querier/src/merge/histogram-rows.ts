// Hot: the native histograms of a series as rows of numbers, each made an object only when somebody reads it.
//
// What a query looks at lives as long as the look; what it only steps over never becomes anything. Rows are in columns of
// the query's arena.

import { type BucketList, FloatHistogram, zeroCounts } from '@flotilla/model';
import type { ChunkLayout, HistogramColumn, PackedRows } from '@flotilla/promql';

/** Neighbouring histograms of one chunk. */
export interface HistogramRun {
  /** Of the samples of the series, the first one and the one after the last. */
  readonly from: number;
  readonly to: number;
  readonly layout: ChunkLayout;
  readonly rows: PackedRows;
  readonly isGauge: boolean;
  /** Whether the first one begins the chunk, so that nothing is known of resets before it. */
  readonly beginsChunk: boolean;
}

const NO_BUCKETS: BucketList = { indexes: [], counts: [] };

export class HistogramRows implements HistogramColumn {
  readonly length: number;
  readonly #runs: readonly HistogramRun[];
  /** The one that was read last: readers go from sample to sample. */
  #last: HistogramRun | undefined;

  /** Runs ascend; between them are samples of other kinds. */
  constructor(runs: readonly HistogramRun[], length: number) {
    this.#runs = runs;
    this.length = length;
  }

  at(index: number): FloatHistogram | undefined {
    const run = this.#runAt(index);
    return run && histogramOf(run, index);
  }

  statsAt(index: number): FloatHistogram | undefined {
    const run = this.#runAt(index);
    if (run === undefined) return undefined;
    const { layout, rows } = run;
    const row = index - run.from;
    const { schema } = layout;
    return new FloatHistogram({
      hint: hintOf(run, index),
      schema,
      count: rows.count(row),
      sum: rows.sum(row),
    });
  }

  #runAt(index: number): HistogramRun | undefined {
    const last = this.#last;
    if (last !== undefined && index >= last.from && index < last.to) return last;
    return (this.#last = this.#find(index));
  }

  #find(index: number): HistogramRun | undefined {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#runs[middle]!.to <= index) low = middle + 1;
      else high = middle;
    }
    const run = this.#runs[low];
    return run === undefined || index < run.from ? undefined : run;
  }
}

function histogramOf(run: HistogramRun, index: number): FloatHistogram {
  const { layout, rows } = run;
  const { positiveIndexes, negativeIndexes } = layout;
  const row = index - run.from;
  return new FloatHistogram({
    hint: hintOf(run, index),
    schema: layout.schema,
    zeroThreshold: layout.zeroThreshold,
    customBounds: layout.customBounds,
    count: rows.count(row),
    zeroCount: rows.zeroCount(row),
    sum: rows.sum(row),
    positive: bucketsOf(rows, row, positiveIndexes, 0),
    negative: bucketsOf(rows, row, negativeIndexes, positiveIndexes.length),
  });
}

function hintOf({ isGauge, beginsChunk, from }: HistogramRun, index: number): FloatHistogram['hint'] {
  if (isGauge) return 'gauge';
  return beginsChunk && index === from ? 'unknown' : 'not_reset';
}

function bucketsOf(rows: PackedRows, row: number, indexes: readonly number[], first: number): BucketList {
  if (indexes.length === 0) return NO_BUCKETS;
  const counts = zeroCounts(indexes.length);
  rows.buckets(row, first, counts);
  return { indexes, counts };
}
