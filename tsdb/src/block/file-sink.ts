// Writes one file front to back through a buffer, and knows the offset. The file is durable after close().

import { dirname } from 'node:path';
import { ByteWriter } from '../bytes/byte-writer.ts';
import type { Io } from '../io.ts';

/** What is written at once. */
const BUFFER_BYTES = 1 << 20;
/** Most files are small. Doubled eight times, it has room for BUFFER_BYTES and some more. */
const FIRST_BYTES = (BUFFER_BYTES + 4096) >> 8;

export class FileSink {
  private readonly io: Io;
  private readonly fd: number;
  private readonly buffer = new ByteWriter(FIRST_BYTES);
  private flushed = 0;
  private open = true;

  constructor(path: string, io: Io) {
    this.io = io;
    this.fd = io.create(path);
  }

  get offset(): number {
    return this.flushed + this.buffer.length;
  }

  write(bytes: Uint8Array): void {
    this.buffer.raw(bytes);
    if (this.buffer.length >= BUFFER_BYTES) this.flush();
  }

  /** Zero bytes up to a multiple of `alignment`. */
  align(alignment: number): void {
    const over = this.offset % alignment;
    if (over !== 0) this.buffer.zeros(alignment - over);
  }

  private flush(): void {
    this.io.write(this.fd, this.buffer.bytes());
    this.flushed += this.buffer.length;
    this.buffer.clear();
  }

  close(): void {
    this.flush();
    this.io.sync(this.fd);
    this.open = false;
    this.io.close(this.fd);
  }

  /** Like close(), with the event loop free while the disk works. */
  async closeLater(): Promise<void> {
    this.flush();
    this.open = false;
    try {
      await new Promise<void>((resolve, reject) => {
        this.io.syncLater(this.fd, (error) => (error === null ? resolve() : reject(error)));
      });
    } finally {
      this.io.close(this.fd);
    }
  }

  /** Gives up on the file, if it is not closed. */
  abort(): void {
    if (this.open) this.io.close(this.fd);
    this.open = false;
  }
}

/** Writes a small file durably. */
export function writeFile(path: string, bytes: Uint8Array, io: Io): void {
  const sink = new FileSink(path, io);
  try {
    sink.write(bytes);
    sink.close();
  } catch (error) {
    sink.abort();
    throw error;
  }
}

/** Replaces a small file, durably, by one with other content: readers see either. */
export function replaceFile(path: string, bytes: Uint8Array, io: Io): void {
  const temporary = `${path}.tmp`;
  io.remove(temporary);
  writeFile(temporary, bytes, io);
  io.rename(temporary, path);
  io.syncFolder(dirname(path));
}
