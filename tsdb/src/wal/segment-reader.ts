// Reads the records of one WAL segment, page by page, and survives damage: what cannot be read is skipped up to the
// next fragment with a right checksum. See docs/format/wal.md.

import { crc32c, uncompressSnappy } from '@flotilla/kernel';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { nextTurn } from '../turns.ts';
import zlib from 'node:zlib';
import { ByteWriter } from '../bytes/byte-writer.ts';

export const PAGE_BYTES = 32 << 10;
const HEADER_BYTES = 7;
const WINDOW_PAGES_MAX = 32;
const RECORD_BYTES_MAX = 256 << 20;

const fragmentType = { padding: 0, full: 1, first: 2, middle: 3, last: 4 } as const;
const TYPE_MASK = 7;
const SNAPPY = 8;
const ZSTD = 16;

export interface SegmentProblem {
  /** `torn`: no whole record follows, as a crash or a power cut leaves the end of a file. Anything else is damage. */
  readonly kind: 'torn' | 'damaged';
  readonly offsetBytes: number;
  readonly detail: string;
}

export interface SegmentReport {
  /** Where the last whole record before the problem ends. */
  readonly goodBytes: number;
  /** The first one, if any. */
  readonly problem: SegmentProblem | undefined;
}

/** Calls `onRecord` for each whole record, in order. The record is a view: copy it to keep it. */
export function readSegment(path: string, onRecord: (record: Uint8Array) => void): SegmentReport {
  const scan = new SegmentScan(path, onRecord);
  try {
    while (scan.step());
    return scan.report();
  } finally {
    scan.close();
  }
}

/** Like readSegment, but lets the event loop have its turn after each window, and leaves out what ends in the first bytes. */
export async function readSegmentSlowly(
  path: string,
  onRecord: (record: Uint8Array) => void,
  skipBytes = 0,
): Promise<void> {
  const scan = new SegmentScan(path, onRecord, skipBytes);
  try {
    while (scan.step()) await nextTurn();
  } finally {
    scan.close();
  }
}

class SegmentScan {
  private readonly fd: number;
  private readonly reader: SegmentReader;
  private readonly window: Buffer;
  private offset = 0;

  constructor(path: string, onRecord: (record: Uint8Array) => void, skipBytes = 0) {
    this.fd = openSync(path, 'r');
    const pages = 1 + Math.floor(fstatSync(this.fd).size / PAGE_BYTES);
    this.window = Buffer.allocUnsafeSlow(Math.min(pages, WINDOW_PAGES_MAX) * PAGE_BYTES);
    this.reader = new SegmentReader(onRecord, skipBytes);
  }

  /** Reads one window; false after the last one. */
  step(): boolean {
    const bytes = readFully(this.fd, this.window, this.offset);
    for (let from = 0; from < bytes; from += PAGE_BYTES) {
      const page = this.window.subarray(from, Math.min(bytes, from + PAGE_BYTES));
      this.reader.page(page, this.offset + from);
    }
    this.offset += bytes;
    return bytes === this.window.length;
  }

