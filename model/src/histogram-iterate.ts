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

/** All buckets, rising; the zero bucket only if anything is in it. A bucket that it overlaps begins where it ends. */
export function allBuckets(h: FloatHistogram): HistogramBucket[] {
  return Array.from({ length: bucketCount(h) }, (_, place) => bucketAt(h, place));
}

/** How many of them there are. */
export function bucketCount({ negative, zeroCount, positive }: FloatHistogram): number {
  return negative.indexes.length + (zeroCount > 0 ? 1 : 0) + positive.indexes.length;
}

/** The count of the one at a place below bucketCount(h). */
export function countAt(h: FloatHistogram, place: number): number {
  const negatives = h.negative.counts.length;
  if (place < negatives) return h.negative.counts[negatives - 1 - place]!;
  if (h.zeroCount > 0) return place === negatives ? h.zeroCount : h.positive.counts[place - negatives - 1]!;
  return h.positive.counts[place - negatives]!;
}

/** The one at a place below bucketCount(h). */
export function bucketAt(h: FloatHistogram, place: number): HistogramBucket {
  const above = place - h.negative.indexes.length;
  if (above < 0) return clippedNegative(h, -1 - above);
  if (h.zeroCount > 0) return above === 0 ? zeroBucket(h) : clippedPositive(h, above - 1);
  return clippedPositive(h, above);
}

function clippedNegative(h: FloatHistogram, position: number): HistogramBucket {
  const bucket = negativeBucket(h, position);
  const overlaps = bucket.upper < 0 && bucket.upper > -h.zeroThreshold;
  return overlaps ? { ...bucket, upper: -h.zeroThreshold } : bucket;
}

function clippedPositive(h: FloatHistogram, position: number): HistogramBucket {
  const bucket = positiveBucket(h, position);
  const overlaps = bucket.lower > 0 && bucket.lower < h.zeroThreshold;
  return overlaps ? { ...bucket, lower: h.zeroThreshold } : bucket;
}

/** The list without the leading buckets that end at or below an absolute value. */
export function bucketsAbove(list: BucketList, schema: number, threshold: number): BucketList {
  let first = 0;
  while (first < list.indexes.length && exponentialBound(list.indexes[first]!, schema) <= threshold) first++;
  if (first === 0) return list;
  return { indexes: list.indexes.slice(first), counts: list.counts.slice(first) };
}
