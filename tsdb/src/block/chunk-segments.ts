// The chunk files of a block: chunks/000001 and on. See docs/format/chunks.md.
//
// A chunk ref is segment (from 0) · 2^32 + offset of the chunk's length field.

import { crc32c } from '@flotilla/kernel';
import { CorruptionError } from '@flotilla/model';
import { closeSync, mkdirSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import type { Io } from '../io.ts';
import { FileSink } from './file-sink.ts';

const MAGIC = 0x85bd40dd;
const VERSION = 1;
const SEGMENT_BYTES_MAX = 512 << 20;
const XOR = 1;
const ENCODING_CRC = crc32c(Uint8Array.of(XOR));
const REF_SEGMENT = 2 ** 32;
/** Length, encoding and checksum around the data. */
const FRAME_BYTES_MAX = 5 + 1 + 4;
const CHUNK_BYTES_MAX = 1 << 20;

function segmentName(segment: number): string {
  return String(segment + 1).padStart(6, '0');
}

export class ChunkWriter {
  private readonly dir: string;
  private readonly io: Io;
  private readonly frame = new ByteWriter(2048);
  private segment = 0;
  private sink: FileSink;

  /** Makes the folder. */
  constructor(dir: string, io: Io) {
    this.dir = dir;
    this.io = io;
    mkdirSync(dir);
    this.sink = this.begin();
  }

  private begin(): FileSink {
    const sink = new FileSink(join(this.dir, segmentName(this.segment)), this.io);
    this.frame.clear();
    this.frame.be32(MAGIC);
    this.frame.u8(VERSION);
    this.frame.zeros(3);
    sink.write(this.frame.bytes());
    return sink;
  }

  /** Writes an XOR payload and returns its ref. */
  write(data: Uint8Array): number {
    if (this.sink.offset + data.length + FRAME_BYTES_MAX > SEGMENT_BYTES_MAX) this.next();
    const ref = this.segment * REF_SEGMENT + this.sink.offset;
    this.frame.clear();
    this.frame.uvarint(data.length);
    this.frame.u8(XOR);
    this.frame.raw(data);
    this.frame.be32(crc32c(data, ENCODING_CRC));
    this.sink.write(this.frame.bytes());
    return ref;
  }

  private next(): void {
    this.sink.close();
    this.segment++;
    this.sink = this.begin();
  }

  close(): void {
    this.sink.close();
  }

  abort(): void {
    this.sink.abort();
  }
}

interface Window {
  segment: number;
  offset: number;
  bytes: Buffer;
}

/** Reads chunks by ref. Chunks that are read in file order cost one system call per window. */
export class ChunkReader {
  private static readonly windowBytes = 128 << 10;
  private readonly dir: string;
  private readonly fds = new Map<number, number>();
  private window: Window = { segment: -1, offset: 0, bytes: Buffer.alloc(0) };

  constructor(dir: string) {
    this.dir = dir;
  }

  /**
   * The XOR payload, as a view of memory that stays as it is; undefined for a chunk of another encoding. Throws
   * CorruptionError.
   */
  read(ref: number): Uint8Array | undefined {
    const segment = Math.floor(ref / REF_SEGMENT);
    const offset = ref % REF_SEGMENT;
    try {
      const length = new ByteReader(this.bytesAt(segment, offset, FRAME_BYTES_MAX)).uvarint();
      if (length > CHUNK_BYTES_MAX) throw new RangeError(`chunk of ${length} bytes`);
      return this.parse(this.bytesAt(segment, offset, length + FRAME_BYTES_MAX));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new CorruptionError(join(this.dir, segmentName(segment)), offset, error.message, {
        cause: error,
      });
    }
  }

  private parse(bytes: Uint8Array): Uint8Array | undefined {
    const input = new ByteReader(bytes);
    const length = input.uvarint();
    const body = input.raw(1 + length);
    const want = input.be32();
    const got = crc32c(body);
    if (got !== want) throw new RangeError(`chunk checksum ${got.toString(16)}, want ${want.toString(16)}`);
    return body[0] === XOR ? body.subarray(1) : undefined;
  }

  /** Up to `count` bytes of a segment; fewer at its end. */
  private bytesAt(segment: number, offset: number, count: number): Uint8Array {
    const { window } = this;
    const from = offset - window.offset;
    const inside = segment === window.segment && from >= 0 && from + count <= window.bytes.length;
    if (!inside) this.load(segment, offset, Math.max(count, ChunkReader.windowBytes));
    const at = offset - this.window.offset;
    return this.window.bytes.subarray(at, at + count);
  }

  private load(segment: number, offset: number, count: number): void {
    const buffer = Buffer.allocUnsafeSlow(count);
    const bytes = readSync(this.fd(segment), buffer, 0, count, offset);
    this.window = { segment, offset, bytes: buffer.subarray(0, bytes) };
  }

  private fd(segment: number): number {
    let fd = this.fds.get(segment);
    if (fd === undefined) {
      fd = openSync(join(this.dir, segmentName(segment)), 'r');
      this.fds.set(segment, fd);
    }
    return fd;
  }

  close(): void {
    for (const fd of this.fds.values()) closeSync(fd);
    this.fds.clear();
  }
}
