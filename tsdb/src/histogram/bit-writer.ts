// Bits, most significant first, as histogram chunks have them: for the layouts that chunks begin with.
//
// 64-bit values move as two u32 halves.

const WIDTHS = [3, 6, 9, 12, 18, 25, 56, 64] as const;
const TWO_32 = 2 ** 32;
const GROWTH_BYTES = 256;

export class BitWriter {
  private buffer = new Uint8Array(GROWTH_BYTES);
  private position = 0;

  /** The bytes so far; the last one filled with zeros. A copy. */
  bytes(): Uint8Array {
    return this.buffer.slice(0, this.length);
  }

  get bitLength(): number {
    return this.position;
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
