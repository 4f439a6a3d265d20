import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { decodeXor } from './decode-xor.ts';
import { encodeXor as encodeXorColumns } from './encode-xor.ts';
import { HeadKernel } from './head-kernel.ts';
import { bitsOf, encodeXor, type Sample } from './xor-oracle.ts';

const STALE = 0x7ff0000000000002n;
const NO_LIMIT = -(2 ** 52);
const ONE_RANGE = 2 ** 45;

function appendAll(kernel: HeadKernel, ref: number, samples: readonly Sample[]): void {
  const value = new Float64Array(1);
  const bits = new BigUint64Array(value.buffer);
  for (const sample of samples) {
    bits[0] = sample.bits;
    kernel.stage(1, Uint32Array.of(ref), value, 1, sample.timeMs);
  }
  kernel.apply(1, NO_LIMIT, ONE_RANGE);
}

function decode(chunk: Uint8Array, room = 200): Sample[] | number {
  const times = new Float64Array(room);
  const values = new Float64Array(room);
  const count = decodeXor(chunk, times, values);
  if (count < 0) return count;
  const bits = new BigUint64Array(values.buffer);
  return Array.from({ length: count }, (_, i) => ({ timeMs: times[i]!, bits: bits[i]! }));
}

const values = fc.oneof(
  fc.constantFrom(0, 1, 2.5, -1, 5, 0.1).map(bitsOf),
  fc.constantFrom(STALE, 0x7ff8000000000001n, 0xffffffffffffffffn, 1n),
  fc.integer({ min: 0, max: 1000 }).map(bitsOf),
  fc.double().map(bitsOf),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
);
const steps = fc.oneof(
  fc.constant(15_000),
  fc.integer({ min: 14_990, max: 15_010 }),
  fc.integer({ min: 1, max: 200_000 }),
  fc.integer({ min: 1, max: 2 ** 31 - 1 }),
);
const start = fc.oneof(
  fc.constant(1_700_000_000_000),
  fc.integer({ min: -(9 * 10 ** 12), max: -(8 * 10 ** 12) }),
);

/** Few enough samples that no first chunk is cut. */
const series = fc
  .tuple(start, fc.array(fc.tuple(steps, values), { minLength: 1, maxLength: 50 }))
  .map(([from, parts]) => {
    let timeMs = from;
    return parts.map(([step, bits]): Sample => ({ timeMs: (timeMs += step), bits }));
  });

describe('XOR chunks', () => {
  test('are the bytes that the oracle writes, and decode to the same samples', () => {
    const property = fc.property(series, (samples) => {
      const kernel = new HeadKernel(() => {});
      kernel.createSeries(1);
      appendAll(kernel, 1, samples);
      const chunk = kernel.copyOpen(1);
      expect(Buffer.from(chunk).equals(encodeXor(samples))).toBe(true);
      expect(decode(chunk)).toEqual(samples);
    });
    fc.assert(property, { seed: 7, numRuns: 150 });
  });

  test('are the same when they are read while they grow', () => {
    const kernel = new HeadKernel(() => {});
    kernel.createSeries(1);
    const samples: Sample[] = [];
    for (let i = 0; i < 59; i++) {
      samples.push({ timeMs: 1000 * i, bits: bitsOf(i % 7 < 4 ? 3 : i) });
      appendAll(kernel, 1, samples.slice(-1));
      expect(Buffer.from(kernel.copyOpen(1)).equals(encodeXor(samples))).toBe(true);
    }
  });

  test('are cut at 120 samples, at 1024 bytes, and at the end of a block range', () => {
    const chunks: { samples: number; bytes: number; maxTimeMs: number }[] = [];
    const kernel = new HeadKernel((_ref, samples, _min, maxTimeMs, data) => {
      chunks.push({ samples, bytes: data.length, maxTimeMs });
    });
    kernel.createSeries(1);
    const noise = (i: number): bigint => (BigInt(i) * 0x9e3779b97f4a7c15n) & ((1n << 64n) - 1n);
    appendAll(
      kernel,
      1,
      Array.from({ length: 1000 }, (_, i) => ({ timeMs: i * 5, bits: i < 500 ? bitsOf(i) : noise(i) })),
    );
    expect(chunks.slice(1, 4).every(({ samples }) => samples === 120)).toBe(true);
    expect(chunks.every(({ bytes }) => bytes <= 1024)).toBe(true);
    expect(chunks.at(-1)!.samples).toBeGreaterThanOrEqual(60);
    chunks.length = 0;
    kernel.createSeries(2);
    const value = new Float64Array(1);
    for (let t = 0; t < 5000; t += 100) kernel.stage(1, Uint32Array.of(2), value, 1, t);
    kernel.apply(1, NO_LIMIT, 1000);
    expect(chunks.map(({ maxTimeMs }) => maxTimeMs)).toEqual([900, 1900, 2900, 3900]);
  });
});

