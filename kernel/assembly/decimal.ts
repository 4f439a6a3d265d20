// Hot: numbers with a fraction as text and as codes of it, four digits at a time, once per point of an answer.
//
// Most values of an answer are such numbers, with 15 to 17 digits. What goes before the fraction's sixteen digits is a word: a sign, whole
// digits and the point, or zeros behind the point and the first digit. The digits come from a table, with their codes.

import { shortest, power } from './float-text';
import { putDecimalCodes } from './deflate';

const TO_16: u64 = 10000000000000000;
const ZEROS: u64 = 0x3030303030303030;
/** Of 0 to 6. */
const powersOfTen = memory.data<u64>([1, 10, 100, 1000, 10000, 100000, 1000000]);

/** Whether putDecimal takes it. */
@inline export function isDecimal(v: f64): bool {
  const size = abs(v);
  return size >= 1e-5 && size < 1e6 && floor(size) != size;
}

@inline function quad(quads: usize, digits: u32): u64 {
  return load<u64>(quads + (<usize>digits << 3));
}

/**
 * Writes at o and returns the end, beyond which 16 bytes may be overwritten; tells the stream that is entered of it, if there is one. `quads`: by four
 * digits their text and their codes, as of code tables.
 */
export function putDecimal(o: usize, v: f64, quads: usize, isGzip: bool): usize {
  const bits = reinterpret<u64>(v);
  let n = shortest(bits & 0x7fffffffffffffff);
  // Nearly all have 16 or 17 digits, and nothing foresees which.
  const isShort = n < TO_16;
  n = select<u64>(10 * n, n, isShort);
  let point = 17 + power - <i32>isShort;
  while (n < TO_16) {
    n *= 10;
    point--;
  }
  let before: u64, beforeLength: u64, fraction: u64;
  if (point > 0) {
    const whole = <u32>abs(v);
    fraction = n * load<u64>(powersOfTen + (<usize>(point - 1) << 3)) - <u64>whole * TO_16;
    const digits = (quad(quads, whole / 10000) & 0xffffffff) | (quad(quads, whole % 10000) << 32);
    before = (digits >> (<u64>(8 - point) << 3)) | (<u64>46 << (<u64>point << 3));
    beforeLength = <u64>point + 1;
  } else {
    const first = n / TO_16;
    fraction = n - first * TO_16;
    const at = <u64>(2 - point) << 3;
    before = (0x3030303030302e30 & ~(<u64>-1 << at)) | ((48 + first) << at); // 0.00000
    beforeLength = <u64>(3 - point);
  }
  if (<i64>bits < 0) {
    before = (before << 8) | 45;
    beforeLength++;
  }
  const high = <u32>(fraction / 100000000);
  const low = <u32>(fraction - <u64>high * 100000000);
  const a = quad(quads, high / 10000), b = quad(quads, high % 10000);
  const c = quad(quads, low / 10000), d = quad(quads, low % 10000);
  const one = (a & 0xffffffff) | (b << 32), two = (c & 0xffffffff) | (d << 32);
  store<u64>(o, before);
  const digits = o + <usize>beforeLength;
  store<u64>(digits, one);
  store<u64>(digits, two, 8);
  const zeros = two != ZEROS ? clz(two ^ ZEROS) >> 3 : 8 + (clz(one ^ ZEROS) >> 3);
  if (isGzip) putDecimalCodes(before, <u32>beforeLength, a, b, c, d, <u32>zeros);
  return digits + 16 - <usize>zeros;
}
