// The full chunks of a head, until a block has taken them.
//
// Chunks lie in 1 MiB pages in the order in which they filled up, so that a page's chunks are of about the same age and
// whole pages die together. A full page moves to a file. A chunk is a row of numbers; the rows of a series are a list in
// time order.
//
// Cost: 27 bytes of memory a chunk, and one page. No object per chunk before somebody reads it.

import { crc32c } from '@flotilla/kernel';
import type { ChunkEncoding, RawChunk, SeriesRef } from '../api.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import type { SnapshotReader } from '../head-snapshot/snapshot-reader.ts';
import { section, type SnapshotWriter } from '../head-snapshot/snapshot-writer.ts';
import type { HeadChunkFiles } from './head-chunk-files.ts';
import { slotOf } from './ref-table.ts';
import type { SealedPage } from './sealed-page.ts';
import type { SealedReads } from './sealed-reads.ts';
import { grown } from './symbols.ts';

const PAGE_BYTES = 1 << 20;
/** Of the memory of a page, which grows to PAGE_BYTES. */
const PAGE_BYTES_FIRST = 16 << 10;
const CHECKSUM_BYTES = 4;
const ROWS_FIRST = 16;

/** Times of a page's chunks count from its baseMs, in 32 bits: from 24 days before its first chunk to 24 days after. */
const BEFORE_BASE_MS = 2 ** 31;
const TIME_SPAN_MS = 2 ** 32;
/** Bytes of a frame before the length of its data. */
const FRAME_HEAD_BYTES = 25;

/** A checksum that was right is looked at again after this. */
const CHECK_PERIOD_MS = 10 * 60_000;

const WARM_MAX = 8;
/** Rows of a series that warm() reads. */
const WARM_DEPTH = 2;

/** 1..255 */
function checkPeriod(): number {
  return (Math.floor(Date.now() / CHECK_PERIOD_MS) % 255) + 1;
}

