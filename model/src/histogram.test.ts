import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { FloatHistogram } from './histogram.ts';
import { addHistograms, subtractHistograms } from './histogram-arithmetic.ts';
import { CUSTOM_SCHEMA, exponentialBound } from './histogram-bounds.ts';
import { bucketsOfSpans, countsOfDeltas, spansOfBuckets } from './histogram-buckets.ts';
import { allBuckets } from './histogram-iterate.ts';
import { wasReset } from './histogram-reset.ts';
import { histogramFraction, histogramQuantile, histogramVariance } from './histogram-statistics.ts';
import { HistogramMean, HistogramSum } from './histogram-sum.ts';
import { histogramExpression, histogramText, histogramToJson, parseHistogram } from './histogram-text.ts';
import { trimHistogram } from './histogram-trim.ts';

function parse(text: string): FloatHistogram {
  return parseHistogram(text).histogram;
}

/** Small whole counts, so that sums are exact. */
const side = fc.uniqueArray(fc.integer({ min: -40, max: 40 }), { maxLength: 6 }).chain((indexes) =>
  fc
    .array(fc.integer({ min: 1, max: 50 }), { minLength: indexes.length, maxLength: indexes.length })
    .map((counts) => ({
      indexes: indexes.toSorted((a, b) => a - b),
      counts,
    })),
);

const exponential = fc
  .record({
    schema: fc.integer({ min: -4, max: 8 }),
    zeroThreshold: fc.constantFrom(0, 2 ** -700, 2 ** -30, 0.5),
    zeroCount: fc.integer({ min: 0, max: 9 }),
    sum: fc.integer({ min: -99, max: 99 }),
    positive: side,
    negative: side,
  })
  .map((fields) => {
    const total = (counts: readonly number[]): number => counts.reduce((sum, one) => sum + one, 0);
    const count = fields.zeroCount + total(fields.positive.counts) + total(fields.negative.counts);
    // A zero bucket that overlaps others is not a histogram that anybody makes.
    const least = Math.min(...fields.positive.indexes, ...fields.negative.indexes);
    const narrow = exponentialBound(least - 1, fields.schema) >= fields.zeroThreshold;
    return new FloatHistogram({ ...fields, count, zeroThreshold: narrow ? fields.zeroThreshold : 0 });
  });

function bucketTotal(h: FloatHistogram): number {
  return allBuckets(h).reduce((sum, { count }) => sum + count, 0);
}

describe('bounds', () => {
  test('grow by 2^(2^-schema), and end at the largest number', () => {
    const check = (index: number, schema: number, want: number): void => {
      expect(exponentialBound(index, schema)).toBe(want);
    };
    check(0, 0, 1);
    check(3, 0, 8);
    check(-1, 0, 0.5);
    check(1, -2, 16);
    check(2, 1, 2);
    check(1, 1, Math.SQRT2 - Number.EPSILON);
    check(1024, 0, Number.MAX_VALUE);
    check(1025, 0, Infinity);
    check(-1074, 0, Number.MIN_VALUE);
  });

  test('of neighbours in a finer schema are those of the coarser one', () => {
    fc.assert(
      fc.property(fc.integer({ min: -300, max: 300 }), fc.integer({ min: -3, max: 8 }), (index, schema) => {
        expect(exponentialBound(index * 2, schema)).toBe(exponentialBound(index, schema - 1));
      }),
    );
  });
});

describe('spans', () => {
  test('say the same as indexes', () => {
    const list = bucketsOfSpans(
      [
        { offset: -2, length: 2 },
        { offset: 3, length: 1 },
      ],
      [1, 2, 3],
    );
    expect([...list.indexes]).toEqual([-2, -1, 3]);
    fc.assert(
      fc.property(side, (buckets) => {
        expect(bucketsOfSpans(spansOfBuckets(buckets), buckets.counts)).toEqual(buckets);
      }),
    );
    expect(() => bucketsOfSpans([{ offset: 0, length: 2 }], [1])).toThrow('2 buckets, want 1');
    expect([...countsOfDeltas([3, -1, 2])]).toEqual([3, 2, 4]);
  });
});

describe('arithmetic', () => {
  test('keeps every observation', () => {
    fc.assert(
      fc.property(exponential, exponential, (a, b) => {
        // Else Prometheus counts a bucket of the finer one twice, if it lies in the wider zero bucket and, made coarser, beyond it.
        fc.pre(a.schema === b.schema || a.zeroThreshold === b.zeroThreshold);
        const { histogram } = addHistograms(a, b)!;
        expect(histogram.count).toBe(a.count + b.count);
        expect(bucketTotal(histogram)).toBe(a.count + b.count);
        expect(histogram.schema).toBe(Math.min(a.schema, b.schema));
        // Not the same buckets: what the wider zero bucket takes in depends on whose buckets are made coarser first.
        expect(bucketTotal(addHistograms(b, a)!.histogram)).toBe(a.count + b.count);
        expect(bucketTotal(subtractHistograms(histogram, b)!.histogram)).toBe(a.count);
      }),
    );
  });

  test('of custom buckets goes by the common bounds', () => {
    const a = parse('schema:-53 count:6 sum:9 custom_values:[1 2 3] buckets:[1 2 2 1]');
    const b = parse('schema:-53 count:3 sum:4 custom_values:[1 3] buckets:[1 1 1]');
    const { histogram, boundsReconciled } = addHistograms(a, b)!;
    expect(boundsReconciled).toBe(true);
    expect(histogramText(histogram)).toBe('{count:9, sum:13, [-Inf,1]:2, (1,3]:5, (3,+Inf]:2}');
    expect(addHistograms(a, parse('schema:0 count:1 buckets:[1]'))).toBeUndefined();
  });

  test('of one hundred is what adding them one by one gives', () => {
    fc.assert(
      fc.property(fc.array(exponential, { minLength: 1, maxLength: 20 }), (all) => {
        const sum = new HistogramSum(all[0]!);
        const mean = new HistogramMean(all[0]!);
        for (const one of all.slice(1)) {
          sum.add(one);
          mean.add(one);
        }
        const plain = all.reduce((left, right) => addHistograms(left, right)!.histogram);
        expect(sum.result().compact().equals(plain.compact())).toBe(true);
        expect(mean.result().count).toBeCloseTo(plain.count / all.length, 9);
      }),
    );
  });

  test('makes gauges of negated ones', () => {
    const h = parse('schema:0 count:2 sum:3 counter_reset_hint:not_reset buckets:[2]').times(-1);
    expect([h.hint, h.count, h.sum]).toEqual(['gauge', -2, -3]);
  });
});

