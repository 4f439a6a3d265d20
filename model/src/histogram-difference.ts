// Hot: what native histograms of one layout grew by, in one pass: rates do it for each window.

import { FloatHistogram } from './histogram.ts';
import { exponentialBound } from './histogram-bounds.ts';
import { type BucketList, isSubset, sameNumbers, spreadCounts, zeroCounts } from './histogram-buckets.ts';
import { sharedIndexes } from './histogram-indexes.ts';

/**
 * a - b, times a factor, as a gauge without buckets that are equal in both. Undefined unless they have the same schema,
 * zero bucket and bounds, and `a` has the buckets of `b`, as a later sample of a counter nearly always does: then
 * subtractHistograms(), compact() and times() give the same, with five histograms more. With `keepsEmpty` the buckets are
 * those of `a`, which is cheaper for a sum that is compacted itself.
 */
export function scaledDifference(
  a: FloatHistogram,
  b: FloatHistogram,
  factor: number,
  keepsEmpty = false,
): FloatHistogram | undefined {
  if (!fit(a, b) || startsInZero(b)) return undefined;
  // Nothing times infinity would not be nothing.
  const allBuckets = keepsEmpty && Number.isFinite(factor);
  return new FloatHistogram({
    hint: 'gauge',
    schema: a.schema,
    count: (a.count - b.count) * factor,
    sum: (a.sum - b.sum) * factor,
    zeroThreshold: a.zeroThreshold,
    zeroCount: (a.isCustom ? a.zeroCount : a.zeroCount - b.zeroCount) * factor,
    positive: scaledDifferences(a.positive, b.positive, factor, allBuckets),
    negative: scaledDifferences(a.negative, b.negative, factor, allBuckets),
    customBounds: a.customBounds,
  });
}

function fit(a: FloatHistogram, b: FloatHistogram): boolean {
  return (
    a.schema === b.schema &&
    a.zeroThreshold === b.zeroThreshold &&
    hasBuckets(a.positive, b.positive) &&
    // Of custom buckets, only the positive side is subtracted.
    (a.isCustom ? a.negative.indexes.length === 0 : hasBuckets(a.negative, b.negative)) &&
    sameNumbers(a.customBounds, b.customBounds)
  );
}

function hasBuckets(all: BucketList, some: BucketList): boolean {
  return sameNumbers(all.indexes, some.indexes) || isSubset(some.indexes, all.indexes);
}

/** Whether any bucket lies in the zero bucket, which subtraction leaves out. */
function startsInZero(h: FloatHistogram): boolean {
  if (h.isCustom) return false;
  const isInZero = (index: number | undefined): boolean =>
    index !== undefined && exponentialBound(index, h.schema) <= h.zeroThreshold;
  return isInZero(h.positive.indexes[0]) || isInZero(h.negative.indexes[0]);
}

/** Scratch for indexes. */
let kept = new Int32Array(64);

/** The differences of counts of the same buckets, times a factor, those that are zero only if they are to be kept. */
function scaledDifferences(a: BucketList, b: BucketList, factor: number, allBuckets: boolean): BucketList {
  const { indexes, counts: left } = a;
  if (left.length === 0) return a;
  const right = b.counts.length === left.length ? b.counts : spreadCounts(b, indexes);
  let size = 0;
  for (let i = 0; i < left.length; i++) if (allBuckets || left[i]! - right[i]! !== 0) size++;
  const counts = zeroCounts(size);
  if (size === left.length) {
    for (let i = 0; i < size; i++) counts[i] = (left[i]! - right[i]!) * factor;
    return { indexes, counts };
  }
  if (kept.length < size) kept = new Int32Array(2 * size);
  for (let i = 0, next = 0; next < size; i++) {
    const difference = left[i]! - right[i]!;
    kept[next] = indexes[i]!;
    counts[next] = difference * factor;
    if (difference !== 0) next++;
  }
  return { indexes: sharedIndexes(kept, size), counts };
}
