// A cursor over series of the head, in label order. Reads each series when it gets there, as committed at that moment.

import { Labels } from '@flotilla/model';
import type { RawChunk, Schedule, SelectOptions, SeriesRef, SeriesSet } from '../api.ts';
import { packChunks, unpackChunks } from '@flotilla/kernel';
import { withoutIntervals } from '../chunk/without-intervals.ts';
import type { HeadChunkLists } from './head-chunk-lists.ts';
import type { Head } from './head.ts';
import { slotOf } from './ref-table.ts';

export interface HeadReadOptions extends SelectOptions {
  /** Leave out what lies after the range, also of chunks that reach beyond it: it came while the set was read. */
  readonly clip?: boolean;
}

export class HeadSeriesSet implements SeriesSet {
  private readonly head: Head;
  private readonly refs: Uint32Array;
  private readonly minTimeMs: number;
  private readonly maxTimeMs: number;
  private readonly skipChunks: boolean;
  private readonly clip: boolean;
  private left: number;
  private at = -1;
  private current: readonly RawChunk[] | undefined = [];
  private readonly packed: boolean;
  /** Of the series [batchFrom, batchTo). */
  private lists: HeadChunkLists | undefined;
  private batchFrom = 0;
  private batchTo = 0;
  // Kept, because the series may leave the head before the reader asks.
  private currentLabels = Labels.EMPTY;
  private currentSchedule: Schedule | undefined;

  /** `slots` are in label order. */
  constructor(
    head: Head,
    slots: Uint32Array,
    minTimeMs: number,
    maxTimeMs: number,
    options: HeadReadOptions,
  ) {
    this.head = head;
    this.refs = slots.map((slot) => head.refs.refAt(slot));
    this.minTimeMs = minTimeMs;
    this.maxTimeMs = maxTimeMs;
    this.skipChunks = options.skipChunks ?? false;
    this.clip = options.clip ?? false;
    this.packed = options.packed ?? false;
    this.left = options.limit || Infinity;
  }

  next(): boolean {
    while (this.left > 0 && ++this.at < this.refs.length) {
      if (!this.enter(this.refs[this.at]!)) continue;
      this.left--;
      return true;
    }
    this.close();
    return false;
  }

  /** Reads one series; false if it left the head since, or has nothing in the range. */
  private enter(ref: SeriesRef): boolean {
    const slot = slotOf(ref);
    if (!this.head.refs.isUsed(slot) || this.head.refs.refAt(slot) !== ref) return false;
    if (this.packed) {
      this.current = undefined;
      if (this.chunkList.length === 0) return false;
    } else if (this.skipChunks) {
      if (!this.head.overlaps(slot, this.minTimeMs, this.maxTimeMs)) return false;
    } else {
      const chunks = this.head.chunks(slot, this.minTimeMs, this.maxTimeMs);
      const mustClip = this.clip && (chunks.at(-1)?.maxTimeMs ?? 0) > this.maxTimeMs;
      const after = { minTimeMs: this.maxTimeMs + 1, maxTimeMs: Infinity };
      this.current = mustClip ? withoutIntervals(chunks, [after]) : chunks;
      if (this.current.length === 0) return false;
    }
    this.currentLabels = this.head.index.sets.labels(slot);
    this.currentSchedule = this.head.schedule(ref);
    return true;
  }

  get labels(): Labels {
    return this.currentLabels;
  }

  get schedule(): Schedule | undefined {
    return this.currentSchedule;
  }

  get chunks(): readonly RawChunk[] {
    return (this.current ??= unpackChunks(this.chunkList) as RawChunk[]);
  }

  get chunkList(): Uint8Array {
    if (!this.packed) return packChunks(this.chunks);
    if (this.at >= this.batchTo) this.readBatch();
    return this.lists!.list(this.at - this.batchFrom);
  }

  /** Reads chunks of this series and of some after it. */
  private readBatch(): void {
    this.lists ??= this.head.chunkLists.take();
    this.batchFrom = this.at;
    const refs = this.refs.subarray(this.at, this.at + this.left);
    this.batchTo = this.at + this.lists.read(refs, this.minTimeMs, this.maxTimeMs);
  }

  close(): void {
    this.at = this.refs.length;
    this.left = 0;
    if (this.lists !== undefined) this.head.chunkLists.give(this.lists);
    this.lists = undefined;
  }
}
