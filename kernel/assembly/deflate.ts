// Hot: deflate with a fixed set of prefix codes, by a writer that knows itself what repeats and what does not.
//
// A block lasts for a whole answer, or until what is written changes its nature. Codes come from JavaScript as tables; matches wait until the next piece shows
// whether they go on. The state of one stream is in globals between enterStream() and leaveStream().

/** No match is further back. */
export const DISTANCE_MAX: u32 = 32768;
const MATCH_MAX: u32 = 258;
const MATCH_MIN: u32 = 3;

/**
 * Tables of u32: 257 codes of literals and the end as `code | bits << 24`, then matches of 0..258, 30 distances, and 256 pairs of
 * literals by the low halves of their bytes, of which 15 stands for none: enough for digits, point and sign. Then, of
 * each four digits, their text and `codes | bits << 24`.
 */
export const CODE_TABLE_BYTES: usize = (257 + 259 + 30 + 256 + 2 * 10000) * 4;
const END: u32 = 256;
const LENGTHS: usize = 257 * 4;
const DISTANCES: usize = (257 + 259) * 4;
const PAIRS: usize = (257 + 259 + 30) * 4;
export const QUADS: usize = (257 + 259 + 30 + 256) * 4;
const ZERO: usize = 48;

let codes: usize = 0;
let out: usize = 0;
let bits: u64 = 0;
let bitCount: u64 = 0;
let matchLength: u32 = 0;
let matchDistance: u32 = 0;

/** What a stream keeps between calls: 32 bytes, its codes at 24. */
export function enterStream(stream: usize): void {
  out = <usize>load<u32>(stream);
  bitCount = <u64>load<u32>(stream, 4);
  bits = load<u64>(stream, 8);
  matchLength = load<u32>(stream, 16);
  matchDistance = load<u32>(stream, 20);
  codes = <usize>load<u32>(stream, 24);
}

export function leaveStream(stream: usize): void {
  store<u32>(stream, <u32>out);
  store<u32>(stream, <u32>bitCount, 4);
  store<u64>(stream, bits, 8);
  store<u32>(stream, matchLength, 16);
  store<u32>(stream, matchDistance, 20);
  store<u32>(stream, <u32>codes, 24);
}

@inline function put(code: u64, count: u64): void {
  bits |= code << bitCount;
  bitCount += count;
}

@inline function spill(): void {
  store<u64>(out, bits);
  out += <usize>(bitCount >> 3);
  bits >>= bitCount & 56;
  bitCount &= 7;
}

@inline function putMatch(length: u32): void {
  const long = load<u32>(codes + LENGTHS + (<usize>length << 2));
  const d = matchDistance - 1;
  const extra = d < 4 ? 0 : 30 - clz<u32>(d);
  const symbol = 2 * extra + (d >> extra);
  const far = load<u32>(codes + DISTANCES + (<usize>symbol << 2));
  let b = bits, n = bitCount;
  b |= <u64>(long & 0xffffff) << n;
  n += <u64>(long >> 24);
  b |= <u64>(far & 0xffffff) << n;
  n += <u64>(far >> 24);
  b |= <u64>(d & ((1 << extra) - 1)) << n;
  n += <u64>extra;
  store<u64>(out, b);
  out += <usize>(n >> 3);
  bits = b >> (n & 56);
  bitCount = n & 7;
}

/** Writes the match that is waiting: there is one. */
export function flushMatch(): void {
  if (matchLength <= MATCH_MAX) putMatch(matchLength);
  else putLongMatch();
  matchLength = 0;
}

function putLongMatch(): void {
  let left = matchLength;
  // What is left over must not be shorter than the shortest match.
  for (; left > MATCH_MAX + MATCH_MIN; left -= MATCH_MAX) putMatch(MATCH_MAX);
  if (left > MATCH_MAX) {
    putMatch(left - MATCH_MIN);
    left = MATCH_MIN;
  }
  if (left > 0) putMatch(left);
}

/** `length` bytes, at least three unless they go on with the last match, are as they were `distance` bytes before. */
@inline export function putRepeat(length: u32, distance: u32): void {
  if (matchDistance != distance && matchLength > 0) flushMatch();
  matchLength += length;
  matchDistance = distance;
}

/** Whether a repeat of `length` bytes can be told. */
@inline export function isRepeatable(length: u32, distance: u32): bool {
  return distance <= DISTANCE_MAX && (length >= MATCH_MIN || (matchLength > 0 && matchDistance == distance));
}

