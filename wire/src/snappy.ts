// Snappy's block format. Compression is the library's; decompression is ours, because it reads what strangers send:
// it checks every length before it copies, and never allocates more than it was told to.

import { CorruptionError } from '@flotilla/model';
import snappy from 'snappyjs';

/** A copy, without the spare capacity of the library's buffer. */
export function compressSnappy(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(snappy.compress(bytes));
}

/** Throws CorruptionError on anything but a whole block of at most `bytesMax` bytes. */
export function uncompressSnappy(block: Uint8Array, bytesMax: number): Uint8Array {
  const reader = new BlockReader(block, bytesMax);
  while (reader.element());
  return reader.output;
}

class BlockReader {
  readonly output: Uint8Array;
  readonly #block: Uint8Array;
  #position = 0;
  #written = 0;

  constructor(block: Uint8Array, bytesMax: number) {
    this.#block = block;
    const length = this.#uvarint();
    if (length > bytesMax) throw this.#damage(`${length} bytes uncompressed, want at most ${bytesMax}`);
    // No element turns one byte into more than 64: a longer promise is a lie that would only cost memory.
    if (length > block.length * 64) throw this.#damage(`${length} bytes promised by ${block.length}`);
    this.output = new Uint8Array(length);
  }

  /** Reads one literal or copy; false at the end, where all promised bytes must be there. */
  element(): boolean {
    if (this.#position === this.#block.length) {
      if (this.#written !== this.output.length)
        throw this.#damage(`${this.#written} bytes, want ${this.output.length}`);
      return false;
    }
    const tag = this.#byte();
    switch (tag & 3) {
      case 0:
        this.#literal(tag >>> 2);
        break;
      case 1:
        this.#copy(((tag >>> 2) & 7) + 4, ((tag >>> 5) << 8) | this.#byte());
        break;
      case 2:
        this.#copy((tag >>> 2) + 1, this.#littleEndian(2));
        break;
      default:
        this.#copy((tag >>> 2) + 1, this.#littleEndian(4));
    }
    return true;
  }

  #literal(code: number): void {
    const length = (code < 60 ? code : this.#littleEndian(code - 59)) + 1;
    if (length > this.#block.length - this.#position)
      throw this.#damage(`literal of ${length} bytes runs past the end`);
    this.#mustFit(length);
    this.output.set(this.#block.subarray(this.#position, this.#position + length), this.#written);
    this.#position += length;
    this.#written += length;
  }

  #copy(length: number, distance: number): void {
    if (distance === 0 || distance > this.#written)
      throw this.#damage(`copy from ${distance} bytes back, have ${this.#written}`);
    this.#mustFit(length);
    const from = this.#written - distance;
    // Byte by byte: source and destination may overlap, and the overlap repeats.
    for (let index = 0; index < length; index++)
      this.output[this.#written + index] = this.output[from + index]!;
    this.#written += length;
  }

  #mustFit(length: number): void {
    if (length > this.output.length - this.#written)
      throw this.#damage(`more than the promised ${this.output.length} bytes`);
  }

  #byte(): number {
    const byte = this.#block[this.#position];
    if (byte === undefined) throw this.#damage('the block ends within an element');
    this.#position++;
    return byte;
  }

  #littleEndian(bytes: number): number {
    let value = 0;
    for (let index = 0; index < bytes; index++) value += this.#byte() * 2 ** (8 * index);
    return value;
  }

  #uvarint(): number {
    let value = 0;
    for (let index = 0; index < 5; index++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    throw this.#damage('length of more than 5 bytes');
  }

  #damage(reason: string): CorruptionError {
    return new CorruptionError('snappy block', this.#position, reason);
  }
}
