// Hot: open chunks of native histograms, once per ingested sample. Bytes equal those of Prometheus 3.15.
//
// An open chunk is a block of what the next sample is compared with, and a list of segments that hold its bits. A sample is
// written to `scratch`, which the longest one fits into, and then moved to the segments: a chunk has no more memory than it
// needs, and growing leaves no blocks of other sizes behind. docs/format/chunks.md.
//
//     0  f64 first time      8  f64 last time       16 i64 last interval   24 u64 sum
//     32 u32 first segment   36 u32 last segment    40 u32 whole bytes     44 u32 samples
//     48 u32 columns         52 u32 positive ones   56 u8 bits begun       57 u8 the byte that they begin
//     58 u8 leading zeros of the sum's window (0xff: no window yet)        59 u8 its trailing zeros
//     60 u8 floats?          61 u8 third byte       62 u8 last sample is a stale marker?
//     64 columns, which are count, zero count, positive and negative buckets: f64 last value, and of integers i64 how much
//        it grew (of buckets: how much the difference to the one before grew), of floats the window as above (u8, u8)

import { alloc, capacityOf, free } from './memory';

const HEAD: usize = 64;
const COLUMN_BYTES: usize = 16;
const CHUNK_HEADER_BYTES: u32 = 3;
const SEGMENT_BYTES: usize = 128;
/** After the address of the next one. */
const SEGMENT_DATA: u32 = 124;
const TARGET_BYTES: u32 = 1024;
const SAMPLES_MIN: u32 = 10;
const SAMPLES_MAX: u32 = 0xffff;
const NO_WINDOW: u8 = 0xff;
const STALE_NAN: u64 = 0x7ff0000000000002;
const NORMAL_NAN: u64 = 0x7ff8000000000001;
/** The most that one number takes: 13 bits of a new window and 64; and what a store writes behind the last one. */
const NUMBER_BYTES: usize = 10;
const SCRATCH_SLACK: usize = 16;

/** Of a row before its buckets: count, zero count, sum. */
const ROW_HEAD: usize = 24;

/** What tryAppendHistogram() answers. */
const APPENDED: i32 = 0;
const WENT_DOWN: i32 = 1;
const FULL: i32 = 2;

/** Widths of varbits, and which is the least for a number of so many bits. */
const widths = memory.data<u8>([3, 6, 9, 12, 18, 25, 56, 64]);
const WIDEST: u32 = 7;
const classes = memory.data<u8>([
  0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6,
  6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7,
]);

let row: usize = 0;
let rowBytes: usize = 0;
let scratch: usize = 0;
let scratchBytes: usize = 0;
/** The bit of `scratch` that is written next. */
let position: u32 = 0;

/**
 * Where a sample of so many columns is to be put before the calls below: count, zero count, sum, buckets, as f64. Valid until
 * the next call. Memory never shrinks: there is room for the samples of every chunk that is open.
 */
export function histogramRow(columns: u32): usize {
  const need = ROW_HEAD + (<usize>columns << 3);
  if (need > rowBytes) {
    free(row, rowBytes);
    rowBytes = capacityOf(need);
    row = alloc(rowBytes);
  }
  return row;
}

/** Where to put the bits of a layout for beginHistogramChunk(); behind it is room for a sample of so many columns. */
export function histogramScratch(layoutBytes: u32, columns: u32): usize {
  // Time and sum are numbers too.
  const need = <usize>layoutBytes + (<usize>columns + 2) * NUMBER_BYTES + SCRATCH_SLACK;
  if (need > scratchBytes) {
    free(scratch, scratchBytes);
    scratchBytes = capacityOf(need);
    scratch = alloc(scratchBytes);
  }
  return scratch;
}