describe('encodeXor', () => {
  test('writes the bytes that the oracle writes', () => {
    const property = fc.property(series, (samples) => {
      const times = Float64Array.from(samples, ({ timeMs }) => timeMs);
      const raw = new Float64Array(BigUint64Array.from(samples, ({ bits }) => bits).buffer);
      let calls = 0;
      encodeXorColumns(times, raw, 1000, 1 << 16, (from, count, data) => {
        calls++;
        expect([from, count]).toEqual([0, samples.length]);
        expect(Buffer.from(data).equals(encodeXor(samples))).toBe(true);
      });
      expect(calls).toBe(1);
    });
    fc.assert(property, { seed: 9, numRuns: 200 });
  });

  test('ends chunks by samples and by bytes', () => {
    const times = Float64Array.from({ length: 5000 }, (_, i) => i * 1000);
    const check = (column: Float64Array, samplesMax: number): number[] => {
      const counts: number[] = [];
      const got: number[] = [];
      encodeXorColumns(times, column, samplesMax, 1024, (from, count, data) => {
        expect(data.length).toBeLessThanOrEqual(1024);
        const out = new Float64Array(count);
        expect(decodeXor(data, new Float64Array(count), out)).toBe(count);
        expect(from).toBe(got.length);
        got.push(...out);
        counts.push(count);
      });
      expect(got).toEqual([...column]);
      return counts;
    };
    expect(check(new Float64Array(5000), 480).slice(0, 2)).toEqual([480, 480]);
    const noise = check(
      Float64Array.from(times, (t) => Math.sin(t) * 1e9),
      480,
    );
    expect(noise[0]).toBeGreaterThan(100);
    expect(noise[0]).toBeLessThan(200);
  });
});

describe('decodeXor', () => {
  test('refuses more samples than it has room for', () => {
    const chunk = encodeXor(Array.from({ length: 10 }, (_, i) => ({ timeMs: i, bits: 0n })));
    expect(decode(chunk, 9)).toBe(-1);
    expect(decode(chunk, 10)).toHaveLength(10);
  });

  test('refuses every chunk that was cut short by a byte that matters', () => {
    const chunk = encodeXor(
      Array.from({ length: 40 }, (_, i) => ({ timeMs: i * i * 999, bits: bitsOf(i / 7) })),
    );
    for (let length = 0; length < chunk.length - 1; length++)
      expect(decode(chunk.subarray(0, length))).toBe(-1);
  });

  test('is safe on hostile bytes: damaged chunks and noise', () => {
    const chunk = encodeXor(
      Array.from({ length: 60 }, (_, i) => ({ timeMs: i * 1000, bits: bitsOf(i % 5) })),
    );
    const noise = fc.uint8Array({ maxLength: 200 });
    const damaged = fc
      .array(fc.tuple(fc.nat(chunk.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      .map((edits) => {
        const copy = chunk.slice();
        for (const [at, byte] of edits) copy[at] = byte;
        return copy;
      });
    const property = fc.property(fc.oneof(noise, damaged), (bytes) => {
      const times = new Float64Array(0xffff);
      const count = decodeXor(bytes, times, new Float64Array(0xffff));
      expect(count).toBeGreaterThanOrEqual(-1);
      expect(count).toBeLessThanOrEqual(0xffff);
    });
    fc.assert(property, { seed: 3, numRuns: 1000 });
  });
});