/** Bytes that nobody knows from before. */
export function putLiterals(from: usize, length: usize): void {
  if (matchLength > 0) flushMatch();
  let b = bits, n = bitCount, o = out;
  const end = from + length;
  let p = from;
  for (; p + 4 <= end; p += 4) {
    const one = load<u32>(codes + (<usize>load<u8>(p) << 2));
    b |= <u64>(one & 0xffffff) << n;
    n += <u64>(one >> 24);
    const two = load<u32>(codes + (<usize>load<u8>(p, 1) << 2));
    b |= <u64>(two & 0xffffff) << n;
    n += <u64>(two >> 24);
    const three = load<u32>(codes + (<usize>load<u8>(p, 2) << 2));
    b |= <u64>(three & 0xffffff) << n;
    n += <u64>(three >> 24);
    const four = load<u32>(codes + (<usize>load<u8>(p, 3) << 2));
    b |= <u64>(four & 0xffffff) << n;
    n += <u64>(four >> 24);
    store<u64>(o, b);
    o += <usize>(n >> 3);
    b >>= n & 56;
    n &= 7;
  }
  for (; p < end; p++) {
    const one = load<u32>(codes + (<usize>load<u8>(p) << 2));
    b |= <u64>(one & 0xffffff) << n;
    n += <u64>(one >> 24);
    store<u64>(o, b);
    o += <usize>(n >> 3);
    b >>= n & 56;
    n &= 7;
  }
  bits = b;
  bitCount = n;
  out = o;
}

@inline function pairOf(lanes: u64, at: u64): u32 {
  return load<u32>(codes + PAIRS + <usize>(((lanes >> at) & 0xff) << 2));
}

/** Bytes of digits, point and sign that nobody knows from before; eight bytes beyond them can be read. */
export function putDigits(from: usize, length: usize): void {
  if (matchLength > 0) flushMatch();
  let b = bits, n = bitCount, o = out;
  for (let p = from, left = <i32>length; left > 0; p += 8, left -= 8) {
    const text = load<u64>(p) | (left < 8 ? ~(<u64>0) << <u64>(left << 3) : 0);
    const low = text & 0x0f0f0f0f0f0f0f0f;
    const lanes = low | (low >> 4);
    const one = pairOf(lanes, 0), two = pairOf(lanes, 16), three = pairOf(lanes, 32), four = pairOf(lanes, 48);
    b |= <u64>(one & 0xffffff) << n;
    n += <u64>(one >> 24);
    b |= <u64>(two & 0xffffff) << n;
    n += <u64>(two >> 24);
    b |= <u64>(three & 0xffffff) << n;
    n += <u64>(three >> 24);
    b |= <u64>(four & 0xffffff) << n;
    n += <u64>(four >> 24);
    store<u64>(o, b);
    o += <usize>(n >> 3);
    b >>= n & 56;
    n &= 7;
  }
  bits = b;
  bitCount = n;
  out = o;
}

/**
 * A number that nobody knows from before: `length` bytes of digits, point and sign in a word, at most eight, and sixteen digits in four entries of
 * QUADS, without the last `zeros` of them.
 */
@inline export function putDecimalCodes(
  before: u64,
  length: u32,
  one: u64,
  two: u64,
  three: u64,
  four: u64,
  zeros: u32,
): void {
  if (matchLength > 0) flushMatch();
  let b = bits, n = bitCount, o = out;
  const none = length < 8 ? ~(<u64>0) << <u64>(length << 3) : 0;
  const low = (before | none) & 0x0f0f0f0f0f0f0f0f;
  let lanes = low | (low >> 4);
  for (let left = <i32>length; left > 0; left -= 2, lanes >>= 16) {
    const pair = pairOf(lanes, 0);
    b |= <u64>(pair & 0xffffff) << n;
    n += <u64>(pair >> 24);
  }
  store<u64>(o, b);
  o += <usize>(n >> 3);
  b >>= n & 56;
  n &= 7;
  b |= ((one >> 32) & 0xffffff) << n;
  n += one >> 56;
  b |= ((two >> 32) & 0xffffff) << n;
  n += two >> 56;
  if (zeros < 8) {
    store<u64>(o, b);
    o += <usize>(n >> 3);
    b >>= n & 56;
    n &= 7;
    b |= ((three >> 32) & 0xffffff) << n;
    n += three >> 56;
    b |= ((four >> 32) & 0xffffff) << n;
    n += four >> 56;
  }
  // The codes of the last zeros are the highest bits.
  n -= <u64>(zeros < 8 ? zeros : zeros - 8) * <u64>(load<u32>(codes + (ZERO << 2)) >> 24);
  b &= (<u64>1 << n) - 1;
  store<u64>(o, b);
  o += <usize>(n >> 3);
  b >>= n & 56;
  n &= 7;
  bits = b;
  bitCount = n;
  out = o;
}

function endBlock(): void {
  if (matchLength > 0) flushMatch();
  const end = load<u32>(codes + (<usize>END << 2));
  put(<u64>(end & 0xffffff), <u64>(end >> 24));
  spill();
}

/** Ends the block and begins one with the codes that `headerBits` bits at `header` announce, in whole words. */
export function switchCodes(next: usize, header: usize, headerBits: u32): void {
  endBlock();
  for (let at = header, left = headerBits; left > 0; at += 4) {
    const count = min(left, 32);
    put(<u64>load<u32>(at) & ((<u64>1 << count) - 1), <u64>count);
    spill();
    left -= count;
  }
  codes = next;
}

/** Ends the block, and with an empty one that says that it is the last the stream and its last byte. */
export function endStream(): void {
  endBlock();
  put(0b11, 10);
  spill();
  if (bitCount > 0) store<u8>(out++, <u8>bits);
  bits = 0;
  bitCount = 0;
}
