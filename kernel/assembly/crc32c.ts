// Hot: CRC-32C (Castagnoli), once per byte of WAL and chunks: eight bytes a step, and three runs of 64 bytes side by side,
// since a step waits for the one before it.

// Eight tables of 256 words, and four that move a checksum on by a run of zero bytes.
const table = memory.data(12 * 1024, 16);
const RUN: usize = 64;

export function initCrc32c(): void {
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
  for (let i: u32 = 0; i < 4; i++) {
    for (let byte: u32 = 0; byte < 256; byte++) {
      let c = byte << (i << 3);
      for (let k: usize = 0; k < RUN; k++) c = at(0, c & 255) ^ (c >> 8);
      store<u32>(table + ((8 + i) << 10) + (byte << 2), c);
    }
  }
}

@inline function at(k: u32, byte: u32): u32 {
  return load<u32>(table + (k << 10) + (byte << 2));
}

@inline function step(c: u32, p: usize): u32 {
  const a = load<u32>(p) ^ c;
  const b = load<u32>(p, 4);
  return (
    at(7, a & 255) ^ at(6, (a >> 8) & 255) ^ at(5, (a >> 16) & 255) ^ at(4, a >> 24) ^
    (at(3, b & 255) ^ at(2, (b >> 8) & 255) ^ at(1, (b >> 16) & 255) ^ at(0, b >> 24))
  );
}

/** The checksum after a run of zero bytes. */
@inline function afterRun(c: u32): u32 {
  return at(8, c & 255) ^ at(9, (c >> 8) & 255) ^ at(10, (c >> 16) & 255) ^ at(11, c >> 24);
}

/** Continues `crc`, which is 0 at the start, over n bytes. */
export function crc32c(crc: u32, p: usize, n: usize): u32 {
  let c = ~crc;
  const end = p + n;
  for (; p + 3 * RUN <= end; p += 3 * RUN) {
    let second: u32 = 0;
    let third: u32 = 0;
    for (let i: usize = 0; i < RUN; i += 8) {
      c = step(c, p + i);
      second = step(second, p + RUN + i);
      third = step(third, p + 2 * RUN + i);
    }
    c = afterRun(afterRun(c) ^ second) ^ third;
  }
  for (; p + 8 <= end; p += 8) c = step(c, p);
  for (; p < end; p++) c = at(0, (c ^ load<u8>(p)) & 255) ^ (c >> 8);
  return ~c;
}
