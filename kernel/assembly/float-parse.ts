// Hot: decimal text → f64, correctly rounded, once per scraped sample: Clinger's fast path, then Eisel–Lemire.
//
// Odd forms (hex, underscores, more than 19 digits, a leading plus or point, halfway cases) are refused: the caller has
// a slow parser for them.

import { bump } from './memory';

const POWER_MIN: i32 = -342;
const POWER_MAX: i32 = 308;
const EXPONENT_MAX: i32 = 10000;

/** 128-bit powers of five, −342..308, as (high, low) u64; filled by JavaScript. */
export let powersOfFive: usize = 0;
const exactPowersOfTen = memory.data(23 * 8, 8);

export function initFloatParse(): void {
  powersOfFive = bump(<usize>(POWER_MAX - POWER_MIN + 1) * 16);
  let power: f64 = 1;
  for (let i: usize = 0; i < 23; i++) {
    store<f64>(exactPowersOfTen + (i << 3), power);
    power *= 10;
  }
}

/** Where the number that parseFloat read ends; 0 if it refused. */
export let floatEnd: usize = 0;

let productLow: u64 = 0;

@inline function productHigh(a: u64, b: u64): u64 {
  const a0 = a & 0xffffffff, a1 = a >> 32, b0 = b & 0xffffffff, b1 = b >> 32;
  const p00 = a0 * b0, p01 = a0 * b1, p10 = a1 * b0;
  const middle = (p00 >> 32) + (p01 & 0xffffffff) + (p10 & 0xffffffff);
  productLow = (p00 & 0xffffffff) | (middle << 32);
  return a1 * b1 + (p01 >> 32) + (p10 >> 32) + (middle >> 32);
}

/** digits · 10^q by Eisel–Lemire; clears floatEnd when the result is not certain. */
function eiselLemire(digits: u64, q: i32): f64 {
  if (digits == 0 || q < POWER_MIN) return 0;
  if (q > POWER_MAX) return Infinity;
  const zeros = <i32>clz(digits);
  const w = digits << <u64>zeros;
  const power = powersOfFive + (<usize>(q - POWER_MIN) << 4);
  let high = productHigh(w, load<u64>(power));
  let low = productLow;
  if ((high & 0x1ff) == 0x1ff) {
    const more = productHigh(w, load<u64>(power, 8));
    low += more;
    if (more > low) high++;
  }
  const upper = <i32>(high >> 63);
  let mantissa = high >> <u64>(upper + 9);
  let exponent = ((217706 * q) >> 16) + 63 + upper - zeros + 1023;
  if (exponent <= 0 || (low == 0xffffffffffffffff && (q < -27 || q > 55))) {
    floatEnd = 0;
    return 0;
  }
  const halfway = low <= 1 && q >= -4 && q <= 23 && (mantissa & 3) == 1;
  if (halfway && mantissa << <u64>(upper + 9) == high) mantissa &= ~1;
  mantissa = (mantissa + (mantissa & 1)) >> 1;
  if (mantissa >= <u64>2 << 52) {
    mantissa = <u64>1 << 52;
    exponent++;
  }
  if (exponent >= 0x7ff) return Infinity;
  return reinterpret<f64>((mantissa & ~(<u64>1 << 52)) | (<u64>exponent << 52));
}

/** Where the number that parseDigits read ends; 0 if it refused. */
export let digitsEnd: usize = 0;

/** How many of eight bytes are digits, from the first one on. */
@inline export function digitCount(bytes: u64): usize {
  const HIGH: u64 = 0xf0f0f0f0f0f0f0f0;
  const others = ((bytes & HIGH) ^ 0x3030303030303030) | (((bytes + 0x0606060606060606) & HIGH) ^ 0x3030303030303030);
  return <usize>(ctz<u64>(others) >> 3);
}

/** The value of the first `count` of eight bytes, all digits; of none, anything. */
@inline export function digitsValue(bytes: u64, count: usize): f64 {
  // Leading zeros come from the shift.
  let digits = (bytes - 0x3030303030303030) << <u64>(64 - (count << 3));
  digits = digits * 10 + (digits >> 8);
  const even = (digits & 0x000000ff000000ff) * 0x000f424000000064;
  const odd = ((digits >> 16) & 0x000000ff000000ff) * 0x0000271000000001;
  return <f64>((even + odd) >> 32);
}

/** The value of one to eight digits at p, which end in a newline, eight bytes at once. Reads 9 bytes. */
@inline export function parseDigits(p: usize): f64 {
  const bytes = load<u64>(p);
  const count = digitCount(bytes);
  digitsEnd = count != 0 && load<u8>(p + count) == 10 ? p + count : 0;
  return digitsValue(bytes, count);
}

@inline function digit(p: usize): u32 {
  return <u32>load<u8>(p) - 48;
}

/** Parses at p. Bytes must end in something that is no part of a number. Leaves the end in floatEnd, 0 if refused. */
export function parseFloat64(start: usize): f64 {
  floatEnd = 0;
  let p = start;
  const negative = load<u8>(p) == 45;
  if (negative) p++;
  if (digit(p) > 9) return special(p, negative);
  const first = p;
  let digits: u64 = 0;
  for (let d = digit(p); d <= 9; d = digit(p)) {
    digits = digits * 10 + d;
    p++;
  }
  let count = p - first;
  let exponent: i32 = 0;
  if (load<u8>(p) == 46) {
    const point = ++p;
    for (let d = digit(p); d <= 9; d = digit(p)) {
      digits = digits * 10 + d;
      p++;
    }
    if (p - point > 19) return 0;
    exponent = -<i32>(p - point);
    count += p - point;
  }
  if (count > 19) return 0;
  if ((load<u8>(p) | 32) == 101) {
    p++;
    const sign = load<u8>(p);
    if (sign == 45 || sign == 43) p++;
    if (digit(p) > 9) return 0;
    let e: i32 = 0;
    for (let d = digit(p); d <= 9; d = digit(p)) {
      e = e * 10 + <i32>d;
      if (e > EXPONENT_MAX) return 0;
      p++;
    }
    exponent += sign == 45 ? -e : e;
  }
  floatEnd = p;
  const value = scaled(digits, exponent);
  return negative ? -value : value;
}

@inline function scaled(digits: u64, exponent: i32): f64 {
  if (digits <= <u64>1 << 53 && exponent >= -22 && exponent <= 22) {
    if (exponent == 0) return <f64>digits;
    if (exponent < 0) return <f64>digits / load<f64>(exactPowersOfTen + (<usize>-exponent << 3));
    return <f64>digits * load<f64>(exactPowersOfTen + (<usize>exponent << 3));
  }
  return eiselLemire(digits, exponent);
}

/** NaN, +Inf, -Inf, Inf. Every NaN becomes Prometheus's ordinary one. */
function special(p: usize, negative: bool): f64 {
  const sign = negative || load<u8>(p) == 43;
  const at = sign && !negative ? p + 1 : p;
  const word = (<u32>load<u8>(at) << 16) | (<u32>load<u8>(at, 1) << 8) | <u32>load<u8>(at, 2);
  if (word == 0x496e66) {
    floatEnd = at + 3;
    return negative ? -Infinity : Infinity;
  }
  if (word == 0x4e614e && !sign) {
    floatEnd = at + 3;
    return reinterpret<f64>(0x7ff8000000000001);
  }
  return 0;
}
