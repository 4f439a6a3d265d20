import { describe, expect, test } from '@jest/globals';
import { HistogramDecoder } from '@flotilla/kernel';
import { CorruptionError, type CounterResetHint } from '@flotilla/model';
import * as fc from 'fast-check';
import { decodeHistograms, type DecodedHistograms } from './histogram-decoder.ts';
import { HistogramEncoder } from './histogram-encoder-oracle.ts';
import { decodeHistogramsSlowly } from './histogram-oracle.ts';
import { type ResetFlag, resetFlag } from './reset-flag.ts';
import { type HistogramLayout, type NativeHistogram, staleHistogram } from './native-histogram.ts';

const RUNS = Number(process.env['FLOTILLA_FUZZ_RUNS'] ?? 3000);
const HOUR = 3_600_000;

const spans = fc.array(fc.record({ offset: fc.nat(5), length: fc.nat(4) }), { maxLength: 4 });
const layouts: fc.Arbitrary<HistogramLayout> = fc.record({
  schema: fc.constantFrom(-4, 0, 3, 8, -53),
  zeroThreshold: fc.constantFrom(0, 2 ** -128, 0.001, 1024, 2 ** -243),
  positiveSpans: spans,
  negativeSpans: spans,
  customBounds: fc.array(
    fc.oneof(
      fc.double({ noNaN: true }),
      fc.integer({ min: 0, max: 33_000_000 }).map((n) => n / 1000),
    ),
    { maxLength: 5 },
  ),
});
const flags = fc.constantFrom<ResetFlag>(...Object.values(resetFlag));

function samplesOf(isFloat: boolean, flag: ResetFlag): fc.Arbitrary<NativeHistogram[]> {
  // A growth of growths of four times as much is still a safe integer.
  const whole = fc.oneof(fc.nat(10), fc.nat(2 ** 40), fc.nat(2 ** 50));
  const counts = isFloat ? fc.double({ noNaN: true }) : whole;
  return layouts.chain((layout) => {
    const buckets = (of: readonly { length: number }[]): fc.Arbitrary<number[]> => {
      const length = of.reduce((sum, span) => sum + span.length, 0);
      return fc.array(counts, { minLength: length, maxLength: length });
    };
    const customBounds = layout.schema === -53 ? layout.customBounds : [];
    const one = fc.record({
      count: counts,
      zeroCount: counts,
      sum: fc.double(),
      positive: buckets(layout.positiveSpans),
      negative: buckets(layout.negativeSpans),
    });
    return fc.array(one, { minLength: 1, maxLength: 8 }).map((all) =>
      all.map((numbers, i) => ({
        ...layout,
        customBounds,
        isFloat,
        hint: (flag === resetFlag.gauge ? 'gauge' : i === 0 ? 'unknown' : 'not_reset') as CounterResetHint,
        isStale: false,
        ...numbers,
      })),
    );
  });
}

function encoded(samples: readonly NativeHistogram[], flag: ResetFlag): Uint8Array {
  const encoder = new HistogramEncoder(flag, -5, samples[0]!);
  samples.slice(1).forEach((sample, i) => encoder.append(1000 * (i + 1) + (i % 3), sample));
  return encoder.bytes();
}

/** Counters of some buckets that grow at their own pace. */
function counters(buckets: number, samples: number, more: Partial<NativeHistogram>): NativeHistogram[] {
  return Array.from({ length: samples }, (_, n) => {
    const positive = Array.from({ length: buckets }, (__, i) => n * (i % 7) + Math.floor(n / (1 + (i % 5))));
    const count = positive.reduce((sum, one) => sum + one, 0);
    return {
      schema: 2,
      zeroThreshold: 2 ** -128,
      positiveSpans: [{ offset: -3, length: buckets }],
      negativeSpans: [],
      customBounds: [],
      isFloat: false,
      hint: n === 0 ? 'unknown' : 'not_reset',
      isStale: false,
      count,
      zeroCount: 0,
      sum: count * 0.7,
      positive,
      negative: [],
      ...more,
    };
  });
}

test.each([false, true])(
  'chunks decode to what was encoded, and encode to the same bytes (floats: %s)',
  (isFloat) => {
    const inputs = flags.chain((flag) => fc.tuple(samplesOf(isFloat, flag), fc.nat(2), fc.constant(flag)));
    const property = fc.property(inputs, ([samples, stale, flag]) => {
      const ends = Array.from({ length: stale }, () => staleHistogram(isFloat));
      const bytes = encoded([...samples, ...ends], flag);
      const decoded = decodeHistograms(isFloat ? 3 : 2, bytes);
      expect(decoded.samples.map(({ histogram }) => histogram)).toEqual([...samples, ...ends]);
      expect(decoded.flag).toBe(flag);
      const [first, ...others] = decoded.samples;
      const again = new HistogramEncoder(decoded.flag, first!.timeMs, first!.histogram);
      for (const sample of others) again.append(sample.timeMs, sample.histogram);
      expect(Buffer.compare(again.bytes(), bytes)).toBe(0);
    });
    fc.assert(property, { seed: 8, numRuns: 300 });
  },
);

