// The series table of a head: slot → 64-byte struct (xor-append.ts), in slabs of 4096.
//
// A ref is slot | generation << 24. A slot is used again after its series left the head, with the next generation, so
// that a ref which somebody kept too long is known to be stale. Slot 0 is never used.

import { append, appendRepeat, dropOpen, gather, LIVE, mustCut, openMinTime, SERIES_BYTES } from './xor-append';
import { bump } from './memory';

const SLAB_LOG2: u32 = 12;
const SLOT_MASK: u32 = 0xffffff;
const IN_SLAB_MASK: u32 = (1 << SLAB_LOG2) - 1;
const slabs = memory.data(4096 * 4, 4);

/** Where the struct of a slot is, live or not; 0 if it never was. */
@inline export function slotAt(slot: u32): usize {
  const slab = <usize>load<u32>(slabs + (<usize>(slot >> SLAB_LOG2) << 2));
  return slab == 0 ? 0 : slab + <usize>(slot & IN_SLAB_MASK) * SERIES_BYTES;
}

/** The struct of a live series, or 0. */
@inline export function seriesAt(ref: u32): usize {
  const s = slotAt(ref & SLOT_MASK);
  if (s == 0 || !(load<u8>(s, 38) & LIVE) || <u32>load<u8>(s, 33) != ref >> 24) return 0;
  return s;
}

/** Makes `ref` a live series without samples. The caller owns the choice of slots and generations. */
export function createSeries(ref: u32): void {
  const slot = ref & SLOT_MASK;
  const slab = slabs + (<usize>(slot >> SLAB_LOG2) << 2);
  if (load<u32>(slab) == 0) store<u32>(slab, <u32>bump(SERIES_BYTES << SLAB_LOG2));
  const s = slotAt(slot);
  memory.fill(s, 0, SERIES_BYTES);
  store<i64>(s, i64.MIN_VALUE, 8);
  store<u8>(s, <u8>(ref >> 24), 33);
  store<u8>(s, LIVE, 38);
}

export function deleteSeries(ref: u32): void {
  const s = seriesAt(ref);
  if (s == 0) return;
  dropOpen(s);
  store<u8>(s, 0, 38);
}

/** Whether the series has neither an open chunk nor a sample in an open transaction. */
export function isIdle(ref: u32): bool {
  const s = seriesAt(ref);
  return s != 0 && load<u8>(s, 34) == 0 && load<u32>(s, 20) == 0;
}

/** Samples in the open chunk of a live series, which has its newest one unless they are none. */
@inline export function openCount(s: usize): u32 {
  return load<u8>(s, 34);
}

@inline export function hasOpen(s: usize): bool {
  return openCount(s) != 0;
}

/** Time of the newest sample of a live series. */
@inline export function lastTimeAt(s: usize): i64 {
  return load<i64>(s, 8);
}

/** Samples in the open chunk; 0 for an unknown ref too. */
export function openSamples(ref: u32): u32 {
  const s = seriesAt(ref);
  return s == 0 ? 0 : openCount(s);
}

/** Whether the open chunk of a series, if it has one, is longer than what its struct holds. */
export function hasSegments(ref: u32): bool {
  const s = seriesAt(ref);
  return s != 0 && load<u8>(s, 39) != 0;
}

export function openMin(ref: u32): f64 {
  return <f64>openMinTime(seriesAt(ref));
}

/** Time of the newest sample, open or sealed; −2^63 if there was none. */
export function lastTime(ref: u32): f64 {
  return <f64>lastTimeAt(seriesAt(ref));
}

export function lastIsStale(ref: u32): bool {
  return load<u64>(seriesAt(ref)) == 0x7ff0000000000002;
}

export function gatherOpen(ref: u32, out: usize): u32 {
  const s = seriesAt(ref);
  return s == 0 ? 0 : gather(s, out);
}

export function dropOpenChunk(ref: u32): void {
  const s = seriesAt(ref);
  if (s) dropOpen(s);
}

@external("env", "sealed")
declare function sealed(records: usize, length: u32): void;

// Sealed chunks wait here for JavaScript: u32 ref, u32 samples, f64 min, f64 max, u32 bytes, u32 0, data padded to 8.
const SEALED_HEADER: usize = 32;
const SEALED_BUFFER: usize = 256 << 10;
let sealedAt: usize = 0;
let sealedBytes: usize = 0;

export function flushSealed(): void {
  if (sealedBytes == 0) return;
  const n = <u32>sealedBytes;
  sealedBytes = 0;
  sealed(sealedAt, n);
}

function seal(s: usize, ref: u32): void {
  if (sealedAt == 0) sealedAt = bump(SEALED_BUFFER + 4096);
  if (sealedBytes >= SEALED_BUFFER) flushSealed();
  const o = sealedAt + sealedBytes;
  store<u32>(o, ref);
  store<u32>(o, load<u8>(s, 34), 4);
  store<f64>(o, <f64>openMinTime(s), 8);
  store<f64>(o, <f64>load<i64>(s, 8), 16);
  const n = gather(s, o + SEALED_HEADER);
  store<u64>(o, n, 24);
  sealedBytes += SEALED_HEADER + <usize>((n + 7) & ~7);
  dropOpen(s);
}

/** Takes note of a newer sample that is kept elsewhere; ends the open chunk. Its value equals no float that comes. */
export function noteSample(ref: u32, time: f64, isStale: bool): void {
  const s = seriesAt(ref);
  if (s == 0) return;
  if (load<u8>(s, 34)) seal(s, ref);
  flushSealed();
  store<u64>(s, isStale ? 0x7ff0000000000002 : 0xfff8_5eed_0000_0001);
  store<i64>(s, <i64>time, 8);
}

/** Seals the open chunk of a series, if there is one. */
export function sealOpen(ref: u32): void {
  const s = seriesAt(ref);
  if (s && load<u8>(s, 34)) seal(s, ref);
}

/** The multiple of `range` at or below t. */
@inline export function rangeStartOf(t: i64, range: i64): i64 {
  const r = t % range;
  return r < 0 ? t - r - range : t - r;
}

/** Appends to a live series. Chunks end where a multiple of the block duration, rangeStart, begins. */
@inline export function appendSample(s: usize, ref: u32, t: i64, v: u64, rangeStart: i64): void {
  if (appendRepeat(s, t, v, rangeStart)) return;
  if (mustCut(s, ref & SLOT_MASK, rangeStart)) seal(s, ref);
  append(s, t, v);
}
