// What a new block takes from the head: every series that has a chunk within a range of whole block durations.

import { assert, type Labels } from '@flotilla/model';
import type { RawChunk, Schedule } from '../api.ts';
import type { BlockSource } from '../block/block-writer.ts';
import type { Head } from './head.ts';

export class HeadBlockSource implements BlockSource {
  private readonly head: Head;
  private readonly slots: Uint32Array;
  private readonly minTimeMs: number;
  private readonly maxTimeMs: number;

  /** The range is [minTimeMs, maxTimeMs). The head refuses samples before maxTimeMs from now on. */
  constructor(head: Head, minTimeMs: number, maxTimeMs: number) {
    head.refuseBefore(maxTimeMs);
    this.head = head;
    this.minTimeMs = minTimeMs;
    this.maxTimeMs = maxTimeMs - 1;
    this.slots = head.select([]).filter((slot) => head.overlaps(slot, minTimeMs, maxTimeMs - 1));
  }

  get count(): number {
    return this.slots.length;
  }

  labels(i: number): Labels {
    return this.head.index.sets.labels(this.slots[i]!);
  }

  schedule(i: number): Schedule | undefined {
    return this.head.schedules.get(this.slots[i]!);
  }

  chunks(i: number): readonly RawChunk[] {
    const chunks = this.head.chunks(this.slots[i]!, this.minTimeMs, this.maxTimeMs);
    assert(chunks.length > 0, `head: series ${this.labels(i).toString()} lost its chunks to nobody`);
    return chunks;
  }
}
