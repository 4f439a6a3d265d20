// Hot: data of sealed chunks that were read from among others, so that who asks for them again reads no file.
//
// Chunks lie in a file in the order in which they filled up, those of a query's series among those of all others: each takes
// a call of the system, or is read with what lies between. A ring has the last ones, whatever asked for them; a table says
// where: an id may be at one of eight places in a row, and the oldest gives way.

import type { ByteRing, ChunkGather } from '@flotilla/kernel';

export const KEPT_BYTES = 8 << 20;
const ROWS_BITS = 12;
const PLACES = 8;
/** Larger ones push out too many others. */
const CHUNK_BYTES_MAX = 64 << 10;
/** 2^32 over the golden ratio: neighbours fall apart. */
const SPREAD = 0x9e3779b1;

export class KeptChunks {
  private readonly ring: ByteRing;
  /** By place; empty until something is kept. */
  private ids = new Float64Array(0);
  private positions = new Float64Array(0);

  constructor(ring: ByteRing) {
    this.ring = ring;
  }

  /** Keeps the data of a chunk, which lie at a place of a gather. `id` is no other chunk's, ever, and not 0. */
  keep(id: number, gather: ChunkGather, place: number, bytes: number): void {
    if (bytes > CHUNK_BYTES_MAX) return;
    if (this.ids.length === 0) this.makePlaces();
    const at = this.oldest(id);
    this.ids[at] = id;
    this.positions[at] = gather.keep(this.ring, place, bytes);
  }

  private makePlaces(): void {
    this.ids = new Float64Array(PLACES << ROWS_BITS);
    this.positions = new Float64Array(PLACES << ROWS_BITS).fill(-Infinity);
  }

  /** Brings the data of a chunk to a place of a gather, at its fillAll(); false if they are not here. */
  fill(id: number, gather: ChunkGather, place: number, bytes: number): boolean {
    const first = firstPlace(id);
    for (let at = first; at < first + PLACES; at++) {
      if (this.ids[at] !== id) continue;
      const position = this.positions[at]!;
      if (!this.ring.has(position)) return false;
      gather.fillKept(this.ring, position, place, bytes);
      return true;
    }
    return false;
  }

  /** The place of the id, or the one whose bytes were kept first. */
  /** Reads of the table what fill() will. Who does so for several chunks waits for the memory of all of them once; the result means nothing. */
  touch(id: number): number {
    const first = firstPlace(id);
    return this.ids[first]! + this.positions[first]!;
  }

  private oldest(id: number): number {
    const first = firstPlace(id);
    let oldest = first;
    for (let at = first; at < first + PLACES; at++) {
      if (this.ids[at] === id) return at;
      if (this.positions[at]! < this.positions[oldest]!) oldest = at;
    }
    return oldest;
  }
}

function firstPlace(id: number): number {
  const hash = Math.imul(id ^ (id / 2 ** 32), SPREAD); // Of both only the lowest 32 bits count.
  return (hash >>> (32 - ROWS_BITS)) * PLACES;
}
