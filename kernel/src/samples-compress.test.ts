import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import snappy from 'snappyjs';
import { HeadKernel } from './head-kernel.ts';
import { uncompressSnappy } from './snappy.ts';

const pageBytes = 32 << 10;

/** The frames of one transaction. */
function framesOf(refs: readonly number[], values: Float64Array, compress: boolean): Uint8Array {
  const kernel = new HeadKernel(() => {});
  for (const ref of refs) kernel.createSeries(ref);
  const taken = kernel.stage(1, Uint32Array.from(refs), values, refs.length, 1_700_000_000_123);
  expect(taken).toBe(refs.length);
  kernel.beginFrames(compress);
  kernel.frameStaged(1, 0);
  return kernel.frames().slice();
}

/** The records of frames that begin with a page, as they are in it, and whether each is compressed. */
function recordsOf(frames: Uint8Array): { record: Uint8Array; isCompressed: boolean }[] {
  const out: { record: Uint8Array; isCompressed: boolean }[] = [];
  let parts: Uint8Array[] = [];
  for (let at = 0; at < frames.length;) {
    const type = frames[at]! & 7;
    if (type === 0) {
      at = Math.ceil((at + 1) / pageBytes) * pageBytes;
      continue;
    }
    const length = (frames[at + 1]! << 8) | frames[at + 2]!;
    parts.push(frames.subarray(at + 7, at + 7 + length));
    if (type === 1 || type === 4) {
      out.push({ record: Buffer.concat(parts), isCompressed: (frames[at]! & 8) !== 0 });
      parts = [];
    }
    at += 7 + length;
  }
  return out;
}

/** Compressed and not, the records are the same, for two readers of snappy. Returns the share of bytes that are left. */
function check(refs: readonly number[], values: Float64Array): number {
  const packed = recordsOf(framesOf(refs, values, true));
  const plain = recordsOf(framesOf(refs, values, false));
  expect(packed).toHaveLength(plain.length);
  packed.forEach(({ record, isCompressed }, i) => {
    const want = plain[i]!.record;
    const got = isCompressed ? uncompressSnappy(record, 1 << 24)! : record;
    expect(Buffer.compare(got, want)).toBe(0);
    if (isCompressed) expect(Buffer.compare(snappy.uncompress(record), want)).toBe(0);
  });
  const bytes = (records: typeof packed): number =>
    records.reduce((sum, { record }) => sum + record.length, 0);
  return bytes(packed) / bytes(plain);
}

const anyValue = fc.oneof(
  fc.double(),
  fc.integer({ min: -1000, max: 100_000 }),
  fc.constantFrom(0, 1, -0, NaN, Infinity, 0.5, 1e308, 3, 65_536),
);

describe('samples on their way to the WAL', () => {
  test('are what they are, compressed or not', () => {
    const property = fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 300 }),
      fc.array(anyValue, { minLength: 300, maxLength: 300 }),
      fc.boolean(),
      (refs, values, isSorted) => {
        check(
          isSorted ? refs.toSorted((a, b) => a - b) : refs,
          Float64Array.from(refs, (_, i) => values[i]!),
        );
      },
    );
    fc.assert(property, { seed: 1, numRuns: 60 });
  });

  test('become fewer bytes where they repeat, in records of any size', () => {
    for (const count of [1, 2, 5, 100, 16_384, 40_000]) {
      const refs = Array.from({ length: count }, (_, i) => 100 + i);
      const constant = check(refs, new Float64Array(count).fill(1));
      const small = check(
        refs,
        Float64Array.from(refs, (ref) => (ref * 7919) % 1000),
      );
      if (count >= 100) expect([constant < 0.5, small < 0.85]).toEqual([true, true]);
      check(
        refs,
        new Float64Array(Uint32Array.from({ length: 2 * count }, (_, i) => i * 2_654_435_761).buffer),
      );
    }
  });

  test('of series with distant refs', () => {
    const refs = [5, 0xff_00_00_01, 3, 0x01_00_00_02, 70_000];
    check(
      refs,
      Float64Array.from(refs, () => 2),
    );
  });
});
