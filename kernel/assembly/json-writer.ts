// Hot: the points of an answer as Prometheus's JSON, and as gzip if that is wanted, once per point.
//
// A writer has the last 32 KiB of text before the new text, so that a match is a copy of what is there. It remembers of
// each point of the last row where it is: the times of one answer's rows are mostly the same. Labels and what else
// is between rows go through a table of hashes; digits do not.

import { alloc, free } from './memory';
import { isDecimal, putDecimal } from './decimal';
import { isPlainNumber, putNumber, putTime } from './float-text';
import {
  DISTANCE_MAX,
  endStream,
  enterStream,
  isRepeatable,
  leaveStream,
  putDigits,
  putLiterals,
  putRepeat,
  QUADS,
} from './deflate';

/** Points of one call, and of the row that is remembered: none that is farther is within reach. */
export const POINTS_MAX: u32 = 2048;
/** Bytes that one call of writeText takes. */
export const TEXT_MAX: u32 = 32768;
/** The text that may wait for take(), before a call. */
const WAITING_MAX: u32 = 256 << 10;

const POINT_BYTES_MAX: usize = 64;
const HASH_BITS: u32 = 12;
const WINDOW: usize = 32768 + 64;
const TEXT_BYTES: usize = WINDOW + <usize>WAITING_MAX + <usize>POINTS_MAX * POINT_BYTES_MAX + 64;
// No code is longer than 15 bits.
const OUT_BYTES: usize = 2 * (TEXT_BYTES - WINDOW) + 1024;

/** Texts of buckets and what surrounds them that a writer knows by number; see json-histogram.ts. */
export const PIECES_MAX: u32 = 2048;
export const PIECE_BYTES: usize = 96;
export const PIECE_PLACE: usize = 72;
/** Positions count from here on, so that 0 is nowhere; and no further than this, lest an old one seem near. */
const BASE_MIN: u32 = 0x10000;
const BASE_MAX: u32 = 0xe0000000;

// Offsets in a writer.
export const STREAM: usize = 0;
const CODES: usize = STREAM + 24;
export const FILLED: usize = 32;
const FRESH: usize = 36;
export const BASE: usize = 40;
const ROW: usize = 44;
const ROW_BEFORE: usize = 48;
export const IS_GZIP: usize = 52;
/** Which piece ends the histogram before and begins the next. */
export const JOINT: usize = 56;
/** How many pieces there are. */
export const PIECE_COUNT: usize = 60;
const TIMES: usize = 64;
const VALUES: usize = TIMES + <usize>POINTS_MAX * 8;
const PLACES: usize = VALUES + <usize>POINTS_MAX * 8;
const HEADS: usize = PLACES + <usize>POINTS_MAX * 4;
const TAILS: usize = HEADS + <usize>POINTS_MAX;
const HASHES: usize = TAILS + <usize>POINTS_MAX;
export const PIECES: usize = HASHES + (<usize>4 << HASH_BITS);
export const INPUT: usize = PIECES + <usize>PIECES_MAX * PIECE_BYTES;
export const TEXT: usize = INPUT + <usize>POINTS_MAX * 16;
const OUT: usize = TEXT + TEXT_BYTES;
const WRITER_BYTES: usize = OUT + OUT_BYTES;

export function newJsonWriter(): usize {
  return alloc(WRITER_BYTES);
}

export function freeJsonWriter(writer: usize): void {
  free(writer, WRITER_BYTES);
}

/** Begins an answer; if it is compressed, its first `outLength` bytes and some bits are in place. */
export function startJson(
  writer: usize,
  isGzip: bool,
  codes: usize,
  outLength: u32,
  bits: u32,
  bitCount: u32,
): void {
  memory.fill(writer, 0, TIMES);
  memory.fill(writer + HASHES, 0, <usize>4 << HASH_BITS);
  store<u32>(writer, <u32>(writer + OUT) + outLength);
  store<u32>(writer, bitCount, 4);
  store<u64>(writer, <u64>bits, 8);
  store<u32>(writer, <u32>codes, CODES);
  store<u32>(writer, <u32>isGzip, IS_GZIP);
  store<u32>(writer, BASE_MIN, BASE);
}

/** Where input goes: bytes of text, or times and POINTS_MAX * 8 behind them values. */
export function jsonInputAt(writer: usize): usize {
  return writer + INPUT;
}

