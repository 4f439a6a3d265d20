// The general way to add a native histogram to a compensated sum: whatever schemas, zero buckets and bounds they have.
// Most sums have no need of it: see histogram-running-sum.ts.

import type { FloatHistogram } from './histogram.ts';
import { addHistograms, combineHints, commonBounds, reconcile } from './histogram-arithmetic.ts';
import { type BucketList, filterBuckets, sameNumbers } from './histogram-buckets.ts';
import { bucketsAbove } from './histogram-iterate.ts';
import {
  addCompensated,
  coarserCompensated,
  compensated,
  type CompensatedBuckets,
  withRests,
} from './histogram-kahan.ts';
import { outsideZero, type SideRests, widerZeroBucket, type ZeroBucket } from './histogram-zero.ts';

/** A histogram whose fields have compensations, in a histogram of the same buckets. */
export interface Compensated {
  readonly value: FloatHistogram;
  readonly rest: FloatHistogram;
}

/** The histogram that a sum comes to. */
export function joined({ value, rest }: Compensated): FloatHistogram {
  return addHistograms(value, rest)?.histogram.withHint(value.hint) ?? value;
}

/** The sum with one more, `reconciled` if custom bounds differed; undefined for a mix of exponential and custom buckets. */
export function plus(
  { value, rest }: Compensated,
  other: FloatHistogram,
): (Compensated & { readonly reconciled: boolean }) | undefined {
  if (value.isCustom !== other.isCustom) return undefined;
  const { hint } = combineHints(value.hint, other.hint);
  const totals = { hint, count: value.count + other.count, sum: value.sum + other.sum };
  const rests = {
    count: compensated(value.count, other.count, rest.count),
    sum: compensated(value.sum, other.sum, rest.sum),
  };
  const buckets = value.isCustom
    ? plusCustom({ value, rest }, other)
    : plusExponential({ value, rest }, other);
  return {
    value: buckets.value.with(totals),
    rest: buckets.rest.with(rests),
    reconciled: value.isCustom && !sameNumbers(value.customBounds, other.customBounds),
  };
}

function plusCustom({ value, rest }: Compensated, other: FloatHistogram): Compensated {
  const mine = withRests(value.positive, rest.positive.counts);
  if (sameNumbers(value.customBounds, other.customBounds)) {
    const positive = addCompensated(mine, withRests(other.positive));
    return {
      value: value.with({ positive: countsOf(positive) }),
      rest: rest.with({ positive: restsOf(positive) }),
    };
  }
  const customBounds = commonBounds(value.customBounds, other.customBounds);
  const positive = reconcile(mine, value.customBounds, other, 1, customBounds);
  return {
    value: value.with({ positive: countsOf(positive), customBounds }),
    rest: rest.with({ positive: restsOf(positive), customBounds }),
  };
}

function countsOf({ indexes, counts }: CompensatedBuckets): BucketList {
  return { indexes, counts };
}

function restsOf({ indexes, rests }: CompensatedBuckets): BucketList {
  return { indexes, counts: rests };
}

function plusExponential(left: Compensated, other: FloatHistogram): Compensated {
  const { value, rest, zero } = withCommonZero(left, other);
  const schema = Math.min(value.schema, other.schema);
  const side = (name: 'positive' | 'negative'): CompensatedBuckets => {
    const mine = withRests(value[name], rest[name].counts);
    const coarse = coarserCompensated(withRests(other[name]), other.schema, schema);
    const above = bucketsAbove(coarse, schema, value.zeroThreshold);
    const skipped = coarse.indexes.length - above.indexes.length;
    const theirs = withRests(above, coarse.rests.slice(skipped));
    return addCompensated(coarserCompensated(mine, value.schema, schema), theirs);
  };
  const positive = side('positive');
  const negative = side('negative');
  let restCount = compensated(value.zeroCount, zero.count, rest.zeroCount);
  const zeroSum = value.zeroCount + zero.count;
  restCount = compensated(zeroSum, zero.rest, restCount);
  const zeroCount = zeroSum + zero.rest;
  const shape = { schema, zeroThreshold: value.zeroThreshold };
  return {
    value: value.with({
      ...shape,
      zeroCount,
      positive: countsOf(positive),
      negative: countsOf(negative),
    }),
    rest: rest.with({
      ...shape,
      zeroCount: restCount,
      positive: restsOf(positive),
      negative: restsOf(negative),
    }),
  };
}

/** The left operand with a zero bucket as wide as the right one's, and what the right one's then holds. */
function withCommonZero(left: Compensated, other: FloatHistogram): Compensated & { zero: ZeroBucket } {
  let { value, rest } = left;
  let zero: ZeroBucket = { threshold: other.zeroThreshold, count: other.zeroCount, rest: 0 };
  while (zero.threshold !== value.zeroThreshold) {
    if (value.zeroThreshold > zero.threshold) zero = widerZeroBucket(other, value.zeroThreshold);
    if (zero.threshold > value.zeroThreshold) {
      const rests = { positive: rest.positive.counts, negative: rest.negative.counts };
      ({ value, rest } = widened(
        { value, rest },
        widerZeroBucket(value, zero.threshold, rest.zeroCount, rests),
        rests,
      ));
    }
  }
  return { value, rest, zero };
}

function widened({ value, rest }: Compensated, zero: ZeroBucket, rests: SideRests): Compensated {
  const sides = (['positive', 'negative'] as const).map((name) => {
    const keeps = outsideZero(value[name], rests[name], value.schema, zero.threshold);
    return [filterBuckets(value[name], keeps), filterBuckets(rest[name], keeps)] as const;
  });
  const [[positive, positiveRest], [negative, negativeRest]] = sides as [
    (typeof sides)[0],
    (typeof sides)[0],
  ];
  const zeroThreshold = zero.threshold;
  return {
    value: value.with({ zeroThreshold, zeroCount: zero.count, positive, negative }),
    rest: rest.with({
      zeroThreshold,
      zeroCount: zero.rest,
      positive: positiveRest,
      negative: negativeRest,
    }),
  };
}
