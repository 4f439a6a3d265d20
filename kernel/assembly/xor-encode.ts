// Hot: samples in columns → XOR chunk, once per sample that a block is written anew with. The head's appender is
// xor-append.ts; both write the same bytes.
//
// Bits are or-ed into zeroed memory; `out` needs SLACK bytes more than the chunk may have.

import { zigzag } from './varint';

export const ENCODE_SLACK: usize = 64;

let base: usize = 0;
let position: usize = 0;

/** The next bits go to a place, counted in bits, behind an address; from there on all must be zero. */
export function beginBits(at: usize, bit: usize): void {
  base = at;
  position = bit;
}

/** Bits from the address of beginBits to the last one written. */
export function bitsEnd(): usize {
  return position;
}

/** Appends the low n bits of v, 1 ≤ n ≤ 64; higher bits are ignored. */
@inline export function put(v: u64, n: u32): void {
  const at = base + (position >> 3);
  const shift = <u64>(position & 7);
  const left = v << <u64>(64 - n);
  store<u64>(at, load<u64>(at) | bswap<u64>(left >> shift));
  if (shift + <u64>n > 64) store<u8>(at, <u8>((left << (64 - shift)) >> 56), 8);
  position += <usize>n;
}

export function putUvarintBits(v: u64): void {
  let rest = v;
  for (; rest >= 0x80; rest >>= 7) put((rest & 0x7f) | 0x80, 8);
  put(rest, 8);
}

@inline export function putDod(dod: i64): void {
  if (dod == 0) put(0, 1);
  else if (dod >= -8191 && dod <= 8192) put((2 << 14) | (<u64>dod & 0x3fff), 16);
  else if (dod >= -65535 && dod <= 65536) put((6 << 17) | (<u64>dod & 0x1ffff), 20);
  else if (dod >= -524287 && dod <= 524288) put((14 << 20) | (<u64>dod & 0xfffff), 24);
  else {
    put(15, 4);
    put(<u64>dod, 64);
  }
}

/** Bytes of the chunk that encodeXor wrote last. */
export let encodedBytes: u32 = 0;

/**
 * Encodes samples of ascending times (f64 ms, raw bits) as one chunk at `out`, as many as samplesMax and bytesMax allow,
 * at least one; returns how many. The chunk's length is in encodedBytes, at most bytesMax + 19.
 */
export function encodeXor(times: usize, values: usize, count: u32, samplesMax: u32, bytesMax: u32, out: usize): u32 {
  memory.fill(out, 0, <usize>bytesMax + ENCODE_SLACK);
  base = out;
  position = 16;
  let t = <i64>load<f64>(times),
    v = load<u64>(values),
    delta: i64 = 0,
    lead: u32 = 0xff,
    trail: u32 = 0;
  putUvarintBits(zigzag(t));
  put(v, 64);
  const most = min(min(count, samplesMax), 0xffff);
  let n: u32 = 1;
  for (; n < most && position >> 3 < <usize>bytesMax; n++) {
    const time = <i64>load<f64>(times + (<usize>n << 3));
    const step = time - t;
    if (n == 1) putUvarintBits(<u64>step);
    else putDod(step - delta);
    delta = step;
    t = time;
    const value = load<u64>(values + (<usize>n << 3));
    const x = value ^ v;
    v = value;
    if (x == 0) {
      put(0, 1);
      continue;
    }
    const zeros = min(<u32>clz(x), 31);
    const ends = <u32>ctz(x);
    if (lead != 0xff && zeros >= lead && ends >= trail) {
      put(2, 2);
    } else {
      lead = zeros;
      trail = ends;
      put((3 << 11) | (<u64>lead << 6) | <u64>((64 - lead - trail) & 63), 13);
    }
    put(x >> <u64>trail, 64 - lead - trail);
  }
  store<u16>(out, bswap<u16>(<u16>n));
  encodedBytes = <u32>((position + 7) >> 3);
  return n;
}
