// The tables by which inflate reads prefix codes: a table by the next bits of the stream, and smaller ones behind it for
// longer codes.
//
//     literal    bit 31          16..23 byte
//     match                      16..30 least length or distance
//     pointer    bits 15, 14     16..30 first entry of a smaller table      8..11 its bits
//     end        bits 15, 13
//     no code    bit 15
//
// Bits 0..5 of each are how many bits it takes, those of a number behind it, too; bits 8..11 of the others how many
// without that number.

export const LITERAL: u32 = 1 << 31;
/** None of literal and match. */
export const SPECIAL: u32 = 1 << 15;
export const POINTER: u32 = 1 << 14;
export const END: u32 = 1 << 13;

export const LITERAL_BITS: u32 = 11;
export const DISTANCE_BITS: u32 = 8;
export const PRECODE_BITS: u32 = 7;
/** The most entries that complete codes of up to 15 bits take: zlib's `enough 288 11 15`, `enough 32 8 15`. */
export const LITERAL_ENTRIES: u32 = 2342;
export const DISTANCE_ENTRIES: u32 = 402;
const LENGTH_MAX: u32 = 15;

export const LITERAL_SYMBOLS: u32 = 288;
export const DISTANCE_SYMBOLS: u32 = 32;
export const PRECODE_SYMBOLS: u32 = 19;

// What each symbol becomes, but for the length of its code.
const literalMeanings = memory.data(288 * 4, 16);
const distanceMeanings = memory.data(32 * 4, 16);
const precodeMeanings = memory.data(19 * 4, 16);
const counts = memory.data(16 * 4, 4);
const offsets = memory.data(16 * 4, 4);
const sorted = memory.data(288 * 2, 4);

export function initInflate(): void {
  for (let i: u32 = 0; i < 256; i++) setMeaning(literalMeanings, i, LITERAL | (i << 16));
  setMeaning(literalMeanings, 256, SPECIAL | END);
  let length: u32 = 3;
  for (let i: u32 = 257; i < 285; i++) {
    const extra: u32 = i < 265 ? 0 : (i - 261) >> 2;
    setMeaning(literalMeanings, i, (length << 16) | extra);
    length += 1 << extra;
  }
  setMeaning(literalMeanings, 285, 258 << 16);
  for (let i: u32 = 286; i < LITERAL_SYMBOLS; i++) setMeaning(literalMeanings, i, SPECIAL);
  let distance: u32 = 1;
  for (let i: u32 = 0; i < 30; i++) {
    const extra: u32 = i < 4 ? 0 : (i - 2) >> 1;
    setMeaning(distanceMeanings, i, (distance << 16) | extra);
    distance += 1 << extra;
  }
  for (let i: u32 = 30; i < DISTANCE_SYMBOLS; i++) setMeaning(distanceMeanings, i, SPECIAL);
  for (let i: u32 = 0; i < PRECODE_SYMBOLS; i++) setMeaning(precodeMeanings, i, i << 16);
}

@inline function setMeaning(meanings: usize, symbol: u32, meaning: u32): void {
  store<u32>(meanings + (<usize>symbol << 2), meaning);
}

/** `lengths`: a byte for each of n symbols. False if they are no code that zlib takes. */
export function buildLiterals(lengths: usize, n: u32, table: usize): bool {
  return build(lengths, n, literalMeanings, table, LITERAL_BITS, LITERAL_ENTRIES, false);
}

export function buildDistances(lengths: usize, n: u32, table: usize): bool {
  return build(lengths, n, distanceMeanings, table, DISTANCE_BITS, DISTANCE_ENTRIES, false);
}

export function buildPrecode(lengths: usize, table: usize): bool {
  return build(lengths, PRECODE_SYMBOLS, precodeMeanings, table, PRECODE_BITS, 1 << PRECODE_BITS, true);
}

