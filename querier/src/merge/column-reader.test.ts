import { describe, expect, test } from '@jest/globals';
import { CorruptionError, type FloatHistogram, isStale } from '@flotilla/model';
import { ColumnArena } from '@flotilla/promql';
import {
  encodeSamples,
  floatHistogramOf,
  type NativeHistogram,
  packChunks,
  type RawChunk,
  staleHistogram,
} from '@flotilla/tsdb';
import { ColumnReader } from './column-reader.ts';
import type { Columns } from './slot-merge.ts';

/** Of a counter with two buckets. */
function native(n: number, more: Partial<NativeHistogram> = {}): NativeHistogram {
  return {
    schema: 1,
    zeroThreshold: 0.001,
    positiveSpans: [{ offset: -1, length: 2 }],
    negativeSpans: [],
    customBounds: [],
    isFloat: false,
    hint: 'unknown',
    isStale: false,
    count: 3 * n,
    zeroCount: 0,
    sum: n / 4,
    positive: [n, 2 * n],
    negative: [],
    ...more,
  };
}

const stale = staleHistogram(false);
type Sample = number | NativeHistogram;
const word = new Float64Array(1);
const halves = new Uint32Array(word.buffer);

/** The chunks of samples that are a second apart. */
function chunksOf(samples: readonly Sample[], firstMs = 1000): RawChunk[] {
  return encodeSamples(
    samples.map((sample, i) => {
      const timeMs = firstMs + 1000 * i;
      if (typeof sample !== 'number') return { timeMs, low: 0, high: 0, histogram: sample };
      word[0] = sample;
      return { timeMs, low: halves[0]!, high: halves[1]!, histogram: undefined };
    }),
  );
}

function readerOf(minTimeMs = 0, maxTimeMs = 1e9, take: (bytes: number) => void = () => {}): ColumnReader {
  return new ColumnReader({ minTimeMs, maxTimeMs, arena: new ColumnArena(), take });
}

function read(reader: ColumnReader, chunks: readonly RawChunk[]): Columns {
  return reader.read(packChunks(chunks), () => 'store x: series y');
}

/** Each sample as its second and its value, or its histogram's hint, count and buckets. */
function shown({ timestampsMs, values, histograms }: Columns): unknown[] {
  return Array.from(timestampsMs, (timeMs, i) => {
    const one: FloatHistogram | undefined = histograms?.at(i);
    if (one !== undefined) return [timeMs / 1000, one.hint, one.count, ...one.positive.counts];
    return [timeMs / 1000, isStale(values, i) ? 'stale' : values[i]];
  });
}