export function jsonOutAt(writer: usize): usize {
  return writer + OUT;
}

export function jsonOutLength(writer: usize): u32 {
  return load<u32>(writer) - <u32>(writer + OUT);
}

/** The text since the last takeJson. */
export function jsonTextAt(writer: usize): usize {
  return writer + TEXT + <usize>load<u32>(writer, FRESH);
}

export function jsonTextLength(writer: usize): u32 {
  return load<u32>(writer, FILLED) - load<u32>(writer, FRESH);
}

/** Text and output have been taken: makes room. */
export function takeJson(writer: usize): void {
  store<u32>(writer, <u32>(writer + OUT));
  const filled = load<u32>(writer, FILLED);
  const kept = min(filled, DISTANCE_MAX);
  memory.copy(writer + TEXT, writer + TEXT + <usize>(filled - kept), <usize>kept);
  const base = load<u32>(writer, BASE) + filled - kept;
  store<u32>(writer, base, BASE);
  store<u32>(writer, kept, FILLED);
  store<u32>(writer, kept, FRESH);
  if (base >= BASE_MAX) forgetPlaces(writer);
}

/** Nothing has been written anywhere: positions can begin anew. */
function forgetPlaces(writer: usize): void {
  store<u32>(writer, BASE_MIN, BASE);
  memory.fill(writer + HASHES, 0, <usize>4 << HASH_BITS);
  memory.fill(writer + PLACES, 0, <usize>POINTS_MAX * 4);
  for (let i: u32 = 0; i < PIECES_MAX; i++) store<u32>(writer + PIECES + <usize>i * PIECE_BYTES, 0, PIECE_PLACE);
}

export function endJson(writer: usize): void {
  if (load<u32>(writer, IS_GZIP) == 0) return;
  enterStream(writer + STREAM);
  endStream();
  leaveStream(writer + STREAM);
}

@inline function hashAt(p: usize): usize {
  return <usize>((load<u32>(p) * 0x9e3779b1) >> (32 - HASH_BITS)) << 2;
}

@inline export function commonLength(a: usize, b: usize, end: usize): u32 {
  let p = a, q = b;
  while (q < end && load<u8>(p) == load<u8>(q)) {
    p++;
    q++;
  }
  return <u32>(q - b);
}

/** Text that is no point: `length` bytes of the input. */
export function writeText(writer: usize, length: u32): void {
  const filled = load<u32>(writer, FILLED);
  const start = writer + TEXT + <usize>filled;
  memory.copy(start, writer + INPUT, <usize>length);
  store<u32>(writer, filled + length, FILLED);
  if (load<u32>(writer, IS_GZIP) == 0) return;
  enterStream(writer + STREAM);
  compress(writer, start, start + <usize>length);
  leaveStream(writer + STREAM);
}

/** Tells the stream that is entered of text in place, with whatever of it was there before. */
export function compress(writer: usize, start: usize, end: usize): void {
  const base = load<u32>(writer, BASE) - <u32>(writer + TEXT);
  const oldest = load<u32>(writer, BASE);
  let p = start, literal = start;
  while (p + 4 <= end) {
    const slot = writer + HASHES + hashAt(p);
    const now = <u32>p + base;
    const before = load<u32>(slot);
    store<u32>(slot, now);
    const at = <usize>(before - base);
    if (before < oldest || now - before > DISTANCE_MAX || load<u32>(at) != load<u32>(p)) {
      p++;
      continue;
    }
    if (p > literal) putLiterals(literal, p - literal);
    const repeated = 4 + commonLength(at + 4, p + 4, end);
    putRepeat(repeated, now - before);
    literal = p + <usize>repeated;
    for (p++; p < literal && p + 4 <= end; p++) store<u32>(writer + HASHES + hashAt(p), <u32>p + base);
    p = literal;
  }
  if (literal < end) putLiterals(literal, end - literal);
}

/** The next points are the first of a row. */
export function beginRow(writer: usize): void {
  store<u32>(writer, load<u32>(writer, ROW), ROW_BEFORE);
  store<u32>(writer, 0, ROW);
  store<u32>(writer, 0, JOINT);
}

@inline export function copyShort(from: usize, to: usize): void {
  v128.store(to, v128.load(from));
  v128.store(to, v128.load(from, 16), 16);
}

