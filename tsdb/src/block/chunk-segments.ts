// The chunk files of a block: chunks/000001 and on. See docs/format/chunks.md.
//
// A chunk ref is segment (from 0) · 2^32 + offset of the chunk's length field.

import { crc32c } from '@flotilla/kernel';
import { CorruptionError } from '@flotilla/model';
import { join } from 'node:path';
import { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import type { Io } from '../io.ts';
import { FileSink } from './file-sink.ts';
import { FileWindow } from './file-window.ts';

const MAGIC = 0x85bd40dd;
const VERSION = 1;
const SEGMENT_BYTES_MAX = 512 << 20;
export const REF_SEGMENT = 2 ** 32;
/** Length, encoding and checksum around the data. */
const FRAME_BYTES_MAX = 5 + 1 + 4;
export const CHUNK_BYTES_MAX = 1 << 20;

/** Segments count from 0, their files from 1. */
export function segmentPath(dir: string, segment: number): string {
  return join(dir, String(segment + 1).padStart(6, '0'));
}

export class ChunkWriter {
  private readonly dir: string;
  private readonly io: Io;
  private segment = 0;
  private sink: FileSink;
  private readonly closing: Promise<void>[] = [];

  /** Makes the folder. */
  constructor(dir: string, io: Io) {
    this.dir = dir;
    this.io = io;
    io.makeFolder(dir);
    this.sink = this.begin();
  }

  private begin(): FileSink {
    const sink = new FileSink(segmentPath(this.dir, this.segment), this.io);
    const header = new ByteWriter(8);
    header.be32(MAGIC);
    header.u8(VERSION);
    header.zeros(3);
    sink.write(header.bytes());
    return sink;
  }

  /** Writes the frames of a series' chunks and returns the ref of the first; those of the others follow from their offsets. */
  write(frames: Uint8Array): number {
    if (this.sink.offset + frames.length > SEGMENT_BYTES_MAX) this.next();
    const ref = this.segment * REF_SEGMENT + this.sink.offset;
    this.sink.write(frames);
    return ref;
  }

  private next(): void {
    const closed = this.sink.closeLater();
    closed.catch(() => {}); // close() tells.
    this.closing.push(closed);
    this.segment++;
    this.sink = this.begin();
  }

  /** All is durable then. */
  async close(): Promise<void> {
    this.closing.push(this.sink.closeLater());
    const results = await Promise.allSettled(this.closing);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  abort(): void {
    this.sink.abort();
  }
}

const WINDOW_BYTES = 128 << 10;

export interface StoredChunk {
  readonly encoding: number;
  /** Stays as it is. */
  readonly data: Uint8Array;
}

/** Reads chunks by ref. Chunks that are read in file order cost one system call per window. */
export class ChunkReader {
  private readonly dir: string;
  private readonly segments = new Map<number, FileWindow>();

  constructor(dir: string) {
    this.dir = dir;
  }

  /** Throws CorruptionError. */
  read(ref: number): StoredChunk {
    const segment = Math.floor(ref / REF_SEGMENT);
    const offset = ref % REF_SEGMENT;
    try {
      const file = this.file(segment);
      const length = new ByteReader(file.at(offset, FRAME_BYTES_MAX)).uvarint();
      if (length > CHUNK_BYTES_MAX) throw new RangeError(`chunk of ${length} bytes`);
      return parse(file.at(offset, length + FRAME_BYTES_MAX));
    } catch (error) {
      if (!(error instanceof RangeError) && errorCode(error) !== 'ENOENT') throw error;
      const detail = error instanceof Error ? error.message : String(error);
      throw new CorruptionError(segmentPath(this.dir, segment), offset, detail, { cause: error });
    }
  }

  private file(segment: number): FileWindow {
    let file = this.segments.get(segment);
    if (file === undefined) {
      file = new FileWindow(segmentPath(this.dir, segment), WINDOW_BYTES);
      this.segments.set(segment, file);
    }
    return file;
  }

  close(): void {
    for (const file of this.segments.values()) file.close();
    this.segments.clear();
  }
}

function errorCode(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code;
}

function parse(bytes: Uint8Array): StoredChunk {
  const input = new ByteReader(bytes);
  const length = input.uvarint();
  const body = input.raw(1 + length);
  const want = input.be32();
  const got = crc32c(body);
  if (got !== want) throw new RangeError(`chunk checksum ${got.toString(16)}, want ${want.toString(16)}`);
  return { encoding: body[0]!, data: body.subarray(1) };
}
