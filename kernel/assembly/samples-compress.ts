// Hot: samples of one time → a samples record of the WAL, in snappy's block format, once per scraped sample.
//
// What the record holds is known, so that one lookup per sample does the work of one per byte: a value that some sample
// before had, and the zeros behind a short mantissa, become copies; the rest are literals. That leaves up to a sixth more
// bytes than snappy.ts, in half the time. The record itself, as samples-record.ts writes it, is never made.
//
//     a sample   varint Δref: one low byte, then the high ones   one 0: the time is the record's   value be64

import { alloc } from './memory';
import { putUvarint, zigzag } from './varint';

const SAMPLES: u8 = 2;
const RECORD_HEADER: u32 = 17;
/** The most bytes that a sample takes, tags included. */
const SAMPLE_MAX: usize = 24;
/** A uvarint of 32 bits before the elements. */
const LENGTH_MAX: usize = 5;
/** So many bytes of literals leave room for one more sample within the 60 that a short tag counts. */
const LITERAL_ROOM: usize = 46;
const TABLE_LOG2_MAX: u32 = 11;
const COPY_MIN: u32 = 4;
const K: u64 = 0x9e3779b97f4a7c15;

/** By hash of the value: u32 offset of its sample in the record, u32 the sample's number + 1. */
let byValue: usize = 0;
/** Room that compressSamples needs. */
export function compressedSamplesBound(count: u32): usize {
  return 64 + <usize>count * SAMPLE_MAX;
}

export let compressedAt: usize = 0;
/** Length of the record that was compressed. */
export let recordLength: u32 = 0;

/** Bytes of a varint behind its first one. */
@inline function highBytes(high: u64): u32 {
  return high == 0 ? 0 : <u32>(63 - clz<u64>(high)) / 7 + 1;
}

@inline function refCode(refs: usize, i: u32, first: i64): u64 {
  return zigzag(<i64>load<u32>(refs + (<usize>i << 2)) - first);
}

/** Ends the literal that began at `tag`; returns where the next element goes. */
@inline function closed(tag: usize, o: usize): usize {
  if (o == tag + 1) return tag;
  store<u8>(tag, <u8>((o - tag - 2) << 2));
  return o;
}

@inline function putCopy(o: usize, distance: u32, length: u32): usize {
  if (length < 12 && distance < 2048) {
    store<u16>(o, <u16>(((distance >> 8) << 5) | ((length - 4) << 2) | 1 | ((distance & 0xff) << 8)));
    return o + 2;
  }
  store<u8>(o, <u8>((length - 1) << 2) | 2);
  store<u16>(o, <u16>distance, 1);
  return o + 3;
}

function clearTable(count: u32): u32 {
  if (byValue == 0) byValue = alloc(<usize>8 << TABLE_LOG2_MAX);
  const log2 = min(TABLE_LOG2_MAX, max<u32>(5, 32 - clz<u32>(count)));
  memory.fill(byValue, 0, <usize>8 << log2);
  return 64 - log2;
}

/**
 * Compresses samples from..to−1, all of time t0, to `block`, which has compressedSamplesBound(); the result is at
 * compressedAt. Returns its length.
 */
export function compressSamples(values: usize, refs: usize, t0: i64, from: u32, to: u32, block: usize): u32 {
  const shift = <u64>clearTable(to - from);
  const first = <i64>load<u32>(refs + (<usize>from << 2));
  let tag = block + LENGTH_MAX;
  let o = putHeader(tag + 1, first, t0);
  let offset = RECORD_HEADER;
  let zerosBefore: u32 = 0, // At the end of some sample,
    zerosEnd: u32 = 0; // where the record has this offset.
  for (let i = from; i < to; i++) {
    if (o - tag > LITERAL_ROOM) {
      tag = closed(tag, o);
      o = tag + 1;
    }
    const z = refCode(refs, i, first), high = z >> 7;
    const v = load<u64>(values + (<usize>i << 3));
    const behind = highBytes(high);
    const end = offset + behind + 10;
    const slot = byValue + (<usize>((v * K) >> shift) << 3);
    const found = load<u64>(slot);
    store<u64>(slot, (<u64>(i + 1) << 32) | offset);
    let isCopied = false;
    if (found) {
      const k = <u32>(found >> 32) - 1;
      if (load<u64>(values + (<usize>k << 3)) == v) {
        // The time and the value, and before them all of Δref but its first byte where that is the same.
        const candidate = refCode(refs, k, first) >> 7;
        const isHigh = candidate == high;
        const distance = offset - <u32>found + (isHigh ? 0 : behind - highBytes(candidate));
        if (distance < 0x10000) {
          if (isHigh) store<u8>(o++, behind > 0 ? <u8>z | 0x80 : <u8>z);
          else o = putUvarint(o, z);
          tag = putCopy(closed(tag, o), distance, isHigh ? behind + 9 : 9);
          o = tag + 1;
          isCopied = true;
        }
      }
    }
    const zeros: u32 = v == 0 ? 8 : <u32>ctz<u64>(v) >> 3;
    if (!isCopied) {
      o = putUvarint(o, z);
      store<u8>(o, 0);
      store<u64>(o, bswap<u64>(v), 1);
      o += 9;
      const run = min<u32>(zeros, zerosBefore);
      if (run >= COPY_MIN && end - zerosEnd < 0x10000) {
        tag = putCopy(closed(tag, o - run), end - zerosEnd, run);
        o = tag + 1;
      }
    }
    if (zeros >= COPY_MIN) {
      zerosBefore = zeros;
      zerosEnd = end;
    }
    offset = end;
  }
  o = closed(tag, o);
  recordLength = offset;
  putLengthBefore(block, offset);
  return <u32>(o - compressedAt);
}

function putHeader(at: usize, first: i64, t0: i64): usize {
  store<u8>(at, SAMPLES);
  store<u64>(at, bswap<u64>(<u64>first), 1);
  store<u64>(at, bswap<u64>(<u64>t0), 9);
  return at + RECORD_HEADER;
}

/** Puts the length of the record, a uvarint, right before the first element. */
function putLengthBefore(block: usize, length: u32): void {
  compressedAt = block + LENGTH_MAX - <usize>highBytes(<u64>length >> 7) - 1;
  putUvarint(compressedAt, length);
}
