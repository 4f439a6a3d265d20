// Hot: transactions, once per ingested sample when staged and once when applied.
//
// A stage holds the samples of one open appender. A series remembers the newest sample staged for it
// (stage << 24 | index + 1), so that a second line of the same series within a scrape is found at once. When two
// stages are open, only the last one is remembered; apply() checks again and drops what came too late.

import { alloc, free } from './memory';
import { encodeSamples, recordAt } from './samples-record';
import { appendSample, flushSealed, rangeStartOf, seriesAt } from './series';
import { frameRecord, frameSamples } from './wal-frame';

const OK: u8 = 0,
  OUT_OF_ORDER: u8 = 1,
  DUPLICATE: u8 = 2,
  UNKNOWN_REF: u8 = 5;
const SAMPLES_MAX: u32 = 0xfffffe;

// Per stage: 0 u32 times, or 0 while all samples are of one, 4 u32 values, 8 u32 refs, 12 u32 count, 16 u32 capacity,
// 24 i64 time of the first sample.
const STAGE: usize = 32;
const stages = memory.data(256 * 32, 8);

// What stage() reads and writes: JavaScript fills refs and values, and reads codes.
let inputCapacity: u32 = 0;
export let inputRefs: usize = 0;
export let inputValues: usize = 0;
export let inputCodes: usize = 0;

export function reserveInput(count: u32): void {
  if (count <= inputCapacity) return;
  free(inputRefs, (<usize>inputCapacity) << 2);
  free(inputValues, (<usize>inputCapacity) << 3);
  free(inputCodes, <usize>inputCapacity);
  inputCapacity = max(max(count, inputCapacity << 1), 1024);
  inputRefs = alloc((<usize>inputCapacity) << 2);
  inputValues = alloc((<usize>inputCapacity) << 3);
  inputCodes = alloc(<usize>inputCapacity);
}

function reserve(stage: usize, count: u32): void {
  const capacity = load<u32>(stage, 16);
  if (count <= capacity) return;
  const larger = max(max(count, capacity << 1), 256);
  if (load<u32>(stage)) store<u32>(stage, moved(load<u32>(stage), capacity << 3, larger << 3));
  store<u32>(stage, moved(load<u32>(stage, 4), capacity << 3, larger << 3), 4);
  store<u32>(stage, moved(load<u32>(stage, 8), capacity << 2, larger << 2), 8);
  store<u32>(stage, larger, 16);
}

function moved(from: u32, oldBytes: u32, newBytes: u32): u32 {
  const to = alloc(<usize>newBytes);
  memory.copy(to, <usize>from, <usize>oldBytes);
  free(<usize>from, <usize>oldBytes);
  return <u32>to;
}

/** Gives each sample a time of its own: the one that comes has another one. */
function addTimes(stage: usize): void {
  const times = alloc(<usize>load<u32>(stage, 16) << 3);
  const time = load<i64>(stage, 24);
  for (let i: usize = 0, n = <usize>load<u32>(stage, 12); i < n; i++) store<i64>(times + (i << 3), time);
  store<u32>(stage, <u32>times);
}

/** Stages count samples of the input at time t; returns how many got the code OK, or −1 when the stage is full. */
export function stageInput(k: u32, count: u32, time: f64): i32 {
  const stage = stages + <usize>k * STAGE;
  let n = load<u32>(stage, 12);
  if (n + count > SAMPLES_MAX) return -1;
  reserve(stage, n + count);
  const t = <i64>time;
  if (n == 0) store<i64>(stage, t, 24);
  else if (load<u32>(stage) == 0 && t != load<i64>(stage, 24)) addTimes(stage);
  const times = <usize>load<u32>(stage),
    values = <usize>load<u32>(stage, 4),
    refs = <usize>load<u32>(stage, 8);
  let taken = 0;
  for (let i: u32 = 0; i < count; i++) {
    const ref = load<u32>(inputRefs + ((<usize>i) << 2));
    const v = load<u64>(inputValues + ((<usize>i) << 3));
    const s = seriesAt(ref);
    if (s == 0) {
      store<u8>(inputCodes + i, UNKNOWN_REF);
      continue;
    }
    const mark = load<u32>(s, 20);
    const own = mark >> 24 == k && mark != 0;
    const index = (<usize>((mark & 0xffffff) - 1)) << 3;
    const newest = own ? (times ? load<i64>(times + index) : t) : load<i64>(s, 8);
    if (t > newest) {
      const o = (<usize>n) << 3;
      if (times) store<i64>(times + o, t);
      store<u64>(values + o, v);
      store<u32>(refs + ((<usize>n) << 2), ref);
      n++;
      store<u32>(s, (k << 24) | n, 20);
    } else if (t < newest || v != (own ? load<u64>(values + index) : load<u64>(s))) {
      store<u8>(inputCodes + i, t < newest ? OUT_OF_ORDER : DUPLICATE);
      continue;
    }
    store<u8>(inputCodes + i, OK);
    taken++;
  }
  store<u32>(stage, n, 12);
  return taken;
}