describe('resets', () => {
  test('are seen where anything gets less', () => {
    const check = (now: string, before: string, want: boolean): void => {
      expect(wasReset(parse(now), parse(before))).toBe(want);
    };
    check('count:3 buckets:[1 2]', 'count:2 buckets:[1 1]', false);
    check('count:3 buckets:[0 3]', 'count:2 buckets:[1 1]', true);
    check('count:1 buckets:[1]', 'count:2 buckets:[2]', true);
    check('schema:1 count:3 buckets:[3]', 'schema:0 count:2 buckets:[2]', true);
    check('schema:0 count:3 buckets:[3]', 'schema:1 count:2 offset:-1 buckets:[1 1]', false);
    check('count:3 z_bucket:1 z_bucket_w:0.1 buckets:[2]', 'count:2 z_bucket:2 z_bucket_w:0.1', true);
    check('count:3 z_bucket:3 z_bucket_w:1', 'count:2 offset:-1 buckets:[1 1]', false);
    check('count:9 counter_reset_hint:reset', 'count:2', true);
    check('count:1 counter_reset_hint:not_reset', 'count:2', false);
  });

  test('never follow an addition', () => {
    fc.assert(
      fc.property(exponential, exponential, (a, b) => {
        const more = addHistograms(a, b)!.histogram;
        expect(wasReset(more, a) && more.schema === a.schema).toBe(false);
      }),
    );
  });
});

describe('statistics', () => {
  test('interpolate within buckets', () => {
    const h = parse('schema:0 count:12 sum:100 z_bucket:2 z_bucket_w:0.001 buckets:[2 3 0 5]');
    expect(histogramQuantile(0.5, h).value).toBeCloseTo(1.5874010519682, 12);
    expect(histogramQuantile(1, h).value).toBe(8);
    expect(histogramQuantile(-1, h).value).toBe(-Infinity);
    expect(histogramFraction(-Infinity, Infinity, h).value).toBe(1);
    expect(histogramFraction(1, 2, h).value).toBe(0.25);
    expect(histogramVariance(parse('schema:0 count:2 sum:4 offset:2 buckets:[2]'))).toBeCloseTo(0.686, 2);
  });

  test('agree: the fraction below a quantile is its φ', () => {
    fc.assert(
      fc.property(exponential, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (h, phi) => {
        fc.pre(h.count > 0 && h.zeroThreshold > 0);
        const { value } = histogramQuantile(phi, h);
        fc.pre(Math.abs(value) > 1e-300); // Nearer to zero the bounds have few bits.
        expect(histogramFraction(-Infinity, value, h).value).toBeCloseTo(phi, 6);
      }),
    );
  });

  test('trimming at a value splits the observations', () => {
    fc.assert(
      fc.property(exponential, fc.double({ min: -100, max: 100, noNaN: true }), (h, value) => {
        const below = trimHistogram(h, value, 'below');
        const above = trimHistogram(h, value, 'above');
        expect(below.count + above.count).toBeCloseTo(h.count, 6);
      }),
    );
  });
});

describe('text', () => {
  test('is read back', () => {
    fc.assert(
      fc.property(exponential, (h) => {
        const { histogram } = parseHistogram(histogramExpression(h).slice(2, -2));
        expect(histogram.compact().equals(h.compact())).toBe(true);
      }),
    );
  });

  test('of the API leaves empty buckets out', () => {
    const h = parse('schema:0 count:4 sum:5 z_bucket:1 z_bucket_w:0.5 buckets:[0 1 2] n_buckets:[1]');
    expect(histogramToJson(h)).toEqual({
      count: '4',
      sum: '5',
      buckets: [
        [1, '-1', '-0.5', '1'],
        [3, '-0.5', '0.5', '1'],
        [0, '1', '2', '1'],
        [0, '2', '4', '2'],
      ],
    });
    expect(histogramToJson(new FloatHistogram({}))).toEqual({ count: '0', sum: '0' });
  });

  test('refuses what it does not know', () => {
    expect(() => parse('nonsense:1')).toThrow(/key "nonsense", want one of schema/);
    expect(() => parse('sum:x')).toThrow('sum "x", want a number');
    expect(() => parse('counter_reset_hint:maybe')).toThrow('hint "maybe", want unknown');
    expect(parse('schema:-53').schema).toBe(CUSTOM_SCHEMA);
  });
});
