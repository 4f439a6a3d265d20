// Hot: reads of sealed chunks, once per chunk that a query reads: planned series by series, done in the order of pages.
//
// What lies near each other is read with one call, since a call costs as much as some 16 KiB. Checksums are looked at unless the caller trusts the chunk.

import { CHUNK_HEADER_BYTES, ChunkGather } from '@flotilla/kernel';
import { enlarged } from '../bytes/enlarged.ts';
import type { KeptChunks } from './kept-chunks.ts';
import type { SealedPage } from './sealed-page.ts';

const READS_MAX = 1 << 14;
const READS_FIRST = 1 << 4;
const CHECKSUM_BYTES = 4;
/** What a call costs, in bytes that could be read instead: a gap that is read rather than left out. */
const GAP_BYTES_MAX = 16 << 10;
/** Of an offset in a page. */
const OFFSET_SPAN = 2 ** 24;

export class SealedReads {
  readonly gather: ChunkGather;
  private readonly kept: KeptChunks;
  private count = 0;
  private pages: SealedPage[] = [];
  private readonly ordinals = new Map<SealedPage, number>();
  // By read; grown to READS_MAX at most.
  private page = new Uint16Array(READS_FIRST);
  private offset = new Uint32Array(READS_FIRST);
  /** Bytes of the frame without its checksum. */
  private frameBytes = new Uint32Array(READS_FIRST);
  private dataAt = new Uint8Array(READS_FIRST);
  /** 1: the checksum need not be looked at. */
  private trusted = new Uint8Array(READS_FIRST);
  private place = new Uint32Array(READS_FIRST);
  private series = new Uint16Array(READS_FIRST);
  /** The caller's. */
  private row = new Uint32Array(READS_FIRST);
  private keys = new Float64Array(READS_FIRST);
  /** The reads in the order of pages and places in them. */
  private order = new Uint16Array(READS_FIRST);

  constructor(gather: ChunkGather, kept: KeptChunks) {
    this.gather = gather;
    this.kept = kept;
  }

  get size(): number {
    return this.count;
  }

  /** Whether one more may be planned, of so many bytes of data. */
  hasRoomFor(dataBytes: number): boolean {
    return this.count < READS_MAX && this.gather.leftBytes >= CHUNK_HEADER_BYTES + dataBytes;
  }

  /** Reads what add() will look up of a frame, as KeptChunks.touch(). */
  touch(page: number, offset: number): number {
    return this.kept.touch(idOf(page, offset));
  }

  /** Plans to bring the data of the frame at `offset` in a page to a place in the gather, for a series. */
  add(
    page: SealedPage,
    offset: number,
    dataAt: number,
    dataBytes: number,
    isTrusted: boolean,
    place: number,
    series: number,
    row: number,
  ): void {
    if (
      isTrusted &&
      page.file !== undefined &&
      this.kept.fill(idOf(page.number, offset), this.gather, place, dataBytes)
    )
      return;
    if (this.count === this.page.length) this.grow();
    const i = this.count++;
    this.page[i] = this.ordinalOf(page);
    this.offset[i] = offset;
    this.dataAt[i] = dataAt;
    this.trusted[i] = isTrusted ? 1 : 0;
    this.frameBytes[i] = dataAt + dataBytes;
    this.place[i] = place;
    this.row[i] = row;
    this.series[i] = series;
  }

  private grow(): void {
    const length = 2 * this.page.length;
    this.page = enlarged(this.page, new Uint16Array(length));
    this.offset = enlarged(this.offset, new Uint32Array(length));
    this.frameBytes = enlarged(this.frameBytes, new Uint32Array(length));
    this.dataAt = enlarged(this.dataAt, new Uint8Array(length));
    this.trusted = enlarged(this.trusted, new Uint8Array(length));
    this.place = enlarged(this.place, new Uint32Array(length));
    this.series = enlarged(this.series, new Uint16Array(length));
    this.row = enlarged(this.row, new Uint32Array(length));
    this.keys = new Float64Array(length);
    this.order = new Uint16Array(length);
  }

  private ordinalOf(page: SealedPage): number {
    let ordinal = this.ordinals.get(page);
    if (ordinal === undefined) {
      ordinal = this.pages.push(page) - 1;
      this.ordinals.set(page, ordinal);
    }
    return ordinal;
  }

