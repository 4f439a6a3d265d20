// Hot: inflate (RFC 1951), once per byte of a compressed body. Takes and refuses what zlib does.
//
// A stream is read through a window of its bytes and written through one of what they become, in which the last 32 KiB
// stay. Whatever comes, it reads [from, to) only and writes less than INFLATE_SLACK bytes beyond the end of the room that
// it is given. A call goes on until that room or the input is used up. What is cut off at the end of the input, a code or
// the head of a block, is left there, to be given again with what follows.

import {
  buildDistances,
  buildLiterals,
  buildPrecode,
  DISTANCE_BITS,
  DISTANCE_ENTRIES,
  DISTANCE_SYMBOLS,
  END,
  LITERAL,
  LITERAL_BITS,
  LITERAL_ENTRIES,
  LITERAL_SYMBOLS,
  POINTER,
  PRECODE_BITS,
  SPECIAL,
} from './inflate-tables';

// State: 0 u32 phase   4 u32 bits at hand   8 u32 those bits   12 u32 left of a stored block   16 u32 last block
const HEAD: u32 = 0;
const STORED: u32 = 1;
const CODED: u32 = 2;
const DONE: u32 = 3;

const LITERALS: usize = 32;
const DISTANCES: usize = LITERALS + <usize>LITERAL_ENTRIES * 4;
export const INFLATE_STATE_BYTES: usize = DISTANCES + <usize>DISTANCE_ENTRIES * 4;

/** What a call may write beyond its room: three literals, a match, and what is too much of its copy. */
export const INFLATE_SLACK: usize = 384;
/** While this much is left, no look behind the end of the input is possible. */
const INPUT_MARGIN: usize = 24;

// Results of inflate().
export const INFLATE_FULL: i32 = 0;
export const INFLATE_STARVED: i32 = 1;
export const INFLATE_DONE: i32 = 2;
export const INFLATE_CORRUPT: i32 = -1;

/** Where the last call stopped. */
export let inflatedTo: usize = 0;
export let inflateReadTo: usize = 0;

const order = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);
const lengths = memory.data(320, 16);
const precode = memory.data(128 * 4, 16);

// The stream that is being read: bits that were taken from the input are in `bits`, the first one lowest.
let bits: u64 = 0;
let bitCount: u64 = 0;
let input: usize = 0;
let inputEnd: usize = 0;
let output: usize = 0;
let tables: usize = 0;

/** Begins a stream: at a byte's beginning. */
export function beginInflate(state: usize): void {
  memory.fill(state, 0, LITERALS);
}

/** Reads [from, to), and writes from `out` on, less than INFLATE_SLACK beyond `outEnd`. Its past begins at `past`. */
export function inflate(state: usize, from: usize, to: usize, past: usize, out: usize, outEnd: usize): i32 {
  input = from;
  inputEnd = to;
  output = out;
  tables = state;
  bitCount = <u64>load<u32>(state, 4);
  bits = <u64>load<u32>(state, 8);
  const result = run(past, outEnd);
  // Whole bytes go back, so that the rest of a byte is all that is kept.
  input -= <usize>(bitCount >> 3);
  bitCount &= 7;
  store<u32>(state, <u32>bitCount, 4);
  store<u32>(state, <u32>(bits & mask(bitCount)), 8);
  inflateReadTo = input;
  inflatedTo = output;
  return result;
}

function run(past: usize, outEnd: usize): i32 {
  while (true) {
    const phase = load<u32>(tables);
    let result: i32;
    if (phase == HEAD) {
      result = readHead();
      if (result == INFLATE_DONE) continue;
    } else if (phase == STORED) {
      result = copyStored(outEnd);
    } else if (phase == CODED) {
      result = readCodes(past, outEnd);
    } else {
      return INFLATE_DONE;
    }
    if (result != INFLATE_DONE) return result;
    store<u32>(tables, load<u32>(tables, 16) ? DONE : HEAD);
  }
}

@inline function mask(count: u64): u64 {
  return (<u64>1 << count) - 1;
}

/** Takes what fits, 56 bits at least unless the input ends. */
@inline function fill(): void {
  while (bitCount < 56 && input < inputEnd) {
    bits |= <u64>load<u8>(input++) << bitCount;
    bitCount += 8;
  }
}

@inline function take(count: u64): u32 {
  const value = <u32>(bits & mask(count));
  bits >>= count;
  bitCount -= count;
  return value;
}

/** All of a block's head, or nothing. INFLATE_DONE: the next phase is set. */
function readHead(): i32 {
  const bitsBefore = bits, countBefore = bitCount, inputBefore = input;
  const result = readHeadFrom();
  if (result == INFLATE_STARVED) {
    bits = bitsBefore;
    bitCount = countBefore;
    input = inputBefore;
  }
  return result;
}

