// Hot: the native histograms of an answer as Prometheus's JSON, once per bucket.
//
// A histogram is a row of pieces: a text that comes again and again, and a number behind it. What a bucket prints before its
// count depends on its bounds alone, so JavaScript gives each of these texts a number once. Of each piece a writer knows
// where it stood last, and with which number: text, and as many digits as are the same, become one match.

import { isPlainNumber, putNumber, putTime } from './float-text';
import {
  DISTANCE_MAX,
  enterStream,
  isRepeatable,
  leaveStream,
  putDigits,
  putLiterals,
  putRepeat,
  switchCodes,
} from './deflate';
import {
  BASE,
  compress,
  copyShort,
  FILLED,
  INPUT,
  IS_GZIP,
  JOINT,
  PIECE_BYTES,
  PIECE_COUNT,
  PIECE_PLACE,
  PIECES,
  PIECES_MAX,
  STREAM,
  TEXT,
} from './json-writer';

/** Bytes of a piece's text: `"],[0,"`, two numbers, and `","` behind each. */
export const PIECE_TEXT_MAX: u32 = 64;
/** Buckets of one call. */
export const BUCKETS_MAX: u32 = 1024;

// Offsets in a piece, its text being first; PIECE_PLACE is where that began last.
const VALUE: usize = 64;
const LENGTH: usize = 76;
const NUMBER_LENGTH: usize = 80;
const SKIPPED: usize = 84;

// Pieces that every histogram has. The first three begin it, by what is before it: nothing, totals or buckets.
const AFTER_TOTALS: u32 = 1;
const AFTER_BUCKETS: u32 = 2;
const COUNT: u32 = 3;
const SUM: u32 = 4;
const LIST: u32 = 5;
/** What separates a bucket from the one before: the first has none. */
const SEPARATOR: usize = 3;

@inline function pieceAt(writer: usize, number: u32): usize {
  if (number >= load<u32>(writer, PIECE_COUNT)) unreachable();
  return writer + PIECES + <usize>number * PIECE_BYTES;
}

/** One more piece, with the first `length` bytes of the input as text; returns its number. Traps if there are PIECES_MAX. */
export function addPiece(writer: usize, length: u32): u32 {
  const number = load<u32>(writer, PIECE_COUNT);
  if (number >= PIECES_MAX || length > PIECE_TEXT_MAX) unreachable();
  store<u32>(writer, number + 1, PIECE_COUNT);
  const piece = pieceAt(writer, number);
  memory.fill(piece, 0, PIECE_BYTES);
  memory.copy(piece, writer + INPUT, <usize>length);
  store<u32>(piece, length, LENGTH);
  return number;
}

/** Forgets all but the first `count` pieces. */
export function keepPieces(writer: usize, count: u32): void {
  store<u32>(writer, min(count, load<u32>(writer, PIECE_COUNT)), PIECE_COUNT);
}

/** From here on histograms are most of the text: goes on with codes that fit them, announced by bits in the input. */
export function switchToHistograms(writer: usize, codes: usize, headerBits: u32): void {
  enterStream(writer + STREAM);
  switchCodes(codes, writer + INPUT, headerBits);
  leaveStream(writer + STREAM);
}

/** Whether the last histogram had a bucket that was not empty, or false at the beginning of a row. */
export function hasBuckets(writer: usize): bool {
  return load<u32>(writer, JOINT) == AFTER_BUCKETS;
}

let owner: usize = 0;
let base: u32 = 0;
let isGzip: bool = false;

/** Returns where text goes. */
function enter(writer: usize): usize {
  owner = writer;
  isGzip = load<u32>(writer, IS_GZIP) != 0;
  base = load<u32>(writer, BASE) - <u32>(writer + TEXT);
  if (isGzip) enterStream(writer + STREAM);
  return writer + TEXT + <usize>load<u32>(writer, FILLED);
}

function leave(writer: usize, o: usize): void {
  store<u32>(writer, <u32>(o - writer - TEXT), FILLED);
  if (isGzip) leaveStream(writer + STREAM);
}

