// A value that is read from files, and read again when one of them changes.
//
// Cost: one stat per file and get(), a few microseconds; cheap enough for each connection and each request.
// The identity of a file includes inode and ctime, so an edit in place, a rename over it and the
// symlink swap of a mounted Secret all show. A reload that fails keeps the last good value.

import { readFileSync, statSync } from 'node:fs';

/** Reads one file that the value depends on. */
export type ReadFile = (path: string) => string;

/** Changes whenever the file does; 'absent' when it cannot be reached. */
export function fileFingerprint(path: string): string {
  try {
    const stat = statSync(path, { bigint: true });
    return `${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
  } catch {
    return 'absent';
  }
}

export class FreshFiles<T> {
  readonly #load: (read: ReadFile) => T;
  readonly #onError: (err: unknown) => void;
  readonly #seen = new Map<string, string>();
  #value: T;

  /** Throws what `load` throws; later failures go to `onError`, once per change of the files. */
  constructor(load: (read: ReadFile) => T, onError: (err: unknown) => void = () => undefined) {
    this.#load = load;
    this.#onError = onError;
    this.#value = this.#read();
  }

  get(): T {
    if (this.#changed()) {
      try {
        this.#value = this.#read();
      } catch (err) {
        this.#onError(err);
      }
    }
    return this.#value;
  }

  #changed(): boolean {
    for (const [path, fingerprint] of this.#seen) {
      if (fileFingerprint(path) !== fingerprint) return true;
    }
    return false;
  }

  /** Fingerprints are taken before reading: a write in between costs one more read, never a missed change. */
  #read(): T {
    this.#seen.clear();
    return this.#load((path) => {
      this.#seen.set(path, fileFingerprint(path));
      return readFileSync(path, 'utf8');
    });
  }
}