  report(): SegmentReport {
    return this.reader.end(this.offset);
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** Fills a window from an offset; returns how many bytes there were. */
export function readFully(fd: number, window: Uint8Array, offset: number): number {
  let done = 0;
  while (done < window.length) {
    const bytes = readSync(fd, window, done, window.length - done, offset + done);
    if (bytes === 0) break;
    done += bytes;
  }
  return done;
}

/** Puts records together from pages that come in order. Those that end at or before `skipBytes` are left out. */
export class SegmentReader {
  private readonly onRecord: (record: Uint8Array, endBytes: number) => void;
  private readonly skipBytes: number;
  private readonly parts = new ByteWriter();
  /** Within a record of several fragments. */
  private open = false;
  private goodBytes = 0;
  private problem: SegmentProblem | undefined;
  private tornAt = -1;
  private isFollowed = false;

  constructor(onRecord: (record: Uint8Array, endBytes: number) => void, skipBytes = 0) {
    this.onRecord = onRecord;
    this.skipBytes = skipBytes;
  }

  page(page: Uint8Array, offset: number): void {
    let at = 0;
    while (at < page.length) {
      if ((page[at]! & TYPE_MASK) === fragmentType.padding) {
        const rest = page.subarray(at);
        if (rest.every((byte) => byte === 0)) return;
      }
      const size = fragmentSize(page, at);
      if (size === 0) {
        at = this.resync(page, at, offset);
        continue;
      }
      this.fragment(page[at]!, page.subarray(at + HEADER_BYTES, at + size), offset + at, offset + at + size);
      at += size;
    }
  }

  /** Handles bytes that are no fragment; returns where in the page to go on. */
  private resync(page: Uint8Array, at: number, offset: number): number {
    const next = nextFragment(page, at + 1);
    if (next === page.length && isCutOff(page, at)) this.tornAt = offset + at;
    else this.damaged(offset + at, 'no record fragment with a right checksum');
    return next;
  }

  private fragment(head: number, data: Uint8Array, from: number, to: number): void {
    const type = head & TYPE_MASK;
    const begins = type === fragmentType.full || type === fragmentType.first;
    if (begins === this.open)
      this.damaged(from, begins ? 'a record begins within another' : 'a record without begin');
    if (!begins && !this.open) return;
    if (begins) this.parts.clear();
    this.open = type === fragmentType.first || type === fragmentType.middle;
    if (type !== fragmentType.full) this.parts.raw(data);
    if (this.parts.length > RECORD_BYTES_MAX) this.open = false;
    else if (!this.open) this.record(head, type === fragmentType.full ? data : this.parts.bytes(), from, to);
  }

  private record(head: number, record: Uint8Array, from: number, to: number): void {
    this.isFollowed = this.problem !== undefined;
    if (!this.isFollowed) this.goodBytes = to;
    if (to <= this.skipBytes) return;
    const content = uncompressed(head, record);
    if (content === undefined) this.damaged(from, 'a compressed record that does not uncompress');
    else if (content.length > 0) this.onRecord(content, to);
  }

  private damaged(offsetBytes: number, detail: string): void {
    this.open = false;
    this.problem ??= { kind: 'damaged', offsetBytes, detail };
  }

  end(fileBytes: number): SegmentReport {
    if (this.open && this.tornAt < 0) this.tornAt = fileBytes;
    if (this.tornAt >= 0) {
      this.problem ??= { kind: 'torn', offsetBytes: this.tornAt, detail: 'the file ends within a record' };
    }
    const { goodBytes, problem } = this;
    if (problem === undefined || this.isFollowed) return { goodBytes, problem };
    return { goodBytes, problem: { ...problem, kind: 'torn' } };
  }
}

/** What a record holds; undefined if its compression is damaged or unknown. */
function uncompressed(head: number, record: Uint8Array): Uint8Array | undefined {
  switch (head & (SNAPPY | ZSTD)) {
    case 0:
      return record;
    case SNAPPY:
      return uncompressSnappy(record, RECORD_BYTES_MAX);
    case ZSTD:
      return unzstd(record);
    default:
      return undefined;
  }
}

/** Node has it since 22.15; before, such a record is damage. */
function unzstd(record: Uint8Array): Uint8Array | undefined {
  try {
    return zlib.zstdDecompressSync(record, { maxOutputLength: RECORD_BYTES_MAX });
  } catch {
    return undefined;
  }
}

/** Bytes of the fragment at a place of a page, header included; 0 if there is none with a right checksum. */
function fragmentSize(page: Uint8Array, at: number): number {
  if (at + HEADER_BYTES > page.length) return 0;
  const type = page[at]! & TYPE_MASK;
  if (type < fragmentType.full || type > fragmentType.last || page[at]! >> 5 !== 0) return 0;
  const length = (page[at + 1]! << 8) | page[at + 2]!;
  const end = at + HEADER_BYTES + length;
  if (end > page.length) return 0;
  const want = new DataView(page.buffer, page.byteOffset + at + 3, 4).getUint32(0);
  return crc32c(page.subarray(at + HEADER_BYTES, end)) === want ? HEADER_BYTES + length : 0;
}

/** Where the next fragment begins that is not empty: seven zero bytes after a 1 are an empty one, and mean nothing. */
function nextFragment(page: Uint8Array, from: number): number {
  let at = from;
  while (at < page.length && fragmentSize(page, at) <= HEADER_BYTES) at++;
  return at;
}

/** Whether the page is the short last one and a fragment that begins here would end behind it. */
function isCutOff(page: Uint8Array, at: number): boolean {
  if (page.length === PAGE_BYTES) return false;
  const type = page[at]! & TYPE_MASK;
  if (type < fragmentType.full || type > fragmentType.last) return false;
  if (at + 3 > page.length) return true;
  const end = at + HEADER_BYTES + ((page[at + 1]! << 8) | page[at + 2]!);
  return end > page.length && end <= PAGE_BYTES;
}
