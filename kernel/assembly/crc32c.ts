// CRC-32C (Castagnoli), eight bytes a step.

import { bump } from './memory';

let table: usize = 0;

export function initCrc32c(): void {
  table = bump(8 * 1024);
  for (let i: u32 = 0; i < 256; i++) {
    let c = i;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >> 1) ^ 0x82f63b78 : c >> 1;
    store<u32>(table + (i << 2), c);
  }
  for (let i: u32 = 0; i < 256; i++) {
    let c = at(0, i);
    for (let k: u32 = 1; k < 8; k++) {
      c = at(0, c & 255) ^ (c >> 8);
      store<u32>(table + (k << 10) + (i << 2), c);
    }
  }
}

@inline function at(k: u32, byte: u32): u32 {
  return load<u32>(table + (k << 10) + (byte << 2));
}

/** Continues `crc`, which is 0 at the start, over n bytes. */
export function crc32c(crc: u32, p: usize, n: usize): u32 {
  let c = ~crc;
  const end = p + n;
  for (; p + 8 <= end; p += 8) {
    const a = load<u32>(p) ^ c;
    const b = load<u32>(p, 4);
    c = at(7, a & 255) ^ at(6, (a >> 8) & 255) ^ at(5, (a >> 16) & 255) ^ at(4, a >> 24);
    c ^= at(3, b & 255) ^ at(2, (b >> 8) & 255) ^ at(1, (b >> 16) & 255) ^ at(0, b >> 24);
  }
  for (; p < end; p++) c = at(0, (c ^ load<u8>(p)) & 255) ^ (c >> 8);
  return ~c;
}