function build(
  lengths: usize,
  n: u32,
  meanings: usize,
  table: usize,
  rootBits: u32,
  entriesMax: u32,
  mustBeComplete: bool,
): bool {
  const longest = sortSymbols(lengths, n);
  const left = unusedCodes();
  // As in zlib: only a single code of one bit, or none at all, may leave some out.
  if (left < 0 || (left > 0 && (mustBeComplete || longest > 1))) return false;
  if (left > 0) for (let i: u32 = 0; i < 1 << rootBits; i++) setEntry(table, i, SPECIAL | 1);
  const used = load<u32>(offsets, <usize>LENGTH_MAX << 2);
  const rootMask: u32 = (1 << rootBits) - 1;
  let code: u32 = 0; // Its first bit is the lowest, as in the stream.
  let prefix: u32 = 0xffffffff;
  let base: u32 = 0;
  let baseBits: u32 = 0;
  let next: u32 = 1 << rootBits;
  for (let i: u32 = 0; i < used; i++) {
    const symbol = <u32>load<u16>(sorted + (<usize>i << 1));
    const length = <u32>load<u8>(lengths + <usize>symbol);
    const meaning = load<u32>(meanings + (<usize>symbol << 2));
    if (length <= rootBits) {
      const entry = meaning + length + (length << 8);
      for (let at = code; at <= rootMask; at += 1 << length) setEntry(table, at, entry);
    } else {
      const rest = length - rootBits;
      if ((code & rootMask) != prefix) {
        prefix = code & rootMask;
        base = next;
        baseBits = smallTableBits(rest, rootBits, longest);
        next += 1 << baseBits;
        if (next > entriesMax) return false;
        setEntry(table, prefix, SPECIAL | POINTER | (base << 16) | (baseBits << 8) | rootBits);
      }
      const entry = meaning + rest + (rest << 8);
      for (let at = code >> rootBits; at < 1 << baseBits; at += 1 << rest) setEntry(table, base + at, entry);
    }
    useCode(length);
    code = nextCode(code, length);
  }
  return true;
}

@inline function setEntry(table: usize, at: u32, entry: u32): void {
  store<u32>(table + (<usize>at << 2), entry);
}

@inline function countOf(length: u32): u32 {
  return load<u32>(counts + (<usize>length << 2));
}

@inline function useCode(length: u32): void {
  store<u32>(counts + (<usize>length << 2), countOf(length) - 1);
}

/** By length of code, then by symbol. Returns the longest length; how many there are is at the end of `offsets`. */
function sortSymbols(lengths: usize, n: u32): u32 {
  memory.fill(counts, 0, 16 * 4);
  for (let i: u32 = 0; i < n; i++) {
    const count = counts + (<usize>load<u8>(lengths + <usize>i) << 2);
    store<u32>(count, load<u32>(count) + 1);
  }
  store<u32>(counts, 0);
  let sum: u32 = 0;
  let longest: u32 = 0;
  for (let length: u32 = 1; length <= LENGTH_MAX; length++) {
    store<u32>(offsets + (<usize>length << 2), sum);
    sum += countOf(length);
    if (countOf(length) > 0) longest = length;
  }
  for (let i: u32 = 0; i < n; i++) {
    const length = <usize>load<u8>(lengths + <usize>i);
    if (length == 0) continue;
    const offset = offsets + (length << 2);
    store<u16>(sorted + (<usize>load<u32>(offset) << 1), <u16>i);
    store<u32>(offset, load<u32>(offset) + 1);
  }
  return longest;
}

/** How many codes of the greatest length are nobody's; less than none if there are too many symbols. */
function unusedCodes(): i32 {
  let left: i32 = 1;
  for (let length: u32 = 1; length <= LENGTH_MAX; length++) {
    left = (left << 1) - <i32>countOf(length);
    if (left < 0) return left;
  }
  return left;
}

/** Bits of the smaller table that holds all codes with the prefix of one that has `rest` bits behind it. */
function smallTableBits(rest: u32, rootBits: u32, longest: u32): u32 {
  let bits = rest;
  let left = <i32>1 << bits;
  while (bits + rootBits < longest) {
    left -= <i32>countOf(bits + rootBits);
    if (left <= 0) break;
    bits++;
    left <<= 1;
  }
  return bits;
}

@inline function nextCode(code: u32, length: u32): u32 {
  let bit: u32 = 1 << (length - 1);
  while (code & bit) bit >>= 1;
  return bit == 0 ? 0 : (code & (bit - 1)) | bit;
}
