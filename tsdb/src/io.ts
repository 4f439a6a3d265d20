// The one seam to the disk of everything that changes it: tests put faults here (a full disk, a failing call, a power cut).
// Reading does not go through it.

import {
  closeSync,
  fdatasync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';

/** All throw what the disk throws. */
export interface Io {
  /** Makes a file, which must not exist, for appending. */
  create(path: string): number;
  /** Opens a file that exists, for appending and truncating. */
  openExisting(path: string): number;
  /** Appends all of `bytes`; what a failing call wrote of them is unknown. */
  write(fd: number, bytes: Uint8Array): void;
  sync(fd: number): void;
  /** Like sync, off the event loop. */
  syncLater(fd: number, done: (error: Error | null) => void): void;
  truncate(fd: number, sizeBytes: number): void;
  close(fd: number): void;
  /** Makes a folder; it is no error if it exists. */
  makeFolder(path: string): void;
  rename(from: string, to: string): void;
  link(from: string, to: string): void;
  /** A file or a whole folder; it is no error if there is none. */
  remove(path: string): void;
  /** Makes created, renamed and removed names of a folder durable. */
  syncFolder(path: string): void;
}

export const diskIo: Io = {
  create: (path) => openSync(path, 'ax'),
  openExisting: (path) => openSync(path, 'r+'),
  write(fd, bytes) {
    for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done);
  },
  sync: fsyncSync,
  syncLater: fdatasync,
  truncate: ftruncateSync,
  close: closeSync,
  makeFolder(path) {
    mkdirSync(path, { recursive: true });
  },
  rename: renameSync,
  link: linkSync,
  remove(path) {
    rmSync(path, { recursive: true, force: true });
  },
  syncFolder(path) {
    const fd = openSync(path, 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  },
};
