// What a block of late samples takes: those that were frozen or came since, within a range that is cut already.

import { packChunks } from '@flotilla/kernel';
import type { Labels } from '@flotilla/model';
import type { RawChunk, Schedule, SeriesSet } from '../api.ts';
import type { BlockSource } from '../block/block-writer.ts';
import { encodeSamples } from '../chunk/samples.ts';
import type { Head } from './head.ts';

export class LateBlockSource implements BlockSource {
  private readonly head: Head;
  private readonly slots: readonly number[];
  private readonly minTimeMs: number;
  private readonly maxTimeMs: number;

  /** The range is [minTimeMs, maxTimeMs). */
  constructor(head: Head, minTimeMs: number, maxTimeMs: number) {
    const { sets } = head.index;
    this.head = head;
    this.minTimeMs = minTimeMs;
    this.maxTimeMs = maxTimeMs - 1;
    this.slots = head.late.slots().toSorted((a, b) => sets.compare(a, b));
  }

  *symbols(): Iterable<string> {
    for (const slot of this.slots) yield* this.head.index.sets.labels(slot).flat;
  }

  series(): SeriesSet {
    const { head, slots, minTimeMs, maxTimeMs } = this;
    let at = -1;
    let chunks: readonly RawChunk[] = [];
    return {
      next(): boolean {
        while (++at < slots.length) {
          chunks = encodeSamples(head.late.of(slots[at]!, minTimeMs, maxTimeMs));
          if (chunks.length > 0) return true;
        }
        return false;
      },
      get labels(): Labels {
        return head.index.sets.labels(slots[at]!);
      },
      get schedule(): Schedule | undefined {
        return head.schedules.get(slots[at]!);
      },
      get chunks(): readonly RawChunk[] {
        return chunks;
      },
      get chunkList(): Uint8Array {
        return packChunks(chunks);
      },
      close(): void {
        at = slots.length;
      },
    };
  }
}
