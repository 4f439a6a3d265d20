// The full chunks of a head, until a block has taken them.
//
// Chunks lie in 1 MiB pages in the order in which they filled up, so that a page's chunks are of about the same age and
// whole pages die together. A full page moves to a file. A chunk is a row of numbers; the rows of a series are a list in
// time order.
//
// Cost: 40 bytes of memory a chunk, and one page. No object per chunk before somebody reads it.

import { crc32c } from '@flotilla/kernel';
import type { ChunkEncoding, RawChunk, SeriesRef } from '../api.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import type { HeadChunkFile, HeadChunkFiles } from './head-chunk-files.ts';
import { grown } from './symbols.ts';

const PAGE_BYTES = 1 << 20;
const CHECKSUM_BYTES = 4;

interface Page {
  /** Until the page is in a file. */
  bytes: Uint8Array | undefined;
  used: number;
  maxTimeMs: number;
  file: HeadChunkFile | undefined;
  /** Where the page begins in its file. */
  fileOffset: number;
}

export class SealedChunks {
  /** By slot: first and last row; 0 = none. */
  private first = new Uint32Array(1024);
  private last = new Uint32Array(1024);
  // By row.
  private next = new Uint32Array(1024);
  private page = new Uint32Array(1024);
  /** Of the chunk's frame in its page. */
  private offset = new Uint32Array(1024);
  /** Of the data in the frame << 24 | bytes of the data */
  private shape = new Uint32Array(1024);
  /** encoding << 16 | samples */
  private kind = new Uint32Array(1024);
  private times = new Float64Array(2048);
  private rows = 1;
  private freeRow = 0;
  private count = 0;
  private readonly pages = new Map<number, Page>();
  private openPage = 0;
  private readonly files: HeadChunkFiles | undefined;
  private readonly frame = new ByteWriter(2048);

  /** Without files, all stays in memory. */
  constructor(files?: HeadChunkFiles) {
    this.files = files;
  }

  get size(): number {
    return this.count;
  }

  /** Bytes of pages that are in memory. */
  get memoryBytes(): number {
    let bytes = 0;
    for (const page of this.pages.values()) bytes += page.bytes?.length ?? 0;
    return bytes;
  }

  has(slot: number): boolean {
    return slot < this.first.length && this.first[slot] !== 0;
  }

  /** Copies the data, which is less than 16 MiB. Newer than all chunks that the slot has. */
  add(slot: number, ref: SeriesRef, chunk: RawChunk): void {
    const row = this.takeRow();
    const dataAt = this.encode(ref, chunk);
    const frame = this.frame.bytes();
    const page = this.pageFor(frame.length);
    this.page[row] = this.openPage;
    this.offset[row] = page.used;
    this.shape[row] = (dataAt << 24) | chunk.data.length;
    this.kind[row] = (chunk.encoding << 16) | chunk.samples;
    this.times[2 * row] = chunk.minTimeMs;
    this.times[2 * row + 1] = chunk.maxTimeMs;
    this.next[row] = 0;
    page.bytes!.set(frame, page.used);
    page.used += frame.length;
    page.maxTimeMs = Math.max(page.maxTimeMs, chunk.maxTimeMs);
    this.count++;
    this.link(slot, row);
  }

  /** Writes the chunk's frame; returns where its data begin. */
  private encode(ref: SeriesRef, { minTimeMs, maxTimeMs, encoding, data }: RawChunk): number {
    const { frame } = this;
    frame.clear();
    frame.be64(ref);
    frame.signed64(minTimeMs);
    frame.signed64(maxTimeMs);
    frame.u8(encoding);
    frame.uvarint(data.length);
    const dataAt = frame.length;
    frame.raw(data);
    frame.be32(crc32c(frame.bytes()));
    return dataAt;
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
    this.kind = grown(this.kind, this.next.length);
    const shortest = [this.page, this.offset, this.shape, this.kind].map(({ length }) => length);
    const times = new Float64Array(2 * Math.min(...shortest));
    times.set(this.times);
    this.times = times;
  }

  private pageFor(length: number): Page {
    const open = this.pages.get(this.openPage);
    if (open?.bytes !== undefined && open.used + length <= open.bytes.length) return open;
    const bytes = this.takeBytes(open, Math.max(PAGE_BYTES, length));
    const page = { bytes, used: 0, maxTimeMs: -Infinity, file: undefined, fileOffset: 0 };
    this.pages.set(++this.openPage, page);
    return page;
  }

  /** Memory for a page: that of the full one before it, if a file takes its content. */
  private takeBytes(full: Page | undefined, length: number): Uint8Array {
    const bytes = full?.bytes;
    const written = bytes === undefined ? undefined : this.files?.write(bytes.subarray(0, full!.used));
    if (full === undefined || bytes === undefined || written === undefined) return new Uint8Array(length);
    full.bytes = undefined;
    full.file = written.file;
    full.fileOffset = written.offset;
    return bytes.length >= length ? bytes : new Uint8Array(length);
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

  /** Appends the slot's chunks that touch the range to `out`. Their data are copies. */
  collect(slot: number, minTimeMs: number, maxTimeMs: number, out: RawChunk[]): void {
    if (!this.has(slot)) return;
    for (let row = this.first[slot]!; row !== 0; row = this.next[row]!) {
      if (this.times[2 * row]! > maxTimeMs || this.times[2 * row + 1]! < minTimeMs) continue;
      const data = this.dataOf(row);
      if (data !== undefined) out.push(this.chunk(row, data));
    }
  }

  private chunk(row: number, data: Uint8Array): RawChunk {
    const kind = this.kind[row]!;
    return {
      minTimeMs: this.times[2 * row]!,
      maxTimeMs: this.times[2 * row + 1]!,
      samples: kind & 0xffff,
      encoding: (kind >>> 16) as ChunkEncoding,
      data,
    };
  }

  private dataOf(row: number): Uint8Array | undefined {
    const { bytes, file, fileOffset } = this.pages.get(this.page[row]!)!;
    const shape = this.shape[row]!;
    const dataAt = shape >>> 24;
    const end = dataAt + (shape & 0xffffff);
    const at = this.offset[row]!;
    if (bytes !== undefined) return Buffer.from(bytes.subarray(at + dataAt, at + end));
    const frame = file!.read(fileOffset + at, end + CHECKSUM_BYTES);
    if (frame === undefined) this.files!.reportDamage(file!, fileOffset + at);
    return frame?.subarray(dataAt, end);
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
    return following;
  }

  /** Frees the pages of which all chunks end before a time. Every slot must have been truncated to it. */
  freePages(beforeMs: number): void {
    for (const [number, page] of this.pages) {
      if (page.maxTimeMs >= beforeMs) continue;
      this.pages.delete(number);
      if (page.file !== undefined) this.files!.release(page.file);
    }
  }
}
