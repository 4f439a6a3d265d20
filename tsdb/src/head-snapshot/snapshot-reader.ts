// Reads what SnapshotWriter wrote, frame by frame: every byte is checked before it is used.

import { crc32c } from '@flotilla/kernel';
import { CorruptionError } from '@flotilla/model';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { readFully } from '../wal/segment-reader.ts';
import {
  CONTENT_BYTES_MAX,
  FRAME_HEAD_BYTES,
  MAGIC,
  type NumberArray,
  type Section,
  VERSION,
} from './snapshot-writer.ts';

interface ArrayOf<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): T;
}

const TEXT_BYTES_MAX = 16 << 20;

export class SnapshotReader {
  private readonly path: string;
  private readonly fd: number;
  private readonly fileBytes: number;
  private readonly frame: Buffer;
  private readonly head = Buffer.allocUnsafe(FRAME_HEAD_BYTES);
  private at = 0;
  private used = 0;
  private offset = FRAME_HEAD_BYTES;
  private frames = 0;

  /** Every method throws CorruptionError where the file is not what was written, and what the disk throws. */
  constructor(path: string) {
    this.path = path;
    this.fd = openSync(path, 'r');
    this.fileBytes = fstatSync(this.fd).size;
    this.frame = Buffer.allocUnsafeSlow(Math.min(CONTENT_BYTES_MAX, this.fileBytes));
    this.readHead(0);
    const [magic, version] = [this.head.readUInt32LE(0), this.head.readUInt32LE(4)];
    if (magic !== MAGIC || version !== VERSION) throw this.damage(`version ${version}, want ${VERSION}`);
  }

  /** The caller found content that cannot be. */
  damage(detail: string): CorruptionError {
    return new CorruptionError(this.path, this.offset, detail);
  }

  private readHead(offset: number): void {
    if (readFully(this.fd, this.head, offset) < FRAME_HEAD_BYTES) throw this.damage('ends too early');
  }

  private nextFrame(): void {
    this.readHead(this.offset);
    const length = this.head.readUInt32LE(0);
    if (length === 0 || length > this.frame.length) throw this.damage(`a frame of ${length} bytes`);
    const content = this.frame.subarray(0, length);
    if (readFully(this.fd, content, this.offset + FRAME_HEAD_BYTES) < length)
      throw this.damage('ends within a frame');
    if (crc32c(content) !== this.head.readUInt32LE(4)) throw this.damage('wrong checksum');
    this.offset += FRAME_HEAD_BYTES + length;
    this.frames++;
    this.used = length;
    this.at = 0;
  }

  section(number: Section): void {
    const got = this.u32();
    if (got !== number) throw this.damage(`section ${got}, want ${number}`);
  }

  u32(): number {
    this.reserve(4);
    this.at += 4;
    return this.frame.readUInt32LE(this.at - 4);
  }

  f64(): number {
    this.reserve(8);
    this.at += 8;
    return this.frame.readDoubleLE(this.at - 8);
  }

  /** A number never lies in two frames. */
  private reserve(bytes: number): void {
    if (this.at === this.used) this.nextFrame();
    if (this.at + bytes > this.used) throw this.damage('a number that ends behind its frame');
  }

  /** An array, with room for `spare` more items. */
  array<T extends NumberArray>(type: ArrayOf<T>, spare = 0): T {
    const length = this.u32();
    const bytes = length * type.BYTES_PER_ELEMENT;
    if (bytes > this.used - this.at + this.fileBytes - this.offset) throw this.damage(`${length} items`);
    const items = new type(length + spare);
    this.readInto(new Uint8Array(items.buffer, items.byteOffset, bytes));
    return items;
  }

  text(): string {
    return Buffer.from(this.array(Uint8Array).buffer).toString();
  }

  texts(): string[] {
    const lengths = this.array(Uint32Array);
    const out: string[] = Array.from({ length: lengths.length });
    for (let i = 0; i < lengths.length; i++) out[i] = this.utf8(lengths[i]!);
    return out;
  }

  private utf8(bytes: number): string {
    if (this.at + bytes <= this.used) {
      this.at += bytes;
      return this.frame.toString('utf8', this.at - bytes, this.at);
    }
    if (bytes > TEXT_BYTES_MAX) throw this.damage(`a text of ${bytes} bytes`);
    const text = Buffer.allocUnsafe(bytes);
    this.readInto(text);
    return text.toString();
  }

  private readInto(out: Uint8Array): void {
    for (let done = 0; done < out.length;) {
      if (this.at === this.used) this.nextFrame();
      const part = this.frame.subarray(this.at, Math.min(this.used, this.at + out.length - done));
      out.set(part, done);
      done += part.length;
      this.at += part.length;
    }
  }

  /** Nothing may be left. */
  end(): void {
    this.readHead(this.offset);
    const isWhole = this.at === this.used && this.offset + FRAME_HEAD_BYTES === this.fileBytes;
    if (!isWhole || this.head.readUInt32LE(0) !== 0 || this.head.readUInt32LE(4) !== this.frames)
      throw this.damage('no end after the last section');
  }

  close(): void {
    closeSync(this.fd);
  }
}
