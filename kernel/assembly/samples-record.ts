// Hot: samples records of the WAL, once per sample when written, replayed or carried into a checkpoint.
//
// Type 2, be64 first ref, be64 first time, then per sample varint Δref and varint Δtime, both to the first sample, and
// the value as be64. See docs/format/wal.md.

import { alloc, free } from './memory';
import { appendSample, flushSealed, rangeStartOf, seriesAt } from './series';
import { putUvarint, zigzag } from './varint';

const SAMPLES: u8 = 2;
const HEADER: usize = 17;
const SAMPLE_MAX: usize = 28;
const SAMPLE_MIN: usize = 10;

let record: usize = 0;
let recordCapacity: usize = 0;

export function recordAt(): usize {
  return record;
}

/** Encodes samples from..to−1 of three arrays at recordAt(); returns the record's length. Without `times`, all are of `time`. */
export function encodeSamples(times: usize, time: i64, values: usize, refs: usize, from: u32, to: u32): u32 {
  const most: usize = HEADER + <usize>(to - from) * SAMPLE_MAX;
  if (most > recordCapacity) {
    free(record, recordCapacity);
    recordCapacity = max(most, recordCapacity << 1);
    record = alloc(recordCapacity);
  }
  const ref0 = <i64>load<u32>(refs + (<usize>from << 2));
  const t0 = times ? load<i64>(times + (<usize>from << 3)) : time;
  store<u8>(record, SAMPLES);
  store<u64>(record, bswap<u64>(<u64>ref0), 1);
  store<u64>(record, bswap<u64>(<u64>t0), 9);
  let o = record + HEADER;
  for (let i = from; i < to; i++) {
    o = putUvarint(o, zigzag(<i64>load<u32>(refs + (<usize>i << 2)) - ref0));
    o = putUvarint(o, times ? zigzag(load<i64>(times + (<usize>i << 3)) - t0) : 0);
    store<u64>(o, bswap<u64>(load<u64>(values + (<usize>i << 3))));
    o += 8;
  }
  return <u32>(o - record);
}

// The samples of the record decoded last. A ref that is no u32 is stored as 0, which no series has.
let capacity: u32 = 0;
let times: usize = 0;
let values: usize = 0;
export let decodedRefs: usize = 0;

function reserve(count: u32): void {
  if (count <= capacity) return;
  free(times, <usize>capacity << 3);
  free(values, <usize>capacity << 3);
  free(decodedRefs, <usize>capacity << 2);
  capacity = max(max(count, capacity << 1), 4096);
  times = alloc(<usize>capacity << 3);
  values = alloc(<usize>capacity << 3);
  decodedRefs = alloc(<usize>capacity << 2);
}

let cursor: usize = 0;

@inline function varint(end: usize): i64 {
  let z: u64 = 0;
  for (let shift: u64 = 0; cursor < end && shift < 70; shift += 7) {
    const b = <u64>load<u8>(cursor++);
    z |= (b & 127) << shift;
    if (b < 128) break;
  }
  return <i64>(z >> 1) ^ -(<i64>(z & 1));
}

/** Decodes a samples record of n bytes; returns how many samples it has, or −1 if it is malformed. */
export function decodeSamples(at: usize, n: usize): i32 {
  if (n < HEADER || load<u8>(at) != SAMPLES) return -1;
  reserve(<u32>((n - HEADER) / SAMPLE_MIN));
  const ref0 = <i64>bswap<u64>(load<u64>(at, 1)), t0 = <i64>bswap<u64>(load<u64>(at, 9));
  const end = at + n;
  cursor = at + HEADER;
  let count: u32 = 0;
  for (; cursor < end; count++) {
    const ref = ref0 + varint(end);
    const t = t0 + varint(end);
    if (cursor + 8 > end) return -1;
    store<u32>(decodedRefs + (<usize>count << 2), ref < 0 || ref > 0xffffffff ? 0 : <u32>ref);
    store<i64>(times + (<usize>count << 3), t);
    store<u64>(values + (<usize>count << 3), bswap<u64>(load<u64>(cursor)));
    cursor += 8;
  }
  return <i32>count;
}

export let replayMin: f64 = 0;
export let replayMax: f64 = 0;
export let replayUnknown: u32 = 0;

/**
 * Appends the decoded samples that are newer than their series and not older than minValid; returns how many. Leaves
 * their times in replayMin and replayMax, and the number of samples of unknown series in replayUnknown.
 */
export function replayDecoded(count: u32, minValid: f64, blockRange: f64): u32 {
  let applied: u32 = 0, unknown: u32 = 0;
  let tMin: i64 = i64.MAX_VALUE, tMax: i64 = i64.MIN_VALUE;
  for (let i: u32 = 0; i < count; i++) {
    const ref = load<u32>(decodedRefs + (<usize>i << 2));
    const t = load<i64>(times + (<usize>i << 3));
    const s = seriesAt(ref);
    if (s == 0) {
      unknown++;
      continue;
    }
    if (t <= load<i64>(s, 8) || t < <i64>minValid) continue;
    appendSample(s, ref, t, load<u64>(values + (<usize>i << 3)), rangeStartOf(t, <i64>blockRange));
    if (t < tMin) tMin = t;
    if (t > tMax) tMax = t;
    applied++;
  }
  flushSealed();
  replayMin = <f64>tMin;
  replayMax = <f64>tMax;
  replayUnknown = unknown;
  return applied;
}

/** Keeps, of the decoded samples, those of live series at or after minTime; returns how many. */
export function keepDecoded(count: u32, minTime: f64): u32 {
  let kept: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const ref = load<u32>(decodedRefs + (<usize>i << 2));
    const t = load<i64>(times + (<usize>i << 3));
    if (t < <i64>minTime || seriesAt(ref) == 0) continue;
    store<u32>(decodedRefs + (<usize>kept << 2), ref);
    store<i64>(times + (<usize>kept << 3), t);
    store<u64>(values + (<usize>kept << 3), load<u64>(values + (<usize>i << 3)));
    kept++;
  }
  return kept;
}

/** Encodes the first `count` decoded samples at recordAt(). */
export function encodeKept(count: u32): u32 {
  return encodeSamples(times, 0, values, decodedRefs, 0, count);
}
