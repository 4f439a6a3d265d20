// Hot: the chunk lists of many series of a head at once, so that chunks are read from their files in order.
//
// Series with late samples or deletions go by way of Head.chunks(), one by one; so does one with a
// damaged chunk, which is reported there.

import { ChunkGather, openExtent, packChunks } from '@flotilla/kernel';
import type { HeadKernel, OpenExtent } from '@flotilla/kernel';
import type { RawChunk, SeriesRef } from '../api.ts';
import type { HeadHistograms } from './head-histograms.ts';
import { KEPT_BYTES, KeptChunks } from './kept-chunks.ts';
import { type RefTable, slotOf } from './ref-table.ts';
import type { SealedChunks } from './sealed-chunks.ts';
import { SealedReads } from './sealed-reads.ts';

const AREA_BYTES = 2 << 20;
/** Of one that is made while others are in use, or for a head of few series. */
const SMALL_AREA_BYTES = 256 << 10;
/** Their open chunks have room in a small area. */
const FEW_SLOTS = 1 << 8;
const BIG_MAX = 2;
const SERIES_MAX = 1 << 12;
const SERIES_FIRST = 1 << 4;
const noList = new Uint8Array(0);

/** A head, as its readers see it. */
interface Head {
  readonly refs: RefTable;
  readonly sealed: SealedChunks;
  readonly kernel: HeadKernel;
  readonly histograms: HeadHistograms;
  isPlain(slot: number): boolean;
  chunks(slot: number, minTimeMs: number, maxTimeMs: number): RawChunk[];
}

export class HeadChunkLists {
  readonly isBig: boolean;
  private readonly head: Head;
  private readonly reads: SealedReads;
  private minTimeMs = 0;
  private maxTimeMs = 0;
  private extent: OpenExtent = openExtent.whole;
  private count = 0;
  /** By series: where its list lies in the gather. */
  private from = new Uint32Array(SERIES_FIRST);
  private to = new Uint32Array(SERIES_FIRST);
  private ends = new Float64Array(SERIES_FIRST);
  /** Lists of series that went the other way. */
  private readonly others = new Map<number, Uint8Array>();
  private otherBytes = 0;
  /** Of the next series those without anything else than chunks of floats, else 0. */
  private readonly plain = new Uint32Array(ChunkGather.warmMax);

  constructor(head: Head, areaBytes: number, kept: KeptChunks) {
    this.isBig = areaBytes === AREA_BYTES;
    this.head = head;
    this.reads = new SealedReads(head.kernel.newGather(areaBytes), kept);
  }

  /** Reads the chunks of some series, as many as there is room for; returns their number, at least 1. */
  read(refs: Uint32Array, minTimeMs: number, maxTimeMs: number, extent: OpenExtent): number {
    [this.minTimeMs, this.maxTimeMs, this.extent] = [minTimeMs, maxTimeMs, extent];
    this.clear();
    const max = Math.min(refs.length, SERIES_MAX);
    if (max > this.from.length) this.makeRoom(max);
    while (this.count < max && this.addSome(refs.subarray(this.count, max)));
    const damaged = new Set<number>();
    this.reads.readAll((series) => damaged.add(series));
    if (damaged.size === 0) this.head.sealed.noteChecked(this.reads.rows());
    for (const series of damaged) this.addOther(series, slotOf(refs[series]!));
    return this.count;
  }

  private makeRoom(series: number): void {
    const length = Math.min(SERIES_MAX, 2 * series);
    this.from = new Uint32Array(length);
    this.to = new Uint32Array(length);
    this.ends = new Float64Array(length);
  }

  /** The list of a series that was read; empty if it has nothing in the range. A view until the memory grows. */
  list(series: number): Uint8Array {
    const [from, to] = [this.from[series]!, this.to[series]!];
    return from === to ? (this.others.get(series) ?? noList) : this.reads.gather.bytes(from, to);
  }

  isEmpty(series: number): boolean {
    return this.from[series] === this.to[series] && (this.others.get(series)?.length ?? 0) === 0;
  }

  /** The last time of a series' list, in ms; of no meaning if that is empty. */
  endMs(series: number): number {
    return this.ends[series]!;
  }

  clear(): void {
    this.reads.clear();
    this.reads.gather.cut(0);
    this.count = 0;
    this.others.clear();
    this.otherBytes = 0;
  }

  end(): void {
    this.reads.gather.end();
  }

