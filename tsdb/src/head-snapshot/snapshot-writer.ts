// Writes a head snapshot: one stream of numbers, arrays and texts, in frames with checksums. See docs/format/head-snapshot.md.
//
// Numbers and arrays are as in memory, little-endian on every machine that has a V8 with WASM.

import { crc32c } from '@flotilla/kernel';
import { Unavailable } from '@flotilla/model';
import type { Io } from '../io.ts';

export const MAGIC = 0x4e534846; // "FHSN"
export const VERSION = 1;
export const FRAME_HEAD_BYTES = 8;
export const CONTENT_BYTES_MAX = 1 << 20;
const FRAME_BYTES_MAX = FRAME_HEAD_BYTES + CONTENT_BYTES_MAX;
const FRAME_BYTES_FIRST = 4096;

export const section = {
  header: 1,
  head: 2,
  refs: 3,
  symbols: 4,
  labelSets: 5,
  postings: 6,
  schedules: 7,
  sealedChunks: 8,
  histograms: 9,
  lateSamples: 10,
  exemplars: 11,
  metadata: 12,
  openChunks: 13,
} as const;
export type Section = (typeof section)[keyof typeof section];

export type NumberArray = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array;

export class SnapshotWriter {
  private readonly io: Io;
  private readonly fd: number;
  private readonly mustStop: () => boolean;
  /** Grows to FRAME_BYTES_MAX. */
  private frame = Buffer.allocUnsafeSlow(FRAME_BYTES_FIRST);
  private used = FRAME_HEAD_BYTES;
  private frames = 0;
  private open = true;

  /** Makes the file. Every method throws what the disk throws, and Unavailable once `mustStop` says so. */
  constructor(path: string, io: Io, mustStop: () => boolean) {
    this.io = io;
    this.mustStop = mustStop;
    this.fd = io.create(path);
    this.u32(MAGIC);
    this.u32(VERSION);
    io.write(this.fd, this.frame.subarray(FRAME_HEAD_BYTES, this.used));
    this.used = FRAME_HEAD_BYTES;
  }

  section(number: Section): void {
    this.flush();
    this.u32(number);
  }

  u32(value: number): void {
    this.reserve(4);
    this.used = this.frame.writeUInt32LE(value, this.used);
  }

  f64(value: number): void {
    this.reserve(8);
    this.used = this.frame.writeDoubleLE(value, this.used);
  }

  /** The number of items, and the items. */
  array(items: NumberArray): void {
    this.u32(items.length);
    this.raw(new Uint8Array(items.buffer, items.byteOffset, items.byteLength));
  }

  /** One array of bytes, of parts. */
  arrayOf(parts: readonly Uint8Array[]): void {
    this.u32(parts.reduce((sum, { length }) => sum + length, 0));
    for (const part of parts) this.raw(part);
  }

  text(value: string): void {
    this.array(Buffer.from(value));
  }

  /** The number of texts, the bytes of each, and the bytes of all. */
  texts(values: readonly string[]): void {
    this.array(Uint32Array.from(values, (value) => Buffer.byteLength(value)));
    for (const value of values) {
      const bytes = value.length * 3;
      if (bytes > CONTENT_BYTES_MAX) this.raw(Buffer.from(value));
      else {
        this.reserve(bytes);
        this.used += this.frame.write(value, this.used, 'utf8');
      }
    }
  }

  private raw(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length;) {
      this.reserve(1);
      const part = bytes.subarray(from, from + this.frame.length - this.used);
      this.frame.set(part, this.used);
      this.used += part.length;
      from += part.length;
    }
  }

  private reserve(bytes: number): void {
    if (this.used + bytes > FRAME_BYTES_MAX) this.flush();
    if (this.used + bytes > this.frame.length) this.grow(this.used + bytes);
  }

  private grow(bytes: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.min(FRAME_BYTES_MAX, Math.max(bytes, 2 * this.frame.length)));
    larger.set(this.frame.subarray(0, this.used));
    this.frame = larger;
  }

  private flush(): void {
    const content = this.frame.subarray(FRAME_HEAD_BYTES, this.used);
    if (content.length === 0) return;
    if (this.mustStop()) throw new Unavailable('head snapshot: not written in time');
    this.frame.writeUInt32LE(content.length, 0);
    this.frame.writeUInt32LE(crc32c(content), 4);
    this.io.write(this.fd, this.frame.subarray(0, this.used));
    this.used = FRAME_HEAD_BYTES;
    this.frames++;
  }

  /** Ends the file, durably. */
  close(): void {
    this.flush();
    this.frame.writeUInt32LE(0, 0);
    this.frame.writeUInt32LE(this.frames, 4);
    this.io.write(this.fd, this.frame.subarray(0, FRAME_HEAD_BYTES));
    this.io.sync(this.fd);
    this.open = false;
    this.io.close(this.fd);
  }

  /** Gives up on the file, if it is not closed. */
  abort(): void {
    if (this.open) this.io.close(this.fd);
    this.open = false;
  }
}
