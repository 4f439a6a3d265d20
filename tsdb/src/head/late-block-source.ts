// What a block of late samples takes: those that were frozen or came since and are not deleted, within a range that is
// cut already.

import { packChunks } from '@flotilla/kernel';
import type { Labels } from '@flotilla/model';
import type { RawChunk, Schedule, SeriesSet } from '../api.ts';
import { type BlockSource, LabelledSource } from '../block/block-source.ts';
import { encodeSamples } from '../chunk/samples.ts';
import { withoutIntervals } from '../chunk/without-intervals.ts';
import type { Head } from './head.ts';

/** The range is [minTimeMs, maxTimeMs). */
export function lateBlockSource(head: Head, minTimeMs: number, maxTimeMs: number): BlockSource {
  const { sets } = head.index;
  const slots = head.late.slots().toSorted((a, b) => sets.compare(a, b));
  const texts = function* (): Iterable<string> {
    for (const slot of slots) yield* sets.labels(slot).flat;
  };
  return new LabelledSource(texts, () => lateSeries(head, slots, minTimeMs, maxTimeMs - 1));
}

function lateSeries(head: Head, slots: readonly number[], minTimeMs: number, maxTimeMs: number): SeriesSet {
  let at = -1;
  let chunks: readonly RawChunk[] = [];
  return {
    next(): boolean {
      while (++at < slots.length) {
        const slot = slots[at]!;
        const samples = encodeSamples(head.late.of(slot, minTimeMs, maxTimeMs));
        chunks = withoutIntervals(samples, head.deletedOf(slot));
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
