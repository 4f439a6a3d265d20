// What a new block takes from the head: every series that has a chunk within a range of whole block durations.

import type { SeriesSet } from '../api.ts';
import type { BlockSource } from '../block/block-writer.ts';
import { sortSlowly } from '../sort-slowly.ts';
import { HeadSeriesSet } from './head-series-set.ts';
import type { Head } from './head.ts';

export class HeadBlockSource implements BlockSource {
  private readonly head: Head;
  private readonly slots: readonly number[];
  private readonly minTimeMs: number;
  private readonly maxTimeMs: number;

  /** The range is [minTimeMs, maxTimeMs). No series may leave the head until the block is written. */
  static async create(head: Head, minTimeMs: number, maxTimeMs: number): Promise<HeadBlockSource> {
    const { index } = head;
    const found = [...index.select([])].filter((slot) => head.overlaps(slot, minTimeMs, maxTimeMs - 1));
    const slots = await sortSlowly(found, (a, b) => index.sets.compare(a, b));
    return new HeadBlockSource(head, slots, minTimeMs, maxTimeMs);
  }

  private constructor(head: Head, slots: readonly number[], minTimeMs: number, maxTimeMs: number) {
    this.head = head;
    this.minTimeMs = minTimeMs;
    this.maxTimeMs = maxTimeMs - 1;
    this.slots = slots;
  }

  get count(): number {
    return this.slots.length;
  }

  *symbols(): Iterable<string> {
    const { sets, symbols } = this.head.index;
    const used = new Uint8Array(symbols.capacity);
    for (const slot of this.slots) for (const id of sets.pairsOf(slot)) used[id] = 1;
    for (let id = 0; id < used.length; id++) if (used[id] === 1) yield symbols.text(id);
  }

  series(): SeriesSet {
    return new HeadSeriesSet(this.head, Uint32Array.from(this.slots), this.minTimeMs, this.maxTimeMs, {
      clip: true,
    });
  }
}
