// Sums and averages of many native histograms, with compensated counts.

import { type FloatHistogram, sameBounds } from './histogram.ts';
import { addHistograms, combineHints, commonBounds, reconcile } from './histogram-arithmetic.ts';
import { filterBuckets, zeroCounts } from './histogram-buckets.ts';
import { bucketsAbove } from './histogram-iterate.ts';
import {
  addCompensated,
  coarserCompensated,
  compensated,
  type CompensatedBuckets,
  withRests,
} from './histogram-kahan.ts';
import { outsideZero, type SideRests, widerZeroBucket, type ZeroBucket } from './histogram-zero.ts';

/** What came of adding one: `reconciled` if custom bounds differed; nothing was added if it is incompatible. */
export type AddOutcome = 'added' | 'reconciled' | 'incompatible';

/** A histogram whose fields have compensations, in a histogram of the same buckets. */
interface Compensated {
  readonly value: FloatHistogram;
  readonly rest: FloatHistogram;
}

function startOf(value: FloatHistogram): Compensated {
  const blank = value.with({ count: 0, sum: 0, zeroCount: 0 });
  const positive = {
    indexes: value.positive.indexes,
    counts: zeroCounts(value.positive.counts.length),
  };
  const negative = {
    indexes: value.negative.indexes,
    counts: zeroCounts(value.negative.counts.length),
  };
  return { value, rest: blank.with({ positive, negative }) };
}

function scaled({ value, rest }: Compensated, factor: number): Compensated {
  return { value: value.times(factor), rest: rest.times(factor) };
}

function divided({ value, rest }: Compensated, divisor: number): Compensated {
  return { value: value.over(divisor), rest: rest.over(divisor) };
}

function joined({ value, rest }: Compensated): FloatHistogram {
  return addHistograms(value, rest)?.histogram.withHint(value.hint) ?? value;
}

function plus(
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
    reconciled: value.isCustom && !sameBounds(value.customBounds, other.customBounds),
  };
}

function plusCustom({ value, rest }: Compensated, other: FloatHistogram): Compensated {
  const mine = withRests(value.positive, rest.positive.counts);
  if (sameBounds(value.customBounds, other.customBounds)) {
    const positive = addCompensated(mine, withRests(other.positive));
    return { value: value.with({ positive }), rest: rest.with({ positive: restsOf(positive) }) };
  }
  const customBounds = commonBounds(value.customBounds, other.customBounds);
  const positive = reconcile(mine, value.customBounds, other, 1, customBounds);
  return {
    value: value.with({ positive, customBounds }),
    rest: rest.with({ positive: restsOf(positive), customBounds }),
  };
}

function restsOf({ indexes, rests }: CompensatedBuckets): FloatHistogram['positive'] {
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
    value: value.with({ ...shape, zeroCount, positive, negative }),
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

export class HistogramSum {
  private state: Compensated;

  constructor(first: FloatHistogram) {
    this.state = startOf(first);
  }

  add(other: FloatHistogram): AddOutcome {
    const next = plus(this.state, other);
    if (next === undefined) return 'incompatible';
    this.state = next;
    return next.reconciled ? 'reconciled' : 'added';
  }

  result(): FloatHistogram {
    return joined(this.state);
  }
}

/** The average: of a sum, or once that overflows a running mean. */
export class HistogramMean {
  private state: Compensated;
  private count = 1;
  private running = false;

  constructor(first: FloatHistogram) {
    this.state = startOf(first);
  }

  add(other: FloatHistogram): AddOutcome {
    this.count++;
    if (!this.running) {
      const next = plus(this.state, other);
      if (next === undefined) return 'incompatible';
      if (!next.value.hasOverflow()) {
        this.state = next;
        return next.reconciled ? 'reconciled' : 'added';
      }
      this.running = true;
      this.state = divided(this.state, this.count - 1);
    }
    const share = (this.count - 1) / this.count;
    const next = plus(scaled(this.state, share), other.over(this.count));
    if (next === undefined) return 'incompatible';
    this.state = next;
    return next.reconciled ? 'reconciled' : 'added';
  }

  result(): FloatHistogram {
    return joined(this.running ? this.state : divided(this.state, this.count));
  }
}
