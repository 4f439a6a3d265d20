import { describe, expect, test } from '@jest/globals';
import { Labels, Matcher } from '@flotilla/model';
import { positionText, formatRounded } from './annotation-format.ts';
import { combine, largest, power, smallest } from './arithmetic.ts';
import { BucketSet } from './bucket-quantile.ts';
import { dateFunctions } from './date-functions.ts';
import { gridBetween, subqueryGrid } from './grid.ts';
import { MemoryStorage } from './memory-storage.ts';
import { quantile } from './quantile.ts';
import { bestFirst, makeHeaps, offer } from './value-heap.ts';
import { labelsPlace, xxhash64 } from './xxhash.ts';

describe('arithmetic where languages differ', () => {
  test('power', () => {
    expect([power(1, NaN), power(-1, Infinity), power(1, -Infinity), power(2, 3)]).toEqual([1, 1, 1, 8]);
  });

  test('infinities win over NaN', () => {
    expect([largest(Infinity, NaN), smallest(NaN, -Infinity), largest(1, NaN)]).toEqual([
      Infinity,
      -Infinity,
      NaN,
    ]);
  });

  test('remainders keep the sign of the left side', () => {
    const out = { values: new Float64Array(1), at: 0 };
    combine('%', { values: Float64Array.of(-7), at: 0 }, { values: Float64Array.of(3), at: 0 }, out, 1);
    expect(out.values[0]).toBe(-1);
  });
});

describe('quantile', () => {
  test('interpolates, and sorts NaN first', () => {
    expect(quantile(0.25, Float64Array.of(4, 1, 3, 2))).toBe(1.75);
    expect(quantile(0, Float64Array.of(4, NaN))).toBe(NaN);
    expect(quantile(1, Float64Array.of(NaN, 4, 2))).toBe(4);
    expect([quantile(-1, Float64Array.of(1)), quantile(2, Float64Array.of(1))]).toEqual([
      -Infinity,
      Infinity,
    ]);
    expect(quantile(0.5, new Float64Array(0))).toBe(NaN);
  });
});

describe('BucketSet', () => {
  function filled(buckets: readonly (readonly [number, number])[]): BucketSet {
    const set = new BucketSet(buckets.length);
    for (const [bound, count] of buckets) set.push(bound, count);
    return set;
  }

  test('needs a last bucket and observations', () => {
    expect(filled([[1, 5]]).quantile(0.5)).toBe(NaN);
    expect(filled([[Infinity, 5]]).quantile(0.5)).toBe(NaN);
    expect(
      filled([
        [1, 0],
        [Infinity, 0],
      ]).quantile(0.5),
    ).toBe(NaN);
  });

  test('joins equal bounds', () => {
    expect(
      filled([
        [1, 5],
        [1, 5],
        [Infinity, 10],
      ]).quantile(0.5),
    ).toBe(0.5);
  });

  test('a quantile and its fraction are inverse', () => {
    const buckets = [
      [-1, 2],
      [0.5, 10],
      [2, 30],
      [Infinity, 31],
    ] as const;
    for (const phi of [0.1, 0.3, 0.5, 0.9]) {
      const value = filled(buckets).quantile(phi);
      expect(filled(buckets).fraction(-Infinity, value)).toBeCloseTo(phi, 12);
    }
  });
});

describe('heaps', () => {
  function best(sign: 1 | -1, k: number, values: readonly number[]): number[] {
    const heaps = makeHeaps(1, k, sign);
    values.forEach((value, row) => offer(heaps, 0, k, value, row));
    return bestFirst(heaps, 0).map((slot) => heaps.values[slot]!);
  }

  test('keep the best, NaN last', () => {
    expect(best(1, 3, [5, 1, NaN, 9, 7])).toEqual([9, 7, 5]);
    expect(best(-1, 3, [5, 1, NaN, 9, 7])).toEqual([1, 5, 7]);
    expect(best(1, 4, [NaN, 2, NaN])).toEqual([2, NaN, NaN]);
  });
});

describe('dates', () => {
  test('beyond what a Date holds', () => {
    const { year, month, day_of_month: day, day_of_year: dayOfYear, days_in_month: days } = dateFunctions;
    expect([year(0), month(0), day(0)]).toEqual([1970, 1, 1]);
    expect([year(-1), month(-1), day(-1)]).toEqual([1969, 12, 31]);
    expect([dayOfYear(1_709_251_200), days(1_709_164_800)]).toEqual([61, 29]); // March 1 and February 29 of 2024
    expect([year(NaN), dayOfYear(NaN)]).toEqual([292_277_026_596, 339]);
  });
});

describe('grids', () => {
  test('of subqueries are multiples of their step', () => {
    const parent = gridBetween(605_000, 665_000, 30_000);
    expect(subqueryGrid(parent, 0, 120_000, 60_000)).toEqual({
      startMs: 540_000,
      endMs: 665_000,
      stepMs: 60_000,
      steps: 3,
    });
    expect(subqueryGrid(gridBetween(0, 0, 1), 0, 90_000, 60_000).startMs).toBe(-60_000);
  });
});

describe('annotation texts', () => {
  test('count lines, and columns in bytes', () => {
    expect(positionText('sum(\n  é)', { start: 9, end: 10 })).toBe('2:5');
    expect(positionText('', { start: 0, end: 0 })).toBe('unknown position');
  });

  test('round to two digits', () => {
    expect([2, 0.123, 123, 1e-7, 0].map(formatRounded)).toEqual(['2', '0.12', '1.2e+02', '1e-07', '0']);
    expect([445, 455, 4.45].map(formatRounded)).toEqual(['4.4e+02', '4.6e+02', '4.5']);
  });
});

describe('xxhash64', () => {
  test('known values', () => {
    const hash = (text: string): string => xxhash64(Buffer.from(text)).toString(16);
    expect(hash('')).toBe('ef46db3751d8e999');
    expect(hash('abc')).toBe('44bc2cf5ad770999');
    expect(labelsPlace(Labels.EMPTY)).toBeCloseTo(0.9346, 3);
  });
});

describe('MemoryStorage', () => {
  const labels = Labels.fromRecord({ __name__: 'm' });
  const hints = { startMs: 10, endMs: 20, stepMs: 0, rangeMs: 0, func: '', grouping: [], by: false };

  test('gives the samples of the time range', async () => {
    const storage = new MemoryStorage();
    for (let timeMs = 0; timeMs < 40; timeMs += 5) storage.add(labels, timeMs, timeMs);
    const { series } = await storage.select([new Matcher('=', '__name__', 'm')], hints);
    expect(series.map(({ timestampsMs }) => [...timestampsMs])).toEqual([[10, 15, 20]]);
    expect((await storage.select([new Matcher('=', '__name__', 'n')], hints)).series).toEqual([]);
  });

  test('refuses the past', () => {
    const storage = new MemoryStorage();
    storage.add(labels, 10, 1);
    storage.add(labels, 10, 1);
    expect(() => storage.add(labels, 10, 2)).toThrow('memory storage: m: time 10, want more than 10');
    storage.addStale(labels, 11);
    expect(() => storage.addStale(labels, 5)).toThrow(RangeError);
  });
});
