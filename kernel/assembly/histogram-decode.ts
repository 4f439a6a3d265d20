// Hot: chunks of native histograms to rows of floats, once per bucket of each sample that a query reads.
//
// One chunk at a time: beginHistograms() takes what its samples have in common, decodeHistograms() as many of them as the
// caller has room for. The input is hostile: the caller puts PADDING readable bytes behind it. Once bits ended early,
// `position` is beyond `end` and stays there. docs/format/chunks.md.

import { alloc, capacityOf, free } from './memory';
import { peek } from './xor-decode';

const HEADER_BYTES: u32 = 3;
const CUSTOM_SCHEMA: i64 = -53;
const STALE_NAN: u64 = 0x7ff0000000000002;
/** All finite buckets of both signs that the finest schema has. */
const BUCKETS_MAX: u64 = 1 << 20;
/** Of a row, before its buckets: count, zero count, sum. */
const ROW_HEAD: usize = 24;

/** Bits of a varbit by the number of ones that it begins with. */
const widths = memory.data<u8>([0, 3, 6, 9, 12, 18, 25, 56, 64]);
/** By so many bits, the signed varbit that these begin with, if they hold it: its value << 8 | its bits; else 0. */
const SHORT_BITS: u32 = 9;
const shortNumbers = memory.data((1 << 9) * 4, 4);

/** The entry of the bits that a word begins with. */
@inline function shortNumber(word: u64): i32 {
  return load<i32>(shortNumbers + (<usize>(word >> <u64>(64 - SHORT_BITS)) << 2));
}

export function initHistogramDecode(): void {
  for (let bits: u32 = 0; bits < 1 << SHORT_BITS; bits++) {
    let entry: i32 = 1;
    if (bits >> 7 == 2) entry = ((<i32>signed((bits >> 4) & 7, 3)) << 8) | 5;
    else if (bits >> 6 == 6) entry = ((<i32>signed(bits & 63, 6)) << 8) | 9;
    else if (bits >> 6 == 7) entry = 0;
    store<i32>(shortNumbers + (<usize>bits << 2), entry);
  }
}

let source: usize = 0;
let end: u32 = 0;
let position: u32 = 0;
let isFloat: bool = false;
/** Samples that were read, and that the chunk claims. */
let done: u32 = 0;
let claimed: u32 = 0;

let timeMs: f64 = 0;
let timeDelta: f64 = 0;
/** The sum's bits and window. */
let sum: u64 = 0;
let sumBits: u32 = 64;
let sumTrail: u32 = 0;

/**
 * Of each column (count, zero count, buckets) 16 bytes: of integers its value and how much that grew last, of floats its
 * bits and window.
 */
let columns: usize = 0;
let columnsBytes: usize = 0;

export let positiveBuckets: u32 = 0;
export let negativeBuckets: u32 = 0;
/** The bit where the layout ends; it begins with the fourth byte. */
export let layoutEnd: u32 = 0;

/** Spans (length, offset), the positive ones first, and bounds, as f64. */
export let layoutNumbers: usize = 0;
let numbersBytes: usize = 0;
let numbers: u32 = 0;
export let layoutSchema: i32 = 0;
export let layoutThreshold: f64 = 0;
export let positiveSpans: u32 = 0;
export let negativeSpans: u32 = 0;
export let customBounds: u32 = 0;

/** Of the samples that decodeHistograms() read last, how many are stale markers. */
export let staleHistograms: u32 = 0;

/** n ≤ 64 bits, not 0. */
function bits(n: u32): u64 {
  if (position > end) return 0;
  const v = peek(source, position) >> <u64>(64 - n);
  position += n;
  return v;
}

/** Of 0 to 64 bits. */
@inline function signed(v: u64, width: u64): i64 {
  const half = <u64>1 << (width - 1);
  return <i64>v - <i64>select<u64>(half << 1, 0, v > half);
}

/** The width of the varbit at `position`, which becomes where its bits begin. */
function width(): u32 {
  if (position > end) return 0;
  const ones = min(<u32>clz(~peek(source, position)), 8);
  position += min(ones + 1, 8);
  return <u32>load<u8>(widths + ones);
}

function varbitUint(): u64 {
  const n = width();
  return n == 0 ? 0 : bits(n);
}

function varbitInt(): i64 {
  if (position > end) return 0;
  const short = shortNumber(peek(source, position));
  if (short != 0) {
    position += short & 0xff;
    return <i64>(short >> 8);
  }
  const n = width();
  return n == 0 ? 0 : signed(bits(n), n);
}

@inline function left(): u64 {
  return position > end ? 0 : <u64>(end - position);
}

