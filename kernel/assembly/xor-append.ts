// Hot: the XOR chunk appender, once per ingested sample; the open chunk of every series of a head.
//
// A series is 64 bytes. The last 24 bytes of its chunk lie in the struct itself, so that an append touches one cache
// line; what is full moves to a list of 28-byte segments, each of which knows the one before it: the list grows without a
// look at what has long left the caches. Samples that repeat both the delta and the value are only
// counted, and become bits when a different one follows.
//
//     0  u64 last value     8  i64 last time      16 i32 last delta     20 u32 staged mark, see stage.ts
//     24 u32 first segment  28 u32 last segment   32 u8 tail bits used  33 u8 generation, see series.ts
//     34 u8 samples         35 u8 repeats not yet written
//     36 u8 leading zeros (0xff: no window yet)   37 u8 trailing zeros  38 u8 flags      39 u8 segments
//     40 24 bytes: the tail
//
// Invariant: bits of the tail at and after `tail bits used` are zero. Bytes equal those of Prometheus 3.15.

import { bump } from './memory';
import { zigzag } from './varint';

export const SERIES_BYTES: usize = 64;
export const FIRST_SEGMENT: usize = 24;
export const LAST_SEGMENT: usize = 28;
export const LIVE: u8 = 1;
const SEALED_ONCE: u8 = 2;

const TAIL: usize = 40;
export const TAIL_BYTES: usize = 24;
const TAIL_BITS: u32 = 192;
const SEGMENT_BYTES: usize = 28;
export const SAMPLES_MAX: u32 = 120;
const FIRST_CUT_MIN: u32 = 60;
/** With fewer segments no chunk is too long. */
const SEGMENTS_NEAR_FULL: u32 = 32;
// Prometheus cuts before a chunk could exceed 1024 bytes: 19 is the longest sample.
const CHUNK_BYTES_MAX: u32 = 1024 - 19;
/** No chunk is longer: the limit above, a last sample, and room for copies in steps of 24 bytes. */
export const CHUNK_BUFFER_BYTES: usize = 1024 + 64;

let freeSegments: usize = 0;
let segmentsFree: u32 = 0;
let segmentsMade: u32 = 0;

/** Bytes of segments that no chunk has. */
export function freeSegmentBytes(): usize {
  return <usize>segmentsFree * SEGMENT_BYTES;
}

/** Bytes of those that chunks have. */
export function usedSegmentBytes(): usize {
  return <usize>(segmentsMade - segmentsFree) * SEGMENT_BYTES;
}

function refillSegments(): void {
  const block = bump(2048 * SEGMENT_BYTES);
  for (let i: usize = 0; i < 2048; i++) releaseSegment(block + i * SEGMENT_BYTES);
  segmentsMade += 2048;
}

@inline function releaseSegment(at: usize): void {
  store<u32>(at, <u32>freeSegments);
  freeSegments = at;
  segmentsFree++;
}

@inline function takeSegment(): usize {
  if (freeSegments == 0) refillSegments();
  const at = freeSegments;
  freeSegments = <usize>load<u32>(at);
  segmentsFree--;
  return at;
}

@inline function clearTail(s: usize): void {
  v128.store(s + TAIL, i64x2.splat(0));
  store<u64>(s + TAIL, 0, 16);
}

@inline function copyTail(from: usize, to: usize): void {
  v128.store(to, v128.load(from));
  store<u64>(to, load<u64>(from, 16), 16);
}

/** Moves the full tail to a new last segment. */
function spill(s: usize): void {
  const segment = takeSegment();
  const before = load<u32>(s, 28);
  store<u32>(segment, before);
  copyTail(s + TAIL, segment + 4);
  clearTail(s);
  if (before == 0) store<u32>(s, <u32>segment, 24);
  store<u32>(s, <u32>segment, 28);
  store<u8>(s, load<u8>(s, 39) + 1, 39);
}

/** Ors the low n ≤ 64 bits of v into the tail; the caller knows that they fit. */
@inline function orBits(s: usize, position: u32, v: u64, n: u32): void {
  const at = s + TAIL + <usize>(position >> 3);
  const shift = <u64>(position & 7);
  const left = v << <u64>(64 - n);
  const room = s + SERIES_BYTES - at;
  if (room >= 8) {
    store<u64>(at, load<u64>(at) | bswap<u64>(left >> shift));
    if (shift + <u64>n > 64) store<u8>(at, load<u8>(at, 8) | <u8>((left << (64 - shift)) >> 56), 8);
    return;
  }
  let rest = left >> shift; // n + shift ≤ 8 · room < 64 here.
  for (let i: usize = 0; i < room; i++) {
    store<u8>(at + i, load<u8>(at + i) | <u8>(rest >> 56));
    rest <<= 8;
  }
}

