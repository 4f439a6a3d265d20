import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import snappy from 'snappyjs';
import { compressSnappy, uncompressSnappy } from './snappy.ts';

const MOST = 1 << 24;

/** Bytes with repeats at short and long distances. */
const repetitive = fc
  .tuple(
    fc.uint8Array({ minLength: 1, maxLength: 60 }),
    fc.array(fc.tuple(fc.nat(3000), fc.integer({ min: 1, max: 400 }), fc.nat(255)), { maxLength: 60 }),
  )
  .map(([start, copies]) => {
    const out = [...start];
    for (const [back, length, byte] of copies) {
      const from = Math.max(0, out.length - 1 - back);
      for (let i = 0; i < length; i++) out.push(out[from + i]!);
      out.push(byte);
    }
    return Uint8Array.from(out);
  });

function checkBothWays(bytes: Uint8Array): void {
  const block = compressSnappy(bytes);
  expect(Buffer.compare(uncompressSnappy(block, MOST)!, bytes)).toBe(0);
  if (bytes.length === 0) return; // The library does not read the block of nothing.
  expect(Buffer.compare(snappy.uncompress(block), bytes)).toBe(0);
  expect(Buffer.compare(uncompressSnappy(snappy.compress(bytes), MOST)!, bytes)).toBe(0);
}

describe('snappy', () => {
  test('agrees with the library, both ways', () => {
    const property = fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), repetitive), checkBothWays);
    fc.assert(property, { seed: 1, numRuns: 400 });
  });

  test('takes more than one fragment, all of one byte and all of noise', () => {
    let state = 1;
    const noise = Uint8Array.from({ length: 200_001 }, () => {
      state = Math.imul(state, 1103515245) + 12345;
      return state >>> 16;
    });
    checkBothWays(noise);
    checkBothWays(new Uint8Array(70_000).fill(7));
    checkBothWays(Uint8Array.from({ length: 150_000 }, (_, i) => (i >> 7) ^ (i % 13)));
    expect(compressSnappy(new Uint8Array(70_000)).length).toBeLessThan(4000);
    for (let length = 0; length < 40; length++) checkBothWays(noise.subarray(0, length));
  });

  test('refuses blocks that promise too much or end early', () => {
    const block = compressSnappy(Buffer.from('abcdabcdabcdabcdabcdabcd'));
    expect(uncompressSnappy(block, 23)).toBeUndefined();
    for (let length = 0; length < block.length; length++)
      expect(uncompressSnappy(block.subarray(0, length), MOST)).toBeUndefined();
    expect(uncompressSnappy(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x07, 0), MOST)).toBeUndefined();
    expect(uncompressSnappy(Uint8Array.of(4, 0x01, 0), MOST)).toBeUndefined();
  });

  test('is safe on hostile bytes: what it accepts has the promised length', () => {
    const damaged = fc.tuple(repetitive, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }));
    const property = fc.property(damaged, ([bytes, edits]) => {
      const block = compressSnappy(bytes);
      for (const [at, byte] of edits) block[at % block.length] = byte;
      const got = uncompressSnappy(block, MOST);
      if (got === undefined) return;
      expect(Buffer.compare(snappy.uncompress(block), got)).toBe(0);
    });
    fc.assert(property, { seed: 2, numRuns: 1500 });
  });
});
