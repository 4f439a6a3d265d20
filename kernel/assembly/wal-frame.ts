// Puts WAL records into pages: a page of 32 KiB holds fragments, each with a 7-byte header. See docs/format/wal.md.

import { alloc, free } from './memory';
import { crc32c } from './crc32c';
import { compressedAt, compressedSamplesBound, compressSamples, recordLength } from './samples-compress';
import { snappyBound, snappyCompress } from './snappy';

const PAGE: u32 = 32 << 10;
const HEADER: u32 = 7;
const FULL: u32 = 1,
  FIRST: u32 = 2,
  MIDDLE: u32 = 3,
  LAST: u32 = 4,
  SNAPPY: u32 = 8;

let frames: usize = 0;
let framesCapacity: usize = 0;
let framesBytes: usize = 0;
let compressing: bool = false;
let block: usize = 0;
let blockCapacity: usize = 0;

export function framesAt(): usize {
  return frames;
}

export function framesLength(): usize {
  return framesBytes;
}

/** Starts a new run of frames; with `compress`, records that snappy makes smaller are written so. */
export function clearFrames(compress: bool): void {
  framesBytes = 0;
  compressing = compress;
}

function reserve(bytes: usize): void {
  if (bytes <= framesCapacity) return;
  const larger = max(bytes, max(framesCapacity << 1, 128 << 10));
  const to = alloc(larger);
  memory.copy(to, frames, framesBytes);
  free(frames, framesCapacity);
  frames = to;
  framesCapacity = larger;
}

/**
 * Appends a record (n ≥ 0 bytes) to the frames, which will lie at `pageOffset` (0..PAGE−1) of a page plus what they hold
 * already.
 */
export function frameRecord(record: usize, n: u32, pageOffset: u32): void {
  if (compressing && n > 0) {
    reserveBlock(<usize>snappyBound(n));
    const size = snappyCompress(record, n, block);
    if (size < n) return framePart(block, size, pageOffset, SNAPPY);
  }
  framePart(record, n, pageOffset, 0);
}

function reserveBlock(bytes: usize): void {
  if (bytes <= blockCapacity) return;
  free(block, blockCapacity);
  blockCapacity = max<usize>(bytes, blockCapacity << 1);
  block = alloc(blockCapacity);
}

/**
 * Appends samples from..to−1, all of one time, as a samples record. False if that would not be smaller than an
 * uncompressed one, or none is wanted compressed: then nothing is done.
 */
export function frameSamples(values: usize, refs: usize, time: i64, from: u32, to: u32, pageOffset: u32): bool {
  if (!compressing) return false;
  reserveBlock(compressedSamplesBound(to - from));
  const size = compressSamples(values, refs, time, from, to, block);
  if (size >= recordLength) return false;
  framePart(compressedAt, size, pageOffset, SNAPPY);
  return true;
}

/** `flags` are or-ed to each fragment's type. */
function framePart(record: usize, n: u32, pageOffset: u32, flags: u32): void {
  reserve(framesBytes + <usize>n + <usize>((n / (PAGE - HEADER) + 2) * (2 * HEADER)));
  let from = record,
    left = n,
    first = true;
  while (true) {
    let used = (pageOffset + <u32>framesBytes) % PAGE;
    if (PAGE - used <= HEADER) {
      memory.fill(frames + framesBytes, 0, PAGE - used);
      framesBytes += PAGE - used;
      used = 0;
    }
    const size = min(left, PAGE - used - HEADER);
    const last = size == left;
    fragment(from, size, (first ? (last ? FULL : FIRST) : last ? LAST : MIDDLE) | flags);
    if (last) return;
    from += size;
    left -= size;
    first = false;
  }
}

function fragment(from: usize, size: u32, type: u32): void {
  const o = frames + framesBytes;
  store<u8>(o, <u8>type);
  store<u16>(o, bswap<u16>(<u16>size), 1);
  store<u32>(o, bswap<u32>(crc32c(0, from, size)), 3);
  memory.copy(o + HEADER, from, size);
  framesBytes += HEADER + size;
}
