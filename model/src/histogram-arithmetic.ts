// Sums and differences of native histograms of different resolution, zero bucket and bounds.
//
// The result has the coarser schema, the wider zero bucket, or the bounds that both have. Exponential and custom
// buckets do not go together.

import type { CounterResetHint, FloatHistogram } from './histogram.ts';
import { addBuckets, type BucketList, coarserBuckets, sameNumbers, zeroCounts } from './histogram-buckets.ts';
import { bucketsAbove } from './histogram-iterate.ts';
import { compensated, type CompensatedBuckets, withRests } from './histogram-kahan.ts';
import { widerZeroBucket, withZeroBucket } from './histogram-zero.ts';

export interface CombinedHistogram {
  readonly histogram: FloatHistogram;
  /** One operand was reset and the other was not. */
  readonly hintsCollide: boolean;
  /** Custom bounds differed, and only the common ones are left. */
  readonly boundsReconciled: boolean;
}

/** a + b, or undefined for a mix of exponential and custom buckets. */
export function addHistograms(a: FloatHistogram, b: FloatHistogram): CombinedHistogram | undefined {
  return combine(a, b, 1);
}

/** a - b, or undefined for a mix of exponential and custom buckets. */
export function subtractHistograms(a: FloatHistogram, b: FloatHistogram): CombinedHistogram | undefined {
  return combine(a, b, -1);
}

function combine(a: FloatHistogram, b: FloatHistogram, sign: 1 | -1): CombinedHistogram | undefined {
  if (a.isCustom !== b.isCustom) return undefined;
  const { hint, collide: hintsCollide } = combineHints(a.hint, b.hint);
  const totals = { hint, count: a.count + b.count * sign, sum: a.sum + b.sum * sign };
  if (!a.isCustom) {
    return { histogram: exponential(a, b, sign, totals), hintsCollide, boundsReconciled: false };
  }
  if (sameNumbers(a.customBounds, b.customBounds)) {
    const positive = addBuckets(a.positive, b.positive, sign);
    return { histogram: a.with({ ...totals, positive }), hintsCollide, boundsReconciled: false };
  }
  const customBounds = commonBounds(a.customBounds, b.customBounds);
  const positive = reconcile(withRests(a.positive), a.customBounds, b, sign, customBounds);
  return { histogram: a.with({ ...totals, positive, customBounds }), hintsCollide, boundsReconciled: true };
}

/** What is known of resets after two counters or gauges were combined. */
export function combineHints(
  a: CounterResetHint,
  b: CounterResetHint,
): { hint: CounterResetHint; collide: boolean } {
  if (a === b) return { hint: a, collide: false };
  if (a === 'gauge' || b === 'gauge') return { hint: 'gauge', collide: false };
  return { hint: 'unknown', collide: a !== 'unknown' && b !== 'unknown' };
}

function exponential(
  left: FloatHistogram,
  right: FloatHistogram,
  sign: 1 | -1,
  totals: Pick<FloatHistogram, 'hint' | 'count' | 'sum'>,
): FloatHistogram {
  let a = left;
  let other = { threshold: right.zeroThreshold, count: right.zeroCount };
  while (other.threshold !== a.zeroThreshold) {
    if (a.zeroThreshold > other.threshold) other = widerZeroBucket(right, a.zeroThreshold);
    if (other.threshold > a.zeroThreshold) a = withZeroBucket(a, widerZeroBucket(a, other.threshold));
  }
  const schema = Math.min(a.schema, right.schema);
  const side = (mine: BucketList, theirs: BucketList): BucketList => {
    const coarse = coarserBuckets(theirs, right.schema, schema);
    const above = bucketsAbove(coarse, schema, a.zeroThreshold);
    return addBuckets(coarserBuckets(mine, a.schema, schema), above, sign);
  };
  return a.with({
    ...totals,
    schema,
    zeroCount: a.zeroCount + other.count * sign,
    positive: side(a.positive, right.positive),
    negative: side(a.negative, right.negative),
  });
}

export function commonBounds(a: readonly number[], b: readonly number[]): number[] {
  const known = new Set(b);
  return a.filter((bound) => known.has(bound));
}

/** The buckets of both under the common bounds, without empty ones. */
export function reconcile(
  mine: CompensatedBuckets,
  bounds: readonly number[],
  other: FloatHistogram,
  sign: 1 | -1,
  common: readonly number[],
): CompensatedBuckets {
  const counts = zeroCounts(common.length + 1);
  const rests = zeroCounts(common.length + 1);
  const add = (target: number, value: number): void => {
    rests[target] = compensated(counts[target]!, value, rests[target]!);
    counts[target]! += value;
  };
  mine.indexes.forEach((index, i) => {
    const target = targetOf(bounds[index], common);
    add(target, mine.counts[i]!);
    add(target, mine.rests[i]!);
  });
  other.positive.indexes.forEach((index, i) => {
    add(targetOf(other.customBounds[index], common), other.positive.counts[i]! * sign);
  });
  const kept = [...counts.keys()].filter((i) => counts[i] !== 0 || rests[i] !== 0);
  return {
    indexes: kept,
    counts: kept.map((i) => counts[i]!),
    rests: kept.map((i) => rests[i]!),
  };
}

/** The first common bucket that reaches a bound; the last one if none does. */
function targetOf(bound: number | undefined, common: readonly number[]): number {
  if (bound === undefined) return common.length;
  const found = common.findIndex((one) => one >= bound);
  return found === -1 ? common.length : found;
}