/** Writes the low n bits of v, 1 ≤ n ≤ 64. */
@inline function put(v: u64, n: u32): void {
  const at = scratch + <usize>(position >> 3);
  const shift = <u64>(position & 7);
  const left = v << <u64>(64 - n);
  const begun = <u64>load<u8>(at) & ~(<u64>0xff >> shift);
  store<u64>(at, bswap<u64>((begun << 56) | (left >> shift)));
  if (shift + <u64>n > 64) store<u8>(at, <u8>((left << (64 - shift)) >> 56), 8);
  position += n;
}

/** A number other than 0 that needs so many bits. */
function putWide(v: u64, bits: u32): void {
  const class_ = <u32>load<u8>(classes + <usize>bits);
  const width = <u32>load<u8>(widths + <usize>class_);
  // As many ones as the class says and one more, and a zero; the widest one has no zero.
  if (width <= 25) {
    const prefix = ((<u64>4 << <u64>class_) - 2) << <u64>width;
    put(prefix | (v & ((<u64>1 << <u64>width) - 1)), class_ + 2 + width);
  } else {
    put(class_ == WIDEST ? 0xff : 0xfe, 8);
    put(v, width);
  }
}

@inline function putUint(v: u64): void {
  if (v == 0) put(0, 1);
  else putWide(v, 64 - <u32>clz(v));
}

@inline function putInt(v: i64): void {
  // Of a width, the greatest number is a power of two: 2^(width − 1).
  if (v == 0) put(0, 1);
  else putWide(<u64>v, 65 - <u32>clz(<u64>(v > 0 ? v - 1 : -v)));
}

/** Writes bits as the difference x to those before, of a column whose window is at `window`. */
function putXor(window: usize, x: u64): void {
  if (x == 0) return put(0, 1);
  let lead = min(<u32>clz(x), 31);
  let trail = <u32>ctz(x);
  const windowLead = <u32>load<u8>(window);
  const windowTrail = <u32>load<u8>(window, 1);
  if (windowLead != <u32>NO_WINDOW && lead >= windowLead && trail >= windowTrail) {
    put(2, 2);
    lead = windowLead;
    trail = windowTrail;
  } else {
    store<u8>(window, <u8>lead);
    store<u8>(window, <u8>trail, 1);
    put((3 << 11) | (<u64>lead << 6) | <u64>((64 - lead - trail) & 63), 13);
  }
  put(x >> <u64>trail, 64 - lead - trail);
}

@inline function columnAt(chunk: usize, column: u32): usize {
  return chunk + HEAD + <usize>column * COLUMN_BYTES;
}

/** Of the row, what a column gets. */
@inline export function rowAt(column: u32): usize {
  return row + (<usize>column << 3) + (column < 2 ? 0 : 8);
}

@inline function sumBits(isStale: bool): u64 {
  if (isStale) return STALE_NAN;
  const sum = load<f64>(row, 16);
  return sum != sum ? NORMAL_NAN : reinterpret<u64>(sum);
}

/**
 * Begins a chunk: the layout's bits are in the scratch, its first sample in the row. Of a stale marker the row has two columns
 * of 0. Returns the chunk, which the caller frees.
 */
export function beginHistogramChunk(
  layoutBits: u32,
  columns: u32,
  positives: u32,
  isFloat: bool,
  flag: u8,
  timeMs: f64,
  isStale: bool,
): usize {
  const bytes = HEAD + <usize>columns * COLUMN_BYTES;
  const chunk = alloc(bytes);
  memory.fill(chunk, 0, bytes);
  store<f64>(chunk, timeMs);
  store<f64>(chunk, timeMs, 8);
  store<u32>(chunk, 1, 44);
  store<u32>(chunk, columns, 48);
  store<u32>(chunk, positives, 52);
  store<u8>(chunk, NO_WINDOW, 58);
  store<u8>(chunk, isFloat ? 1 : 0, 60);
  store<u8>(chunk, flag, 61);
  store<u8>(chunk, isStale ? 1 : 0, 62);
  position = layoutBits;
  putInt(<i64>timeMs);
  firstColumns(chunk, 0, 2);
  const sum = sumBits(isStale);
  store<u64>(chunk, sum, 24);
  put(sum, 64);
  firstColumns(chunk, 2, 2 + positives);
  firstColumns(chunk, 2 + positives, columns);
  moveBits(chunk);
  return chunk;
}

