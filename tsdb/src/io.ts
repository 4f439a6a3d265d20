// The one seam to the disk of everything that is written: tests put faults here (a full disk, a failing fsync).

import { fdatasync, fsyncSync, ftruncateSync, writeSync } from 'node:fs';

export interface Io {
  /** Appends all of `bytes` at the file's position, or throws. */
  write(fd: number, bytes: Uint8Array): void;
  sync(fd: number): void;
  /** Like sync, off the event loop. */
  syncLater(fd: number, done: (error: Error | null) => void): void;
  truncate(fd: number, sizeBytes: number): void;
}

export const diskIo: Io = {
  write(fd, bytes) {
    for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done);
  },
  sync: fsyncSync,
  syncLater: fdatasync,
  truncate: ftruncateSync,
};
