// Hot: f64 → the shortest decimal text that reads back as it, laid out as Prometheus's JSON has sample values; once per
// point of an answer. Schubfach (R. Giulietti): one 128-bit power of ten, three products.

import { bump } from './memory';

const POWER_MIN: i32 = -292;
const POWER_MAX: i32 = 324;
const HIDDEN_BIT: u64 = 1 << 52;
/** What putNumber may write beyond the end that it returns. */
export const NUMBER_SLACK: usize = 32;

/** The top 128 bits of 10^k, k = −292..324, rounded up, as (high, low) u64; filled by JavaScript. */
export let powersOfTen: usize = 0;
/** 24 digits in text, and room for loads beyond them. */
const digits = memory.data(64, 16);

export function initFloatText(): void {
  powersOfTen = bump(<usize>(POWER_MAX - POWER_MIN + 1) * 16);
}

@inline function high64(a: u64, b: u64): u64 {
  const a0 = a & 0xffffffff, a1 = a >> 32, b0 = b & 0xffffffff, b1 = b >> 32;
  const middle = a1 * b0 + ((a0 * b0) >> 32);
  return a1 * b1 + (middle >> 32) + ((a0 * b1 + (middle & 0xffffffff)) >> 32);
}

/** The product's bits above 2^128, with the lowest bit set if anything was below it. */
function roundToOdd(gHigh: u64, gLow: u64, c: u64): u64 {
  const low = gHigh * c + high64(gLow, c);
  const carry = <u64>(low < gHigh * c);
  return (high64(gHigh, c) + carry) | <u64>(low > 1);
}

export let power: i32 = 0;

/** The digits of a positive number that is no integer below 2^53; leaves their power of ten in `power`. */
export function shortest(bits: u64): u64 {
  const fraction = bits & (HIDDEN_BIT - 1);
  const biased = <i32>(bits >> 52);
  const c = biased != 0 ? fraction | HIDDEN_BIT : fraction;
  const q = max(biased, 1) - 1075;
  const isLowerCloser = fraction == 0 && biased > 1;
  const isOdd = c & 1;
  const k = (q * 1262611 - (isLowerCloser ? 524031 : 0)) >> 22;
  const h = <u64>(q + ((-k * 1741647) >> 19) + 1);
  const g = powersOfTen + (<usize>(-k - POWER_MIN) << 4);
  const gHigh = load<u64>(g), gLow = load<u64>(g, 8);
  // g · 4c · 2^h in three words, and half of g · 4 · 2^h, by which the bounds differ from it.
  const scaled = (4 * c) << h;
  const low = gLow * scaled;
  const middles = gHigh * scaled;
  const middle = middles + high64(gLow, scaled);
  const high = high64(gHigh, scaled) + <u64>(middle < middles);
  const halfLow = gLow << (h + 1);
  const halfMiddle = (gHigh << (h + 1)) | (gLow >> (63 - h));
  const halfHigh = gHigh >> (63 - h);
  const value = high | <u64>(middle > 1);
  const aboveLow = low + halfLow;
  const carry = <u64>(aboveLow < low);
  const aboveMiddle = middle + halfMiddle;
  const aboveCarried = aboveMiddle + carry;
  const aboveHigh = high + halfHigh + (<u64>(aboveMiddle < middle) | <u64>(aboveCarried < carry));
  const upper = (aboveHigh | <u64>(aboveCarried > 1)) - isOdd;
  let lower: u64;
  if (isLowerCloser) lower = roundToOdd(gHigh, gLow, (4 * c - 1) << h) + isOdd;
  else {
    const borrow = <u64>(low < halfLow);
    const belowMiddle = middle - halfMiddle;
    const belowBorrowed = belowMiddle - borrow;
    const belowHigh = high - halfHigh - (<u64>(middle < halfMiddle) | <u64>(belowMiddle < borrow));
    lower = (belowHigh | <u64>(belowBorrowed > 1)) + isOdd;
  }
  const s = value >> 2;
  const tens = s / 10;
  const tensBelow = lower <= 40 * tens;
  const tensAbove = 40 * tens + 40 <= upper;
  const isBelow = lower <= 4 * s;
  const isAbove = 4 * s + 4 <= upper;
  const between = 4 * s + 2;
  const isUp = value > between || (value == between && (s & 1) != 0);
  // Of measured values one in two has a digit less: all is computed, since no processor foresees which.
  const isShort = s >= 10 && tensBelow != tensAbove;
  power = k + <i32>isShort;
  const whole = s + <u64>select<bool>(isAbove, isUp, isBelow != isAbove);
  return select<u64>(tens + <u64>tensAbove, whole, isShort);
}

