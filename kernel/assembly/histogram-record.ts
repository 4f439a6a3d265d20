// Hot: WAL records of native histograms with whole counts, once per ingested sample. See docs/format/wal.md.
//
// Type, be64 first ref, be64 first time, then per sample varint Δref and varint Δtime, both to the first sample, the hint,
// schema and zero threshold, zero count, count, sum, the spans, and the buckets of each sign as differences to the one before.

import { rowAt } from './histogram-append';
import { alloc, capacityOf, free } from './memory';
import { putUvarint, zigzag } from './varint';
import { frameRecord } from './wal-frame';

const HISTOGRAMS: u8 = 7;
const HEADER: usize = 17;
const VARINT_MAX: usize = 10;
/** Ref, time, hint, both counts, sum, and how many buckets of each sign. */
const SAMPLE_MAX: usize = 6 * VARINT_MAX + 1 + 8;

let record: usize = 0;
let recordBytes: usize = 0;
/** Where the next sample goes. */
let used: usize = 0;
let layout: usize = 0;
let layoutCapacity: usize = 0;
let firstRef: i64 = 0;
let firstTime: i64 = 0;

/** Where the layout of a sample is to be put: schema and threshold, then spans, as the record has them. Valid until the next call. */
export function recordLayout(bytes: u32): usize {
  if (<usize>bytes > layoutCapacity) {
    free(layout, layoutCapacity);
    layoutCapacity = capacityOf(bytes);
    layout = alloc(layoutCapacity);
  }
  return layout;
}

function reserve(bytes: usize): void {
  if (bytes <= recordBytes) return;
  const capacity = capacityOf(max(bytes, recordBytes << 1));
  const larger = alloc(capacity);
  memory.copy(larger, record, used);
  free(record, recordBytes);
  record = larger;
  recordBytes = capacity;
}

export function clearHistogramRecord(): void {
  used = 0;
}

/**
 * Adds the sample in the row, which is no stale marker; of the layout's bytes the first `split` are schema and threshold. The
 * caller bounds how many there are.
 */
export function recordHistogram(
  ref: u32,
  timeMs: f64,
  hint: u8,
  layoutBytes: u32,
  split: u32,
  columns: u32,
  positives: u32,
): void {
  reserve(used + HEADER + SAMPLE_MAX + <usize>layoutBytes + <usize>columns * VARINT_MAX);
  if (used == 0) begin(ref, timeMs);
  let to = putUvarint(record + used, zigzag(<i64>ref - firstRef));
  to = putUvarint(to, zigzag(<i64>timeMs - firstTime));
  store<u8>(to++, hint);
  memory.copy(to, layout, <usize>split);
  to += <usize>split;
  to = putUvarint(to, <u64>(<i64>load<f64>(rowAt(1))));
  to = putUvarint(to, <u64>(<i64>load<f64>(rowAt(0))));
  store<u64>(to, bswap<u64>(load<u64>(rowAt(1), 8)));
  to += 8;
  memory.copy(to, layout + <usize>split, <usize>(layoutBytes - split));
  to += <usize>(layoutBytes - split);
  to = putBuckets(to, 2, 2 + positives);
  to = putBuckets(to, 2 + positives, columns);
  used = to - record;
}

function begin(ref: u32, timeMs: f64): void {
  firstRef = <i64>ref;
  firstTime = <i64>timeMs;
  store<u8>(record, HISTOGRAMS);
  store<u64>(record, bswap<u64>(<u64>ref), 1);
  store<u64>(record, bswap<u64>(<u64>firstTime), 9);
  used = HEADER;
}

function putBuckets(at: usize, from: u32, to: u32): usize {
  let out = putUvarint(at, <u64>(to - from));
  let before: i64 = 0;
  for (let i = from; i < to; i++) {
    const value = <i64>load<f64>(rowAt(i));
    out = putUvarint(out, zigzag(value - before));
    before = value;
  }
  return out;
}

/** Adds the record to the frames, if it has a sample. */
export function frameHistogramRecord(pageOffset: u32): void {
  if (used > 0) frameRecord(record, <u32>used, pageOffset);
}
