// Hot: what a block has of a series, once per series that a block is written with: its chunks, framed, and its index entry.
//
// Neighbouring XOR chunks are joined where one can hold them. Only what a chunk begins with is encoded anew, as it follows
// from the sample before; the rest of its bits is moved as it is, since its first changed value brings its window along.
//
// A chunk list (chunk-list.ts) goes in. Out come frames (docs/format/chunks.md) and a row for each, little-endian:
//
//     0 f64 first time    8 f64 last time    16 u32 offset of the frame    20 u32 samples    24 u32 encoding    28 u32 0

import { crc32c } from './crc32c';
import { putUvarint, zigzag } from './varint';
import { decodedEnd, decodeXor, peek, secondValueAt } from './xor-decode';
import { beginBits, bitsEnd, put, putDod, putUvarintBits } from './xor-encode';

const LIST_HEADER: usize = 24;
const CHUNK_ROW: usize = 32;
const XOR: u32 = 1;
/** Blocks have larger chunks than the head: what a chunk begins with costs as much as twenty samples. */
const SAMPLES_MAX: u32 = 480;
const BYTES_MAX: u32 = 1024;
/** Beyond what is written last. */
const SLACK: usize = 64;
const TIME_MAX: f64 = 9007199254740992;

const times = memory.data(480 * 8, 8);
const values = memory.data(480 * 8, 8);
/** BYTES_MAX of whole chunks are less than a hundred, since a sample takes eleven bytes: half of this. */
const JOINED_BYTES: usize = 8192;
const joined = memory.data(8192, 8);

let out: usize = 0;
let frames: usize = 0;
let rows: usize = 0;
let rowCount: u32 = 0;
/** Of the frames, of all encodings and of floats. */
let samplesFramed: u32 = 0;
let floatsFramed: u32 = 0;

function putFrame(data: usize, bytes: u32, encoding: u32, samples: u32, from: f64, to: f64): void {
  const row = rows + <usize>rowCount * CHUNK_ROW;
  rowCount++;
  store<f64>(row, from);
  store<f64>(row, to, 8);
  store<u32>(row, <u32>(out - frames), 16);
  store<u32>(row, samples, 20);
  store<u64>(row, encoding, 24);
  out = putUvarint(out, bytes);
  store<u8>(out, <u8>encoding);
  memory.copy(out + 1, data, bytes);
  store<u32>(out + 1 + <usize>bytes, bswap<u32>(crc32c(0, out, 1 + <usize>bytes)));
  out += 5 + <usize>bytes;
  samplesFramed += samples;
  if (encoding == XOR) floatsFramed += samples;
}

/** Appends bits from..to−1 of a chunk, which has readable bytes behind it. */
function moveBits(chunk: usize, from: u32, to: u32): void {
  for (; from + 64 <= to; from += 64) put(peek(chunk, from), 64);
  if (from < to) put(peek(chunk, from) >> <u64>(64 - (to - from)), to - from);
}

/** Writes a value as its difference to the one before it, with a window of its own. */
@inline function putValue(x: u64): void {
  if (x == 0) return put(0, 1);
  const lead = min(<u32>clz(x), 31);
  const trail = <u32>ctz(x);
  const bits = 64 - lead - trail;
  put((3 << 11) | (<u64>lead << 6) | <u64>(bits & 63), 13);
  put(x >> <u64>trail, bits);
}

@inline function isTime(i: u32): bool {
  return abs(load<f64>(times + (<usize>i << 3))) <= TIME_MAX;
}

/** Requires isTime(i). */
@inline function timeAt(i: u32): i64 {
  return <i64>load<f64>(times + (<usize>i << 3));
}