/** Eight digits, one in a byte, the first in the lowest. */
@inline function eightDigits(n: u32): u64 {
  const fours = <u64>(n / 10000) | (<u64>(n % 10000) << 32);
  const hundreds = ((fours * 10486) >> 20) & 0x0000007f0000007f;
  const twos = hundreds | ((fours - 100 * hundreds) << 16);
  const tens = ((twos * 103) >> 10) & 0x000f000f000f000f;
  return tens | ((twos - 10 * tens) << 8);
}

const ZEROS: u64 = 0x3030303030303030;

/** Writes 24 digits to `digits`, leading zeros included; returns how many of those there are. `n` has at most 20. */
@inline function spread(n: u64): usize {
  const tops = n / 10000000000000000;
  const rest = n - tops * 10000000000000000;
  const middles = rest / 100000000;
  const a = eightDigits(<u32>tops), b = eightDigits(<u32>middles), c = eightDigits(<u32>(rest - middles * 100000000));
  store<u64>(digits, a + ZEROS);
  store<u64>(digits, b + ZEROS, 8);
  store<u64>(digits, c + ZEROS, 16);
  if (a != 0) return <usize>ctz(a) >> 3;
  return b != 0 ? 8 + (<usize>ctz(b) >> 3) : 16 + (<usize>ctz(c) >> 3);
}

@inline function copyDigits(from: usize, to: usize): void {
  v128.store(to, v128.load(from));
  store<u64>(to, load<u64>(from, 16), 16);
}

/** A whole number above zero. Short ones stay in a register: reading back digits just written waits for the caches. */
@inline function putWhole(o: usize, n: u64): usize {
  if (n < 100000000) {
    const short = eightDigits(<u32>n);
    const zeros = ctz(short) >> 3;
    store<u64>(o, (short + ZEROS) >> (zeros << 3));
    return o + 8 - <usize>zeros;
  }
  const start = spread(n);
  copyDigits(digits + start, o);
  return o + 24 - start;
}

/** Where the last digit that is not zero ends. */
@inline function significantEnd(): usize {
  const c = load<u64>(digits, 16) - ZEROS, b = load<u64>(digits, 8) - ZEROS;
  if (c != 0) return 24 - (<usize>clz(c) >> 3);
  return b != 0 ? 16 - (<usize>clz(b) >> 3) : 8;
}

function putExponent(o: usize, from: usize, count: usize, exponent: i32): usize {
  store<u8>(o, load<u8>(from));
  let p = o + 1;
  if (count > 1) {
    store<u8>(p, 46);
    copyDigits(from + 1, p + 1);
    p += count;
  }
  store<u8>(p, 101);
  store<u8>(p, exponent < 0 ? 45 : 43, 1);
  p += 2;
  const size = <u32>abs(exponent);
  if (size >= 100) store<u8>(p++, <u8>(48 + size / 100));
  store<u8>(p, <u8>(48 + (size / 10) % 10));
  store<u8>(p, <u8>(48 + size % 10), 1);
  return p + 2;
}

