// Hot: snappy's block format, once per WAL record, both ways.
//
// A block is the uvarint length of its content, then literals and copies. The compressor works on fragments of 64 KiB,
// as Google's does, so that a match is never further back than 16 bits tell. The decompressor trusts nothing: it reads
// only [src, src + n) and writes only [dst, dst + room + SLACK).

import { bump } from './memory';
import { putUvarint } from './varint';

const FRAGMENT: usize = 64 << 10;
const TABLE_LOG2_MAX: u32 = 14;
/** Inputs shorter than this are one literal; the last bytes of a fragment are too, so that loads stay inside. */
const MARGIN: usize = 15;
/** How far beyond the promised length the decompressor may write: copies go in steps of 16 bytes. */
export const SNAPPY_SLACK: usize = 32;

let table: usize = 0;

/** The most bytes that n bytes become. */
export function snappyBound(n: u32): u32 {
  return 32 + n + n / 6;
}

@inline function hashAt(p: usize, shift: u32): usize {
  return <usize>((load<u32>(p) * 0x1e35a7bd) >> shift) << 1;
}

function putLiteral(at: usize, from: usize, length: usize): usize {
  let o = at;
  const n = <u32>length - 1;
  if (n < 16) {
    // Most are short: one store of 16 bytes, of which what is too much is overwritten. snappyBound has room for it.
    store<u8>(o, <u8>(n << 2));
    v128.store(o + 1, v128.load(from));
    return o + 1 + length;
  }
  if (n < 60) {
    store<u8>(o++, <u8>(n << 2));
  } else if (n < 256) {
    store<u8>(o, 60 << 2);
    store<u8>(o, <u8>n, 1);
    o += 2;
  } else {
    store<u8>(o, 61 << 2);
    store<u16>(o, <u16>n, 1);
    o += 3;
  }
  memory.copy(o, from, length);
  return o + length;
}

@inline function putCopy(at: usize, distance: u32, length: u32): usize {
  if (length < 12 && distance < 2048) {
    store<u16>(at, <u16>(((distance >> 8) << 5) | ((length - 4) << 2) | 1 | ((distance & 0xff) << 8)));
    return at + 2;
  }
  if (length <= 64) {
    store<u8>(at, <u8>((length - 1) << 2) | 2);
    store<u16>(at, <u16>distance, 1);
    return at + 3;
  }
  return putLongCopy(at, distance, length);
}

function putLongCopy(at: usize, distance: u32, bytes: u32): usize {
  let o = at,
    length = bytes;
  // A copy is 64 bytes at most; what is left over must stay at least 4, the least that the short form holds.
  for (; length >= 68; length -= 64) {
    store<u8>(o, (63 << 2) | 2);
    store<u16>(o, <u16>distance, 1);
    o += 3;
  }
  if (length > 64) {
    store<u8>(o, (59 << 2) | 2);
    store<u16>(o, <u16>distance, 1);
    o += 3;
    length -= 60;
  }
  if (length >= 12 || distance >= 2048) {
    store<u8>(o, <u8>((length - 1) << 2) | 2);
    store<u16>(o, <u16>distance, 1);
    return o + 3;
  }
  store<u8>(o, <u8>((distance >> 8) << 5) | <u8>((length - 4) << 2) | 1);
  store<u8>(o, <u8>distance, 1);
  return o + 2;
}

/** How many bytes from a and b on are equal, up to end (of b, which is behind a). */
@inline function matchLength(a: usize, b: usize, end: usize): u32 {
  let p = a,
    q = b;
  for (; q + 8 <= end; q += 8, p += 8) {
    const x = load<u64>(p) ^ load<u64>(q);
    if (x != 0) return <u32>(q - b) + (<u32>ctz(x) >> 3);
  }
  for (; q < end && load<u8>(p) == load<u8>(q); q++) p++;
  return <u32>(q - b);
}

