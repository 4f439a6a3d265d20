// Random reads of one file through a window: reads in file order cost one system call per window.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

export class FileWindow {
  private readonly path: string;
  private readonly windowBytes: number;
  private fd = -1;
  private fileBytes = 0;
  private offset = 0;
  private bytes = Buffer.alloc(0);

  /** The file is opened at the first read. */
  constructor(path: string, windowBytes: number) {
    this.path = path;
    this.windowBytes = windowBytes;
  }

  /** Up to `count` bytes; fewer at the end of the file. A view of memory that stays as it is. Throws what the disk throws. */
  at(offset: number, count: number): Buffer {
    const start = this.bring(offset, count);
    return this.bytes.subarray(start, start + count);
  }

  /** Where up to `count` bytes begin in the window, which has them then; beyond its end if the file has none. Throws as at() does. */
  bring(offset: number, count: number): number {
    const from = offset - this.offset;
    if (from < 0 || from + count > this.bytes.length) this.load(offset, Math.max(count, this.windowBytes));
    return offset - this.offset;
  }

  /** Memory that stays as it is; another one after a bring(), perhaps. */
  get window(): Buffer {
    return this.bytes;
  }

  private load(offset: number, wanted: number): void {
    if (this.fd < 0) this.open();
    const count = Math.max(0, Math.min(wanted, this.fileBytes - offset));
    const buffer = Buffer.allocUnsafeSlow(count);
    let done = 0;
    while (done < count) {
      const bytes = readSync(this.fd, buffer, done, count - done, offset + done);
      if (bytes === 0) break;
      done += bytes;
    }
    this.offset = offset;
    this.bytes = buffer.subarray(0, done);
  }

  private open(): void {
    this.fd = openSync(this.path, 'r');
    this.fileBytes = fstatSync(this.fd).size;
  }

  close(): void {
    if (this.fd >= 0) closeSync(this.fd);
    this.fd = -1;
    this.bytes = Buffer.alloc(0);
  }
}