  /** Takes back the plans after the first `size`. */
  cut(size: number): void {
    this.count = size;
  }

  /** Reads all that is planned; tells the series of which a chunk is damaged. */
  readAll(onDamage: (series: number) => void): void {
    this.gather.fillAll();
    const { keys, count } = this;
    for (let i = 0; i < count; i++) keys[i] = (this.page[i]! * OFFSET_SPAN + this.offset[i]!) * READS_MAX + i;
    keys.subarray(0, count).sort();
    for (let i = 0; i < count; i++) this.order[i] = keys[i]! % READS_MAX;
    for (let from = 0; from < count;) from = this.readNext(from, onDamage);
  }

  /** Of all that is planned. */
  rows(): Uint32Array {
    return this.row.subarray(0, this.count);
  }

  clear(): void {
    this.count = 0;
    this.pages = [];
    this.ordinals.clear();
  }

  /** Does the first of the reads from a place in the order, and those near it; returns the place of the next one. */
  private readNext(from: number, onDamage: (series: number) => void): number {
    const first = this.order[from]!;
    const page = this.pages[this.page[first]!]!;
    if (page.bytes === undefined) return this.readRun(page, from, onDamage);
    const at = this.offset[first]!;
    const data = page.bytes.subarray(at + this.dataAt[first]!, at + this.frameBytes[first]!);
    this.gather.fill(this.place[first]!, data);
    return from + 1;
  }

  private readRun(page: SealedPage, from: number, onDamage: (series: number) => void): number {
    const start = this.offset[this.order[from]!]!;
    const to = this.endOfRun(from, start);
    const last = this.order[to - 1]!;
    const wanted = this.offset[last]! + this.frameBytes[last]! + CHECKSUM_BYTES - start;
    const { memory, at } = this.gather.window(wanted);
    const got = page.file!.readTo(memory, at, wanted, page.fileOffset + start);
    // What a file that is too short does not give has no right checksum.
    if (got < wanted) memory.fill(0, at + got, at + wanted);
    for (let i = from; i < to; i++) {
      const read = this.order[i]!;
      const offset = this.offset[read]! - start;
      const isTrusted = this.trusted[read] === 1 && got === wanted;
      this.gather.addJob(offset, this.frameBytes[read]!, this.dataAt[read]!, this.place[read]!, isTrusted);
    }
    let isWhole = true;
    this.gather.takeFrames((job) => {
      isWhole = false;
      onDamage(this.series[this.order[from + job]!]!);
    });
    if (isWhole) this.keepSparse(page, from, to, wanted);
    return to;
  }

  /** Keeps what a run has if most of what it cost was in vain: chunks that lie together are read as fast again. */
  private keepSparse(page: SealedPage, from: number, to: number, wanted: number): void {
    let bytes = 0;
    for (let i = from; i < to; i++) bytes += this.frameBytes[this.order[i]!]!;
    if (2 * bytes > wanted + GAP_BYTES_MAX) return;
    for (let i = from; i < to; i++) {
      const read = this.order[i]!;
      const dataBytes = this.frameBytes[read]! - this.dataAt[read]!;
      this.kept.keep(idOf(page.number, this.offset[read]!), this.gather, this.place[read]!, dataBytes);
    }
  }

  /** The place after the last read that is near the one before it, in the same page, and in the window. */
  private endOfRun(from: number, start: number): number {
    const page = this.page[this.order[from]!]!;
    const toMax = Math.min(this.count, from + ChunkGather.jobsMax);
    let end = start;
    let to = from;
    for (; to < toMax; to++) {
      const read = this.order[to]!;
      const offset = this.offset[read]!;
      const frameEnd = offset + this.frameBytes[read]! + CHECKSUM_BYTES;
      if (this.page[read] !== page) break;
      if (to > from && (offset - end > GAP_BYTES_MAX || frameEnd - start > ChunkGather.windowBytes)) break;
      end = frameEnd;
    }
    return to;
  }
}

/** No other chunk of the head has it, as pages that are gone do not come back. */
function idOf(page: number, offset: number): number {
  return page * OFFSET_SPAN + offset;
}
