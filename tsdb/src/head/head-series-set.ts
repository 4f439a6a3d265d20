// A cursor over series of the head, in label order. Reads each series when it gets there, as committed at that moment.

import { decodeLabels, type Labels } from '@flotilla/model';
import type { RawChunk, Schedule, SelectOptions, SeriesRef, SeriesSet } from '../api.ts';
import { openExtent, type OpenExtent, packChunks, unpackChunks } from '@flotilla/kernel';
import type { HeadRead } from './head-readers.ts';
import type { HeadChunkLists } from './head-chunk-lists.ts';
import type { HeadSelection } from './head-selections.ts';
import type { Head } from './head.ts';
import { slotOf } from './ref-table.ts';

/** How long it may take to read the chunks of a batch, in which nothing else runs. */
const BATCH_MS = 3;
const BATCH_MIN = 64;
const BATCH_FIRST = 512;
const BATCH_MAX = 4096;

export interface HeadReadOptions extends SelectOptions {
  /** Ended by the set. A set without one is read before the head is cut again. */
  readonly read?: HeadRead;
}

export class HeadSeriesSet implements SeriesSet {
  private readonly head: Head;
  private readonly selection: HeadSelection;
  private readonly refs: Uint32Array;
  private readonly minTimeMs: number;
  private readonly maxTimeMs: number;
  private readonly skipChunks: boolean;
  private readonly read: HeadRead | undefined;
  private left: number;
  private at = -1;
  private current: readonly RawChunk[] | undefined = [];
  private readonly packed: boolean;
  private readonly extent: OpenExtent;
  /** Of the series [batchFrom, batchTo). */
  private lists: HeadChunkLists | undefined;
  private batchFrom = 0;
  private batchMax = BATCH_FIRST;
  private batchTo = 0;
  // Kept, because the series may leave the head before the reader asks.
  private currentLabels: Labels | undefined;
  private currentLabelSet: Uint8Array | undefined;
  private labelBytes = new Uint8Array(1 << 8);
  private currentSchedule: Schedule | undefined;

  constructor(
    head: Head,
    selection: HeadSelection,
    minTimeMs: number,
    maxTimeMs: number,
    options: HeadReadOptions,
  ) {
    this.head = head;
    this.selection = selection;
    this.refs = selection.refs;
    this.minTimeMs = minTimeMs;
    this.maxTimeMs = maxTimeMs;
    this.skipChunks = options.skipChunks ?? false;
    this.read = options.read;
    this.packed = options.packed ?? false;
    this.extent = options.latestOnly === true ? openExtent.newest : openExtent.range;
    this.left = options.limit || Infinity;
  }

  next(): boolean {
    if (this.minTimeMs < this.head.truncatedBeforeMs && this.left > 0) this.read?.check();
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
    if (this.skipChunks) {
      if (!this.head.overlaps(slot, this.minTimeMs, this.maxTimeMs)) return false;
    } else if (this.packed) {
      this.current = undefined;
      if (this.at >= this.batchTo) this.readBatch();
      if (this.lists!.isEmpty(this.at - this.batchFrom)) return false;
    } else {
      this.current = this.head.chunks(slot, this.minTimeMs, this.maxTimeMs);
      if (this.current.length === 0) return false;
    }
    if (this.packed) {
      const labelSet = this.selection.labelSet(this.at);
      this.currentLabelSet = this.selection.keepsLabelSets ? labelSet : this.copied(labelSet);
      this.currentLabels = undefined;
    } else this.currentLabels = this.head.index.sets.labels(slot);
    this.currentSchedule = this.head.schedule(ref);
    return true;
  }

  private copied(labelSet: Uint8Array): Uint8Array {
    const { length } = labelSet;
    if (length > this.labelBytes.length) this.labelBytes = new Uint8Array(2 * length);
    this.labelBytes.set(labelSet);
    return this.labelBytes.subarray(0, length);
  }

  get labels(): Labels {
    return (this.currentLabels ??= decodeLabels(this.currentLabelSet!));
  }

  get labelSet(): Uint8Array | undefined {
    return this.currentLabelSet;
  }

  get schedule(): Schedule | undefined {
    return this.currentSchedule;
  }

  get chunks(): readonly RawChunk[] {
    return (this.current ??= unpackChunks(this.chunkList) as RawChunk[]);
  }

  get chunkList(): Uint8Array {
    if (!this.packed) return packChunks(this.chunks);
    return this.lists!.list(this.at - this.batchFrom);
  }

  /** Reads chunks of this series and of some after it. */
  private readBatch(): void {
    this.lists ??= this.head.chunkLists.take();
    this.batchFrom = this.at;
    const refs = this.refs.subarray(this.at, this.at + Math.min(this.left, this.batchMax));
    const startMs = performance.now();
    const count = this.lists.read(refs, this.minTimeMs, this.maxTimeMs, this.extent);
    const eachMs = (performance.now() - startMs) / count;
    this.batchMax = Math.min(BATCH_MAX, Math.max(BATCH_MIN, Math.floor(BATCH_MS / eachMs)));
    this.batchTo = this.at + count;
  }

  close(): void {
    this.at = this.refs.length;
    this.left = 0;
    this.read?.end();
    if (this.lists !== undefined) this.head.chunkLists.give(this.lists);
    this.lists = undefined;
  }
}