/** Appends the low n bits of v, 1 ≤ n ≤ 64; higher bits of v may be set only if n = 64. */
function putBits(s: usize, v: u64, n: u32): void {
  const position = <u32>load<u8>(s, 32);
  const room = TAIL_BITS - position;
  if (n <= room) {
    orBits(s, position, v, n);
    store<u8>(s, <u8>(position + n), 32);
    return;
  }
  const rest = n - room;
  if (room) orBits(s, position, v >> <u64>rest, room);
  spill(s);
  orBits(s, 0, v, rest);
  store<u8>(s, <u8>rest, 32);
}

function putZeros(s: usize, n: u32): void {
  let position = <u32>load<u8>(s, 32) + n;
  while (position > TAIL_BITS) {
    spill(s);
    position -= TAIL_BITS;
  }
  store<u8>(s, <u8>position, 32);
}

function putUvarintBits(s: usize, v: u64): void {
  for (; v >= 0x80; v >>= 7) putBits(s, (v & 0x7f) | 0x80, 8);
  putBits(s, v, 8);
}

@inline function writeRepeats(s: usize): void {
  const repeats = <u32>load<u8>(s, 35);
  if (repeats == 0) return;
  putZeros(s, repeats << 1);
  store<u8>(s, 0, 35);
}

function putDod(s: usize, dod: i64): void {
  if (dod >= -8191 && dod <= 8192) putBits(s, (2 << 14) | (<u64>dod & 0x3fff), 16);
  else if (dod >= -65535 && dod <= 65536) putBits(s, (6 << 17) | (<u64>dod & 0x1ffff), 20);
  else if (dod >= -524287 && dod <= 524288) putBits(s, (14 << 20) | (<u64>dod & 0xfffff), 24);
  else {
    putBits(s, 15, 4);
    putBits(s, <u64>dod, 64);
  }
}

/** Writes `zeros` zero bits (the marker of an unchanged delta), then x = value ^ last value. */
function putXor(s: usize, x: u64, zeros: u32): void {
  if (x == 0) {
    putZeros(s, 1 + zeros);
    return;
  }
  const lead = min(<u32>clz(x), 31);
  const trail = <u32>ctz(x);
  const windowLead = <u32>load<u8>(s, 36);
  const windowTrail = <u32>load<u8>(s, 37);
  if (windowLead != 0xff && lead >= windowLead && trail >= windowTrail) {
    putBoth(s, 2, 2 + zeros, x >> <u64>windowTrail, 64 - windowLead - windowTrail);
    return;
  }
  const n = 64 - lead - trail;
  store<u8>(s, <u8>lead, 36);
  store<u8>(s, <u8>trail, 37);
  putBoth(s, (3 << 11) | (<u64>lead << 6) | <u64>(n & 63), 13 + zeros, x >> <u64>trail, n);
}

/** Appends n bits of v, then m of w, at once if they fit into 64. */
@inline function putBoth(s: usize, v: u64, n: u32, w: u64, m: u32): void {
  if (n + m <= 64) {
    putBits(s, (v << <u64>m) | w, n + m);
  } else {
    putBits(s, v, n);
    putBits(s, w, m);
  }
}

function appendFirst(s: usize, t: i64, v: u64): void {
  store<u8>(s, 16, 32);
  store<u8>(s, 0xff, 36);
  store<u8>(s, 0, 37);
  putUvarintBits(s, zigzag(t));
  putBits(s, v, 64);
  store<i32>(s, 0, 16);
}

/**
 * Appends a sample that repeats value and interval, which most do, if that cuts no chunk; false if the sample is another.
 * Bytes 32 to 39 are looked at as one word.
 */
@inline export function appendRepeat(s: usize, t: i64, v: u64, rangeStart: i64): bool {
  const last = load<i64>(s, 8);
  if (v != load<u64>(s) || t - last != <i64>load<i32>(s, 16) || last < rangeStart) return false;
  const word = load<u64>(s, 32);
  const samples = <u32>(word >> 16) & 0xff;
  const most = word & (<u64>SEALED_ONCE << 48) ? SAMPLES_MAX : FIRST_CUT_MIN;
  if (samples - 2 >= most - 2 || <u32>(word >> 56) >= SEGMENTS_NEAR_FULL) return false;
  store<i64>(s, t, 8);
  store<u64>(s, word + 0x0101_0000, 32);
  return true;
}