export class SealedChunks {
  /** By slot: first and last row; 0 = none. */
  private first = new Uint32Array(ROWS_FIRST);
  private last = new Uint32Array(ROWS_FIRST);
  // By row.
  private next = new Uint32Array(ROWS_FIRST);
  private page = new Uint32Array(ROWS_FIRST);
  /** Of the chunk's frame in its page. */
  private offset = new Uint32Array(ROWS_FIRST);
  /** Bytes of the length of the data << 28 | encoding << 24 | bytes of the data */
  private shape = new Uint32Array(ROWS_FIRST);
  private samples = new Uint16Array(ROWS_FIRST);
  /** When the checksum was last looked at, as checkNow() says; 0 = never. */
  private checked = new Uint8Array(ROWS_FIRST);
  /** First and last, from the baseMs of its page. */
  private times = new Uint32Array(2 * ROWS_FIRST);
  private rows = 1;
  private freeRow = 0;
  private count = 0;
  private readonly pages = new Map<number, SealedPage>();
  private openPage = 0;
  /** The page that was looked up last. */
  private near: SealedPage | undefined;
  /** Of no meaning: what warm() reads must come to something, or it would not be read. */
  warmed = 0;
  private readonly warmRows = new Uint32Array(WARM_MAX);
  private readonly warmPages = new Uint32Array(WARM_MAX * WARM_DEPTH);
  private readonly warmOffsets = new Uint32Array(WARM_MAX * WARM_DEPTH);
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
    const page = this.pageFor(frame.length, chunk);
    this.page[row] = this.openPage;
    this.offset[row] = page.used;
    this.shape[row] = ((dataAt - FRAME_HEAD_BYTES) << 28) | (chunk.encoding << 24) | chunk.data.length;
    this.samples[row] = chunk.samples;
    this.checked[row] = 0;
    this.times[2 * row] = chunk.minTimeMs - page.baseMs;
    this.times[2 * row + 1] = chunk.maxTimeMs - page.baseMs;
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
    this.times = grown(this.times, 2 * this.next.length);
    const samples = new Uint16Array(this.next.length);
    samples.set(this.samples);
    this.samples = samples;
    const checked = new Uint8Array(this.next.length);
    checked.set(this.checked);
    this.checked = checked;
  }

  private pageFor(length: number, { minTimeMs, maxTimeMs }: RawChunk): SealedPage {
    const open = this.pages.get(this.openPage);
    const isOfItsTime =
      open !== undefined && minTimeMs >= open.baseMs && maxTimeMs < open.baseMs + TIME_SPAN_MS;
    if (isOfItsTime && hasRoom(open, length)) return open;
    const baseMs = minTimeMs - BEFORE_BASE_MS;
    const bytes = this.takeBytes(open, Math.max(PAGE_BYTES_FIRST, length));
    const number = ++this.openPage;
    const page = { number, bytes, used: 0, baseMs, maxTimeMs: -Infinity, file: undefined, fileOffset: 0 };
    this.pages.set(number, page);
    return page;
  }

  /** Memory for a page: that of the full one before it, if a file takes its content. */
  private takeBytes(full: SealedPage | undefined, length: number): Uint8Array {
    const bytes = full?.bytes;
    const written = bytes === undefined ? undefined : this.files?.write(bytes.subarray(0, full!.used));
    if (full === undefined || bytes === undefined || written === undefined) return new Uint8Array(length);
    full.bytes = undefined;
    full.file = written.file;
    full.fileOffset = written.offset;
    return bytes.length >= length ? bytes : new Uint8Array(length);
  }

  /** Moves the open page to a file, too; false if a page has to stay in memory. */
  flush(): boolean {
    const open = this.pages.get(this.openPage);
    if (open?.bytes !== undefined) this.takeBytes(open, 0);
    return this.memoryBytes === 0;
  }

  /** What flush() has moved to files. */
  save(out: SnapshotWriter): void {
    out.section(section.sealedChunks);
    out.u32(this.openPage);
    out.u32(this.pages.size);
    for (const [number, { used, baseMs, maxTimeMs, file, fileOffset }] of this.pages) {
      for (const n of [number, used, file!.number, fileOffset]) out.u32(n);
      out.f64(baseMs);
      out.f64(maxTimeMs);
    }
    for (const n of [this.freeRow, this.count]) out.u32(n);
    for (const bySlot of [this.first, this.last]) out.array(bySlot);
    for (const byRow of [this.next, this.page, this.offset, this.shape, this.samples])
      out.array(byRow.subarray(0, this.rows));
    out.array(this.times.subarray(0, 2 * this.rows));
  }

  /** Of an empty one; `files` have been adopted. */
  load(input: SnapshotReader, files: HeadChunkFiles): void {
    input.section(section.sealedChunks);
    this.openPage = input.u32();
    for (let left = input.u32(); left > 0; left--) {
      const [number, used, file, fileOffset] = [
        input.u32(),
        input.u32(),
        files.adopted(input.u32()),
        input.u32(),
      ];
      const [baseMs, maxTimeMs] = [input.f64(), input.f64()];
      if (file === undefined) throw input.damage(`page ${number} in a file that is not named`);
      this.pages.set(number, { number, bytes: undefined, used, baseMs, maxTimeMs, file, fileOffset });
    }
    this.freeRow = input.u32();
    this.count = input.u32();
    this.first = input.array(Uint32Array);
    this.last = input.array(Uint32Array);
    this.next = input.array(Uint32Array);
    this.rows = this.next.length;
    this.page = input.array(Uint32Array);
    this.offset = input.array(Uint32Array);
    this.shape = input.array(Uint32Array);
    this.samples = input.array(Uint16Array);
    this.checked = new Uint8Array(this.rows);
    this.times = input.array(Uint32Array);
  }

  /** The earliest time in the chunks of a slot; +Infinity if it has none. */
  minTimeMs(slot: number): number {
    return this.has(slot) ? this.firstTimeMs(this.first[slot]!) : Infinity;
  }

  private firstTimeMs(row: number): number {
    return this.pages.get(this.page[row]!)!.baseMs + this.times[2 * row]!;
  }

  private lastTimeMs(row: number): number {
    return this.pages.get(this.page[row]!)!.baseMs + this.times[2 * row + 1]!;
  }

  overlaps(slot: number, minTimeMs: number, maxTimeMs: number): boolean {
    if (!this.has(slot)) return false;
    for (let row = this.first[slot]!; row !== 0; row = this.next[row]!) {
      if (this.firstTimeMs(row) <= maxTimeMs && this.lastTimeMs(row) >= minTimeMs) return true;
    }
    return false;
  }

  /** Appends the slot's chunks that touch the range to `out`. Their data are copies. */
  collect(slot: number, minTimeMs: number, maxTimeMs: number, out: RawChunk[]): void {
    if (!this.has(slot)) return;
    for (let row = this.first[slot]!; row !== 0; row = this.next[row]!) {
      if (this.firstTimeMs(row) > maxTimeMs || this.lastTimeMs(row) < minTimeMs) continue;
      const data = this.dataOf(row);
      if (data !== undefined) out.push(this.chunk(row, data));
    }
  }

  /**
   * Brings the first rows of some series, at most WARM_MAX, into the caches, and what the reader looks up of them, so that plan() waits for
   * memory no more: they lie anywhere, and are waited for together here.
   */
  warm(refs: Uint32Array, reads: SealedReads): void {
    let mixed = 0;
    let count = 0;
    const { warmRows: rows, warmPages: pages, warmOffsets: offsets } = this;
    for (let i = 0; i < refs.length; i++) rows[i] = this.first[slotOf(refs[i]!)] ?? 0;
    for (let depth = 0; depth < WARM_DEPTH; depth++) {
      for (let i = 0; i < refs.length; i++) {
        const row = rows[i]!;
        mixed ^= this.times[2 * row]! ^ this.shape[row]! ^ this.samples[row]! ^ this.checked[row]!;
        pages[count] = this.page[row]!;
        offsets[count++] = this.offset[row]!;
        rows[i] = this.next[row]!;
      }
    }
    for (let i = 0; i < count; i++) mixed ^= reads.touch(pages[i]!, offsets[i]!);
    this.warmed = mixed;
  }

  /**
   * Plans to gather the slot's chunks that touch the range, for a reader's series; false if there is no room for all of
   * them, and then the plan is of no use.
   */
  plan(slot: number, minTimeMs: number, maxTimeMs: number, reads: SealedReads, series: number): boolean {
    if (!this.has(slot)) return true;
    const checkNow = checkPeriod();
    for (let row = this.first[slot]!; row !== 0; row = this.next[row]!) {
      const page = this.pageOf(row);
      const from = page.baseMs + this.times[2 * row]!;
      const to = page.baseMs + this.times[2 * row + 1]!;
      if (from > maxTimeMs || to < minTimeMs) continue;
      const shape = this.shape[row]!;
      const bytes = shape & 0xffffff;
      if (!reads.hasRoomFor(bytes)) return false;
      const place = reads.gather.reserve(from, to, this.samples[row]!, (shape >>> 24) & 15, bytes);
      const isTrusted = this.checked[row] === checkNow;
      const dataAt = FRAME_HEAD_BYTES + (shape >>> 28);
      reads.add(page, this.offset[row]!, dataAt, bytes, isTrusted, place, series, row);
    }
    return true;
  }

  /** Rows of neighbours are often in one page. */
  private pageOf(row: number): SealedPage {
    const number = this.page[row]!;
    if (this.near?.number !== number) this.near = this.pages.get(number)!;
    return this.near;
  }

  /** What was read had the right checksums. */
  noteChecked(rows: Uint32Array): void {
    const checkNow = checkPeriod();
    for (const row of rows) this.checked[row] = checkNow;
  }

  private chunk(row: number, data: Uint8Array): RawChunk {
    return {
      minTimeMs: this.firstTimeMs(row),
      maxTimeMs: this.lastTimeMs(row),
      samples: this.samples[row]!,
      encoding: ((this.shape[row]! >>> 24) & 15) as ChunkEncoding,
      data,
    };
  }

  private dataOf(row: number): Uint8Array | undefined {
    const { bytes, file, fileOffset } = this.pages.get(this.page[row]!)!;
    const shape = this.shape[row]!;
    const dataAt = FRAME_HEAD_BYTES + (shape >>> 28);
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
    while (row !== 0 && this.lastTimeMs(row) < beforeMs) row = this.release(row);
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
      this.near = undefined;
      if (page.file !== undefined) this.files!.release(page.file);
    }
  }
}

/** Whether a page takes so many bytes more; makes room for them if it has to. */
function hasRoom(page: SealedPage, length: number): boolean {
  const { bytes, used } = page;
  if (bytes === undefined) return false;
  const wanted = used + length;
  if (wanted <= bytes.length) return true;
  if (wanted > PAGE_BYTES) return false;
  page.bytes = new Uint8Array(Math.min(PAGE_BYTES, Math.max(wanted, 2 * bytes.length)));
  page.bytes.set(bytes);
  return true;
}