function readHeadFrom(): i32 {
  fill();
  if (bitCount < 3) return INFLATE_STARVED;
  store<u32>(tables, take(1), 16);
  const kind = take(2);
  if (kind == 0) return readStoredHead();
  if (kind == 3) return INFLATE_CORRUPT;
  if (kind == 2) {
    const result = readCodeLengths();
    if (result != INFLATE_DONE) return result;
  } else {
    memory.fill(lengths, 8, 144);
    memory.fill(lengths + 144, 9, 112);
    memory.fill(lengths + 256, 7, 24);
    memory.fill(lengths + 280, 8, 8);
    buildLiterals(lengths, LITERAL_SYMBOLS, tables + LITERALS);
    memory.fill(lengths, 5, DISTANCE_SYMBOLS);
    buildDistances(lengths, DISTANCE_SYMBOLS, tables + DISTANCES);
  }
  store<u32>(tables, CODED);
  return INFLATE_DONE;
}

function readStoredHead(): i32 {
  take(bitCount & 7);
  fill();
  if (bitCount < 32) return INFLATE_STARVED;
  const length = take(16);
  if ((take(16) ^ 0xffff) != length) return INFLATE_CORRUPT;
  store<u32>(tables, length, 12);
  store<u32>(tables, STORED);
  return INFLATE_DONE;
}

function readCodeLengths(): i32 {
  fill();
  if (bitCount < 14) return INFLATE_STARVED;
  const literals = take(5) + 257, distances = take(5) + 1, codes = take(4) + 4;
  if (literals > 286 || distances > 30) return INFLATE_CORRUPT;
  memory.fill(lengths, 0, 19);
  for (let i: u32 = 0; i < codes; i++) {
    fill();
    if (bitCount < 3) return INFLATE_STARVED;
    store<u8>(lengths + <usize>load<u8>(order + <usize>i), <u8>take(3));
  }
  if (!buildPrecode(lengths, precode)) return INFLATE_CORRUPT;
  const result = readLengths(literals + distances);
  if (result != INFLATE_DONE) return result;
  // A block that nothing could end.
  if (load<u8>(lengths + 256) == 0) return INFLATE_CORRUPT;
  const good =
    buildLiterals(lengths, literals, tables + LITERALS) &&
    buildDistances(lengths + <usize>literals, distances, tables + DISTANCES);
  return good ? INFLATE_DONE : INFLATE_CORRUPT;
}

/** n lengths of codes, themselves coded, with repeats. */
function readLengths(n: u32): i32 {
  for (let i: u32 = 0; i < n;) {
    fill();
    const entry = load<u32>(precode + ((<usize>(bits & mask(PRECODE_BITS))) << 2));
    const symbol = entry >> 16;
    const length = <u64>(entry & 63);
    const extra: u64 = symbol < 16 ? 0 : symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
    if (bitCount < length + extra) return INFLATE_STARVED;
    take(length);
    if (symbol < 16) {
      store<u8>(lengths + <usize>i, <u8>symbol);
      i++;
      continue;
    }
    if (symbol == 16 && i == 0) return INFLATE_CORRUPT;
    const count = take(extra) + (symbol == 18 ? 11 : 3);
    if (count > n - i) return INFLATE_CORRUPT;
    const value = symbol == 16 ? load<u8>(lengths + <usize>i - 1) : 0;
    memory.fill(lengths + <usize>i, value, <usize>count);
    i += count;
  }
  return INFLATE_DONE;
}

function copyStored(outEnd: usize): i32 {
  // What fill() took beyond the head are whole bytes.
  input -= <usize>(bitCount >> 3);
  bitCount = 0;
  bits = 0;
  const left = <usize>load<u32>(tables, 12);
  const room = output < outEnd ? outEnd - output : 0;
  const length = min(left, min(inputEnd - input, room));
  memory.copy(output, input, length);
  input += length;
  output += length;
  store<u32>(tables, <u32>(left - length), 12);
  if (length == left) return INFLATE_DONE;
  return length == room ? INFLATE_FULL : INFLATE_STARVED;
}

function readCodes(past: usize, outEnd: usize): i32 {
  while (output < outEnd) {
    let result = INFLATE_STARVED;
    if (inputEnd - input >= INPUT_MARGIN) result = readFast(past, outEnd);
    if (result == INFLATE_STARVED) result = readOne(past);
    if (result != INFLATE_FULL) return result;
  }
  return INFLATE_FULL;
}

@inline function literalEntry(table: usize, next: u64): u32 {
  return load<u32>(table + (<usize>(next & mask(LITERAL_BITS)) << 2));
}

@inline function distanceEntry(table: usize, next: u64): u32 {
  return load<u32>(table + (<usize>(next & mask(DISTANCE_BITS)) << 2));
}

@inline function smallEntry(table: usize, pointer: u32, next: u64): u32 {
  const at = (pointer >> 16) + <u32>(next & mask(<u64>((pointer >> 8) & 15)));
  return load<u32>(table + (<usize>at << 2));
}

/** Least length or distance of an entry, and the number behind its code in `from`, which begins with that. */
@inline function amount(entry: u32, from: u64): u32 {
  return (entry >> 16) + <u32>((from & mask(<u64>entry)) >> <u64>((entry >> 8) & 15));
}