describe('columns of native histograms', () => {
  test('have floats, stale markers and histograms at their places', () => {
    const columns = read(readerOf(), chunksOf([1.5, native(1), native(2), stale, 2.5, native(7), stale]));
    expect(shown(columns)).toEqual([
      [1, 1.5],
      [2, 'unknown', 3, 1, 2],
      [3, 'not_reset', 6, 2, 4],
      [4, 'stale'],
      [5, 2.5],
      [6, 'unknown', 21, 7, 14],
      [7, 'stale'],
    ]);
    expect(columns.histograms).toHaveLength(7);
  });

  test('are cut to the time range, and what follows a cut is known to be no reset', () => {
    const chunks = chunksOf([0.5, native(1), native(2), native(3), 9]);
    const check = (min: number, max: number, ...want: unknown[]): void =>
      expect(shown(read(readerOf(min, max), chunks))).toEqual(want);
    check(3000, 4999, [3, 'not_reset', 6, 2, 4], [4, 'not_reset', 9, 3, 6]);
    check(2000, 2000, [2, 'unknown', 3, 1, 2]);
    check(4001, 1e9, [5, 9]);
    check(6000, 1e9);
  });

  test('give the histograms that were written, each time another object with the same indexes', () => {
    const more = {
      negativeSpans: [{ offset: 3, length: 1 }],
      negative: [5],
      zeroCount: 2,
      hint: 'gauge' as const,
    };
    const custom = {
      schema: -53,
      customBounds: [0.5, 2],
      positiveSpans: [{ offset: 0, length: 2 }],
      zeroThreshold: 0,
    };
    const written = [native(2, more), native(1, more), native(4, custom), native(5, { isFloat: true })];
    const { histograms } = read(readerOf(), chunksOf(written));
    written.forEach((one, i) => {
      expect(histograms!.at(i)!.equals(floatHistogramOf(one))).toBe(true);
      expect(histograms!.at(i)).not.toBe(histograms!.at(i));
    });
    expect(histograms!.at(0)!.hint).toBe('gauge');
    expect(histograms!.at(0)!.positive.indexes).toBe(histograms!.at(1)!.positive.indexes);
    expect(histograms!.at(9)).toBeUndefined();
  });

  test('share their times with the series before', () => {
    const reader = readerOf();
    const first = read(reader, chunksOf([native(1), native(2)]));
    const second = read(reader, chunksOf([native(5), native(9)]));
    expect(second.timestampsMs).toBe(first.timestampsMs);
    expect(shown(first)).toEqual([[1, 'unknown', 3, 1, 2], [2, 'not_reset', 6, 2, 4]]); // prettier-ignore
    expect(read(reader, chunksOf([native(5), native(9)], 1001)).timestampsMs).not.toBe(first.timestampsMs);
  });

  test('tell what they take before they take it', () => {
    const chunks = chunksOf(Array.from({ length: 100 }, (_, i) => native(i)));
    let held = 0;
    read(
      readerOf(0, 1e9, (bytes) => (held += bytes)),
      chunks,
    );
    // Scratch, both columns, the first row, the sums, and what each number of the others grew.
    expect(held).toBe(100 * (16 + 16 + 8 + 5 * 2) + 5 * 8);
    const refuse = (bytes: number): void => {
      if ((held -= bytes) < 1000) throw new RangeError('too much');
    };
    expect(() => read(readerOf(0, 1e9, refuse), chunks)).toThrow('too much');
  });

  test('are those that were written, however much they grow, and whether or not they do', () => {
    const tail = { positiveSpans: [{ offset: 0, length: 3 }], negativeSpans: [{ offset: 1, length: 4 }] };
    const sample = (n: number): NativeHistogram => ({
      ...native(n),
      ...tail,
      sum: n === 3 ? NaN : 1 / n,
      positive: [n, 2 * n, 0],
      negative: [7, n, n, 3 * n],
    });
    const growths = [[1, 2, 3, 4, 5], [1, 60_000, 60_001, 2 ** 17], [1, 2, 2 ** 31, 2 ** 31 + 1], [1, 2, 2 ** 40, 2 ** 41], [9, 8, 9, 10, 9]]; // prettier-ignore
    for (const counts of growths)
      for (const isFloat of [false, true]) {
        const written = counts.map((n) => ({ ...sample(n), isFloat }));
        const { histograms } = read(readerOf(), chunksOf(written));
        written.forEach((one, i) => {
          const { count, sum } = histograms!.statsAt!(i)!;
          expect([count, sum]).toEqual([one.count, one.sum]);
          const want = floatHistogramOf(one);
          expect(histograms!.at(i)!.equals(want.withHint(histograms!.at(i)!.hint))).toBe(true);
        });
      }
  });

  test('of damaged chunks are refused', () => {
    const [chunk] = chunksOf([native(1), native(2), native(5)]);
    const check = (damage: Partial<RawChunk>, want: string): void => {
      const reading = (): Columns => read(readerOf(), [{ ...chunk!, ...damage }]);
      expect(reading).toThrow(CorruptionError);
      expect(reading).toThrow(want);
    };
    check({ data: chunk!.data.subarray(0, -6) }, 'histogram chunk of');
    check({ data: chunk!.data.subarray(0, 2), samples: 3 }, 'is not one of 3 histograms');
    check({ samples: 4 }, 'is not one of 4 histograms');
    check({ samples: 60_000 }, 'chunk of 60000 samples in');
    check({ encoding: 4 as RawChunk['encoding'] }, 'chunk encoding 4');
    const list = packChunks([chunk!]);
    expect(() => readerOf().read(list.subarray(0, -1), () => 'store x')).toThrow('store x');
  });
});
