import { expect, test } from '@jest/globals';
import { HeadKernel, type HistogramChunks, sharedHistogramChunks } from '@flotilla/kernel';
import { type BucketSpan, STALE_NAN_HIGH, STALE_NAN_LOW } from '@flotilla/model';
import * as fc from 'fast-check';
import type { RawChunk } from '../api.ts';
import { HistogramEncoder } from './histogram-encoder-oracle.ts';
import { decodeHistogramsSlowly } from './histogram-oracle.ts';
import { floatHistogramOf, type NativeHistogram, staleHistogram } from './native-histogram.ts';
import { OpenHistogram } from './open-histogram.ts';

// A run is some dozen samples, each looked at in several ways.
const RUNS = Number(process.env['FLOTILLA_FUZZ_RUNS'] ?? 40_000) / 100;
const HOUR = 3_600_000;

/** A sample that says how it differs from the one before. */
type Step = Partial<
  Pick<NativeHistogram, 'schema' | 'zeroThreshold' | 'customBounds' | 'hint' | 'isFloat'>
> & {
  readonly grow: readonly number[];
  readonly sum: number;
  readonly buckets: number;
  readonly isStale: boolean;
  readonly intervalMs: number;
};

const growths = fc.oneof(
  { weight: 12, arbitrary: fc.nat(20) },
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.nat(2 ** 44) },
  { weight: 1, arbitrary: fc.integer({ min: -9, max: -1 }) },
);
const rarely = <T>(value: T): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 14, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constant(value) });
const steps: fc.Arbitrary<Step> = fc.record({
  grow: fc.array(growths, { minLength: 40, maxLength: 40 }),
  sum: fc.oneof(fc.double(), fc.integer(), fc.constant(NaN)),
  // Which of 16 buckets there are, of each sign eight.
  buckets: fc.oneof({ weight: 12, arbitrary: fc.constant(0x0ff3) }, fc.nat(0xffff), fc.constant(0xffff)),
  isStale: fc.oneof({ weight: 20, arbitrary: fc.constant(false) }, fc.constant(true)),
  intervalMs: fc.oneof({ weight: 5, arbitrary: fc.constant(15_000) }, fc.integer({ min: 1, max: 2 ** 40 })),
  schema: fc.oneof({ weight: 14, arbitrary: fc.constant(3) }, fc.constantFrom(-4, 8, -53)),
  zeroThreshold: fc.oneof({ weight: 14, arbitrary: fc.constant(2 ** -128) }, fc.constantFrom(0, 0.001)),
  hint: fc.oneof({ weight: 14, arbitrary: fc.constant('unknown' as const) }, fc.constant('reset' as const)),
  customBounds: rarely([0.5, 1 / 3, 1e9]).map((bounds) => bounds ?? [0.1, 0.25, 1]),
});

/** The spans of the buckets at the bits of a byte. */
function spansOf(bits: number): BucketSpan[] {
  const spans: BucketSpan[] = [];
  let end = 0;
  for (let i = 0; i < 8; i++) {
    if (((bits >> i) & 1) === 0) continue;
    spans.push({ offset: i - end, length: 1 });
    end = i + 1;
  }
  return spans;
}

function samplesOf(all: readonly Step[], isFloat: boolean, isGauge: boolean): NativeHistogram[] {
  const counts = Array.from({ length: 18 }, () => 0);
  return all.map((step) => {
    if (step.isStale) return staleHistogram(isFloat);
    counts.forEach((count, i) => {
      counts[i] = Math.min(2 ** 50, Math.max(0, count + step.grow[i]! * (isFloat ? 1.5 : 1)));
    });
    const isCustom = step.schema === -53;
    const [positives, negatives] = [step.buckets & 0xff, isCustom ? 0 : step.buckets >> 8];
    const chosen = (bits: number, from: number): number[] =>
      counts.slice(from, from + 8).filter((_, i) => ((bits >> i) & 1) === 1);
    return {
      schema: step.schema!,
      zeroThreshold: step.zeroThreshold!,
      customBounds: isCustom ? step.customBounds! : [],
      positiveSpans: spansOf(positives),
      negativeSpans: spansOf(negatives),
      isFloat,
      hint: isGauge ? 'gauge' : step.hint!,
      isStale: false,
      count: counts[16]!,
      zeroCount: counts[17]!,
      sum: step.sum,
      positive: chosen(positives, 0),
      negative: chosen(negatives, 8),
    };
  });
}

/** Both are the same but for empty buckets. */
function checkSame(got: NativeHistogram, want: NativeHistogram): void {
  expect(got.isStale).toBe(want.isStale);
  if (!want.isStale)
    expect(floatHistogramOf(got).compact().equals(floatHistogramOf(want).compact())).toBe(true);
}