/** The columns [from, to): both counts, or the buckets of one sign. */
function firstColumns(chunk: usize, from: u32, to: u32): void {
  const isFloat = load<u8>(chunk, 60) != 0;
  let before: i64 = 0;
  for (let i = from; i < to; i++) {
    const column = columnAt(chunk, i);
    const value = load<f64>(rowAt(i));
    store<f64>(column, value);
    if (isFloat) {
      store<u8>(column, NO_WINDOW, 8);
      put(reinterpret<u64>(value), 64);
    } else if (i < 2) {
      putUint(<u64>(<i64>value));
    } else {
      putInt(<i64>value - before);
      before = <i64>value;
    }
  }
}

/** Moves the whole bytes of the scratch to the chunk, and what is left of it to its head. */
function moveBits(chunk: usize): void {
  const whole = position >> 3;
  const left = position & 7;
  store<u8>(chunk, <u8>left, 56);
  store<u8>(chunk, load<u8>(scratch + <usize>whole) & <u8>(0xff00 >> left), 57);
  let bytes = load<u32>(chunk, 40);
  for (let from: u32 = 0; from < whole; ) {
    const used = bytes % SEGMENT_DATA;
    if (used == 0) addSegment(chunk);
    const part = min(whole - from, SEGMENT_DATA - used);
    memory.copy(<usize>load<u32>(chunk, 36) + 4 + <usize>used, scratch + <usize>from, <usize>part);
    from += part;
    bytes += part;
  }
  store<u32>(chunk, bytes, 40);
}

function addSegment(chunk: usize): void {
  const segment = <u32>alloc(SEGMENT_BYTES);
  store<u32>(<usize>segment, 0);
  const last = load<u32>(chunk, 36);
  if (last == 0) store<u32>(chunk, segment, 32);
  else store<u32>(<usize>last, segment);
  store<u32>(chunk, segment, 36);
}

/** Bytes of the chunk as histogramChunkCopy() writes them. */
export function histogramChunkBytes(chunk: usize): u32 {
  return CHUNK_HEADER_BYTES + load<u32>(chunk, 40) + (load<u8>(chunk, 56) ? 1 : 0);
}

/** Whether the next sample begins a chunk of its own. Chunks end where the range of a block, rangeStartMs, begins. */
export function isHistogramChunkFull(chunk: usize, rangeStartMs: f64): bool {
  const samples = load<u32>(chunk, 44);
  if (load<f64>(chunk, 8) < rangeStartMs || samples == SAMPLES_MAX) return true;
  return samples >= SAMPLES_MIN && histogramChunkBytes(chunk) >= TARGET_BYTES;
}

/**
 * Appends the newer sample in the row, which has the columns of the chunk, unless it is a counter of which something went down
 * (1), or the chunk is full (2); then nothing is changed. 0: appended.
 */
export function tryAppendHistogram(
  chunk: usize,
  timeMs: f64,
  isStale: bool,
  isCounter: bool,
  rangeStartMs: f64,
): i32 {
  if (isCounter && wentDown(chunk)) return WENT_DOWN;
  if (isHistogramChunkFull(chunk, rangeStartMs)) return FULL;
  appendHistogramSample(chunk, timeMs, isStale);
  return APPENDED;
}

function wentDown(chunk: usize): bool {
  const columns = load<u32>(chunk, 48);
  for (let i: u32 = 0; i < columns; i++) if (load<f64>(rowAt(i)) < load<f64>(columnAt(chunk, i))) return true;
  return false;
}

