// Hot: the chunks of a series as one run of bytes, put together once and taken apart once per series that a query reads.
//
// Chunk list: for each chunk a header of 24 bytes, little-endian (u32 bytes of data, u16 samples, u8 encoding, u8 0, f64
// first and f64 last time in ms), then the data. docs/format/series-stream.md.

import { crc32c } from './crc32c';
import { hasOpen, lastTimeAt, openCount, seriesAt } from './series';
import { putUvarint, zigzag } from './varint';
import { CHUNK_BUFFER_BYTES, FIRST_SEGMENT, gather, LAST_SEGMENT, openMinTime, SAMPLES_MAX } from './xor-append';
import { decodeXor } from './xor-decode';
import { ENCODE_SLACK, encodedBytes, encodeXor } from './xor-encode';

const HEADER: usize = 24;
const XOR: u32 = 1;

/** Bytes of one job of takeFrames. */
const JOB: usize = 16;

/** Bytes of one job of copyAll. */
const COPY_JOB: usize = 12;

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

/** Copies bytes within the memory. A job is 3 u32: from, to, and how many. */
export function copyAll(jobs: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++, jobs += COPY_JOB)
    memory.copy(<usize>load<u32>(jobs, 4), <usize>load<u32>(jobs), <usize>load<u32>(jobs, 8));
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

// What listOpen() gives of an open chunk: all of it, or no more than the range needs.
const WHOLE: u32 = 0;
const NEWEST: u32 = 2;

/** A chunk of which less than a fourth is in the range is written anew; decoding it costs less than sending it. */
const WRITE_ANEW: f64 = 4;
const times = memory.data(<i32>(SAMPLES_MAX * 8), 8);
const values = memory.data(<i32>(SAMPLES_MAX * 8), 8);

/** What a list of listOpen takes at most, with what writing it needs behind its end. */
export const OPEN_LIST_BYTES: usize = HEADER + CHUNK_BUFFER_BYTES + ENCODE_SLACK;

/**
 * Writes the chunk lists of at most eight refs (0: none) of which all samples in [minTime, maxTime] are in open chunks, one
 * after the other; `ends` gets for each where it begins and ends, behind `out`, which are the same for those that have none
 * or others, too. Lists begin at multiples of eight. `extent`: 0 the whole chunk; 1 or 2: no more than the samples in the
 * range, or the newest of them alone, where that is less. Returns the bytes that all take.
 */
export function listOpen(
  refs: usize,
  count: u32,
  minTime: f64,
  maxTime: f64,
  extent: u32,
  out: usize,
  ends: usize,
): u32 {
  if (extent != NEWEST || anyNewer(refs, count, maxTime)) warmOpen(refs);
  let o = out;
  for (let i: u32 = 0; i < count; i++, refs += 4, ends += 8) {
    const length = listOf(seriesAt(load<u32>(refs)), minTime, maxTime, extent, o);
    store<u32>(ends, <u32>(o - out));
    store<u32>(ends, <u32>(o - out + length), 4);
    o += (length + 7) & ~7;
  }
  return <u32>(o - out);
}

function anyNewer(refs: usize, count: u32, time: f64): bool {
  for (let i: u32 = 0; i < count; i++) {
    const s = seriesAt(load<u32>(refs + (<usize>i << 2)));
    if (s != 0 && <f64>lastTimeAt(s) > time) return true;
  }
  return false;
}

/** Returns the bytes of the list; 0 if the series' samples of the range are not, or not all, in its open chunk. */
function listOf(s: usize, minTime: f64, maxTime: f64, extent: u32, out: usize): usize {
  if (s == 0 || !hasOpen(s)) return 0;
  const last = lastTimeAt(s);
  const end = <f64>last;
  if (end < minTime) return 0;
  if (extent == NEWEST && end <= maxTime) return listNewest(last, load<u64>(s), out);
  const start = <f64>openMinTime(s);
  if (start > minTime) return 0;
  const samples = openCount(s);
  const bytes = gather(s, out + HEADER);
  if (extent != WHOLE && (min(end, maxTime) - minTime) * WRITE_ANEW < end - start) {
    const length = listWithin(out + HEADER, bytes, samples, minTime, maxTime, out);
    if (length != 0) return length;
    gather(s, out + HEADER); // It may have been written over.
  }
  return putHeader(out, bytes, samples, start, end);
}

/** Writes the list of a series' open chunk; returns its bytes, 0 if that does not touch the range. */
export function listOpenChunk(ref: u32, minTime: f64, maxTime: f64, out: usize): u32 {
  const s = seriesAt(ref);
  if (s == 0 || !hasOpen(s)) return 0;
  const start = <f64>openMinTime(s), end = <f64>lastTimeAt(s);
  if (start > maxTime || end < minTime) return 0;
  return <u32>putHeader(out, gather(s, out + HEADER), openCount(s), start, end);
}

@inline function putHeader(out: usize, bytes: u32, samples: u32, start: f64, end: f64): usize {
  store<u32>(out, bytes);
  store<u32>(out, samples | (XOR << 16), 4);
  store<f64>(out, start, 8);
  store<f64>(out, end, 16);
  return HEADER + <usize>bytes;
}

/** Of one sample. */
function listNewest(time: i64, value: u64, out: usize): usize {
  const data = out + HEADER;
  store<u16>(data, 0x0100); // One sample, big-endian.
  const at = putUvarint(data + 2, zigzag(time));
  store<u64>(at, bswap<u64>(value));
  return putHeader(out, <u32>(at + 8 - data), 1, <f64>time, <f64>time);
}

/** Of the samples of a chunk in a range; 0 if there are none. The chunk may lie where the list goes. */
function listWithin(chunk: usize, bytes: u32, samples: u32, minTime: f64, maxTime: f64, out: usize): usize {
  if (decodeXor(chunk, bytes, times, values, SAMPLES_MAX) != <i32>samples) return 0;
  let from: usize = 0;
  let to = <usize>samples << 3;
  while (from < to && load<f64>(times + from) < minTime) from += 8;
  while (to > from && load<f64>(times + to - 8) > maxTime) to -= 8;
  if (from == to) return 0;
  const count = <u32>((to - from) >> 3);
  if (encodeXor(times + from, values + from, count, count, bytes, out + HEADER) != count) return 0;
  return putHeader(out, encodedBytes, count, load<f64>(times + from), load<f64>(times + to - 8));
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
