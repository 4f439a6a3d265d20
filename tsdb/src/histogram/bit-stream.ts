// Hot: bits, most significant first, as histogram chunks have them: once per number of a native histogram sample.
//
// 64-bit values move as two u32 halves. The reader trusts nothing: reading beyond the end throws RangeError.

const WIDTHS = [3, 6, 9, 12, 18, 25, 56, 64] as const;
const TWO_32 = 2 ** 32;
/** A chunk is about a kilobyte, and each series has an open one. */
const GROWTH_BYTES = 256;

export class BitWriter {
  private buffer = new Uint8Array(GROWTH_BYTES);
  private position = 0;

  /** The bytes so far; the last one filled with zeros. A copy. */
  bytes(): Uint8Array {
    return this.buffer.slice(0, this.length);
  }

  get length(): number {
    return (this.position + 7) >> 3;
  }

  /** The low n ≤ 32 bits of a u32. */
  bits(value: number, n: number): void {
    this.reserve();
    let left = n;
    while (left > 0) {
      const room = 8 - (this.position & 7);
      const take = Math.min(room, left);
      const part = (value >>> (left - take)) & ((1 << take) - 1);
      this.buffer[this.position >> 3]! |= part << (room - take);
      this.position += take;
      left -= take;
    }
  }

  private reserve(): void {
    if ((this.position >> 3) + 16 <= this.buffer.length) return;
    const larger = new Uint8Array(this.buffer.length + GROWTH_BYTES);
    larger.set(this.buffer);
    this.buffer = larger;
  }

  bits64(high: number, low: number): void {
    this.bits(high, 32);
    this.bits(low, 32);
  }

  /** A safe integer. */
  varbitInt(value: number): void {
    if (value === 0) return this.bits(0, 1);
    let i = 0;
    while (i < 7 && !(value > -(2 ** (WIDTHS[i]! - 1)) && value <= 2 ** (WIDTHS[i]! - 1))) i++;
    return this.prefixed(i, value);
  }

  /** A non-negative safe integer. */
  varbitUint(value: number): void {
    if (value === 0) return this.bits(0, 1);
    let i = 0;
    while (i < 7 && value >= 2 ** WIDTHS[i]!) i++;
    return this.prefixed(i, value);
  }

  private prefixed(i: number, value: number): void {
    // i + 1 ones and a zero; the widest one has eight ones.
    if (i === 7) this.bits(0xff, 8);
    else this.bits(2 ** (i + 2) - 2, i + 2);
    const width = WIDTHS[i]!;
    if (width > 32) this.bits(Math.floor(value / TWO_32) >>> 0, width - 32);
    this.bits(value >>> 0, Math.min(width, 32));
  }
}

export class BitReader {
  private readonly bytes: Uint8Array;
  private position: number;

  constructor(bytes: Uint8Array, fromByte: number) {
    this.bytes = bytes;
    this.position = fromByte * 8;
  }

  get left(): number {
    return this.bytes.length * 8 - this.position;
  }

  /** n ≤ 32 bits as a u32. */
  bits(n: number): number {
    if (n > this.left) throw new RangeError(`bit ${this.position}: want ${n} bits, have ${this.left}`);
    let value = 0;
    let left = n;
    while (left > 0) {
      const room = 8 - (this.position & 7);
      const take = Math.min(room, left);
      const part = (this.bytes[this.position >> 3]! >> (room - take)) & ((1 << take) - 1);
      value = ((value << take) | part) >>> 0;
      this.position += take;
      left -= take;
    }
    return value;
  }

  private width(): number {
    let ones = 0;
    while (ones < 8 && this.bits(1) === 1) ones++;
    return ones === 0 ? 0 : WIDTHS[ones - 1]!;
  }

  /** Loses bits beyond 2^53. */
  varbitInt(): number {
    const width = this.width();
    if (width === 0) return 0;
    if (width > 32) return this.wideInt(width);
    const value = this.bits(width);
    return value > 2 ** (width - 1) ? value - 2 ** width : value;
  }

  /** The sign is taken from the upper half, so that safe integers stay exact. */
  private wideInt(width: number): number {
    const high = this.bits(width - 32);
    const low = this.bits(32);
    const half = 2 ** (width - 33);
    const isNegative = high > half || (high === half && (low > 0 || width === 64));
    return (isNegative ? high - 2 * half : high) * TWO_32 + low;
  }

  varbitUint(): number {
    const width = this.width();
    return width === 0 ? 0 : this.wide(width);
  }

  private wide(width: number): number {
    const high = width > 32 ? this.bits(width - 32) : 0;
    return high * TWO_32 + this.bits(Math.min(width, 32));
  }
}
