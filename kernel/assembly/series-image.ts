// Series with their open chunks as bytes that do not depend on where they lie in memory: what a restart need not replay.
//
//     u32 ref   the 64 bytes of xor-append.ts, addresses and staged mark 0   24 bytes a segment, in order
//
// loadSeries refuses what append() and gather() could not handle: neither reads or writes outside of its buffers.

import { createSeries, seriesAt, slotAt } from './series';
import { copySegments, CHUNK_BUFFER_BYTES, LIVE, SERIES_BYTES, TAIL_BYTES, takeSegments } from './xor-append';

const RECORD_BYTES: usize = 4 + SERIES_BYTES;
/** Room that one series needs at most. */
export const IMAGE_BYTES_MAX: usize = RECORD_BYTES + 255 * TAIL_BYTES;

/** The slot after the last one that saveSeries looked at. */
export let savedTo: u32 = 0;

/** Writes the live series of slots from..to−1, as many as there is room for; returns the bytes. */
export function saveSeries(from: u32, to: u32, out: usize, room: usize): usize {
  let o = out;
  let slot = from;
  for (; slot < to && o + IMAGE_BYTES_MAX <= out + room; slot++) {
    const s = slotAt(slot);
    if (s == 0 || !(load<u8>(s, 38) & LIVE)) continue;
    store<u32>(o, slot | (<u32>load<u8>(s, 33) << 24));
    memory.copy(o + 4, s, SERIES_BYTES);
    clearAddresses(o + 4);
    o = copySegments(s, o + RECORD_BYTES);
  }
  savedTo = slot;
  return o - out;
}

@inline function clearAddresses(s: usize): void {
  store<u32>(s, 0, 20);
  store<u64>(s, 0, 24);
}

/** Whether the struct is one that append() could have left. */
function isSound(s: usize, ref: u32): bool {
  const samples = load<u8>(s, 34), repeats = <usize>load<u8>(s, 35);
  const lead = <u32>load<u8>(s, 36), trail = <u32>load<u8>(s, 37), segments = <usize>load<u8>(s, 39);
  if (!(load<u8>(s, 38) & LIVE) || <u32>load<u8>(s, 33) != ref >> 24 || (ref & 0xffffff) == 0) return false;
  if (samples == 0) return load<u8>(s, 32) == 0 && repeats == 0 && segments == 0;
  if (load<u8>(s, 32) > 192 || repeats >= <usize>samples) return false;
  if ((segments + 1) * TAIL_BYTES + (repeats >> 2) + 1 > CHUNK_BUFFER_BYTES) return false;
  return lead == 0xff || (lead <= 31 && lead + trail < 64);
}

/** Makes the series of an image; false, with some of them made, if it is malformed. */
export function loadSeries(at: usize, length: usize): bool {
  const end = at + length;
  let p = at;
  while (p < end) {
    if (end - p < RECORD_BYTES) return false;
    const ref = load<u32>(p), image = p + 4;
    if (!isSound(image, ref) || seriesAt(ref) != 0) return false;
    p += RECORD_BYTES;
    const bytes = <usize>load<u8>(image, 39) * TAIL_BYTES;
    if (end - p < bytes) return false;
    createSeries(ref);
    const s = seriesAt(ref);
    memory.copy(s, image, SERIES_BYTES);
    clearAddresses(s);
    takeSegments(s, p);
    p += bytes;
  }
  return true;
}