/** Writes up to 63 bytes more than `length`, of which 3 is the least. Most matches are shorter than 64. */
@inline function copyMatch(to: usize, distance: usize, length: usize): void {
  const end = to + length;
  let o = to, p = to - distance;
  if (distance >= 16) {
    v128.store(o, v128.load(p));
    v128.store(o, v128.load(p, 16), 16);
    v128.store(o, v128.load(p, 32), 32);
    v128.store(o, v128.load(p, 48), 48);
    for (o += 64, p += 64; o < end; o += 32, p += 32) {
      v128.store(o, v128.load(p));
      v128.store(o, v128.load(p, 16), 16);
    }
  } else if (distance == 1) {
    const same = i8x16.splat(load<u8>(p));
    for (; o < end; o += 16) v128.store(o, same);
  } else {
    // Each step repeats what the ones before have completed.
    const step = min(distance, 8);
    for (; o < end; o += step, p += step) store<u64>(o, load<u64>(p));
  }
}

/**
 * Codes as long as there is much of everything. INFLATE_FULL: a bound is near. The bits at hand are counted in the lowest
 * six bits of `n`; what stands above them is never looked at.
 */
function readFast(past: usize, outEnd: usize): i32 {
  const literals = tables + LITERALS, distances = tables + DISTANCES, last = inputEnd - INPUT_MARGIN;
  let b = bits, n = bitCount, p = input, o = output;
  let result: i32 = INFLATE_FULL;
  b |= load<u64>(p) << n;
  p += <usize>(7 - ((n >> 3) & 7));
  n |= 56;
  let entry = literalEntry(literals, b);
  while (true) {
    let before = b;
    b >>= <u64>entry;
    n -= <u64>entry;
    if (entry & LITERAL) {
      store<u8>(o++, <u8>(entry >> 16));
      entry = literalEntry(literals, b);
      before = b;
      b >>= <u64>entry;
      n -= <u64>entry;
      if (entry & LITERAL) {
        store<u8>(o++, <u8>(entry >> 16));
        entry = literalEntry(literals, b);
        before = b;
        b >>= <u64>entry;
        n -= <u64>entry;
      }
    }
    if (entry & SPECIAL) {
      if (entry & POINTER) {
        entry = smallEntry(literals, entry, b);
        before = b;
        b >>= <u64>entry;
        n -= <u64>entry;
      }
      if (entry & SPECIAL) {
        result = entry & END ? INFLATE_DONE : INFLATE_CORRUPT;
        break;
      }
    }
    // No more than 42 bits are gone: enough for a literal's table, not for a distance.
    b |= load<u64>(p) << n;
    p += <usize>(7 - ((n >> 3) & 7));
    n |= 56;
    if (entry & LITERAL) {
      store<u8>(o++, <u8>(entry >> 16));
      entry = literalEntry(literals, b);
    } else {
      const length = <usize>amount(entry, before);
      entry = distanceEntry(distances, b);
      if (entry & SPECIAL) {
        if (entry & POINTER) {
          b >>= <u64>entry;
          n -= <u64>entry;
          entry = smallEntry(distances, entry, b);
        }
        if (entry & SPECIAL) {
          result = INFLATE_CORRUPT;
          break;
        }
      }
      const distance = <usize>amount(entry, b);
      b >>= <u64>entry;
      n -= <u64>entry;
      if (distance > o - past) {
        result = INFLATE_CORRUPT;
        break;
      }
      b |= load<u64>(p) << n;
      p += <usize>(7 - ((n >> 3) & 7));
      n |= 56;
      entry = literalEntry(literals, b);
      copyMatch(o, distance, length);
      o += length;
    }
    if (p > last || o >= outEnd) break;
  }
  bitCount = n & 63;
  bits = b & mask(bitCount);
  input = p;
  output = o;
  return result;
}

/** One code, or nothing when the input ends within it. INFLATE_FULL: there may be more. */
function readOne(past: usize): i32 {
  const literals = tables + LITERALS, distances = tables + DISTANCES;
  fill();
  let b = bits, used: u64 = 0;
  let entry = literalEntry(literals, b);
  if (entry & POINTER) {
    used = <u64>(entry & 63);
    b >>= used;
    entry = smallEntry(literals, entry, b);
  }
  used += <u64>(entry & 63);
  if (used > bitCount) return INFLATE_STARVED;
  if (entry & LITERAL) {
    store<u8>(output++, <u8>(entry >> 16));
    take(used);
    return INFLATE_FULL;
  }
  if (entry & SPECIAL) {
    take(used);
    return entry & END ? INFLATE_DONE : INFLATE_CORRUPT;
  }
  const length = <usize>amount(entry, b);
  b >>= <u64>(entry & 63);
  entry = distanceEntry(distances, b);
  if (entry & POINTER) {
    used += <u64>(entry & 63);
    b >>= <u64>(entry & 63);
    entry = smallEntry(distances, entry, b);
  }
  used += <u64>(entry & 63);
  if (used > bitCount) return INFLATE_STARVED;
  take(used);
  const distance = <usize>amount(entry, b);
  if (entry & SPECIAL || distance > output - past) return INFLATE_CORRUPT;
  copyMatch(output, distance, length);
  output += length;
  return INFLATE_FULL;
}