/** Takes a chunk of `length` bytes; false if it is damaged before its first sample. */
export function beginHistograms(chunk: usize, length: u32, areFloats: bool): bool {
  if (length <= HEADER_BYTES || length > 0x1fff0000) return false;
  source = chunk;
  end = length << 3;
  position = HEADER_BYTES << 3;
  isFloat = areFloats;
  done = 0;
  claimed = (<u32>load<u8>(chunk) << 8) | <u32>load<u8>(chunk, 1);
  timeDelta = 0;
  sumBits = 64;
  sumTrail = 0;
  if (!readLayout() || position > end) return false;
  layoutEnd = position;
  const count = 2 + <u64>positiveBuckets + <u64>negativeBuckets;
  if (count > left()) return false;
  reserveColumns(<usize>count << 4);
  return true;
}

function reserveColumns(bytes: usize): void {
  if (bytes <= columnsBytes) return;
  free(columns, columnsBytes);
  columnsBytes = capacityOf(bytes);
  columns = alloc(columnsBytes);
}

function readLayout(): bool {
  numbers = 0;
  layoutThreshold = threshold();
  const schema = varbitInt();
  if (schema != CUSTOM_SCHEMA && (schema < -4 || schema > 8)) return false;
  layoutSchema = <i32>schema;
  positiveSpans = spans();
  positiveBuckets = spanned;
  negativeSpans = spans();
  negativeBuckets = spanned;
  customBounds = 0;
  if (schema == CUSTOM_SCHEMA) {
    customBounds = countWithin(1);
    for (let i: u32 = 0; i < customBounds; i++) push(bound());
  }
  return true;
}

function threshold(): f64 {
  const byte = bits(8);
  if (byte == 0) return 0;
  // 2^(byte − 244), by its exponent.
  return reinterpret<f64>(byte == 255 ? bits(64) : (byte + 779) << 52);
}

/** How many things follow, for which there is room among the numbers; damage if their bits cannot be there. */
function countWithin(floats: u32): u32 {
  const count = varbitUint();
  if (count > left()) {
    position = end + 1;
    return 0;
  }
  const need = <usize>(numbers + <u32>count * floats) << 3;
  if (need > numbersBytes) {
    const bytes = capacityOf(need);
    const larger = alloc(bytes);
    memory.copy(larger, layoutNumbers, <usize>numbers << 3);
    free(layoutNumbers, numbersBytes);
    layoutNumbers = larger;
    numbersBytes = bytes;
  }
  return <u32>count;
}

@inline function push(number: f64): void {
  store<f64>(layoutNumbers + (<usize>numbers << 3), number);
  numbers++;
}

/** Buckets of the spans that were read last. */
let spanned: u32 = 0;

function spans(): u32 {
  const count = countWithin(2);
  let buckets: u64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const length = varbitUint();
    buckets += min(length, BUCKETS_MAX + 1);
    push(<f64>length);
    push(<f64>varbitInt());
  }
  if (buckets > BUCKETS_MAX) position = end + 1;
  spanned = <u32>min(buckets, BUCKETS_MAX);
  return count;
}

function bound(): f64 {
  const number = varbitUint();
  return number == 0 ? reinterpret<f64>(bits(64)) : (<f64>number - 1) / 1000;
}

/**
 * Reads the next samples, `max` at most: their times (f64, ms) and rows of f64, which are count, zero count, sum and the
 * absolute counts of the positive and of the negative buckets. Of a stale marker's row only the sum is written. Returns
 * how many, 0 at the end, −1 if the chunk is damaged.
 */
export function decodeHistograms(times: usize, rows: usize, max: u32): i32 {
  const stride = ROW_HEAD + ((<usize>positiveBuckets + <usize>negativeBuckets) << 3);
  const count = min(max, claimed - done);
  staleHistograms = 0;
  for (let i: u32 = 0; i < count; i++, rows += stride) {
    const isFirst = done + i == 0;
    if (isFirst) timeMs = <f64>varbitInt();
    else timeMs += timeDelta += <f64>varbitInt();
    store<f64>(times + (<usize>i << 3), timeMs);
    if (isFirst) firstRow(rows);
    else nextRow(rows);
    if (position > end) return -1;
    if (sum == STALE_NAN) staleHistograms++;
  }
  done += count;
  return <i32>count;
}

@inline function columnAt(i: u32): usize {
  return columns + (<usize>i << 4);
}

@inline function bucketAt(row: usize, i: u32): usize {
  return row + ROW_HEAD + (<usize>i << 3);
}