/** `[1.5,"` of the first point, and `"],[1.5,"` of the others. */
function putHead(o: usize, isFirst: bool, timeMs: f64): usize {
  let p = o;
  if (!isFirst) {
    store<u32>(p, 0x2c5d22);
    p += 3;
  }
  store<u8>(p, 91);
  p = putTime(p + 1, <i64>timeMs);
  store<u16>(p, 0x222c);
  return p + 2;
}

/** `count` points of the input: `[1.5,"2"],[1.6,"3`, without the end of the last one, which is text. */
export function writePoints(writer: usize, count: u32): void {
  const isGzip = load<u32>(writer, IS_GZIP) != 0;
  const quads = <usize>load<u32>(writer, CODES) + QUADS;
  if (isGzip) enterStream(writer + STREAM);
  const base = load<u32>(writer, BASE) - <u32>(writer + TEXT);
  const rowBefore = load<u32>(writer, ROW_BEFORE);
  let o = writer + TEXT + <usize>load<u32>(writer, FILLED);
  let row = load<u32>(writer, ROW);
  let lastHead: usize = 0, lastTail: usize = 0, lastTailLength: usize = 0;
  let lastBits: u64 = 0;
  for (let i: u32 = 0; i < count; i++, row++) {
    const timeMs = load<f64>(writer + INPUT + (<usize>i << 3));
    const value = load<f64>(writer + INPUT + <usize>POINTS_MAX * 8 + (<usize>i << 3));
    const bits = reinterpret<u64>(value);
    const head = o;
    const place = <u32>o + base;
    const slot = min(row, POINTS_MAX - 1);
    const times = writer + TIMES + (<usize>slot << 3), values = writer + VALUES + (<usize>slot << 3);
    const places = writer + PLACES + (<usize>slot << 2);
    const heads = writer + HEADS + <usize>slot, tails = writer + TAILS + <usize>slot;
    const distance = place - load<u32>(places);
    const isKnown = row < rowBefore && row < POINTS_MAX - 1 && distance <= DISTANCE_MAX;
    let headLength = <usize>load<u8>(heads);
    const tailBefore = head - <usize>distance + headLength;
    if (isKnown && load<f64>(times) == timeMs) {
      copyShort(head - <usize>distance, head);
      if (isGzip) putRepeat(<u32>headLength, distance);
    } else {
      headLength = putHead(head, row == 0, timeMs) - head;
      if (isGzip) putNewHead(head, headLength, lastHead);
    }
    const tail = head + headLength;
    let tailLength: usize;
    if (isKnown && load<u64>(values) == bits) {
      tailLength = <usize>load<u8>(tails);
      copyShort(tailBefore, tail);
      if (isGzip) putTail(tail, tailLength, <u32>(tail - tailBefore));
    } else if (lastTail != 0 && lastBits == bits) {
      tailLength = lastTailLength;
      copyShort(lastTail, tail);
      if (isGzip) putTail(tail, tailLength, <u32>(tail - lastTail));
    } else if (isDecimal(value)) {
      tailLength = putDecimal(tail, value, quads, isGzip) - tail;
    } else {
      tailLength = putNumber(tail, value) - tail;
      if (isGzip) {
        if (isPlainNumber(value)) putDigits(tail, tailLength);
        else putLiterals(tail, tailLength);
      }
    }
    o = tail + tailLength;
    store<f64>(times, timeMs);
    store<u64>(values, bits);
    store<u32>(places, place);
    store<u8>(heads, <u8>headLength);
    store<u8>(tails, <u8>tailLength);
    lastHead = head;
    lastTail = tail;
    lastTailLength = tailLength;
    lastBits = bits;
  }
  store<u32>(writer, <u32>(o - writer - TEXT), FILLED);
  store<u32>(writer, row, ROW);
  if (isGzip) leaveStream(writer + STREAM);
}

function putNewHead(head: usize, length: usize, before: usize): void {
  const same = before == 0 ? 0 : commonLength(before, head, head + length);
  if (same > 3) putRepeat(same, <u32>(head - before));
  const told = same > 3 ? <usize>same : 0;
  if (told < length) putLiterals(head + told, length - told);
}

@inline function putTail(tail: usize, length: usize, distance: u32): void {
  if (isRepeatable(<u32>length, distance)) putRepeat(<u32>length, distance);
  else putLiterals(tail, length);
}
