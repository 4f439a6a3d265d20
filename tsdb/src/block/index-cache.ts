// The parts in memory of the indexes that were read last, up to a number of bytes.

import { IndexFile } from './index-file.ts';

export class IndexCache {
  private readonly bytesMax: number;
  private bytes = 0;
  private readonly indexes = new Map<string, IndexFile>();

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** Reads the index if need be. Throws CorruptionError. */
  open(path: string): IndexFile {
    const cached = this.indexes.get(path);
    if (cached !== undefined) {
      this.indexes.delete(path); // Back to the end: the front is what was not used for longest.
      this.indexes.set(path, cached);
      return cached;
    }
    const index = new IndexFile(path);
    this.indexes.set(path, index);
    this.bytes += index.sizeBytes;
    this.shrink(index);
    return index;
  }

  private shrink(newest: IndexFile): void {
    for (const [path, index] of this.indexes) {
      if (this.bytes <= this.bytesMax || index === newest) return;
      this.drop(path);
    }
  }

  drop(path: string): void {
    this.bytes -= this.indexes.get(path)?.sizeBytes ?? 0;
    this.indexes.delete(path);
  }
}
