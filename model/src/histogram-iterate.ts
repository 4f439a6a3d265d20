// Hot: the buckets of a native histogram as intervals, from the lowest values to the highest.

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

/** How many buckets there are; the zero bucket counts only if anything is in it. */
export function bucketCount(h: FloatHistogram): number {
  return h.negative.counts.length + (h.zeroCount > 0 ? 1 : 0) + h.positive.counts.length;
}

/** What is in a bucket of [0, bucketCount), from the lowest values to the highest. */
export function countAt(h: FloatHistogram, place: number): number {
  const negatives = h.negative.counts.length;
  if (place < negatives) return h.negative.counts[negatives - 1 - place]!;
  if (h.zeroCount > 0) return place === negatives ? h.zeroCount : h.positive.counts[place - negatives - 1]!;
  return h.positive.counts[place - negatives]!;
}

/** A bucket of [0, bucketCount), from the lowest values to the highest. One that the zero bucket overlaps begins where that ends. */
export function bucketAt(h: FloatHistogram, place: number): HistogramBucket {
  const negatives = h.negative.counts.length;
  if (place < negatives) {
    const bucket = negativeBucket(h, negatives - 1 - place);
    const overlaps = bucket.upper < 0 && bucket.upper > -h.zeroThreshold;
    return overlaps ? { ...bucket, upper: -h.zeroThreshold } : bucket;
  }
  const hasZero = h.zeroCount > 0;
  if (hasZero && place === negatives) return zeroBucket(h);
  const bucket = positiveBucket(h, place - negatives - (hasZero ? 1 : 0));
  const overlaps = bucket.lower > 0 && bucket.lower < h.zeroThreshold;
  return overlaps ? { ...bucket, lower: h.zeroThreshold } : bucket;
}

/** All buckets, rising; the zero bucket only if anything is in it. */
export function allBuckets(h: FloatHistogram): HistogramBucket[] {
  return Array.from({ length: bucketCount(h) }, (_, place) => bucketAt(h, place));
}

/** The list without the leading buckets that end at or below an absolute value. */
export function bucketsAbove(list: BucketList, schema: number, threshold: number): BucketList {
  let first = 0;
  while (first < list.indexes.length && exponentialBound(list.indexes[first]!, schema) <= threshold) first++;
  if (first === 0) return list;
  return { indexes: list.indexes.slice(first), counts: list.counts.slice(first) };
}