  /** Adds the first of the series; false if there is no room for all of them. */
  private addSome(refs: Uint32Array): boolean {
    const some = refs.subarray(0, ChunkGather.warmMax);
    if (!this.listOpen(some)) this.head.sealed.warm(some, this.reads);
    for (const ref of some) {
      const isListed = this.from[this.count] !== this.to[this.count];
      if (!isListed && !this.add(ref)) return false;
      this.count++;
    }
    return true;
  }

  /** Makes the lists of those of the next series of which open chunks are enough; false if there are others. */
  private listOpen(refs: Uint32Array): boolean {
    const { gather } = this.reads;
    const { count, plain, minTimeMs, maxTimeMs } = this;
    if (gather.leftBytes < refs.length * gather.openListBytes) {
      this.to.set(this.from.subarray(count, count + refs.length), count);
      gather.warmOpen(refs);
      return false;
    }
    for (let i = 0; i < refs.length; i++) plain[i] = this.head.isPlain(slotOf(refs[i]!)) ? refs[i]! : 0;
    const some = plain.subarray(0, refs.length);
    gather.addOpenLists(some, minTimeMs, maxTimeMs, this.extent, this.from, this.to, count);
    let areAll = true;
    for (let series = count; series < count + refs.length; series++) {
      const from = this.from[series]!;
      if (from === this.to[series]) areAll = false;
      else this.ends[series] = gather.endOf(from);
    }
    return areAll;
  }

  /** False if there is no room for the series. */
  private add(ref: SeriesRef): boolean {
    const { head, count: series } = this;
    const { gather } = this.reads;
    const before = gather.usedBytes;
    const slot = slotOf(ref);
    [this.from[series], this.to[series]] = [before, before];
    if (!head.refs.isUsed(slot) || head.refs.refAt(slot) !== ref) return true;
    if (head.isPlain(slot) && this.plan(series, slot, ref)) {
      this.to[series] = gather.usedBytes;
      this.ends[series] = gather.endMs;
      return true;
    }
    if (series > 0 && (head.isPlain(slot) || this.otherBytes > AREA_BYTES)) return false;
    this.addOther(series, slot);
    return true;
  }

  private plan(series: number, slot: number, ref: SeriesRef): boolean {
    const { reads, head, minTimeMs, maxTimeMs } = this;
    const { gather, size } = reads;
    const before = gather.usedBytes;
    if (
      head.sealed.plan(slot, minTimeMs, maxTimeMs, reads, series) &&
      this.addHistograms(slot) &&
      gather.leftBytes >= gather.openListBytes
    ) {
      gather.addOpen(ref, minTimeMs, maxTimeMs);
      return true;
    }
    gather.fillAll();
    reads.cut(size);
    gather.cut(before);
    return false;
  }

  /** Adds the open chunk of histograms if there is one in the range; false if there is no room. Open floats are newer. */
  private addHistograms(slot: number): boolean {
    const open = this.head.histograms.get(slot);
    if (open === undefined || open.minTimeMs > this.maxTimeMs || open.maxTimeMs < this.minTimeMs) return true;
    return open.addTo(this.reads.gather);
  }

  private addOther(series: number, slot: number): void {
    const chunks = this.head.chunks(slot, this.minTimeMs, this.maxTimeMs);
    const list = packChunks(chunks);
    this.ends[series] = chunks.at(-1)?.maxTimeMs ?? -Infinity;
    this.to[series] = this.from[series]!;
    this.others.set(series, list);
    this.otherBytes += list.length;
  }
}

/** Their memory, which is not the garbage collector's, goes from one reader to the next. */
export class HeadChunkListsPool {
  private readonly head: Head;
  private readonly kept: KeptChunks;
  private readonly idle: HeadChunkLists[] = [];
  private big = 0;

  constructor(head: Head) {
    this.head = head;
    this.kept = new KeptChunks(head.kernel.newRing(KEPT_BYTES));
  }

  take(): HeadChunkLists {
    const idle = this.idle.pop();
    if (idle !== undefined) return idle;
    if (this.big === BIG_MAX || this.head.refs.slots <= FEW_SLOTS)
      return new HeadChunkLists(this.head, SMALL_AREA_BYTES, this.kept);
    this.big++;
    return new HeadChunkLists(this.head, AREA_BYTES, this.kept);
  }

  give(lists: HeadChunkLists): void {
    lists.clear();
    if (lists.isBig) this.idle.push(lists);
    else lists.end();
  }
}
