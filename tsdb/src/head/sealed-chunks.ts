// The full chunks of a head, until a block has taken them.
//
// Chunk bytes lie in 1 MiB pages in the order in which chunks filled up, so that a page's chunks are of about the same
// age and whole pages die together. A chunk is a row of numbers; the rows of a series are a list in time order.
//
// Cost: 40 bytes a chunk besides its data. No object per chunk before somebody reads it.

import type { ChunkEncoding, RawChunk } from '../api.ts';
import { grown } from './symbols.ts';

const PAGE_BYTES = 1 << 20;

interface Page {
  readonly bytes: Uint8Array;
  used: number;
  maxTimeMs: number;
}

export class SealedChunks {
  /** By slot: first and last row; 0 = none. */
  private first = new Uint32Array(1024);
  private last = new Uint32Array(1024);
  // By row.
  private next = new Uint32Array(1024);
  private page = new Uint32Array(1024);
  private offset = new Uint32Array(1024);
  /** encoding << 16 | samples */
  private shape = new Uint32Array(1024);
  private length = new Uint32Array(1024);
  private times = new Float64Array(2048);
  private rows = 1;
  private freeRow = 0;
  private count = 0;
  private bytes = 0;
  private readonly pages = new Map<number, Page>();
  private openPage = 0;

  get size(): number {
    return this.count;
  }

  get dataBytes(): number {
    return this.bytes;
  }

  has(slot: number): boolean {
    return slot < this.first.length && this.first[slot] !== 0;
  }

  /** Copies the data. Newer than all chunks that the slot has. */
  add(slot: number, { encoding, samples, minTimeMs, maxTimeMs, data }: RawChunk): void {
    const row = this.takeRow();
    const page = this.pageFor(data.length);
    this.page[row] = this.openPage;
    this.offset[row] = page.used;
    this.shape[row] = (encoding << 16) | samples;
    this.length[row] = data.length;
    this.times[2 * row] = minTimeMs;
    this.times[2 * row + 1] = maxTimeMs;
    this.next[row] = 0;
    page.bytes.set(data, page.used);
    page.used += data.length;
    page.maxTimeMs = Math.max(page.maxTimeMs, maxTimeMs);
    this.bytes += data.length;
    this.count++;
    this.link(slot, row);
  }

  private link(slot: number, row: number): void {
    if (slot >= this.first.length) {
      this.first = grown(this.first, slot + 1);
      this.last = grown(this.last, slot + 1);
    }
    const before = this.last[slot]!;
    if (before === 0) this.first[slot] = row;
    else this.next[before] = row;
    this.last[slot] = row;
  }

  private takeRow(): number {
    const free = this.freeRow;
    if (free !== 0) {
      this.freeRow = this.next[free]!;
      return free;
    }
    if (this.rows === this.next.length) this.growRows();
    return this.rows++;
  }

  private growRows(): void {
    this.next = grown(this.next, this.rows + 1);
    this.page = grown(this.page, this.next.length);
    this.offset = grown(this.offset, this.next.length);
    this.shape = grown(this.shape, this.next.length);
    this.length = grown(this.length, this.next.length);
    const times = new Float64Array(2 * Math.min(this.offset.length, this.shape.length, this.page.length));
    times.set(this.times);
    this.times = times;
  }

  private pageFor(length: number): Page {
    const open = this.pages.get(this.openPage);
    if (open !== undefined && open.used + length <= PAGE_BYTES) return open;
    const page = { bytes: new Uint8Array(Math.max(PAGE_BYTES, length)), used: 0, maxTimeMs: -Infinity };
    this.pages.set(++this.openPage, page);
    return page;
  }

  /** The earliest time in the chunks of a slot; +Infinity if it has none. */
  minTimeMs(slot: number): number {
    return this.has(slot) ? this.times[2 * this.first[slot]!]! : Infinity;
  }

  overlaps(slot: number, minTimeMs: number, maxTimeMs: number): boolean {
    if (!this.has(slot)) return false;
    for (let row = this.first[slot]!; row !== 0; row = this.next[row]!) {
      if (this.times[2 * row]! <= maxTimeMs && this.times[2 * row + 1]! >= minTimeMs) return true;
    }
    return false;
  }

  /** Appends the slot's chunks that touch the range to `out`. Their data are stable views. */
  collect(slot: number, minTimeMs: number, maxTimeMs: number, out: RawChunk[]): void {
    if (!this.has(slot)) return;
    for (let row = this.first[slot]!; row !== 0; row = this.next[row]!) {
      if (this.times[2 * row]! <= maxTimeMs && this.times[2 * row + 1]! >= minTimeMs)
        out.push(this.chunk(row));
    }
  }

  private chunk(row: number): RawChunk {
    const at = this.offset[row]!;
    const shape = this.shape[row]!;
    return {
      minTimeMs: this.times[2 * row]!,
      maxTimeMs: this.times[2 * row + 1]!,
      samples: shape & 0xffff,
      encoding: (shape >>> 16) as ChunkEncoding,
      data: this.pages.get(this.page[row]!)!.bytes.subarray(at, at + this.length[row]!),
    };
  }

  /** Drops the slot's chunks that end before a time. */
  truncate(slot: number, beforeMs: number): void {
    if (!this.has(slot)) return;
    let row = this.first[slot]!;
    while (row !== 0 && this.times[2 * row + 1]! < beforeMs) row = this.release(row);
    this.first[slot] = row;
    if (row === 0) this.last[slot] = 0;
  }

  private release(row: number): number {
    const following = this.next[row]!;
    this.next[row] = this.freeRow;
    this.freeRow = row;
    this.count--;
    this.bytes -= this.length[row]!;
    return following;
  }

  /** Frees the pages of which all chunks end before a time. Every slot must have been truncated to it. */
  freePages(beforeMs: number): void {
    for (const [number, page] of this.pages) if (page.maxTimeMs < beforeMs) this.pages.delete(number);
  }
}