function chunksOf(chunks: HistogramChunks, samples: readonly NativeHistogram[], times: number[]): RawChunk[] {
  const out: RawChunk[] = [];
  const open = OpenHistogram.begun(chunks, times[0]!, samples[0]!);
  for (let i = 1; i < samples.length; i++) {
    const full = open.append(times[i]!, samples[i]!, -1);
    if (full !== undefined) out.push(full);
    expect(open.maxTimeMs).toBe(times[i]);
    checkSame(open.last, samples[i]!);
  }
  out.push(open.chunk());
  open.free();
  return out;
}

/** The bytes are those that the oracle writes for what they say. */
function checkBytes({ encoding, data, samples: count, minTimeMs, maxTimeMs }: RawChunk): NativeHistogram[] {
  const { flag, samples } = decodeHistogramsSlowly(encoding, data);
  const [first, ...others] = samples;
  const oracle = new HistogramEncoder(flag, first!.timeMs, first!.histogram);
  for (const { timeMs, histogram } of others) oracle.append(timeMs, histogram);
  expect(Buffer.from(data).toString('hex')).toBe(Buffer.from(oracle.bytes()).toString('hex'));
  expect([samples.length, first!.timeMs, samples.at(-1)!.timeMs]).toEqual([count, minTimeMs, maxTimeMs]);
  return samples.map(({ histogram }) => histogram);
}

test.each([
  ['integers', false, false],
  ['gauges of integers', false, true],
  ['floats', true, false],
  ['gauges of floats', true, true],
])(
  'chunks of %s have the bytes of the oracle, and all samples',
  (_name, isFloat, isGauge) => {
    const property = fc.property(fc.array(steps, { minLength: 1, maxLength: 60 }), (all) => {
      const samples = samplesOf(all, isFloat, isGauge);
      let timeMs = -5;
      const times = all.map(({ intervalMs }) => (timeMs += intervalMs));
      const got = chunksOf(sharedHistogramChunks(), samples, times).flatMap(checkBytes);
      expect(got).toHaveLength(samples.length);
      got.forEach((sample, i) => checkSame(sample, samples[i]!));
    });
    fc.assert(property, { seed: 11, numRuns: RUNS });
  },
  HOUR,
);

function wide(count: number, buckets: number): NativeHistogram {
  return {
    ...staleHistogram(false),
    isStale: false,
    positiveSpans: [{ offset: 0, length: buckets }],
    positive: Array.from({ length: buckets }, () => count),
    count,
    sum: count,
  };
}

test('counts up to 2^53 − 1 come back to the last digit', () => {
  const most = Number.MAX_SAFE_INTEGER;
  const gauge = (n: number): NativeHistogram => ({ ...wide(n, 3), hint: 'gauge' });
  const samples = [gauge(most), gauge(0), gauge(most), gauge(0), gauge(most)];
  const [chunk] = chunksOf(sharedHistogramChunks(), samples, [1, 2, 3, 4, 5]);
  const counts = decodeHistogramsSlowly(2, chunk!.data).samples.map(({ histogram }) => histogram.count);
  expect(counts).toEqual([most, 0, most, 0, most]);
});

test('a sum that is no number is the ordinary NaN, that of a stale marker its own', () => {
  const samples = [{ ...wide(1, 1), sum: NaN }, staleHistogram(false)];
  const [chunk] = chunksOf(sharedHistogramChunks(), samples, [0, 1]);
  const got = decodeHistogramsSlowly(2, chunk!.data).samples;
  expect(got.map(({ histogram }) => histogram.isStale)).toEqual([false, true]);
  expect([STALE_NAN_HIGH, STALE_NAN_LOW]).toEqual([0x7ff00000, 2]);
});

test('a sample of another number of buckets than its spans say is refused, and nothing is written', () => {
  const open = OpenHistogram.begun(sharedHistogramChunks(), 0, wide(1, 4));
  const before = open.chunk();
  for (const positive of [[], [1, 2, 3], Array.from({ length: 4000 }, () => 9)])
    expect(() => open.append(1, { ...wide(2, 4), positive }, -1)).toThrow(RangeError);
  expect(open.chunk()).toEqual(before);
  open.free();
});

test('chunks that come and go leave memory as it was', () => {
  const kernel = new HeadKernel(() => undefined);
  const round = (buckets: number): void => {
    const samples = Array.from({ length: 120 }, (_, n) =>
      wide(n ** 4 * 7919, buckets + (n % 30 === 29 ? 3 : 0)),
    );
    const chunks = chunksOf(kernel.histogramChunks, samples, Array.from(samples.keys()));
    expect(chunks.length).toBeGreaterThan(3);
  };
  for (const buckets of [8, 24, 160]) round(buckets);
  const before = kernel.usedBytes;
  for (let n = 0; n < 40; n++) for (const buckets of [8, 24, 160]) round(buckets);
  expect(kernel.usedBytes).toBe(before);
});
