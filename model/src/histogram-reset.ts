// Hot: whether a counter of native histograms was reset between two samples: something in it got less.

import type { FloatHistogram } from './histogram.ts';
import { type BucketList, coarserBuckets, sameNumbers } from './histogram-buckets.ts';
import { bucketsAbove } from './histogram-iterate.ts';
import { widerZeroBucket } from './histogram-zero.ts';

export function wasReset(now: FloatHistogram, before: FloatHistogram): boolean {
  if (now.hint === 'reset') return true;
  if (now.hint === 'not_reset') return false;
  if (now.count < before.count) return true;
  if (now.isCustom && !before.isCustom) return true;
  if (now.isCustom) return customDecreased(now, before);
  // A finer schema or a narrower zero bucket can only come from a new counter.
  if (now.schema > before.schema || before.isCustom || now.zeroThreshold < before.zeroThreshold) return true;
  if (now.zeroThreshold === before.zeroThreshold) {
    if (now.zeroCount < before.zeroCount) return true;
  } else {
    const zero = widerZeroBucket(before, now.zeroThreshold);
    if (zero.threshold !== now.zeroThreshold || now.zeroCount < zero.count) return true;
  }
  return sideDecreased(now, before, 'positive') || sideDecreased(now, before, 'negative');
}

function sideDecreased(now: FloatHistogram, before: FloatHistogram, side: 'positive' | 'negative'): boolean {
  const { schema, zeroThreshold } = now;
  const old = bucketsAbove(coarserBuckets(before[side], before.schema, schema), schema, zeroThreshold);
  return anyDecreased(bucketsAbove(now[side], schema, zeroThreshold), old);
}

/** Whether any bucket of `before` holds more than it does now. */
function anyDecreased(now: BucketList, before: BucketList): boolean {
  if (sameNumbers(now.indexes, before.indexes)) {
    for (let i = 0; i < now.counts.length; i++) if (now.counts[i]! < before.counts[i]!) return true;
    return false;
  }
  let i = 0;
  for (let j = 0; j < before.indexes.length; j++) {
    const index = before.indexes[j]!;
    while (i < now.indexes.length && now.indexes[i]! < index) i++;
    const old = before.counts[j]!;
    if (now.indexes[i] === index ? now.counts[i]! < old : old !== 0) return true;
  }
  return false;
}

function customDecreased(now: FloatHistogram, before: FloatHistogram): boolean {
  if (sameNumbers(now.customBounds, before.customBounds)) return anyDecreased(now.positive, before.positive);
  const known = new Set(before.customBounds);
  const common = [...now.customBounds.filter((bound) => known.has(bound)), Infinity];
  const mine = rolledUp(now, common);
  const theirs = rolledUp(before, common);
  return mine.some((count, i) => count < theirs[i]!);
}

/** The counts between neighbours of some of a histogram's bounds. */
function rolledUp({ positive, customBounds }: FloatHistogram, bounds: readonly number[]): number[] {
  const sums = bounds.map(() => 0);
  let target = 0;
  positive.indexes.forEach((index, i) => {
    const bound = customBounds[index] ?? Infinity;
    while (bounds[target]! < bound) target++;
    sums[target]! += positive.counts[i]!;
  });
  return sums;
}