/** Appends the newer sample in the row, which has the columns of the chunk; after a stale marker only another one. */
export function appendHistogramSample(chunk: usize, timeMs: f64, isStale: bool): void {
  store<u8>(scratch, load<u8>(chunk, 57));
  position = <u32>load<u8>(chunk, 56);
  const interval = <i64>(timeMs - load<f64>(chunk, 8));
  putInt(interval - load<i64>(chunk, 16));
  store<i64>(chunk, interval, 16);
  if (load<u8>(chunk, 60)) floatColumns(chunk, isStale);
  else integerColumns(chunk, isStale);
  store<f64>(chunk, timeMs, 8);
  store<u32>(chunk, load<u32>(chunk, 44) + 1, 44);
  store<u8>(chunk, isStale ? 1 : 0, 62);
  moveBits(chunk);
}

@inline function putSum(chunk: usize, isStale: bool): void {
  const sum = sumBits(isStale);
  putXor(chunk + 58, sum ^ load<u64>(chunk, 24));
  store<u64>(chunk, sum, 24);
}

@inline function putGrowth(column: usize, growth: i64): void {
  putInt(growth - load<i64>(column, 8));
  store<i64>(column, growth, 8);
}

function integerColumns(chunk: usize, isStale: bool): void {
  if (isStale) {
    put(0, 2);
    return putSum(chunk, true);
  }
  for (let i: u32 = 0; i < 2; i++) {
    const column = columnAt(chunk, i);
    const value = load<f64>(rowAt(i));
    putGrowth(column, <i64>value - <i64>load<f64>(column));
    store<f64>(column, value);
  }
  putSum(chunk, false);
  const negatives = 2 + load<u32>(chunk, 52);
  integerBuckets(chunk, 2, negatives);
  integerBuckets(chunk, negatives, load<u32>(chunk, 48));
}

/** The buckets of one sign: of their differences to the one before, the growth of the growth. */
function integerBuckets(chunk: usize, from: u32, to: u32): void {
  let before: i64 = 0;
  for (let i = from; i < to; i++) {
    const column = columnAt(chunk, i);
    const value = load<f64>(rowAt(i));
    const grown = <i64>value - <i64>load<f64>(column);
    putGrowth(column, grown - before);
    before = grown;
    store<f64>(column, value);
  }
}

function floatColumns(chunk: usize, isStale: bool): void {
  for (let i: u32 = 0; i < 2; i++) floatColumn(columnAt(chunk, i), isStale ? 0 : load<u64>(rowAt(i)));
  putSum(chunk, isStale);
  if (isStale) return;
  const columns = load<u32>(chunk, 48);
  for (let i: u32 = 2; i < columns; i++) floatColumn(columnAt(chunk, i), load<u64>(rowAt(i)));
}

@inline function floatColumn(column: usize, value: u64): void {
  putXor(column + 8, value ^ load<u64>(column));
  store<u64>(column, value);
}

/** Writes the chunk to `out`, which has room for histogramChunkBytes(). */
export function histogramChunkCopy(chunk: usize, out: usize): void {
  store<u8>(out, load<u8>(chunk, 45));
  store<u8>(out, load<u8>(chunk, 44), 1);
  store<u8>(out, load<u8>(chunk, 61), 2);
  let to = out + <usize>CHUNK_HEADER_BYTES;
  let left = load<u32>(chunk, 40);
  for (let segment = load<u32>(chunk, 32); left > 0; segment = load<u32>(<usize>segment)) {
    const part = min(left, SEGMENT_DATA);
    memory.copy(to, <usize>segment + 4, <usize>part);
    to += <usize>part;
    left -= part;
  }
  if (load<u8>(chunk, 56)) store<u8>(to, load<u8>(chunk, 57));
}

export function freeHistogramChunk(chunk: usize): void {
  for (let segment = load<u32>(chunk, 32); segment != 0; ) {
    const next = load<u32>(<usize>segment);
    free(<usize>segment, SEGMENT_BYTES);
    segment = next;
  }
  free(chunk, HEAD + <usize>load<u32>(chunk, 48) * COLUMN_BYTES);
}
