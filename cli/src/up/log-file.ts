// The log of one part: appended, and moved to `.1` when it has grown to its limit, so that two generations exist at most.

import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

const sizeBytesMax = 10 << 20;

export class LogFile {
  readonly #path: string;
  #descriptor: number;
  #sizeBytes: number;

  constructor(path: string) {
    this.#path = path;
    this.#descriptor = openSync(path, 'a', 0o600);
    this.#sizeBytes = fstatSync(this.#descriptor).size;
  }

  write(bytes: Uint8Array): void {
    if (this.#sizeBytes + bytes.length > sizeBytesMax) this.#rotate();
    writeSync(this.#descriptor, bytes);
    this.#sizeBytes += bytes.length;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #rotate(): void {
    closeSync(this.#descriptor);
    renameSync(this.#path, `${this.#path}.1`);
    this.#descriptor = openSync(this.#path, 'a', 0o600);
    this.#sizeBytes = 0;
  }
}
