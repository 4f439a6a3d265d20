import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { type CounterResetHint, FloatHistogram } from './histogram.ts';
import { CUSTOM_SCHEMA } from './histogram-bounds.ts';
import { type BucketList, NO_BUCKETS, zeroCounts } from './histogram-buckets.ts';
import { subtractHistograms } from './histogram-arithmetic.ts';
import { scaledDifference } from './histogram-difference.ts';
import { allBuckets, countAt } from './histogram-iterate.ts';
import { type Compensated, joined, plus } from './histogram-plus.ts';
import { RunningSum } from './histogram-running-sum.ts';
import { HistogramMean, HistogramSum } from './histogram-sum.ts';

const number = fc.oneof(
  { arbitrary: fc.integer({ min: 0, max: 1000 }), weight: 4 },
  fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  fc.constantFrom(1e308, -1e308, 1e-320, 2 ** 53, Infinity, -Infinity, NaN, -0),
);

/** Of few indexes, so that sides often have the same buckets, or some of them. */
const side = fc
  .subarray([-3, -2, -1, 0, 1, 5, 9])
  .chain((indexes) =>
    fc
      .array(number, { minLength: indexes.length, maxLength: indexes.length })
      .map((counts): BucketList => ({ indexes, counts })),
  );

const totals = {
  hint: fc.constantFrom<CounterResetHint>('unknown', 'reset', 'not_reset', 'gauge'),
  count: number,
  sum: number,
  zeroCount: number,
};

const exponential = fc.record({
  ...totals,
  schema: fc.constantFrom(0, 0, 0, 0, 1),
  zeroThreshold: fc.constantFrom(0, 0, 0, 0, 0.125, 0.5),
  positive: side,
  negative: fc.oneof(fc.constant(NO_BUCKETS), side),
});

const custom = fc.record({
  ...totals,
  schema: fc.constant(CUSTOM_SCHEMA),
  positive: side.map(({ indexes, counts }): BucketList => {
    const known = indexes
      .filter((index) => index >= 0 && index <= 5)
      .map((index) => (index === 5 ? 2 : index));
    return { indexes: known, counts: counts.slice(0, known.length) };
  }),
  customBounds: fc.constantFrom([1, 2], [1, 2], [1, 2], [2, 3]),
});

const histogram = fc
  .oneof({ arbitrary: exponential, weight: 4 }, custom)
  .map((fields) => new FloatHistogram(fields));
const histograms = fc.oneof(
  fc.array(
    exponential.map((fields) => new FloatHistogram(fields)),
    { minLength: 1, maxLength: 8 },
  ),
  fc.array(
    custom.map((fields) => new FloatHistogram(fields)),
    { minLength: 1, maxLength: 8 },
  ),
  fc.array(histogram, { minLength: 1, maxLength: 8 }),
);

/** All numbers of a histogram, a negative zero told from zero. */
function bitsOf(h: FloatHistogram): unknown {
  const { hint, schema, count, sum, zeroThreshold, zeroCount, positive, negative, customBounds } = h;
  return { hint, schema, count, sum, zeroThreshold, zeroCount, positive, negative, customBounds };
}

/** The sum of one. */
function startOf(value: FloatHistogram): Compensated {
  const none = ({ indexes }: BucketList): BucketList => ({ indexes, counts: zeroCounts(indexes.length) });
  const [positive, negative] = [none(value.positive), none(value.negative)];
  return { value, rest: value.with({ count: 0, sum: 0, zeroCount: 0, positive, negative }) };
}

describe('a sum in place', () => {
  test('has the bits of the general way', () => {
    fc.assert(
      fc.property(histograms, (all) => {
        const sum = new HistogramSum(all[0]!);
        let general = startOf(all[0]!);
        for (const one of all.slice(1)) {
          const next = plus(general, one);
          const want = next === undefined ? 'incompatible' : next.reconciled ? 'reconciled' : 'added';
          expect(sum.add(one)).toBe(want);
          general = next ?? general;
        }
        expect(bitsOf(sum.result())).toEqual(bitsOf(joined(general)));
      }),
      { seed: 1, numRuns: 3000 },
    );
  });

  test('takes histograms of the same layout, of fewer buckets and of more', () => {
    const of = (indexes: number[]): FloatHistogram =>
      new FloatHistogram({ zeroThreshold: 0.1, positive: { indexes, counts: indexes.map(() => 1) } });
    const sum = new RunningSum(of([1, 2, 3]));
    const added = [[1, 2, 3], [2], [0, 2, 9], []].map((indexes) => sum.tryAdd(of(indexes)));
    expect(added).toEqual([true, true, true, true]);
    expect(sum.state().value.positive).toEqual({ indexes: [0, 1, 2, 3, 9], counts: [1, 2, 4, 2, 1] });
    expect(sum.tryAdd(of([-5]))).toBe(false); // It lies in the zero bucket.
    expect(sum.tryAdd(of([1]).coarser(-1))).toBe(false);
  });
});

