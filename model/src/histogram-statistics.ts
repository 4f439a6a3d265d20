// Hot: quantiles, fractions and the variance of what a native histogram counted, interpolated within buckets.

import type { FloatHistogram } from './histogram.ts';
import { allBuckets, bucketAt, bucketCount, countAt, type HistogramBucket } from './histogram-iterate.ts';
import { compensated } from './histogram-kahan.ts';

/** What observations of NaN, which are in the count but in no bucket, did to a result. */
export type NanEffect = 'none' | 'result' | 'skew';

/** The share of a bucket's width at or below a value inside of it. Exponential buckets are even on a log scale. */
export function fractionBelow(bucket: HistogramBucket, value: number, linear: boolean): number {
  if (linear) return (value - bucket.lower) / (bucket.upper - bucket.lower);
  const logLower = Math.log2(Math.abs(bucket.lower));
  const logUpper = Math.log2(Math.abs(bucket.upper));
  const log = Math.log2(Math.abs(value));
  if (value > 0) return (log - logLower) / (logUpper - logLower);
  return 1 - (log - logUpper) / (logLower - logUpper);
}

/** The zero bucket holds no values of a sign that no other bucket has. */
function trimZero(h: FloatHistogram, bucket: HistogramBucket): HistogramBucket {
  const negatives = h.negative.counts.length > 0;
  const positives = h.positive.counts.length > 0;
  if (!negatives && positives) return { ...bucket, lower: 0 };
  return negatives && !positives ? { ...bucket, upper: 0 } : bucket;
}

/** The φ-quantile of a histogram. Without observations, or for a φ of NaN, it is NaN. */
export function histogramQuantile(
  phi: number,
  h: FloatHistogram,
): { readonly value: number; readonly nans: NanEffect } {
  if (phi < 0 || phi > 1) return { value: phi < 0 ? -Infinity : Infinity, nans: 'none' };
  if (h.count === 0 || Number.isNaN(phi)) return { value: NaN, nans: 'none' };
  const hasNans = Number.isNaN(h.sum);
  const forwards = hasNans || phi < 0.5;
  const rank = (forwards ? phi : 1 - phi) * h.count;
  const found = findRank(h, rank, forwards);
  const whole = quantileBucket(h, found.place === -1 ? NO_BUCKET : bucketAt(h, found.place));
  if (typeof whole === 'number') return { value: whole, nans: 'none' };
  const count = Math.min(found.count, h.count);
  if (count < rank) {
    return hasNans ? { value: NaN, nans: 'result' } : { value: whole.upper, nans: 'none' };
  }
  const within = forwards ? rank - (count - whole.count) : count - rank;
  let nans: NanEffect = 'none';
  if (hasNans) {
    let total = count;
    for (let place = found.place + 1; place < bucketCount(h); place++) total += countAt(h, place);
    if (total < h.count) nans = 'skew';
  }
  return { value: interpolate(h, whole, within / whole.count), nans };
}

interface FoundBucket {
  /** -1 if there are no buckets. */
  readonly place: number;
  /** Observations up to its end. */
  readonly count: number;
}

const NO_BUCKET: HistogramBucket = {
  lower: 0,
  upper: 0,
  lowerInclusive: false,
  upperInclusive: false,
  count: 0,
};

/** The first populated bucket that reaches a rank, or else the last one; from the highest values on if not forwards. */
function findRank(h: FloatHistogram, rank: number, forwards: boolean): FoundBucket {
  const size = bucketCount(h);
  let count = 0;
  for (let i = 0; i < size; i++) {
    const place = forwards ? i : size - 1 - i;
    const own = countAt(h, place);
    if (own === 0) continue;
    count += own;
    if (count >= rank) return { place, count };
  }
  return { place: forwards || size === 0 ? size - 1 : 0, count };
}

/** The bucket as far as values can be in it, or the quantile itself where it has no end. */
function quantileBucket(h: FloatHistogram, bucket: HistogramBucket): HistogramBucket | number {
  if (!h.isCustom) return bucket.lower < 0 && bucket.upper > 0 ? trimZero(h, bucket) : bucket;
  if (bucket.lower === -Infinity) return bucket.upper <= 0 ? bucket.upper : { ...bucket, lower: 0 };
  return bucket.upper === Infinity ? bucket.lower : bucket;
}

function interpolate(h: FloatHistogram, { lower, upper }: HistogramBucket, fraction: number): number {
  if (h.isCustom || (lower <= 0 && upper >= 0)) return lower + (upper - lower) * fraction;
  const logLower = Math.log2(Math.abs(lower));
  const logUpper = Math.log2(Math.abs(upper));
  if (lower > 0) return 2 ** (logLower + (logUpper - logLower) * fraction);
  return -(2 ** (logUpper + (logLower - logUpper) * (1 - fraction)));
}

/** The share of observations between two values. */
export function histogramFraction(
  lower: number,
  upper: number,
  h: FloatHistogram,
): { readonly value: number; readonly nans: boolean } {
  if (h.count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return { value: NaN, nans: false };
  if (lower >= upper) return { value: 0, nans: false };
  const hasNans = Number.isNaN(h.sum);
  const most = hasNans ? totalOf(h) : h.count;
  const upperRank = rankBelow(h, upper, most);
  const lowerRank = rankBelow(h, lower, most);
  return { value: (upperRank - lowerRank) / h.count, nans: hasNans && most < h.count };
}

/** What is in all buckets. */
function totalOf(h: FloatHistogram): number {
  const size = bucketCount(h);
  let total = 0;
  for (let place = 0; place < size; place++) total += countAt(h, place);
  return total;
}

/** How many observations are below a value, at most `most`. */
function rankBelow(h: FloatHistogram, value: number, most: number): number {
  const size = bucketCount(h);
  let rank = 0;
  for (let place = 0; place < size; place++) {
    const bucket = bucketAt(h, place);
    const isZero = bucket.lower <= 0 && bucket.upper >= 0;
    const { lower, upper } = isZero ? trimZero(h, bucket) : bucket;
    if (lower >= value) return Math.min(rank, most);
    if (upper > value) {
      if ((h.isCustom || isZero) && lower === -Infinity) return Math.min(bucket.count, most);
      const share = fractionBelow({ ...bucket, lower, upper }, value, h.isCustom || isZero);
      const found = rank + bucket.count * share;
      return found > most ? most : found;
    }
    rank += bucket.count;
  }
  return most;
}

export function histogramVariance(h: FloatHistogram): number {
  const mean = h.sum / h.count;
  let variance = 0;
  let rest = 0;
  for (const bucket of allBuckets(h)) {
    if (bucket.count === 0) continue;
    const delta = middle(h, bucket) - mean;
    const part = bucket.count * delta * delta;
    rest = compensated(variance, part, rest);
    variance += part;
  }
  return (variance + rest) / h.count;
}

/** What all observations of a bucket are taken for. */
function middle(h: FloatHistogram, { lower, upper }: HistogramBucket): number {
  if (h.isCustom) return (upper + lower) / 2;
  if (lower <= 0 && upper >= 0) return 0;
  return Math.sqrt(upper * lower) * (upper < 0 ? -1 : 1);
}