export function stagedCount(k: u32): u32 {
  return load<u32>(stages + <usize>k * STAGE, 12);
}

/** Empties the stage without applying it. */
export function discardStage(k: u32): void {
  const stage = stages + <usize>k * STAGE;
  const n = load<u32>(stage, 12),
    refs = <usize>load<u32>(stage, 8);
  for (let i: u32 = 0; i < n; i++) {
    const s = seriesAt(load<u32>(refs + ((<usize>i) << 2)));
    if (s && load<u32>(s, 20) >> 24 == k) store<u32>(s, 0, 20);
  }
  release(stage);
}

function release(stage: usize): void {
  const capacity = load<u32>(stage, 16);
  free(<usize>load<u32>(stage), (<usize>capacity) << 3); // Which takes 0.
  free(<usize>load<u32>(stage, 4), (<usize>capacity) << 3);
  free(<usize>load<u32>(stage, 8), (<usize>capacity) << 2);
  memory.fill(stage, 0, STAGE);
}

/**
 * Appends what is staged to the open chunks and empties the stage; returns how many samples that were. What is no longer
 * newer than its series, or older than minValid, is left out.
 */
export function applyStage(k: u32, minValid: f64, blockRange: f64): u32 {
  const stage = stages + <usize>k * STAGE;
  const n = load<u32>(stage, 12);
  const times = <usize>load<u32>(stage),
    values = <usize>load<u32>(stage, 4),
    refs = <usize>load<u32>(stage, 8);
  const time = load<i64>(stage, 24);
  let applied: u32 = 0;
  let rangeStart: i64 = 0,
    rangeEnd: i64 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const ref = load<u32>(refs + ((<usize>i) << 2));
    const s = seriesAt(ref);
    if (s == 0) continue;
    if (load<u32>(s, 20) >> 24 == k) store<u32>(s, 0, 20);
    const t = times ? load<i64>(times + ((<usize>i) << 3)) : time;
    if (t <= load<i64>(s, 8) || t < <i64>minValid) continue;
    if (t < rangeStart || t >= rangeEnd) {
      rangeStart = rangeStartOf(t, <i64>blockRange);
      rangeEnd = rangeStart + <i64>blockRange;
    }
    appendSample(s, ref, t, load<u64>(values + ((<usize>i) << 3)), rangeStart);
    applied++;
  }
  flushSealed();
  release(stage);
  return applied;
}

/** Adds staged samples from..to−1 to the WAL frames, as one record. */
export function frameStaged(k: u32, from: u32, to: u32, pageOffset: u32): void {
  const stage = stages + <usize>k * STAGE;
  const times = <usize>load<u32>(stage),
    values = <usize>load<u32>(stage, 4),
    refs = <usize>load<u32>(stage, 8);
  const time = times ? load<i64>(times + (<usize>from << 3)) : load<i64>(stage, 24);
  let i = times ? from + 1 : to;
  while (i < to && load<i64>(times + (<usize>i << 3)) == time) i++;
  if (i == to && frameSamples(values, refs, time, from, to, pageOffset)) return;
  const length = encodeSamples(times, time, values, refs, from, to);
  frameRecord(recordAt(), length, pageOffset);
}