/** `[1.5,{"count":"2","sum":"3` of time, count and sum in the input, behind the end of what is before it in its row. */
export function writeHistogram(writer: usize): void {
  let o = enter(writer);
  const input = writer + INPUT;
  o = putPiece(o, pieceAt(writer, load<u32>(writer, JOINT)), 0, load<f64>(input), true);
  o = putPiece(o, pieceAt(writer, COUNT), 0, load<f64>(input, 8), false);
  o = putPiece(o, pieceAt(writer, SUM), 0, load<f64>(input, 16), false);
  store<u32>(writer, AFTER_TOTALS, JOINT);
  leave(writer, o);
}

/**
 * Buckets of the histogram that has been begun: numbers of pieces as u32, and BUCKETS_MAX * 4 behind them counts. Those that
 * are empty are left out. The end of the last one is left to what follows.
 */
export function writeBuckets(writer: usize, count: u32): void {
  let o = enter(writer);
  const numbers = writer + INPUT, counts = numbers + <usize>BUCKETS_MAX * 4;
  const end = <usize>min(count, BUCKETS_MAX);
  let skip: usize = load<u32>(writer, JOINT) == AFTER_BUCKETS ? 0 : SEPARATOR;
  for (let i: usize = 0; i < end; i++) {
    const value = load<f64>(counts + (i << 3));
    if (value == 0) continue;
    if (skip != 0) o = putPlain(o, pieceAt(writer, LIST));
    o = putPiece(o, pieceAt(writer, load<u32>(numbers + (i << 2))), skip, value, false);
    skip = 0;
  }
  if (skip == 0) store<u32>(writer, AFTER_BUCKETS, JOINT);
  leave(writer, o);
}

/** The text of a piece but for `skip` bytes; returns its end, and how far back it is the same in `far`. */
@inline function copyText(o: usize, piece: usize, skip: usize): usize {
  const place = <u32>(o - skip) + base;
  // A text that came without its first bytes is no example for a whole one.
  far = load<u32>(piece, SKIPPED) <= <u32>skip ? place - load<u32>(piece, PIECE_PLACE) : u32.MAX_VALUE;
  store<u32>(piece, place, PIECE_PLACE);
  store<u32>(piece, <u32>skip, SKIPPED);
  const text = piece + skip;
  const length = <usize>load<u32>(piece, LENGTH) - skip;
  copyShort(text, o);
  if (length > 32) copyShort(text + 32, o + 32);
  return o + length;
}

let far: u32 = 0;

/** A piece that has no number. */
function putPlain(o: usize, piece: usize): usize {
  const end = copyText(o, piece, 0);
  if (isGzip) {
    if (far <= DISTANCE_MAX) putRepeat(<u32>(end - o), far);
    else compress(owner, o, end);
  }
  return end;
}

function putPiece(o: usize, piece: usize, skip: usize, value: f64, isTime: bool): usize {
  const number = copyText(o, piece, skip);
  const distance = far;
  const bits = reinterpret<u64>(value);
  const lengthBefore = <usize>load<u32>(piece, NUMBER_LENGTH);
  if (distance <= DISTANCE_MAX && load<u64>(piece, VALUE) == bits) {
    copyShort(number - <usize>distance, number);
    const end = number + lengthBefore;
    if (isGzip) {
      if (isRepeatable(<u32>(end - o), distance)) putRepeat(<u32>(end - o), distance);
      else putLiterals(o, end - o);
    }
    return end;
  }
  const end = isTime ? putTime(number, <i64>value) : putNumber(number, value);
  store<u64>(piece, bits, VALUE);
  store<u32>(piece, <u32>(end - number), NUMBER_LENGTH);
  if (!isGzip) return end;
  let rest = o;
  if (distance <= DISTANCE_MAX) {
    const same = number + sameDigits(number, <usize>distance, min(lengthBefore, end - number));
    if (isRepeatable(<u32>(same - o), distance)) {
      putRepeat(<u32>(same - o), distance);
      rest = same;
    }
  }
  if (rest < number) {
    compress(owner, rest, number);
    rest = number;
  }
  if (rest < end) {
    if (isTime || isPlainNumber(value)) putDigits(rest, end - rest);
    else putLiterals(rest, end - rest);
  }
  return end;
}

/** With how many bytes, eight at most, a number begins as the one `distance` before it, of which `most` count. */
@inline function sameDigits(number: usize, distance: usize, most: usize): usize {
  const other = load<u64>(number) ^ load<u64>(number - distance);
  return min(<usize>ctz(other) >> 3, most);
}