function firstRow(row: usize): void {
  const buckets = positiveBuckets + negativeBuckets;
  for (let i: u32 = 0; i < 2; i++) firstOf(i, isFloat ? bits(64) : reinterpret<u64>(<f64>varbitUint()), row + (<usize>i << 3));
  sum = bits(64);
  store<u64>(row, sum, 16);
  for (let i: u32 = 0; i < buckets; i++)
    firstOf(2 + i, isFloat ? bits(64) : reinterpret<u64>(<f64>varbitInt()), bucketAt(row, i));
  if (isFloat) return;
  accumulate(row, 0, positiveBuckets);
  accumulate(row, positiveBuckets, buckets);
}

/** The bits of a column's first value. */
@inline function firstOf(column: u32, value: u64, to: usize): void {
  const at = columnAt(column);
  store<u64>(at, value);
  store<u64>(at, isFloat ? 64 : 0, 8); // A window of all bits; no growth.
  store<u64>(to, value);
}

/** From differences between neighbours to counts. */
function accumulate(row: usize, from: u32, to: u32): void {
  let count: f64 = 0;
  for (let i = from; i < to; i++) store<f64>(bucketAt(row, i), (count += load<f64>(bucketAt(row, i))));
}

function nextRow(row: usize): void {
  if (isFloat) floatColumns(0, 2, row);
  else {
    integerColumn(0, row);
    integerColumn(1, row + 8);
  }
  nextSum();
  store<u64>(row, sum, 16);
  if (sum == STALE_NAN) return;
  const buckets = positiveBuckets + negativeBuckets;
  if (isFloat) {
    floatColumns(2, 2 + buckets, row + ROW_HEAD);
  } else {
    integerBuckets(0, positiveBuckets, row);
    integerBuckets(positiveBuckets, buckets, row);
  }
}

@inline function grown(at: usize, growth: i64): f64 {
  const delta = load<f64>(at, 8) + <f64>growth;
  const value = load<f64>(at) + delta;
  store<f64>(at, delta, 8);
  store<f64>(at, value);
  return value;
}

function integerColumn(column: u32, to: usize): void {
  store<f64>(to, grown(columnAt(column), varbitInt()));
}

/** The buckets [from, to) of one sign. A word of bits serves as many numbers as it holds. */
function integerBuckets(from: u32, to: u32, row: usize): void {
  // Globals are memory to V8, read anew for each bucket.
  const chunk = source;
  const last = end;
  let at = position;
  let word: u64 = 0;
  let have: u32 = 0;
  let count: f64 = 0;
  let out = bucketAt(row, from);
  const stop = bucketAt(row, to);
  for (let column = columnAt(2 + from); out < stop; column += 16, out += 8) {
    if (have < SHORT_BITS) {
      if (at > last) break;
      word = peek(chunk, at);
      have = 64;
    }
    const short = shortNumber(word);
    let used = <u32>short & 0xff;
    let growth = <i64>(short >> 8);
    if (used == 0) {
      const ones = min(<u32>clz(~word), 8);
      const n = <u64>load<u8>(widths + ones);
      const prefix = min(ones + 1, 8);
      growth = signed(peek(chunk, at + prefix) >> (64 - n), n);
      used = prefix + <u32>n;
    }
    at += used;
    have = used < have ? have - used : 0;
    word <<= <u64>used;
    count += grown(column, growth);
    store<f64>(out, count);
  }
  position = at;
}

function nextSum(): void {
  if (position > end) return;
  const word = peek(source, position);
  if (word >> 63 == 0) {
    position += 1;
    return;
  }
  if (word >> 62 == 2) {
    position += 2;
  } else {
    const lead = <u32>(word >> 57) & 31;
    const n = <u32>(word >> 51) & 63;
    sumBits = n == 0 ? 64 : n;
    position = lead + sumBits > 64 ? end + 1 : position + 13;
    sumTrail = 64 - lead - sumBits;
  }
  sum ^= bits(sumBits) << <u64>sumTrail;
}

/** The columns [from, to) of floats. */
function floatColumns(from: u32, to: u32, out: usize): void {
  let at = position;
  for (let i = from; i < to; i++, out += 8) {
    if (at > end) break;
    const column = columnAt(i);
    const word = peek(source, at);
    let value = load<u64>(column);
    if (word >> 63 == 0) {
      at += 1;
    } else {
      if (word >> 62 == 2) {
        at += 2;
      } else {
        const lead = <u32>(word >> 57) & 31;
        let n = <u32>(word >> 51) & 63;
        if (n == 0) n = 64;
        if (lead + n > 64) {
          at = end + 1;
          break;
        }
        store<u32>(column, n, 8);
        store<u32>(column, 64 - lead - n, 12);
        at += 13;
      }
      const n = load<u32>(column, 8);
      value ^= (peek(source, at) >> <u64>(64 - n)) << <u64>load<u32>(column, 12);
      at += n;
      store<u64>(column, value);
    }
    store<u64>(out, value);
  }
  position = at;
}
