// Cuts the observations above or below a value out of a native histogram, by interpolation in the bucket it lies in.

import type { FloatHistogram } from './histogram.ts';
import type { BucketList } from './histogram-buckets.ts';
import { type HistogramBucket, negativeBucket, positiveBucket, zeroBucket } from './histogram-iterate.ts';
import { fractionBelow } from './histogram-statistics.ts';

/** What is kept: the observations below the value, or those above it. */
export type TrimSide = 'below' | 'above';

/** How many observations of a bucket stay, and what each of them is taken for. */
interface Kept {
  readonly count: number;
  readonly middle: number;
}

/** Where a bucket lies, which decides how values spread in it. */
interface BucketPlace {
  readonly positive: boolean;
  readonly custom: boolean;
}

const NOTHING: Kept = { count: 0, middle: 0 };

/** The histogram without the observations beyond `value`; itself if there are none. */
export function trimHistogram(h: FloatHistogram, value: number, side: TrimSide): FloatHistogram {
  const totals = { count: 0, sum: 0, trimmed: false };
  const take = (had: number, { count, middle }: Kept): number => {
    totals.count += count;
    totals.sum += middle * count;
    if (count !== had) totals.trimmed = true;
    return count;
  };
  const trimSide = (list: BucketList, bucketAt: typeof positiveBucket, positive: boolean): BucketList => {
    const place = { positive, custom: h.isCustom };
    const counts = list.counts.map((count, i) =>
      count === 0 ? 0 : take(count, keptOf(bucketAt(h, i), value, side, place)),
    );
    return { indexes: list.indexes, counts };
  };
  const positive = trimSide(h.positive, positiveBucket, true);
  const negative = trimSide(h.negative, negativeBucket, false);
  const zeroCount = h.zeroCount > 0 ? take(h.zeroCount, keptOfZero(h, value, side)) : h.zeroCount;
  if (!totals.trimmed) return h;
  return h.with({ positive, negative, zeroCount, count: totals.count, sum: totals.sum }).compact();
}

function keptOf(bucket: HistogramBucket, value: number, side: TrimSide, place: BucketPlace): Kept {
  const { lower, upper, count } = bucket;
  const below = side === 'below';
  if (below ? upper <= value : lower >= value) return { count, middle: middleOf(lower, upper, place) };
  if (!(below ? lower < value : upper > value)) return NOTHING;
  if (lower === -Infinity) return keptFromMinusInf(bucket, value, below);
  if (upper === Infinity) return keptToInf(bucket, value, below);
  const under = count * fractionBelow(bucket, value, place.custom);
  if (below) return { count: under, middle: middleOf(lower, value, place) };
  return { count: count - under, middle: middleOf(value, upper, place) };
}

/** Nobody knows how values spread to -Inf, so such a bucket counts from 0 if it ends above, else goes whole. */
function keptFromMinusInf({ upper, count }: HistogramBucket, value: number, below: boolean): Kept {
  const finite = upper !== Infinity;
  if (below) {
    if (value > 0 && upper > 0 && finite) return { count: (count * value) / upper, middle: value / 2 };
    return upper <= 0 ? { count, middle: value } : NOTHING;
  }
  if (value >= 0 && finite) return { count: count * (1 - value / upper), middle: (value + upper) / 2 };
  return NOTHING;
}

function keptToInf({ lower, count }: HistogramBucket, value: number, below: boolean): Kept {
  return !below && value >= lower ? { count, middle: value } : NOTHING;
}

function keptOfZero(h: FloatHistogram, value: number, side: TrimSide): Kept {
  const { count, ...bounds } = zeroBucket(h);
  const populated = ({ counts }: BucketList): boolean => counts.some((one) => one !== 0);
  const upper = populated(h.negative) && !populated(h.positive) ? 0 : bounds.upper;
  const lower = populated(h.positive) && !populated(h.negative) ? 0 : bounds.lower;
  const whole = { count, middle: (lower + upper) / 2 };
  if (value <= lower) return side === 'below' ? NOTHING : whole;
  if (value >= upper) return side === 'below' ? whole : NOTHING;
  const width = upper - lower;
  if (side === 'below') return { count: (count * (value - lower)) / width, middle: (lower + value) / 2 };
  return { count: (count * (upper - value)) / width, middle: (value + upper) / 2 };
}

function middleOf(lower: number, upper: number, { positive, custom }: BucketPlace): number {
  const isInfinite = (bound: number): boolean => bound === Infinity || bound === -Infinity;
  if (isInfinite(lower)) {
    if (isInfinite(upper)) return 0;
    return upper > 0 ? upper / 2 : upper;
  }
  if (isInfinite(upper)) return lower;
  if (custom) return (lower + upper) / 2;
  return Math.sqrt(Math.abs(lower * upper)) * (positive ? 1 : -1);
}