/** Appends a sample that the caller has found newer than the last one. Seals nothing: see mustCut. */
export function append(s: usize, t: i64, v: u64): void {
  const samples = <u32>load<u8>(s, 34);
  const last = load<u64>(s);
  const delta = t - load<i64>(s, 8);
  if (samples == 0) {
    appendFirst(s, t, v);
  } else if (samples == 1) {
    putUvarintBits(s, <u64>delta);
    putXor(s, v ^ last, 0);
    store<i32>(s, <i32>delta, 16);
  } else {
    const dod = delta - <i64>load<i32>(s, 16);
    if (dod == 0 && v == last) {
      store<u8>(s, load<u8>(s, 35) + 1, 35);
    } else {
      writeRepeats(s);
      if (dod != 0) {
        putDod(s, dod);
        store<i32>(s, <i32>delta, 16);
      }
      putXor(s, v ^ last, dod == 0 ? 1 : 0);
    }
  }
  store<u64>(s, v);
  store<i64>(s, t, 8);
  store<u8>(s, <u8>(samples + 1), 34);
}

/**
 * Whether the open chunk must be sealed before a sample at or after rangeStart. The first chunk of a series ends
 * after 60 to 120 samples, by its number, so that series that began together do not seal together.
 */
@inline export function mustCut(s: usize, slot: u32, rangeStart: i64): bool {
  const samples = <u32>load<u8>(s, 34);
  if (samples == 0) return false;
  if (load<i64>(s, 8) < rangeStart) return true;
  if (samples < FIRST_CUT_MIN && <u32>load<u8>(s, 39) < SEGMENTS_NEAR_FULL) return false;
  if (samples >= SAMPLES_MAX) return true;
  if (openBytes(s) > CHUNK_BYTES_MAX) return true;
  return !(load<u8>(s, 38) & SEALED_ONCE) && samples >= FIRST_CUT_MIN + ((slot * 2654435761) >> 16) % 61;
}

@inline function openBytes(s: usize): u32 {
  return <u32>load<u8>(s, 39) * <u32>TAIL_BYTES + ((<u32>load<u8>(s, 32) + 7) >> 3);
}

/** Copies the open chunk to `out` (CHUNK_BUFFER_BYTES) and returns its length; 0 if there is none. */
export function gather(s: usize, out: usize): u32 {
  const samples = load<u8>(s, 34);
  if (samples == 0) return 0;
  writeRepeats(s);
  let o = copySegments(s, out);
  const tailBits = <u32>load<u8>(s, 32);
  copyTail(s + TAIL, o);
  o += (tailBits + 7) >> 3;
  store<u8>(out, 0);
  store<u8>(out, samples, 1);
  return <u32>(o - out);
}

/** Copies what the segments of a series hold to `out`; returns where it ends. */
export function copySegments(s: usize, out: usize): usize {
  const end = out + <usize>load<u8>(s, 39) * TAIL_BYTES;
  let o = end;
  for (let segment = <usize>load<u32>(s, 28); segment; segment = <usize>load<u32>(segment)) {
    o -= TAIL_BYTES;
    copyTail(segment + 4, o);
  }
  return end;
}

/** Gives a series that has none as many segments as its struct says, with the content at `from`. */
export function takeSegments(s: usize, from: usize): void {
  for (let i: usize = 0, count = <usize>load<u8>(s, 39); i < count; i++) {
    const segment = takeSegment();
    copyTail(from + i * TAIL_BYTES, segment + 4);
    store<u32>(segment, load<u32>(s, 28));
    if (i == 0) store<u32>(s, <u32>segment, 24);
    store<u32>(s, <u32>segment, 28);
  }
}

/** Empties the open chunk; the last sample stays known. */
export function dropOpen(s: usize): void {
  let segment = <usize>load<u32>(s, 28);
  while (segment) {
    const next = <usize>load<u32>(segment);
    releaseSegment(segment);
    segment = next;
  }
  store<u64>(s, 0, 24);
  store<u8>(s, 0, 32);
  store<u16>(s, 0, 34);
  store<u8>(s, 0, 39);
  store<u8>(s, load<u8>(s, 38) | SEALED_ONCE, 38);
  clearTail(s);
}

/** The time of the open chunk's first sample. Requires one. */
export function openMinTime(s: usize): i64 {
  const segment = <usize>load<u32>(s, 24);
  const p = (segment ? segment + 4 : s + TAIL) + 2; // Ten bytes of varint at most: never beyond the first 24.
  let zigzag: u64 = 0;
  for (let i: u32 = 0; i < 10; i++) {
    const b = <u64>load<u8>(p + i);
    zigzag |= (b & 0x7f) << <u64>(7 * i);
    if (b < 0x80) break;
  }
  return <i64>(zigzag >> 1) ^ -(<i64>(zigzag & 1));
}
