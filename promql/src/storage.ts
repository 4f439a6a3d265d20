// The storage that the engine consumes. A tsdb, the querier's merged view and a test's memory store satisfy it.

import type { FloatHistogram, Labels, Matcher } from '@flotilla/model';

/** What the engine knows about the use of a selector; a storage may ignore all but the time range. */
export interface SelectHints {
  /** First and last timestamp, inclusive, milliseconds. */
  readonly startMs: number;
  readonly endMs: number;
  /** Step of the range query, 0 for an instant one. */
  readonly stepMs: number;
  /** Range of the matrix selector around the selector, 0 for none. */
  readonly rangeMs: number;
  /** Innermost function or aggregation over the selector, '' for none. */
  readonly func: string;
  readonly grouping: readonly string[];
  readonly by: boolean;
  /** True if of each series only the newest sample of the time range is looked at: a storage may leave out the others. */
  readonly latestOnly?: boolean;
}

/**
 * The native histograms among the samples of one series, by the place of the sample; undefined where there is none. Plain
 * arrays are such columns; a storage may also make each histogram when it is asked for, and a new one each time: who reads
 * one several times keeps it.
 */
export interface HistogramColumn {
  /** As many as there are samples. */
  readonly length: number;
  /** Of places from 0 to length − 1. */
  at(index: number): FloatHistogram | undefined;
  /** The same without buckets: hint, schema, count and sum. Absent if that would not be sooner made. */
  statsAt?(index: number): FloatHistogram | undefined;
}

/**
 * The samples of one series, oldest first, as two columns of the same length.
 * Stale markers are in `values` with their exact bits: test them with `isStale(values, i)`.
 * The columns belong to the reader and stay valid.
 */
export interface Series {
  readonly labels: Labels;
  readonly timestampsMs: Float64Array;
  readonly values: Float64Array;
  /** False: no value is NaN, and none a stale marker, so that nobody need look. Else there may be. */
  readonly hasNaN?: boolean;
  /**
   * The native histograms among the samples, at their places; `values` says nothing there. Absent if all are floats.
   * A histogram that marks the end of its series is a stale marker in `values`, and undefined here.
   */
  readonly histograms?: HistogramColumn;
  /** When each sample's counter began, 0 for unknown. Absent if it is for none. */
  readonly startTimesMs?: Float64Array;
}

export interface SelectResult {
  /** Sorted by labels (`compareLabels`), no two equal. */
  readonly series: readonly Series[];
  /** What all series are called, if no other label describes their metric (`soleMetadata`); absent says nothing. Spares a look at each. */
  readonly metric?: string | undefined;
  /** Reach the API's `warnings` as they are. */
  readonly warnings: readonly string[];
}

/**
 * Counts the bytes that one query holds. `take` throws a `QueryLimitError` when the budget is exceeded;
 * `where` names the selector or operator in that error.
 */
export interface MemoryBudget {
  take(bytes: number, where: string): void;
  give(bytes: number): void;
}

/** Everything a storage may need to know about the query that it serves. */
export interface SelectContext {
  readonly signal: AbortSignal;
  readonly budget: MemoryBudget;
}

export interface Storage {
  /** Rejects with the error of the storage; partial answers are the storage's own policy and its `warnings`. */
  select(matchers: readonly Matcher[], hints: SelectHints, context: SelectContext): Promise<SelectResult>;
}
