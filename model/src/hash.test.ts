import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { md5Mod, murmur3, slotOf, SLOTS } from './hash.ts';

/** MurmurHash3 x86_32 written from its definition, over bytes. */
function reference(bytes: Uint8Array, seed: number): number {
  const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));
  const scramble = (k: number): number => Math.imul(rotate(Math.imul(k, 0xcc9e2d51), 15), 0x1b873593);
  let hash = seed;
  const tail = bytes.length & ~3;
  for (let i = 0; i < tail; i += 4) {
    const block = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    hash = (Math.imul(rotate(hash ^ scramble(block), 13), 5) + 0xe6546b64) | 0;
  }
  let rest = 0;
  for (let i = bytes.length - 1; i >= tail; i--) rest = (rest << 8) | bytes[i]!;
  hash ^= scramble(rest) ^ bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

describe('murmur3', () => {
  function check(text: string, seed: number, want: number): void {
    expect(murmur3(text, seed)).toBe(want);
  }

  test('gives the published vectors', () => {
    check('', 0, 0);
    check('', 1, 0x514e28b7);
    check('', 0xffffffff, 0x81f16f39);
    check('test', 0, 0xba6bd213);
    check('test', 0x9747b28c, 0x704b81dc);
    check('Hello, world!', 0, 0xc0363e43);
    check('The quick brown fox jumps over the lazy dog', 0, 0x2e4ff723);
    check('ππππππππ', 0x9747b28c, 0xd58063c1);
  });

  test('hashes the UTF-8 bytes of any text', () => {
    expect(murmur3('Ł')).not.toBe(murmur3('A'));
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(), (text, seed) => {
        expect(murmur3(text, seed)).toBe(reference(Buffer.from(text), seed));
      }),
    );
  });
});

test('a slot is murmur3 mod 1024', () => {
  expect(SLOTS).toBe(1024);
  expect(slotOf('test')).toBe(0xba6bd213 % 1024);
});

test('md5Mod is exact beyond 2^53', () => {
  // md5("") is d41d8cd98f00b204e9800998ecf8427e.
  expect(md5Mod('', 2n ** 64n - 1n)).toBe(0xe9800998ecf8427en);
  expect(md5Mod('', 1000)).toBe(0xe9800998ecf8427en % 1000n);
});
