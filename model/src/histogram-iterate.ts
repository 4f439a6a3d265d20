// The buckets of a native histogram as intervals, from the lowest values to the highest.

import type { FloatHistogram } from './histogram.ts';
import { customBound, exponentialBound } from './histogram-bounds.ts';
import type { BucketList } from './histogram-buckets.ts';

export interface HistogramBucket {
  readonly lower: number;
  readonly upper: number;
  readonly lowerInclusive: boolean;
  readonly upperInclusive: boolean;
  readonly count: number;
}

/** The upper bound of a positive bucket. */
export function upperBound(h: FloatHistogram, index: number): number {
  return h.isCustom ? customBound(index, h.customBounds) : exponentialBound(index, h.schema);
}

/** The bucket at a position of the positive side, the zero bucket not regarded. */
export function positiveBucket(h: FloatHistogram, position: number): HistogramBucket {
  const index = h.positive.indexes[position]!;
  const lower = upperBound(h, index - 1);
  const upper = upperBound(h, index);
  const count = h.positive.counts[position]!;
  return { lower, upper, lowerInclusive: h.isCustom && index === 0, upperInclusive: true, count };
}

export function negativeBucket(h: FloatHistogram, position: number): HistogramBucket {
  const index = h.negative.indexes[position]!;
  const lower = -upperBound(h, index);
  const upper = -upperBound(h, index - 1);
  const count = h.negative.counts[position]!;
  return { lower, upper, lowerInclusive: true, upperInclusive: false, count };
}

export function zeroBucket({ zeroThreshold, zeroCount }: FloatHistogram): HistogramBucket {
  const interval = { lower: -zeroThreshold, upper: zeroThreshold };
  return { ...interval, lowerInclusive: true, upperInclusive: true, count: zeroCount };
}

/** All buckets, rising; the zero bucket only if anything is in it. A bucket that it overlaps begins where it ends. */
export function allBuckets(h: FloatHistogram): HistogramBucket[] {
  const buckets: HistogramBucket[] = [];
  for (let i = h.negative.counts.length - 1; i >= 0; i--) {
    const bucket = negativeBucket(h, i);
    const overlaps = bucket.upper < 0 && bucket.upper > -h.zeroThreshold;
    buckets.push(overlaps ? { ...bucket, upper: -h.zeroThreshold } : bucket);
  }
  if (h.zeroCount > 0) buckets.push(zeroBucket(h));
  for (let i = 0; i < h.positive.counts.length; i++) {
    const bucket = positiveBucket(h, i);
    const overlaps = bucket.lower > 0 && bucket.lower < h.zeroThreshold;
    buckets.push(overlaps ? { ...bucket, lower: h.zeroThreshold } : bucket);
  }
  return buckets;
}

/** The list without the leading buckets that end at or below an absolute value. */
export function bucketsAbove(list: BucketList, schema: number, threshold: number): BucketList {
  let first = 0;
  while (first < list.indexes.length && exponentialBound(list.indexes[first]!, schema) <= threshold) first++;
  if (first === 0) return list;
  return { indexes: list.indexes.subarray(first), counts: list.counts.slice(first) };
}