test('rows come in batches when there are many samples, or many buckets', () => {
  const check = (samples: NativeHistogram[]): void => {
    const { isFloat } = samples[0]!;
    const bytes = encoded(samples, resetFlag.unknown);
    const decoded = decodeHistograms(isFloat ? 3 : 2, bytes);
    expect(decoded.samples.map(({ histogram }) => histogram)).toEqual(samples);
    const decoder = new HistogramDecoder();
    decoder.begin(bytes, isFloat);
    expect(decoder.next()).toBeLessThan(samples.length);
  };
  check(counters(700, 40, {}));
  check(counters(9000, 3, { isFloat: true }));
  check(counters(1, 3000, {}));
  check([...counters(3, 5, {}), ...Array.from({ length: 3000 }, () => staleHistogram(false))]);
});

test('chunks that say the same share their layout', () => {
  const layoutOf = (samples: NativeHistogram[]): unknown => {
    const decoder = new HistogramDecoder();
    expect(decoder.begin(encoded(samples, resetFlag.unknown), samples[0]!.isFloat)).toBe(true);
    return decoder.layout;
  };
  const one = layoutOf(counters(24, 5, {}));
  expect(layoutOf(counters(24, 50, { isFloat: true }))).toBe(one);
  expect(layoutOf(counters(25, 5, {}))).not.toBe(one);
  expect(layoutOf(counters(24, 5, { schema: 3 }))).not.toBe(one);
  expect(layoutOf(counters(24, 1, {}))).toBe(one);
  expect(one).toMatchObject({
    schema: 2,
    positiveIndexes: Array.from({ length: 24 }, (_, i) => i - 3),
    negativeIndexes: [],
  });
});

/** What of a chunk a test compares: all numbers with every bit. */
function bitsOf({ flag, layout, samples }: DecodedHistograms): Buffer {
  const { schema, zeroThreshold, positiveSpans, negativeSpans, customBounds } = layout;
  const all = [...positiveSpans, ...negativeSpans].flatMap(({ offset, length }) => [offset, length]);
  const numbers = [flag, schema, zeroThreshold, positiveSpans.length, ...all, ...customBounds];
  for (const { timeMs, histogram } of samples) {
    const { isStale, hint, count, zeroCount, sum, positive, negative } = histogram;
    numbers.push(timeMs, Number(isStale), hint.length, count, zeroCount, sum, ...positive, ...negative);
  }
  return Buffer.from(Float64Array.from(numbers).buffer);
}

/** Undefined if the chunk is refused with an error of that class. */
function tried(
  decode: () => DecodedHistograms,
  refusal: typeof CorruptionError | typeof RangeError,
): DecodedHistograms | undefined {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof refusal)) throw error;
    return undefined;
  }
}

/** Both decoders make the same of it; whether it was taken. */
function checkSame(encoding: number, bytes: Uint8Array): boolean {
  const got = tried(() => decodeHistograms(encoding, bytes), CorruptionError);
  const want = tried(() => decodeHistogramsSlowly(encoding, bytes), RangeError);
  const isSame =
    got === undefined || want === undefined
      ? got === want
      : got.samples.length === want.samples.length && bitsOf(got).equals(bitsOf(want));
  if (!isSame) throw new Error(`encoding ${encoding}, ${Buffer.from(bytes).toString('hex')}`);
  return got !== undefined;
}

describe(`hostile bytes, ${RUNS} each: the same samples as those of the oracle, or refused by both`, () => {
  const custom = {
    schema: -53,
    customBounds: [0.1, 0.25, 1, 2.5, 1e9],
    positiveSpans: [{ offset: 0, length: 6 }],
  };
  const negative = [
    { offset: 2, length: 1 },
    { offset: 3, length: 2 },
  ];
  const stale = [staleHistogram(false), staleHistogram(false)];
  const chunks: [string, number, Uint8Array][] = [
    ['integers', 2, encoded(counters(8, 20, {}), resetFlag.unknown)],
    ['integers, few', 2, encoded(counters(3, 3, {}), resetFlag.notReset)],
    ['integers, stale', 2, encoded([...counters(5, 9, {}), ...stale], resetFlag.unknown)],
    [
      'integers, both signs',
      2,
      encoded(counters(4, 9, { negativeSpans: negative, negative: [7, 8, 2 ** 50] }), resetFlag.gauge),
    ],
    ['integers, custom', 2, encoded(counters(6, 9, custom), resetFlag.reset)],
    ['floats', 3, encoded(counters(8, 20, { isFloat: true }), resetFlag.unknown)],
    ['floats, custom', 3, encoded(counters(6, 9, { ...custom, isFloat: true }), resetFlag.unknown)],
    [
      'floats, stale',
      3,
      encoded([...counters(4, 9, { isFloat: true }), staleHistogram(true)], resetFlag.unknown),
    ],
  ];

  test.each(chunks)(
    '%s',
    (_name, encoding, chunk) => {
      const edits = fc.array(fc.tuple(fc.nat(chunk.length - 1), fc.nat(255), fc.boolean()), { maxLength: 4 });
      const length = fc.oneof(fc.constant(chunk.length), fc.nat(chunk.length));
      let taken = 0;
      const property = fc.property(edits, length, fc.uint8Array({ maxLength: 60 }), (all, bytes, noise) => {
        const copy = chunk.slice(0, bytes);
        for (const [at, byte, isBit] of all)
          if (at < bytes) copy[at] = isBit ? copy[at]! ^ (1 << (byte & 7)) : byte;
        if (checkSame(encoding, copy)) taken++;
        checkSame(encoding, noise);
        checkSame(5 - encoding, copy);
      });
      fc.assert(property, { seed: 3, numRuns: RUNS });
      expect(taken).toBeGreaterThan(0);
      expect(taken).toBeLessThan(RUNS);
    },
    HOUR,
  );
});
