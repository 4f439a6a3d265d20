// Zero buckets of different width: the narrower one grows over the buckets that the wider one covers.

import type { FloatHistogram } from './histogram.ts';
import { exponentialBound } from './histogram-bounds.ts';
import { type BucketList, filterBuckets } from './histogram-buckets.ts';
import { compensated } from './histogram-kahan.ts';

/** A zero bucket with the compensation of its count. */
export interface ZeroBucket {
  readonly threshold: number;
  readonly count: number;
  readonly rest: number;
}

/** Rests of the buckets of both sides, for compensated sums. */
export interface SideRests {
  readonly positive: readonly number[];
  readonly negative: readonly number[];
}

class Growing implements ZeroBucket {
  threshold: number;
  count: number;
  rest: number;

  constructor(threshold: number, count: number, rest: number) {
    this.threshold = threshold;
    this.count = count;
    this.rest = rest;
  }

  private add(value: number): void {
    this.rest = compensated(this.count, value, this.rest);
    this.count += value;
  }

  /** Takes in the buckets below the threshold, which grows to the end of a populated one that it lies in. */
  takeSide({ indexes, counts }: BucketList, rests: readonly number[] | undefined, schema: number): void {
    for (let i = 0; i < counts.length; i++) {
      const index = indexes[i]!;
      if (exponentialBound(index - 1, schema) >= this.threshold) return;
      this.add(counts[i]!);
      if (rests !== undefined) this.add(rests[i]!);
      const upper = exponentialBound(index, schema);
      if (upper <= this.threshold) continue;
      if (counts[i] !== 0) this.threshold = upper;
      return;
    }
  }
}

/** The zero bucket that a histogram would have with a larger threshold, or with the next one that splits no bucket. */
export function widerZeroBucket(
  h: FloatHistogram,
  threshold: number,
  rest = 0,
  rests?: SideRests,
): ZeroBucket {
  if (threshold === h.zeroThreshold) return { threshold, count: h.zeroCount, rest };
  for (let from = threshold; ;) {
    const zero = new Growing(from, h.zeroCount, rest);
    zero.takeSide(h.positive, rests?.positive, h.schema);
    const before = zero.threshold;
    zero.takeSide(h.negative, rests?.negative, h.schema);
    if (zero.threshold === before) return zero;
    from = zero.threshold; // The positive side was cut at a threshold that no longer holds.
  }
}

/** Positions of a side that are outside of the zero bucket and not empty. */
export function outsideZero(
  list: BucketList,
  rests: readonly number[] | undefined,
  schema: number,
  threshold: number,
): (position: number) => boolean {
  return (i) =>
    exponentialBound(list.indexes[i]! - 1, schema) >= threshold &&
    (list.counts[i] !== 0 || (rests !== undefined && rests[i] !== 0));
}

/** The histogram with a zero bucket that widerZeroBucket gave. */
export function withZeroBucket(h: FloatHistogram, zero: ZeroBucket): FloatHistogram {
  const trim = (list: BucketList): BucketList =>
    filterBuckets(list, outsideZero(list, undefined, h.schema, zero.threshold));
  return h.with({
    zeroThreshold: zero.threshold,
    zeroCount: zero.count,
    positive: trim(h.positive),
    negative: trim(h.negative),
  });
}
