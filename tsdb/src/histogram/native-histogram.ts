// A native histogram as it is stored: spans and absolute counts. What queries compute with is model's FloatHistogram.

import {
  bucketsOfSpans,
  type BucketSpan,
  type CounterResetHint,
  FloatHistogram,
  spansOfBuckets,
} from '@flotilla/model';

/** What all samples of a chunk have in common. */
export interface HistogramLayout {
  /** −4 to 8: exponential; −53: custom bounds. */
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly positiveSpans: readonly BucketSpan[];
  readonly negativeSpans: readonly BucketSpan[];
  /** Upper bounds of custom buckets, without +Inf; empty for exponential ones. */
  readonly customBounds: readonly number[];
}

export interface NativeHistogram extends HistogramLayout {
  /** Whether counts are floats; else they are whole numbers, up to 2^53. */
  readonly isFloat: boolean;
  readonly hint: CounterResetHint;
  /** A stale marker: the series ends here, and the numbers mean nothing. */
  readonly isStale: boolean;
  readonly count: number;
  readonly zeroCount: number;
  readonly sum: number;
  /** Of each bucket, as many as the spans have. Plain arrays: a typed one of this size is memory outside of the heap, which costs more to make and to free than to fill. */
  readonly positive: readonly number[];
  readonly negative: readonly number[];
}

const NO_COUNTS: readonly number[] = [];

export const EMPTY_LAYOUT: HistogramLayout = {
  schema: 0,
  zeroThreshold: 0,
  positiveSpans: [],
  negativeSpans: [],
  customBounds: [],
};

export function staleHistogram(isFloat: boolean): NativeHistogram {
  const nothing = { count: 0, zeroCount: 0, sum: NaN, positive: NO_COUNTS, negative: NO_COUNTS };
  return { ...EMPTY_LAYOUT, isFloat, hint: 'unknown', isStale: true, ...nothing };
}

export function nativeOf(histogram: FloatHistogram, isFloat: boolean): NativeHistogram {
  const { schema, zeroThreshold, customBounds, hint, count, zeroCount, sum } = histogram;
  return {
    schema,
    zeroThreshold,
    positiveSpans: spansOfBuckets(histogram.positive),
    negativeSpans: spansOfBuckets(histogram.negative),
    customBounds,
    isFloat,
    hint,
    isStale: false,
    count,
    zeroCount,
    sum,
    positive: Array.from(histogram.positive.counts),
    negative: Array.from(histogram.negative.counts),
  };
}

/** Throws RangeError if counts and spans do not fit together. */
export function floatHistogramOf(native: NativeHistogram): FloatHistogram {
  const { hint, schema, count, sum, zeroThreshold, zeroCount, customBounds } = native;
  const positive = bucketsOfSpans(native.positiveSpans, native.positive);
  const negative = bucketsOfSpans(native.negativeSpans, native.negative);
  const fields = { hint, schema, count, sum, zeroThreshold, zeroCount, customBounds };
  return new FloatHistogram({ ...fields, positive, negative });
}

/** Whether both are the same sample, but for the hint. */
export function sameHistogram(a: NativeHistogram, b: NativeHistogram): boolean {
  if (a.isFloat !== b.isFloat || a.isStale || b.isStale)
    return a.isFloat === b.isFloat && a.isStale === b.isStale;
  return floatHistogramOf(a).equals(floatHistogramOf(b));
}

/** What is wrong with a histogram that somebody wants to append; undefined if nothing. */
export function defectOf(histogram: NativeHistogram): string | undefined {
  const { schema, positiveSpans, negativeSpans, positive, negative, customBounds, isFloat } = histogram;
  const isCustom = schema === -53;
  if (!Number.isInteger(schema) || (!isCustom && (schema < -4 || schema > 8))) return `schema ${schema}`;
  if (bucketCount(positiveSpans) !== positive.length || bucketCount(negativeSpans) !== negative.length)
    return 'spans and counts differ in number';
  if (!isCustom && customBounds.length > 0) return 'custom bounds without their schema';
  if (isCustom && negative.length > 0) return 'custom bounds with negative buckets';
  if (goesBack(positiveSpans) || goesBack(negativeSpans)) return 'a span that goes back';
  if (isFloat && histogram.hint === 'gauge') return undefined;
  const areCounts =
    isCount(histogram.count, isFloat) &&
    isCount(histogram.zeroCount, isFloat) &&
    allCounts(positive, isFloat) &&
    allCounts(negative, isFloat);
  return areCounts ? undefined : 'a count that is none';
}

function allCounts(counts: readonly number[], areFloats: boolean): boolean {
  for (let i = 0; i < counts.length; i++) if (!isCount(counts[i]!, areFloats)) return false;
  return true;
}

function isCount(count: number, isFloat: boolean): boolean {
  return isFloat ? !(count < 0) : Number.isSafeInteger(count) && count >= 0;
}

function goesBack(spans: readonly BucketSpan[]): boolean {
  for (let i = 0; i < spans.length; i++) {
    const { offset, length } = spans[i]!;
    if (!Number.isInteger(offset) || !Number.isInteger(length) || length < 0) return true;
    if (i > 0 && offset < 0) return true;
  }
  return false;
}

export function bucketCount(spans: readonly BucketSpan[]): number {
  let count = 0;
  for (const { length } of spans) count += length;
  return count;
}

export function sameSpans(a: readonly BucketSpan[], b: readonly BucketSpan[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++)
    if (a[i]!.offset !== b[i]!.offset || a[i]!.length !== b[i]!.length) return false;
  return true;
}
