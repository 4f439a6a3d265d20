// What a new block takes from the head: every series that has a chunk within a range of whole block durations.

import { openExtent, packChunks, unpackChunks } from '@flotilla/kernel';
import type { RawChunk, Schedule } from '../api.ts';
import type { BlockSeries, BlockSource } from '../block/block-source.ts';
import { withoutIntervals } from '../chunk/without-intervals.ts';
import { isTurnOver, nextTurn } from '../turns.ts';
import type { HeadChunkLists } from './head-chunk-lists.ts';
import type { Head } from './head.ts';
import { RankOrder } from './rank-order.ts';

/** Series whose chunks are read in one go: a few ms, in which nothing else runs. */
const BATCH_MAX = 1024;

export class HeadBlockSource implements BlockSource {
  private readonly head: Head;
  private readonly order: RankOrder;
  private readonly minTimeMs: number;
  private readonly maxTimeMs: number;

  /** The range is [minTimeMs, maxTimeMs). No series may leave the head until the block is written. */
  static async create(head: Head, minTimeMs: number, maxTimeMs: number): Promise<HeadBlockSource> {
    const { index } = head;
    const slots = await index.selectSlowly([], nextTurn);
    let count = 0;
    for (const slot of slots) {
      if (isTurnOver()) await nextTurn();
      if (head.overlaps(slot, minTimeMs, maxTimeMs - 1)) slots[count++] = slot;
    }
    const order = await RankOrder.of(index.sets, index.symbols, slots.subarray(0, count));
    return new HeadBlockSource(head, order, minTimeMs, maxTimeMs);
  }

  private constructor(head: Head, order: RankOrder, minTimeMs: number, maxTimeMs: number) {
    this.head = head;
    this.order = order;
    this.minTimeMs = minTimeMs;
    this.maxTimeMs = maxTimeMs - 1;
  }

  get count(): number {
    return this.order.slots.length;
  }

  async symbols(): Promise<readonly string[]> {
    return this.order.symbols;
  }

  series(): BlockSeries {
    return new HeadBlockSeries(this.head, this.order, this.minTimeMs, this.maxTimeMs);
  }
}

/** Reads chunks of many series at a time. What lies after the range came meanwhile, and is left out. */
class HeadBlockSeries implements BlockSeries {
  private readonly head: Head;
  private readonly order: RankOrder;
  private readonly minTimeMs: number;
  private readonly maxTimeMs: number;
  private readonly refs: Uint32Array;
  private lists: HeadChunkLists | undefined;
  private numbers = new Uint32Array(64);
  private at = -1;
  private batchFrom = 0;
  private batchTo = 0;
  private list: Uint8Array = new Uint8Array(0);

  constructor(head: Head, order: RankOrder, minTimeMs: number, maxTimeMs: number) {
    this.head = head;
    this.order = order;
    this.minTimeMs = minTimeMs;
    this.maxTimeMs = maxTimeMs;
    this.refs = order.slots.map((slot) => head.refs.refAt(slot));
  }

  next(): boolean {
    while (++this.at < this.refs.length) {
      if (this.at >= this.batchTo) this.readBatch();
      this.list = this.clipped();
      if (this.list.length > 0) return true;
    }
    return false;
  }

  private readBatch(): void {
    this.lists ??= this.head.chunkLists.take();
    this.batchFrom = this.at;
    const refs = this.refs.subarray(this.at, this.at + BATCH_MAX);
    this.batchTo = this.at + this.lists.read(refs, this.minTimeMs, this.maxTimeMs, openExtent.whole);
  }

  private clipped(): Uint8Array {
    const series = this.at - this.batchFrom;
    const list = this.lists!.list(series);
    if (this.lists!.endMs(series) <= this.maxTimeMs) return list;
    const after = { minTimeMs: this.maxTimeMs + 1, maxTimeMs: Infinity };
    return packChunks(withoutIntervals(unpackChunks(list) as RawChunk[], [after]));
  }

  get pairs(): Uint32Array {
    const { ranks, slots } = this.order;
    const ids = this.head.index.sets.pairsOf(slots[this.at]!);
    if (ids.length > this.numbers.length) this.numbers = new Uint32Array(2 * ids.length);
    for (let k = 0; k < ids.length; k++) this.numbers[k] = ranks[ids[k]!]!;
    return this.numbers.subarray(0, ids.length);
  }

  get chunkList(): Uint8Array {
    return this.list;
  }

  get schedule(): Schedule | undefined {
    return this.head.schedule(this.refs[this.at]!);
  }

  close(): void {
    this.at = this.refs.length;
    if (this.lists !== undefined) this.head.chunkLists.give(this.lists);
    this.lists = undefined;
  }
}
