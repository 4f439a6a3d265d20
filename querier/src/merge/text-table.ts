// Hot: strings by their UTF-8, each made once. Label sets of an answer have a few strings in common; making one from its bytes
// costs ten times what finding it does.

import { hashOf } from './hash-bytes.ts';

export class TextTable {
  /** By hash: one more than the number of a text, or 0. A power of two. */
  #slots = new Uint32Array(1 << 10);
  readonly #texts: string[] = [];
  /** Where each text ends in `bytes`; the next one begins there. */
  readonly #ends: number[] = [];
  #bytes = new Uint8Array(1 << 13);

  /** The text of source[from, to). */
  text(source: Uint8Array, from: number, to: number): string {
    const mask = this.#slots.length - 1;
    for (let i = hashOf(source, from, to) & mask; ; i = (i + 1) & mask) {
      const number = this.#slots[i]!;
      if (number === 0) return this.#add(i, source.subarray(from, to));
      if (this.#is(number - 1, source, from, to)) return this.#texts[number - 1]!;
    }
  }

  #startOf(number: number): number {
    return number === 0 ? 0 : this.#ends[number - 1]!;
  }

  #is(number: number, source: Uint8Array, from: number, to: number): boolean {
    const start = this.#startOf(number);
    if (this.#ends[number]! - start !== to - from) return false;
    const bytes = this.#bytes;
    for (let i = from; i < to; i++) if (bytes[start + i - from] !== source[i]) return false;
    return true;
  }

  #add(slot: number, bytes: Uint8Array): string {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
    const start = this.#startOf(this.#texts.length);
    const end = start + bytes.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(2 * end);
      larger.set(this.#bytes.subarray(0, start));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, start);
    this.#ends.push(end);
    this.#slots[slot] = this.#texts.push(text);
    if (2 * this.#texts.length > this.#slots.length) this.#grow();
    return text;
  }

  #grow(): void {
    const slots = new Uint32Array(2 * this.#slots.length);
    const mask = slots.length - 1;
    for (let number = 0; number < this.#texts.length; number++) {
      let i = hashOf(this.#bytes, this.#startOf(number), this.#ends[number]!) & mask;
      while (slots[i] !== 0) i = (i + 1) & mask;
      slots[i] = number + 1;
    }
    this.#slots = slots;
  }
}