/** Joins the chunks of [list, end), which fit; false if one is damaged. */
function joinGroup(list: usize, end: usize, bytes: u32): bool {
  const room = <usize>bytes + (end - list) + SLACK; // A join adds less than a header has.
  if (room > JOINED_BYTES) return false; // So many chunks have no samples.
  memory.fill(joined, 0, room);
  const from = load<f64>(list, 8);
  let total: u32 = 0,
    lastTime: i64 = 0,
    lastDelta: i64 = 0,
    lastValue: u64 = 0;
  beginBits(joined, 16);
  for (; list < end; list += LIST_HEADER + <usize>load<u32>(list)) {
    const chunk = list + LIST_HEADER;
    const n = <u32>load<u16>(list, 4);
    if (n == 0 || decodeXor(chunk, load<u32>(list), times, values, SAMPLES_MAX) != <i32>n) return false;
    if (!isTime(0) || !isTime(n - 1) || (n > 1 && !(isTime(1) && isTime(n - 2)))) return false;
    const first = timeAt(0);
    if (total == 0) {
      moveBits(chunk, 16, decodedEnd);
    } else {
      const step = first - lastTime;
      if (step <= 0) return false;
      if (total == 1) putUvarintBits(<u64>step);
      else putDod(step - lastDelta);
      putValue(load<u64>(values) ^ lastValue);
      if (n > 1) {
        putDod(timeAt(1) - first - step);
        moveBits(chunk, secondValueAt, decodedEnd);
      }
      lastDelta = step;
    }
    total += n;
    lastTime = timeAt(n - 1);
    lastValue = load<u64>(values + (<usize>(n - 1) << 3));
    if (n > 1) lastDelta = lastTime - timeAt(n - 2);
  }
  store<u16>(joined, bswap<u16>(<u16>total));
  putFrame(joined, <u32>((bitsEnd() + 7) >> 3), XOR, total, from, <f64>lastTime);
  return true;
}

/**
 * Frames the chunks of a list, joined, at `to` (as long as the list, and a row for each of its chunks at `rowsTo`). The
 * list has readable bytes behind it, and is overwritten by 3 u32: bytes of the frames, samples, and how many of them are
 * floats. Returns the number of frames, or −1 if the list or a chunk is damaged.
 */
export function joinChunks(list: usize, length: usize, to: usize, rowsTo: usize): i32 {
  const begin = list;
  const end = list + length;
  frames = out = to;
  rows = rowsTo;
  rowCount = 0;
  samplesFramed = 0;
  floatsFramed = 0;
  while (list < end) {
    const from = list;
    let samples: u32 = 0,
      bytes: u32 = 0,
      chunks: u32 = 0;
    while (list < end) {
      if (end - list < LIST_HEADER) return -1;
      const n = load<u32>(list);
      if (<usize>n > end - list - LIST_HEADER) return -1;
      const isXor = <u32>load<u8>(list, 6) == XOR;
      if (chunks > 0 && (!isXor || samples + <u32>load<u16>(list, 4) > SAMPLES_MAX || bytes + n > BYTES_MAX)) break;
      chunks++;
      samples += <u32>load<u16>(list, 4);
      bytes += n;
      list += LIST_HEADER + <usize>n;
      if (!isXor) break;
    }
    if (chunks == 1) putFrame(from + LIST_HEADER, bytes, load<u8>(from, 6), samples, load<f64>(from, 8), load<f64>(from, 16));
    else if (!joinGroup(from, list, bytes)) return -1;
  }
  store<u32>(begin, <u32>(out - to));
  store<u32>(begin, samplesFramed, 4);
  store<u32>(begin, floatsFramed, 8);
  return <i32>rowCount;
}

/**
 * Writes the index entry of a series with the rows of joinChunks, whose frames lie from `ref` on, and `count` numbers of names
 * and values in turn. Returns its length: 5 bytes for each number, 30 for each chunk and 30 more are enough.
 */
export function encodeEntry(labels: usize, count: u32, chunkRows: usize, chunks: u32, ref: f64, to: usize): u32 {
  const body = to + 5;
  let at = putUvarint(body, count >> 1);
  for (let i: u32 = 0; i < count; i++) at = putUvarint(at, load<u32>(labels + (<usize>i << 2)));
  at = putUvarint(at, chunks);
  let time: i64 = 0,
    before: i64 = 0;
  for (let i: u32 = 0; i < chunks; i++) {
    const row = chunkRows + <usize>i * CHUNK_ROW;
    const from = <i64>load<f64>(row);
    const place = <i64>ref + <i64>load<u32>(row, 16);
    at = putUvarint(at, i == 0 ? zigzag(from) : <u64>(from - time));
    time = <i64>load<f64>(row, 8);
    at = putUvarint(at, <u64>(time - from));
    at = putUvarint(at, i == 0 ? <u64>place : zigzag(place - before));
    before = place;
  }
  const bytes = at - body;
  const checksum = bswap<u32>(crc32c(0, body, bytes));
  const content = putUvarint(to, bytes);
  memory.copy(content, body, bytes);
  store<u32>(content + bytes, checksum);
  return <u32>(content + bytes + 4 - to);
}