function putFragment(at: usize, from: usize, n: usize): usize {
  const end = from + n;
  let o = at,
    literal = from;
  if (n > MARGIN) {
    let log2: u32 = 8;
    while (log2 < TABLE_LOG2_MAX && (<usize>1 << log2) < n) log2++;
    const shift = 32 - log2;
    memory.fill(table, 0, <usize>2 << log2);
    const limit = end - MARGIN;
    let p = from + 1,
      skip: usize = 32;
    while (p < limit) {
      const slot = table + hashAt(p, shift);
      const candidate = from + <usize>load<u16>(slot);
      store<u16>(slot, <u16>(p - from));
      if (load<u32>(candidate) != load<u32>(p)) {
        p += skip >> 5;
        skip++;
        continue;
      }
      if (p > literal) o = putLiteral(o, literal, p - literal);
      const length = matchLength(candidate, p, end);
      o = putCopy(o, <u32>(p - candidate), length);
      p += <usize>length;
      literal = p;
      skip = 32;
      if (p < limit) store<u16>(table + hashAt(p - 1, shift), <u16>(p - 1 - from));
    }
  }
  return literal < end ? putLiteral(o, literal, end - literal) : o;
}

/** Compresses n bytes to dst, which has room for snappyBound(n); returns the length. */
export function snappyCompress(src: usize, n: u32, dst: usize): u32 {
  if (table == 0) table = bump(<usize>2 << TABLE_LOG2_MAX);
  let o = putUvarint(dst, n);
  const end = src + <usize>n;
  for (let p = src; p < end; p += FRAGMENT) o = putFragment(o, p, min(FRAGMENT, end - p));
  return <u32>(o - dst);
}

let header: usize = 0;

/** The content's length that a block promises; −1 if it promises none that it could keep. */
export function snappyLength(src: usize, n: u32): i32 {
  let length: u64 = 0;
  for (let i: u32 = 0; i < 5 && i < n; i++) {
    const b = load<u8>(src + <usize>i);
    length |= <u64>(b & 0x7f) << <u64>(7 * i);
    if (b < 0x80) {
      header = <usize>i + 1;
      // No element turns one byte into more than 64: a longer promise is a lie that would only cost memory.
      return length > <u64>n * 64 || length > 0x7fffffff ? -1 : <i32>length;
    }
  }
  return -1;
}

@inline function copyOver(from: usize, to: usize, n: usize): void {
  let p = from,
    o = to;
  for (const end = to + n; o < end; o += 16, p += 16) v128.store(o, v128.load(p));
}

/** Uncompresses a whole block to dst, which has `room` bytes and SLACK; returns the length, −1 if it is damaged. */
export function snappyUncompress(src: usize, n: u32, dst: usize, room: u32): i32 {
  const promised = snappyLength(src, n);
  if (promised < 0 || <u32>promised > room) return -1;
  const end = src + <usize>n,
    full = dst + <usize>promised;
  let p = src + header,
    o = dst;
  while (p < end) {
    const tag = <usize>load<u8>(p++);
    let length: usize, distance: usize;
    if ((tag & 3) == 0) {
      length = tag >> 2;
      if (length >= 60) {
        const bytes = length - 59;
        if (end - p < bytes) return -1;
        length = 0;
        for (let i: usize = 0; i < bytes; i++) length |= <usize>load<u8>(p + i) << (8 * i);
        p += bytes;
        if (length > 0x7ffffffe) return -1;
      }
      length++;
      if (length > end - p || length > full - o) return -1;
      if (length <= 16 && end - p >= 16) v128.store(o, v128.load(p));
      else memory.copy(o, p, length);
      p += length;
      o += length;
      continue;
    }
    if ((tag & 3) == 1) {
      if (end - p < 1) return -1;
      length = ((tag >> 2) & 7) + 4;
      distance = ((tag >> 5) << 8) | <usize>load<u8>(p++);
    } else if ((tag & 3) == 2) {
      if (end - p < 2) return -1;
      length = (tag >> 2) + 1;
      distance = <usize>load<u16>(p);
      p += 2;
    } else {
      if (end - p < 4) return -1;
      length = (tag >> 2) + 1;
      distance = <usize>load<u32>(p);
      p += 4;
    }
    if (distance == 0 || distance > o - dst || length > full - o) return -1;
    if (distance >= 16) copyOver(o - distance, o, length);
    else for (let i: usize = 0; i < length; i++) store<u8>(o + i, load<u8>(o + i - distance));
    o += length;
  }
  return o == full ? promised : -1;
}
