import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { crc32c } from './crc32c.ts';

/** Bit by bit, from the definition. */
function oracle(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

describe('crc32c', () => {
  function check(bytes: Uint8Array, want: number): void {
    expect(crc32c(bytes)).toBe(want);
  }

  test('gives the published vectors (RFC 3720)', () => {
    check(Buffer.from('123456789'), 0xe3069283);
    check(new Uint8Array(32), 0x8a9136aa);
    check(new Uint8Array(32).fill(0xff), 0x62a8ab43);
    check(new Uint8Array(0), 0);
  });

  test('agrees with the definition, in one piece or two', () => {
    const property = fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, cut) => {
      check(bytes, oracle(bytes));
      expect(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut)))).toBe(oracle(bytes));
    });
    fc.assert(property, { seed: 1 });
  });

  test('takes more bytes than its window', () => {
    const bytes = Uint8Array.from({ length: 200_001 }, (_, i) => i * 7);
    check(bytes, oracle(bytes));
  });
});
