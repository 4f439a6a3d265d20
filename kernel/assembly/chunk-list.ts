// Hot: the chunks of a series as one run of bytes, put together once and taken apart once per series that a query reads.
//
// Chunk list: for each chunk a header of 24 bytes, little-endian (u32 bytes of data, u16 samples, u8 encoding, u8 0, f64
// first and f64 last time in ms), then the data. docs/format/series-stream.md.

import { crc32c } from './crc32c';
import { hasOpen, lastTimeAt, seriesAt } from './series';
import { putUvarint, zigzag } from './varint';
import { FIRST_SEGMENT, LAST_SEGMENT } from './xor-append';
import { decodeXor } from './xor-decode';

const HEADER: usize = 24;
const XOR: u32 = 1;

/** Bytes of one job of takeFrames. */
const JOB: usize = 16;

/** Of the second word of a job: the checksum is not looked at. */
const TRUSTED: u32 = 1 << 31;

/**
 * Copies the data of head-chunk frames to where they are wanted, each after a look at its checksum. A job is 4 u32: offset
 * of the frame in `window`, its bytes before the checksum | TRUSTED, where in it the data begin, and their destination; that
 * becomes 0 when the frame is damaged. Returns how many are.
 */
export function takeFrames(window: usize, jobs: usize, count: u32): u32 {
  let damaged: u32 = 0;
  for (let i: u32 = 0; i < count; i++, jobs += JOB) {
    const frame = window + <usize>load<u32>(jobs);
    const shape = load<u32>(jobs, 4);
    const body = <usize>(shape & ~TRUSTED);
    const data = <usize>load<u32>(jobs, 8);
    if (shape & TRUSTED || crc32c(0, frame, body) == bswap<u32>(load<u32>(frame + body))) {
      memory.copy(<usize>load<u32>(jobs, 12), frame + data, body - data);
    } else {
      store<u32>(jobs, 0, 12);
      damaged++;
    }
  }
  return damaged;
}

@inline function segmentOf(refs: usize, i: u32, link: usize): usize {
  const s = seriesAt(load<u32>(refs + (<usize>i << 2)));
  return s == 0 ? 0 : <usize>load<u32>(s + link);
}

/** Follows eight lists of segments side by side. The word at address 0 is 0: a list that is at its end stays there. */
function followLists(refs: usize, link: usize): usize {
  let a = segmentOf(refs, 0, link), b = segmentOf(refs, 1, link), c = segmentOf(refs, 2, link);
  let d = segmentOf(refs, 3, link), e = segmentOf(refs, 4, link), f = segmentOf(refs, 5, link);
  let g = segmentOf(refs, 6, link), h = segmentOf(refs, 7, link);
  let steps: usize = 0;
  while (a | b | c | d | e | f | g | h) {
    a = <usize>load<u32>(a);
    b = <usize>load<u32>(b);
    c = <usize>load<u32>(c);
    d = <usize>load<u32>(d);
    e = <usize>load<u32>(e);
    f = <usize>load<u32>(f);
    g = <usize>load<u32>(g);
    h = <usize>load<u32>(h);
    steps++;
  }
  return steps;
}

/**
 * Brings the open chunks of eight refs (0: none) into the caches, so that gathering one waits for memory no more: the
 * segments of a list lie anywhere, and each would be waited for alone. Lists are linked from their first or last segment.
 */
export function warmOpen(refs: usize): u32 {
  return <u32>(followLists(refs, FIRST_SEGMENT) + followLists(refs, LAST_SEGMENT));
}

/** Of one list of listLatest: a header, and at most 2 + 10 + 8 bytes of data. */
export const LATEST_BYTES: usize = 48;

/**
 * Writes for each ref a list, LATEST_BYTES apart, of one chunk with the newest sample of its series alone. It is empty (its
 * first word is 0) if the series has none in [minTime, maxTime] that is in an open chunk.
 */
export function listLatest(refs: usize, count: u32, minTime: f64, maxTime: f64, out: usize): void {
  for (let i: u32 = 0; i < count; i++, refs += 4, out += LATEST_BYTES) {
    store<u32>(out, 0);
    const s = seriesAt(load<u32>(refs));
    if (s == 0 || !hasOpen(s)) continue;
    const t = lastTimeAt(s);
    if (<f64>t < minTime || <f64>t > maxTime) continue;
    const data = out + HEADER;
    store<u16>(data, 0x0100); // One sample, big-endian.
    const value = putUvarint(data + 2, zigzag(t));
    store<u64>(value, bswap<u64>(load<u64>(s)));
    store<u32>(out, <u32>(value + 8 - data));
    store<u32>(out, 1 | (XOR << 16), 4);
    store<f64>(out, <f64>t, 8);
    store<f64>(out, <f64>t, 16);
  }
}

/** The samples that the headers of a list name; −1 if it is damaged, −2 if it has chunks of another encoding than XOR. */
export function chunkListSamples(list: usize, length: usize): i32 {
  const end = list + length;
  let samples: u32 = 0;
  while (list < end) {
    if (end - list < HEADER) return -1;
    const bytes = load<u32>(list);
    if (<usize>bytes > end - list - HEADER) return -1;
    // A sample is two bits at least: what claims to be more would be given memory for nothing.
    if (<u32>load<u16>(list, 4) > bytes << 2) return -1;
    if (<u32>load<u8>(list, 6) != XOR) return -2;
    samples += <u32>load<u16>(list, 4);
    list += HEADER + bytes;
  }
  return <i32>samples;
}

/** Decodes a list that chunkListSamples() takes, with room for so many. Returns their number, or −1 if a chunk is damaged. */
export function decodeChunkList(list: usize, length: usize, times: usize, values: usize): i32 {
  const end = list + length;
  let count: u32 = 0;
  while (list < end) {
    const bytes = load<u32>(list);
    const samples = <u32>load<u16>(list, 4);
    list += HEADER;
    const at = <usize>count << 3;
    if (decodeXor(list, bytes, times + at, values + at, samples) != <i32>samples) return -1;
    count += samples;
    list += bytes;
  }
  return <i32>count;
}
