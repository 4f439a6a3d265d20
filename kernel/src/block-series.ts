// Hot: what a block has of a series (assembly/block-series.ts), once per series that a block is written with.

import { CHUNK_HEADER_BYTES } from './chunk-list.ts';
import { type KernelInstance, sharedInstance } from './instance.ts';

/** Readable behind a list, and what writing may go beyond the frames. */
const SLACK_BYTES = 64;
/** More than a number takes as a varint. */
const VARINT_BYTES = 10;
const FIRST_CAPACITY = 16 << 10;
/** As in assembly/block-series.ts. */
const CHUNK_ROW_BYTES = 32;

export class BlockSeriesEncoder {
  /** Of the series that join() took last. */
  chunks = 0;
  samples = 0;
  floatSamples = 0;
  readonly #kernel: KernelInstance = sharedInstance();
  #at = 0;
  #capacity = 0;
  #listBytes = 0;
  #framesBytes = 0;

  /** Takes the chunks of a series, neighbours joined where one can hold them; false if they are damaged. */
  join(list: Uint8Array): boolean {
    this.#listBytes = (list.length + SLACK_BYTES + 7) & ~7;
    const rows = Math.ceil(list.length / CHUNK_HEADER_BYTES) * CHUNK_ROW_BYTES;
    this.#reserve(2 * this.#listBytes + rows);
    this.#kernel.bytes.set(list, this.#at);
    const to = this.#at + this.#listBytes;
    this.chunks = this.#kernel.exports.joinChunks(this.#at, list.length, to, to + this.#listBytes);
    if (this.chunks < 0) return false;
    const { words } = this.#kernel;
    const at = this.#at >>> 2;
    this.#framesBytes = words[at]!;
    this.samples = words[at + 1]!;
    this.floatSamples = words[at + 2]!;
    return true;
  }

  /** Their frames one after the other, as a chunk file has them: a view, valid until the next call. */
  frames(): Uint8Array {
    const from = this.#at + this.#listBytes;
    return this.#kernel.bytes.subarray(from, from + this.#framesBytes);
  }

  /** The index entry of the series, with its length and checksum: a view. `pairs`: numbers of names and values in turn. */
  entry(pairs: Uint32Array, ref: number): Uint8Array {
    const chunkBytes = this.chunks * CHUNK_ROW_BYTES;
    const labelsAt = 2 * this.#listBytes + chunkBytes;
    const outAt = labelsAt + 4 * pairs.length;
    this.#reserve(outAt + VARINT_BYTES * (pairs.length + 3 * this.chunks) + SLACK_BYTES);
    this.#kernel.words.set(pairs, (this.#at + labelsAt) >>> 2);
    const to = this.#at + outAt;
    const rows = this.#at + 2 * this.#listBytes;
    const { exports } = this.#kernel;
    const length = exports.encodeEntry(this.#at + labelsAt, pairs.length, rows, this.chunks, ref, to) >>> 0;
    return this.#kernel.bytes.subarray(to, to + length);
  }

  /** Gives the memory back. */
  end(): void {
    this.#kernel.exports.free(this.#at, this.#capacity);
    this.#at = 0;
    this.#capacity = 0;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#capacity) return;
    const { exports } = this.#kernel;
    const capacity = exports.capacityOf(Math.max(bytes, 2 * this.#capacity, FIRST_CAPACITY)) >>> 0;
    const at = exports.alloc(capacity) >>> 0;
    this.#kernel.bytes.copyWithin(at, this.#at, this.#at + this.#capacity);
    exports.free(this.#at, this.#capacity);
    [this.#at, this.#capacity] = [at, capacity];
  }
}
