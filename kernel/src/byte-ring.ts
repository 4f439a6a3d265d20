// Copies of bytes in the memory of an instance, the last of them: what came first goes first.
//
// A position counts all bytes that ever came, so that it tells whether they are still there.

import type { KernelInstance } from './instance.ts';

export class ByteRing {
  readonly #kernel: KernelInstance;
  readonly #size: number;
  /** 0 until somebody keeps something. */
  #address = 0;
  #end = 0;

  constructor(kernel: KernelInstance, size: number) {
    this.#kernel = kernel;
    this.#size = size;
  }

  /** Copies what lies at an address; returns its position. `length` is at most the ring's size. */
  keep(address: number, length: number): number {
    if (this.#address === 0) this.#address = this.#kernel.exports.alloc(this.#size) >>> 0;
    const left = this.#size - (this.#end % this.#size);
    if (length > left) this.#end += left;
    const position = this.#end;
    this.#kernel.bytes.copyWithin(this.addressOf(position), address, address + length);
    this.#end += length;
    return position;
  }

  /** Whether what is at a position has not been overwritten. */
  has(position: number): boolean {
    return position >= this.#end - this.#size;
  }

  /** Where in memory the bytes of a position are. */
  addressOf(position: number): number {
    return this.#address + (position % this.#size);
  }
}
