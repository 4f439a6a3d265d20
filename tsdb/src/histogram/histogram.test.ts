import { describe, expect, test } from '@jest/globals';
import { sharedHistogramChunks } from '@flotilla/kernel';
import * as fc from 'fast-check';
import type { RawChunk } from '../api.ts';
import { BitWriter } from './bit-writer.ts';
import { decodeHistograms } from './histogram-decoder.ts';
import { resetFlag } from './reset-flag.ts';
import { BitReader } from './histogram-oracle.ts';
import { floatHistogramOf, type NativeHistogram, sameHistogram, staleHistogram } from './native-histogram.ts';
import { OpenHistogram } from './open-histogram.ts';

function histogram(counts: Record<number, number>, more: Partial<NativeHistogram> = {}): NativeHistogram {
  const indexes = Object.keys(counts)
    .map(Number)
    .toSorted((a, b) => a - b);
  let end = 0;
  const positiveSpans = indexes.map((index) => {
    const span = { offset: index - end, length: 1 };
    end = index + 1;
    return span;
  });
  const positive = indexes.map((index) => counts[index]!);
  const count = positive.reduce((sum, n) => sum + n, 0);
  return {
    schema: 1,
    zeroThreshold: 2 ** -128,
    positiveSpans,
    negativeSpans: [],
    customBounds: [],
    isFloat: false,
    hint: 'unknown',
    isStale: false,
    count,
    zeroCount: 0,
    sum: count * 1.5,
    positive,
    negative: [],
    ...more,
  };
}

describe('bits', () => {
  test('come back as they were written', () => {
    const numbers = fc.array(
      fc.oneof(
        fc.integer({ min: -300, max: 300 }),
        fc.maxSafeInteger(),
        fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      ),
    );
    const property = fc.property(numbers, (values) => {
      const out = new BitWriter();
      for (const value of values) {
        out.varbitInt(value);
        out.varbitUint(Math.abs(value));
        out.bits64(value >>> 0, 7);
      }
      const input = new BitReader(out.bytes(), 0);
      for (const value of values) {
        expect(input.varbitInt()).toBe(value);
        expect(input.varbitUint()).toBe(Math.abs(value));
        expect([input.bits(32), input.bits(32)]).toEqual([value >>> 0, 7]);
      }
      expect(input.left).toBeLessThan(8);
      expect(() => input.bits(8)).toThrow(RangeError);
    });
    fc.assert(property, { seed: 5 });
  });
});

describe('an open histogram chunk', () => {
  /** The chunks of some samples, a second apart, as [flag, samples] of each. */
  function check(samples: NativeHistogram[], want: [number, number][]): void {
    const chunks: RawChunk[] = [];
    const open = OpenHistogram.begun(sharedHistogramChunks(), 0, samples[0]!);
    samples.slice(1).forEach((sample, i) => {
      const full = open.append(1000 * (i + 1), sample, -1);
      if (full !== undefined) chunks.push(full);
    });
    chunks.push(open.chunk());
    open.free();
    const decoded = chunks.map(({ encoding, data }) => decodeHistograms(encoding, data));
    expect(decoded.map((chunk) => [chunk.flag, chunk.samples.length])).toEqual(want);
    decoded
      .flatMap((chunk) => chunk.samples)
      .forEach(({ histogram: got }, i) => {
        const wanted = samples[i]!;
        expect(got.isStale).toBe(wanted.isStale);
        if (!got.isStale) expect(sameHistogram(compacted(got), compacted(wanted))).toBe(true);
      });
  }

  function compacted(native: NativeHistogram): NativeHistogram {
    const { positive } = floatHistogramOf(native).compact();
    const counts = Object.fromEntries([...positive.indexes].map((index, i) => [index, positive.counts[i]!]));
    const { schema, zeroThreshold, zeroCount, sum, isFloat, count, customBounds } = native;
    return histogram(counts, { schema, zeroThreshold, zeroCount, sum, isFloat, count, customBounds });
  }

  const { unknown, reset, notReset, gauge } = resetFlag;

  test('widens for new buckets, and takes samples that lack empty ones', () => {
    check(
      [histogram({ 1: 1 }), histogram({ 1: 2, 5: 1 }), histogram({ '-3': 1, 1: 2, 5: 1 })],
      [[unknown, 3]],
    );
    check([histogram({ 1: 1, 2: 0, 3: 0 }), histogram({ 1: 1 }), histogram({ 0: 1, 1: 1 })], [[unknown, 3]]);
  });

  test('ends where a counter was reset', () => {
    check([histogram({ 1: 5 }), histogram({ 1: 4 }), histogram({ 1: 6 })], [[unknown, 1], [reset, 2]]); // prettier-ignore
    check([histogram({ 1: 5, 2: 1 }), histogram({ 1: 9 })], [[unknown, 1], [reset, 1]]); // prettier-ignore
    check([histogram({ 1: 5 }), histogram({ 1: 6 }, { hint: 'reset' })], [[unknown, 1], [reset, 1]]); // prettier-ignore
  });

  test('ends where schema, kind, bounds or use change', () => {
    check([histogram({ 1: 1 }), histogram({ 1: 2 }, { schema: 2 })], [[unknown, 1], [unknown, 1]]); // prettier-ignore
    check([histogram({ 1: 1 }), histogram({ 1: 2 }, { isFloat: true })], [[unknown, 1], [unknown, 1]]); // prettier-ignore
    const custom = (bound: number): Partial<NativeHistogram> => ({ schema: -53, customBounds: [bound] });
    check([histogram({ 0: 1 }, custom(1)), histogram({ 0: 2 }, custom(2))], [[unknown, 1], [reset, 1]]); // prettier-ignore
    const going = histogram({ 1: 3 }, { hint: 'gauge' });
    check([going, histogram({ 1: 1 }, { hint: 'gauge' }), histogram({ 1: 9 })], [[gauge, 2], [unknown, 1]]); // prettier-ignore
  });

  test('ends after a stale marker, unless another one follows', () => {
    const stale = staleHistogram(false);
    check([histogram({ 1: 1 }), stale, stale, histogram({ 1: 2 })], [[unknown, 3], [unknown, 1]]); // prettier-ignore
    check([stale, histogram({ 1: 2 })], [[unknown, 1], [unknown, 1]]); // prettier-ignore
  });

  test('ends after about 1024 bytes', () => {
    const wide = (n: number): NativeHistogram =>
      histogram(Object.fromEntries(Array.from({ length: 60 }, (_, i) => [i, n * 1000 * (i + 1) ** 3])));
    check(Array.from({ length: 25 }, (_, n) => wide(n * n)), [[unknown, 10], [notReset, 10], [notReset, 5]]); // prettier-ignore
  });
});
