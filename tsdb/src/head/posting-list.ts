// The slots of the series that have one label pair, in the order in which they came.

import type { ByteWriter } from '../bytes/byte-writer.ts';
import type { SnapshotReader } from '../head-snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../head-snapshot/snapshot-writer.ts';
import { grown } from './symbols.ts';

export class PostingList {
  private slots = new Uint32Array(1);
  private count = 0;

  get length(): number {
    return this.count;
  }

  add(slot: number): void {
    if (this.count === this.slots.length)
      this.slots = grown(this.slots, this.count < 16 ? this.count * 2 : this.count + 1);
    this.slots[this.count++] = slot;
  }

  save(out: SnapshotWriter): void {
    out.array(this.view());
  }

  load(input: SnapshotReader): void {
    this.slots = input.array(Uint32Array, 1);
    this.count = this.slots.length - 1;
  }

  writeTo(out: ByteWriter): void {
    out.be32s(this.slots, this.count);
  }

  /** A view: valid until the next change. */
  view(): Uint32Array {
    return this.slots.subarray(0, this.count);
  }

  /** Takes out all slots whose flag is set. */
  removeFlagged(flags: Uint8Array): void {
    let kept = 0;
    for (let i = 0; i < this.count; i++) {
      const slot = this.slots[i]!;
      if (flags[slot] === 0) this.slots[kept++] = slot;
    }
    this.count = kept;
    if (kept * 4 < this.slots.length && this.slots.length > 64)
      this.slots = this.slots.slice(0, kept * 2 + 1);
  }
}
