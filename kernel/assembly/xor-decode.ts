// Hot: the XOR chunk decoder, once per sample that a query reads.
//
// The input is hostile: the caller puts PADDING readable bytes behind it, and no bit beyond `length` is ever used.

/** peek() reads up to 9 bytes from the last position that passed the length check, at most 69 bits after it. */
export const PADDING: usize = 32;

/** The bytes of a word turned round: one instruction for vectors, and none for words. */
@inline function bigEndian(at: usize): u64 {
  const word = v128.load64_zero(at);
  return i64x2.extract_lane(v128.shuffle<u8>(word, word, 7, 6, 5, 4, 3, 2, 1, 0, 7, 6, 5, 4, 3, 2, 1, 0), 0);
}

/** 64 bits. Of the byte behind a word nothing is left where it is not needed. */
@inline export function peek(p: usize, position: u32): u64 {
  const at = p + <usize>(position >> 3);
  const shift = <u64>(position & 7);
  return (bigEndian(at) << shift) | (<u64>load<u8>(at, 8) >> (8 - shift));
}

@inline function signed(v: u64, bits: u64): i64 {
  const d = v >> (64 - bits);
  return d > (<u64>1 << (bits - 1)) ? <i64>d - <i64>(<u64>1 << bits) : <i64>d;
}

let position: u32 = 0;

/** Reads a uvarint at `position` into the result; sets position to 0 when it is longer than 10 bytes. */
function uvarint(p: usize): u64 {
  let v: u64 = 0;
  for (let shift: u64 = 0; shift < 70; shift += 7) {
    const b = peek(p, position) >> 56;
    position += 8;
    v |= (b & 0x7f) << shift;
    if (b < 0x80) return v;
  }
  position = 0xffff0000;
  return 0;
}

/** Of the chunk that decodeXor took last: where, in bits, the second sample's value begins (if there is one), and the end. */
export let secondValueAt: u32 = 0;
export let decodedEnd: u32 = 0;

/** Decodes to times (f64, ms) and values (raw bits); returns the count, or −1 if the bits end early or the count exceeds max. */
export function decodeXor(chunk: usize, length: u32, times: usize, values: usize, max: u32): i32 {
  if (length < 2 || length > 0x1fff0000) return -1;
  const n = (<u32>load<u8>(chunk) << 8) | <u32>load<u8>(chunk, 1);
  if (n > max) return -1;
  if (n == 0) return 0;
  const end = length << 3;
  if (end < 16 + 8 + 64) return -1;
  position = 16;
  const zigzag = uvarint(chunk);
  if (position + 64 > end) return -1;
  let t = <i64>(zigzag >> 1) ^ -(<i64>(zigzag & 1));
  let v = peek(chunk, position);
  position += 64;
  store<f64>(times, <f64>t);
  store<u64>(values, v);
  decodedEnd = position;
  if (n == 1) return 1;
  if (position + 9 > end) return -1;
  let delta = <i64>uvarint(chunk);
  let at = position;
  secondValueAt = at;
  let lead: u32 = 0, bits: u32 = 64, trail: u32 = 0;
  let first = true;
  for (let i: u32 = 1; i < n; i++) {
    if (at >= end) return -1;
    let w = peek(chunk, at);
    if (w >> 61 == 2 && bits <= 61 && !first) {
      // The rule for noisy values that come at fixed intervals: neither delta nor window has changed.
      v ^= ((w << 3) >> <u64>(64 - bits)) << <u64>trail;
      at += 3 + bits;
      if (at > end) return -1;
      t += delta;
      store<f64>(times + (i << 3), <f64>t);
      store<u64>(values + (i << 3), v);
      continue;
    }
    if (first) {
      first = false;
    } else {
      if (w >> 62 == 0) {
        // Unchanged delta and value: take the whole run of 00.
        const run = min(min(<u32>clz(w) >> 1, n - i), (end - at) >> 1);
        if (run == 0) return -1;
        at += run << 1;
        for (let k: u32 = 0; k < run; k++) {
          t += delta;
          store<f64>(times + ((i + k) << 3), <f64>t);
          store<u64>(values + ((i + k) << 3), v);
        }
        i += run - 1;
        continue;
      }
      if (w >> 63 == 0) {
        at += 1;
        w <<= 1;
      } else {
        if (w >> 62 == 2) {
          delta += signed(w << 2, 14);
          at += 16;
        } else if (w >> 61 == 6) {
          delta += signed(w << 3, 17);
          at += 20;
        } else if (w >> 60 == 14) {
          delta += signed(w << 4, 20);
          at += 24;
        } else {
          if (at + 69 > end) return -1;
          delta += <i64>peek(chunk, at + 4);
          at += 68;
        }
        if (at >= end) return -1;
        w = peek(chunk, at);
      }
    }
    t += delta;
    if (w >> 63 == 0) {
      at += 1;
    } else if (w >> 62 == 2 && bits <= 61) {
      // They are in w, of which at most one bit is gone.
      at += 2;
      if (at + bits > end) return -1;
      v ^= ((w << 2) >> <u64>(64 - bits)) << <u64>trail;
      at += bits;
    } else {
      if (w >> 62 == 2) {
        at += 2;
      } else {
        lead = <u32>(w >> 57) & 31;
        bits = <u32>(w >> 51) & 63;
        if (bits == 0) bits = 64;
        if (lead + bits > 64) return -1;
        trail = 64 - lead - bits;
        at += 13;
      }
      if (at + bits > end) return -1;
      v ^= (peek(chunk, at) >> <u64>(64 - bits)) << <u64>trail;
      at += bits;
    }
    if (at > end) return -1;
    store<f64>(times + (i << 3), <f64>t);
    store<u64>(values + (i << 3), v);
  }
  decodedEnd = at;
  return <i32>n;
}