/** Whether putNumber writes it without an exponent, as digits, a point and a sign at most. */
@inline export function isPlainNumber(v: f64): bool {
  const size = abs(v);
  return (size >= 1e-6 && size < 1e21) || size == 0;
}

/** Writes at o and returns the end; NUMBER_SLACK bytes beyond it may be overwritten. */
export function putNumber(o: usize, v: f64): usize {
  const size = abs(v);
  if (!(size < Infinity)) {
    store<u32>(o, v != v ? 0x4e614e : v > 0 ? 0x666e492b : 0x666e492d); // NaN, +Inf, -Inf
    return o + (v != v ? 3 : 4);
  }
  const bits = reinterpret<u64>(v);
  let p = o;
  if (<i64>bits < 0) store<u8>(p++, 45);
  if (size < 9007199254740992.0 && floor(size) == size) {
    if (size != 0) return putWhole(p, <u64>size);
    store<u8>(p, 48);
    return p + 1;
  }
  const n = shortest(bits & 0x7fffffffffffffff);
  return size >= 1e-6 && size < 1e17 ? putFraction(p, n) : putLong(p, n, size);
}

const TO_16: u64 = 10000000000000000;

/**
 * Of 1e-6 to 1e17: digits with a point in between. They go from registers to their places, since reading back what was just
 * written in other pieces waits for the caches.
 */
function putFraction(p: usize, digitsOf: u64): usize {
  let n = digitsOf;
  let point = 17 + power;
  while (n < TO_16) {
    n *= 10;
    point--;
  }
  const first = n / TO_16;
  const rest = n - first * TO_16;
  const middles = rest / 100000000;
  const a = eightDigits(<u32>middles), b = eightDigits(<u32>(rest - middles * 100000000));
  const count = b != 0 ? 17 - <i32>(clz(b) >> 3) : 9 - <i32>(clz(a) >> 3);
  const aText = a + ZEROS, bText = b + ZEROS;
  if (point <= 0) {
    store<u64>(p, 0x3030303030302e30); // 0.000000
    const from = p + <usize>(2 - point);
    store<u8>(from, <u8>(48 + first));
    store<u64>(from, aText, 1);
    store<u64>(from, bText, 9);
    return from + <usize>count;
  }
  const dot = p + <usize>point;
  store<u8>(p, <u8>(48 + first));
  store<u64>(p, aText, 1);
  if (point < 9) {
    store<u64>(dot, aText >> (<u64>(point - 1) << 3), 1);
    store<u64>(p, bText, 10);
  } else {
    store<u64>(p, bText, 9);
    store<u64>(dot, point < 17 ? bText >> (<u64>(point - 9) << 3) : 0, 1);
  }
  if (count <= point) return dot;
  store<u8>(dot, 46);
  return p + <usize>(count + 1);
}

/** Of all others that are no whole numbers below 2^53. */
function putLong(p: usize, n: u64, size: f64): usize {
  const start = spread(n);
  const from = digits + start;
  const count = significantEnd() - start;
  const point = 24 - <i32>start + power;
  if (size < 1e-6 || size >= 1e21) return putExponent(p, from, count, point - 1);
  copyDigits(from, p);
  memory.fill(p + count, 48, <usize>point - count);
  return p + <usize>point;
}

/** Milliseconds as seconds, with three decimals unless they are whole. As putNumber. */
export function putTime(o: usize, timeMs: i64): usize {
  let p = o;
  if (timeMs < 0) store<u8>(p++, 45);
  const size = <u64>abs(timeMs);
  const seconds = size / 1000;
  const rest = <u32>(size - seconds * 1000);
  if (seconds == 0) store<u8>(p++, 48);
  else p = putWhole(p, seconds);
  if (rest == 0) return p;
  store<u8>(p, 46);
  store<u8>(p, <u8>(48 + rest / 100), 1);
  store<u8>(p, <u8>(48 + (rest / 10) % 10), 2);
  store<u8>(p, <u8>(48 + rest % 10), 3);
  return p + 4;
}