describe('an average', () => {
  test('is of the same sum, or a running mean if that is infinite', () => {
    fc.assert(
      fc.property(histograms, (all) => {
        const compatible = all.filter(({ isCustom }) => isCustom === all[0]!.isCustom);
        const mean = new HistogramMean(compatible[0]!);
        for (const one of compatible.slice(1)) mean.add(one);
        expect(bitsOf(mean.result())).toEqual(bitsOf(generalMean(compatible)));
      }),
      { seed: 2, numRuns: 3000 },
    );
  });
});

/** As HistogramMean says, by plus() alone. */
function generalMean(all: readonly FloatHistogram[]): FloatHistogram {
  let state = startOf(all[0]!);
  let isMean = false;
  for (let i = 1; i < all.length; i++) {
    const { value, rest } = state;
    const next = plus(state, all[i]!)!;
    if (!isMean && !next.value.hasOverflow()) {
      state = next;
      continue;
    }
    const mean = isMean ? state : { value: value.over(i), rest: rest.over(i) };
    isMean = true;
    const share = i / (i + 1);
    state = plus({ value: mean.value.times(share), rest: mean.rest.times(share) }, all[i]!.over(i + 1))!;
  }
  const { value, rest } = state;
  return joined(isMean ? state : { value: value.over(all.length), rest: rest.over(all.length) });
}

describe('a scaled difference', () => {
  test('has the bits of a subtraction, without empty buckets, times the factor', () => {
    let same = 0;
    fc.assert(
      fc.property(histogram, histogram, fc.boolean(), number, (a, other, isSame, factor) => {
        // Counts of the one in the layout of the other are what is nearly always subtracted.
        const b = isSame ? a.with({ positive: reversed(a.positive), count: other.count }) : other;
        const got = scaledDifference(a, b, factor);
        if (got === undefined) return;
        same++;
        const difference = subtractHistograms(a, b)!.histogram.withHint('gauge');
        expect(bitsOf(got)).toEqual(bitsOf(difference.compact().times(factor)));
        expect(bitsOf(scaledDifference(a, b, factor, true)!.compact())).toEqual(bitsOf(got.compact()));
      }),
      { seed: 3, numRuns: 3000 },
    );
    expect(same).toBeGreaterThan(1000);
  });

  test('is not of histograms with more buckets, or other schemas, zero buckets or bounds', () => {
    const base = new FloatHistogram({ zeroThreshold: 0.1, positive: { indexes: [1, 2], counts: [3, 4] } });
    const check = (other: FloatHistogram, want: boolean): void => {
      expect(scaledDifference(base, other, 1) !== undefined).toBe(want);
    };
    check(base, true);
    check(base.with({ positive: { indexes: [2], counts: [3] } }), true);
    check(base.with({ positive: { indexes: [1, 3], counts: [3, 4] } }), false);
    check(base.with({ negative: { indexes: [1], counts: [1] } }), false);
    check(base.with({ schema: 1 }), false);
    check(base.with({ zeroThreshold: 0.2 }), false);
    check(base.with({ schema: CUSTOM_SCHEMA, customBounds: [1] }), false);
  });
});

function reversed({ indexes, counts }: BucketList): BucketList {
  return { indexes: indexes.slice(), counts: counts.toReversed() };
}

test('counts by place are those of the buckets', () => {
  fc.assert(
    fc.property(histogram, (h) => {
      expect(allBuckets(h).map((_, place) => countAt(h, place))).toEqual(
        allBuckets(h).map((bucket) => bucket.count),
      );
    }),
    { seed: 4 },
  );
});
