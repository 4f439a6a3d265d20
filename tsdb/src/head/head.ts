// The head: the newest samples of every series, in memory.
//
// Owns refs, labels, postings, schedules, and the chunks: open ones in the WASM kernel, sealed ones in pages and files. What is
// older than `minValidMs` is refused: half a block behind the newest sample, or what a block already holds.
//
// Invariant: a series that is published was committed; only published series are seen by readers.

import { HeadKernel } from '@flotilla/kernel';
import { type Labels, type Matcher, Unavailable } from '@flotilla/model';
import type { OpenOptions, RawChunk, Schedule, SeriesMetadata, SeriesRef } from '../api.ts';
import { addInterval, type Interval } from '../block/tombstones.ts';
import { withoutIntervals } from '../chunk/without-intervals.ts';
import type { SnapshotReader } from '../head-snapshot/snapshot-reader.ts';
import { section, type SnapshotWriter } from '../head-snapshot/snapshot-writer.ts';
import type { NativeHistogram } from '../histogram/native-histogram.ts';
import type { HeadChunkFiles } from './head-chunk-files.ts';
import { ExemplarRing } from './exemplar-ring.ts';
import { type HeadRead, HeadReaders } from './head-readers.ts';
import { HeadChunkListsPool } from './head-chunk-lists.ts';
import { HeadSelections } from './head-selections.ts';
import { HeadHistograms } from './head-histograms.ts';
import { encodeSamples } from '../chunk/samples.ts';
import { mergeChunks } from '../chunk/merge-chunks.ts';
import { LateSamples } from './late-samples.ts';
import { HeadIndex } from './head-index.ts';
import { RefTable, slotOf } from './ref-table.ts';
import { isTurnOver, nextTurn } from '../turns.ts';
import { Schedules } from './schedules.ts';
import { SealedChunks } from './sealed-chunks.ts';

const STAGES_MAX = 255;
/** Between two looks at the clock. */
const SLOTS_PER_LOOK = 256;

export type HeadOptions = Pick<
  OpenOptions,
  'outOfOrderWindowMs' | 'exemplarsMax' | 'metadataRecords' | 'headBytesMax'
>;

/** What WASM can address, and the parts of it that series and samples leave: for the chunks that grow, and for who reads. */
const HEAD_BYTES_MAX = 2 ** 32;
const SERIES_SPARE = 1 / 8;
const SAMPLES_SPARE = 1 / 64;
/** An open chunk of native histograms, roughly. */
const HISTOGRAM_BYTES = 4096;

export class Head {
  readonly blockDurationMs: number;
  readonly index = new HeadIndex();
  readonly refs = new RefTable();
  readonly schedules = new Schedules();
  readonly sealed: SealedChunks;
  readonly kernel: HeadKernel;
  readonly histograms: HeadHistograms;
  readonly late = new LateSamples();
  readonly exemplars: ExemplarRing;
  readonly chunkLists: HeadChunkListsPool;
  readonly selections = new HeadSelections(this);
  readonly readers = new HeadReaders();
  /** By slot, if they are recorded. */
  readonly metadata: Map<number, SeriesMetadata> | undefined;
  /** How much older than the newest sample of the head a late one may be; 0: none are taken. */
  readonly lateWindowMs: number;
  /** Of the samples; min > max when there are none. A lower bound after a truncation. */
  minTimeMs = Infinity;
  maxTimeMs = -Infinity;
  samplesAppended = 0;
  seriesCreated = 0;
  seriesRemoved = 0;
  /** By slot: what is deleted. */
  private readonly deleted = new Map<number, readonly Interval[]>();
  private truncatedMs = -Infinity;
  private readonly freeStages: number[] = [];
  private stages = 0;
  /** Unpublished series: how many open transactions want each. */
  private readonly wanted = new Map<SeriesRef, number>();
  private openChunksClosed = 0;
  private readonly bytesMax: number;
  /** Where makeRoom() goes on. */
  private sealNext = 0;

  /** Throws RangeError for a duration that open chunks cannot count in 31 bits. */
  constructor(blockDurationMs: number, files?: HeadChunkFiles, options: HeadOptions = {}) {
    if (!Number.isInteger(blockDurationMs) || blockDurationMs <= 0 || blockDurationMs >= 2 ** 31) {
      throw new RangeError(`block duration: ${blockDurationMs} ms, want 1 to ${2 ** 31 - 1}`);
    }
    this.blockDurationMs = blockDurationMs;
    this.sealed = new SealedChunks(files);
    this.lateWindowMs = options.outOfOrderWindowMs ?? 0;
    this.metadata = options.metadataRecords === true ? new Map() : undefined;
    this.exemplars = new ExemplarRing(options.exemplarsMax ?? 0, this.lateWindowMs, (ref) =>
      this.index.sets.labels(slotOf(ref)),
    );
    this.kernel = new HeadKernel((ref, samples, minTimeMs, maxTimeMs, data) => {
      this.histograms.sealBefore(slotOf(ref), minTimeMs);
      this.keep(slotOf(ref), { samples, minTimeMs, maxTimeMs, encoding: 1, data });
    });
    this.bytesMax = options.headBytesMax ?? HEAD_BYTES_MAX;
    this.kernel.limitMemory(this.bytesMax);
    this.chunkLists = new HeadChunkListsPool(this);
    const { histogramChunks } = this.kernel;
    this.histograms = new HeadHistograms(histogramChunks, (slot, chunk) => this.keep(slot, chunk));
  }

  private keep(slot: number, chunk: RawChunk): void {
    this.sealed.add(slot, this.refs.refAt(slot), chunk);
    this.openChunksClosed++;
  }

  /** What a start needs to go on with; all series are published, and no chunk page is left in memory. */
  save(out: SnapshotWriter): void {
    out.section(section.head);
    for (const n of [this.minTimeMs, this.maxTimeMs]) out.f64(n);
    saveIntervals(this.deleted, out);
    this.refs.save(out);
    this.index.save(out);
    this.schedules.save(out);
    this.sealed.save(out);
    this.histograms.save(out);
    this.late.save(out, (slot) => this.refs.refAt(slot));
    this.exemplars.save(out);
    saveMetadata(this.metadata ?? new Map(), out);
    out.section(section.openChunks);
    this.kernel.saveSeries(this.refs.slots, (image) => out.array(image));
    out.u32(0);
  }

  /** Of an empty head with the same options; `files` have been adopted. Throws CorruptionError. */
  load(input: SnapshotReader, files: HeadChunkFiles): void {
    input.section(section.head);
    this.minTimeMs = input.f64();
    this.maxTimeMs = input.f64();
    loadIntervals(input, this.deleted);
    this.refs.load(input);
    this.index.load(input);
    this.schedules.load(input);
    this.sealed.load(input, files);
    this.histograms.load(input);
    this.late.load(input);
    this.exemplars.load(input);
    loadMetadata(input, this.metadata ?? new Map());
    this.loadOpenChunks(input);
    this.seriesCreated = this.seriesCount;
  }

  private loadOpenChunks(input: SnapshotReader): void {
    input.section(section.openChunks);
    for (let image = input.array(Uint8Array); image.length > 0; image = input.array(Uint8Array))
      if (!this.kernel.loadSeries(image)) throw input.damage('open chunks that cannot be');
  }

  /** Forgets the series that no commit has published. */
  abandonAll(): void {
    for (const ref of [...this.wanted.keys()]) {
      this.wanted.set(ref, 1);
      this.abandon(ref);
    }
  }

  get seriesCount(): number {
    return this.index.size;
  }

  /** Chunks ever sealed. */
  get chunksSealed(): number {
    return this.openChunksClosed;
  }

  get minValidMs(): number {
    return Math.max(this.truncatedMs, this.maxTimeMs - this.blockDurationMs / 2);
  }

  /** Samples before this are in blocks; −Infinity at first. */
  get truncatedBeforeMs(): number {
    return this.truncatedMs;
  }

  /** The ref of the series with these labels; 0 if there is none. */
  find(labels: Labels): SeriesRef {
    const slot = this.index.find(labels);
    return slot === 0 ? 0 : this.refs.refAt(slot);
  }

  /** Makes an unpublished series. Labels are checked by the caller and are not in the head. Throws Unavailable if it is full. */
  create(labels: Labels): SeriesRef {
    if (!this.refs.hasFreed) this.checkRoomForSeries();
    const ref = this.refs.take();
    this.adopt(ref, labels);
    return ref;
  }

  /** What is new needs memory that was never used, and leaves room for samples; only of the latter more can be made. */
  private checkRoomForSeries(): void {
    const { kernel, bytesMax } = this;
    if (kernel.growthLeft < bytesMax * SAMPLES_SPARE) throw this.full('series');
    const hasRoom = (): boolean => kernel.roomBytes >= bytesMax * SERIES_SPARE;
    if (!hasRoom() && !this.makeRoom(hasRoom)) throw this.full('series');
  }

  /** Throws Unavailable unless there is room for what a transaction has, which may end open chunks early. */
  checkRoom(samples: number, histograms: number): void {
    const hasRoom = (): boolean => this.kernel.hasRoomFor(samples, histograms, this.bytesMax * SAMPLES_SPARE);
    if (!hasRoom() && !this.makeRoom(hasRoom)) throw this.full('samples');
  }

  /** Ends open chunks, which then go to files, until there is some room again, or there are none; says whether `hasRoom` then. */
  private makeRoom(hasRoom: () => boolean): boolean {
    const { kernel, refs } = this;
    const gain = kernel.openBytes + this.histograms.size * HISTOGRAM_BYTES;
    if (gain < this.bytesMax * SAMPLES_SPARE) return false;
    // No more at a time: a million short chunks take a second.
    const wanted = kernel.roomBytes + this.bytesMax * SAMPLES_SPARE;
    for (let left = refs.slots; left > 0 && (kernel.roomBytes < wanted || !hasRoom()); left--) {
      this.sealNext = this.sealNext + 1 < refs.slots ? this.sealNext + 1 : 1;
      if (!refs.isUsed(this.sealNext)) continue;
      kernel.sealLong(refs.refAt(this.sealNext));
      this.histograms.sealBefore(this.sealNext, Infinity);
    }
    return hasRoom();
  }

  private full(what: string): Unavailable {
    const used = this.kernel.liveBytes;
    return new Unavailable(
      `head: ${this.seriesCount} series take ${used} of ${this.bytesMax} bytes, no room for more ${what}; more shards have it`,
    );
  }

  /** Makes an unpublished series under a ref that is taken already. */
  adopt(ref: SeriesRef, labels: Labels): void {
    this.index.add(slotOf(ref), labels);
    this.kernel.createSeries(ref);
    this.wanted.set(ref, 0);
  }

  isUnpublished(ref: SeriesRef): boolean {
    return this.wanted.has(ref);
  }

  /** Holds an unpublished series for a transaction, which must publish or abandon it. */
  want(ref: SeriesRef): void {
    this.wanted.set(ref, this.wanted.get(ref)! + 1);
  }

  publish(ref: SeriesRef): void {
    if (!this.wanted.delete(ref)) return;
    this.index.publish(slotOf(ref));
    this.seriesCreated++;
  }

  /** Takes a want() back; an unpublished series that nobody wants is gone. */
  abandon(ref: SeriesRef): void {
    const count = this.wanted.get(ref);
    if (count === undefined) return;
    if (count > 1) {
      this.wanted.set(ref, count - 1);
      return;
    }
    this.wanted.delete(ref);
    this.index.abandon(slotOf(ref));
    this.forget(ref);
  }

  private forget(ref: SeriesRef): void {
    this.schedules.set(slotOf(ref), undefined);
    this.deleted.delete(slotOf(ref));
    this.metadata?.delete(slotOf(ref));
    this.histograms.drop(slotOf(ref));
    this.late.drop(slotOf(ref));
    this.kernel.deleteSeries(ref);
    this.refs.release(ref);
  }

  schedule(ref: SeriesRef): Schedule | undefined {
    return this.schedules.get(slotOf(ref));
  }

  takeStage(): number {
    const free = this.freeStages.pop();
    if (free !== undefined) return free;
    if (this.stages === STAGES_MAX) throw new Error(`BUG: head: ${STAGES_MAX} transactions are open`);
    return ++this.stages;
  }

  returnStage(stage: number): void {
    this.freeStages.push(stage);
  }

  /** Appends what is staged; the times are those of the staged samples. */
  apply(stage: number, minTimeMs: number, maxTimeMs: number): void {
    this.samplesAppended += this.kernel.apply(stage, this.truncatedMs, this.blockDurationMs);
    this.extend(minTimeMs, maxTimeMs);
  }

  /** Whether the head has this very series, not an earlier or later one of the same slot. */
  isLive(ref: SeriesRef): boolean {
    const slot = slotOf(ref);
    return slot < this.refs.slots && this.refs.isUsed(slot) && this.refs.refAt(slot) === ref;
  }

  /** Whether a sample that is too old for its series is taken as a late one. */
  takesLate(timeMs: number): boolean {
    return this.lateWindowMs > 0 && timeMs >= this.maxTimeMs - this.lateWindowMs;
  }

  /** Where the samples begin, late ones included: a lower bound; +Infinity if there are none. */
  get firstMs(): number {
    return Math.min(this.minTimeMs, this.late.minTimeMs);
  }

  /** Appends a histogram if it is newer than its series and not in a block already; returns whether it was. */
  appendHistogram(ref: SeriesRef, timeMs: number, histogram: NativeHistogram): boolean {
    if (!this.isLive(ref) || timeMs < this.truncatedMs) return false;
    const lastTimeMs = this.kernel.lastTimeMs(ref);
    if (timeMs <= lastTimeMs) return false;
    const slot = slotOf(ref);
    this.histograms.sealBefore(slot, lastTimeMs); // Floats came between.
    this.kernel.noteSample(ref, timeMs, histogram.isStale);
    const rangeStartMs = Math.floor(timeMs / this.blockDurationMs) * this.blockDurationMs;
    this.histograms.append(slot, timeMs, histogram, rangeStartMs);
    this.samplesAppended++;
    this.extend(timeMs, timeMs);
    return true;
  }

  /** The newest sample of a series, if it is a histogram. */
  lastHistogram(ref: SeriesRef): NativeHistogram | undefined {
    const open = this.histograms.get(slotOf(ref));
    return open !== undefined && open.maxTimeMs === this.kernel.lastTimeMs(ref) ? open.last : undefined;
  }

  extend(minTimeMs: number, maxTimeMs: number): void {
    this.minTimeMs = Math.min(this.minTimeMs, Math.max(minTimeMs, this.truncatedMs));
    this.maxTimeMs = Math.max(this.maxTimeMs, maxTimeMs);
  }

  /** Sealed and open ones. Looks at every series. */
  chunkCount(): number {
    let count = this.sealed.size + this.histograms.size;
    for (let slot = 1; slot < this.refs.slots; slot++) {
      if (this.refs.isUsed(slot) && this.kernel.openSamples(this.refs.refAt(slot)) > 0) count++;
    }
    return count;
  }

  async labelNames(matchers: readonly Matcher[], { turn }: HeadRead): Promise<Iterable<string>> {
    if (matchers.length === 0) return this.index.labelNames();
    const { sets, symbols } = this.index;
    const ids = new Set<number>();
    for (const slot of await this.index.selectSlowly(matchers, turn)) {
      if (isTurnOver()) await turn();
      for (const id of sets.namesOf(slot)) ids.add(id);
    }
    return [...ids].map((id) => symbols.text(id));
  }

  async labelValues(
    name: string,
    matchers: readonly Matcher[],
    { turn }: HeadRead,
  ): Promise<Iterable<string>> {
    if (matchers.length === 0) return this.index.labelValues(name);
    const { sets, symbols } = this.index;
    const ids = new Set<number>();
    const nameId = symbols.find(name) ?? -1;
    for (const slot of await this.index.selectSlowly(matchers, turn)) {
      if (isTurnOver()) await turn();
      const value = sets.valueOf(slot, nameId);
      if (value >= 0) ids.add(value);
    }
    return [...ids].map((id) => symbols.text(id));
  }

  /** Whether the series has samples in the range: for chunks that reach beyond it, whether it may have some. */
  overlaps(slot: number, minTimeMs: number, maxTimeMs: number): boolean {
    if (this.deleted.has(slot) || this.late.has(slot))
      return this.chunks(slot, minTimeMs, maxTimeMs).length > 0;
    return this.openOverlaps(slot, minTimeMs, maxTimeMs) || this.sealed.overlaps(slot, minTimeMs, maxTimeMs);
  }

  private openOverlaps(slot: number, minTimeMs: number, maxTimeMs: number): boolean {
    const histogram = this.histograms.get(slot);
    if (histogram !== undefined && histogram.minTimeMs <= maxTimeMs && histogram.maxTimeMs >= minTimeMs)
      return true;
    return this.openFloatsOverlap(slot, minTimeMs, maxTimeMs);
  }

  private openFloatsOverlap(slot: number, minTimeMs: number, maxTimeMs: number): boolean {
    const ref = this.refs.refAt(slot);
    if (this.kernel.openSamples(ref) === 0) return false;
    return this.kernel.openMinTimeMs(ref) <= maxTimeMs && this.kernel.lastTimeMs(ref) >= minTimeMs;
  }

  /** The chunks of a series that touch the range, in time order. */
  chunks(slot: number, minTimeMs: number, maxTimeMs: number): RawChunk[] {
    const out: RawChunk[] = [];
    this.sealed.collect(slot, minTimeMs, maxTimeMs, out);
    const histogram = this.histograms.get(slot);
    if (histogram !== undefined && histogram.minTimeMs <= maxTimeMs && histogram.maxTimeMs >= minTimeMs)
      out.push(histogram.chunk());
    if (this.openFloatsOverlap(slot, minTimeMs, maxTimeMs)) out.push(this.openChunk(this.refs.refAt(slot)));
    const late = this.late.has(slot) ? encodeSamples(this.late.of(slot, minTimeMs, maxTimeMs)) : [];
    const all = late.length > 0 ? mergeChunks([...late, ...out]) : out;
    const intervals = this.deleted.get(slot);
    if (intervals === undefined) return all;
    return withoutIntervals(all, intervals).filter(
      (chunk) => chunk.minTimeMs <= maxTimeMs && chunk.maxTimeMs >= minTimeMs,
    );
  }

  /** The part of a range in which a series has samples; undefined if there is none. */
  heldWithin(slot: number, minTimeMs: number, maxTimeMs: number): Interval | undefined {
    const chunks = this.chunks(slot, minTimeMs, maxTimeMs);
    const [first, last] = [chunks[0], chunks.at(-1)];
    if (first === undefined || last === undefined) return undefined;
    return {
      minTimeMs: Math.max(minTimeMs, first.minTimeMs),
      maxTimeMs: Math.min(maxTimeMs, last.maxTimeMs),
    };
  }

  /** Hides the samples of an interval from readers and blocks. */
  delete(slot: number, interval: Interval): void {
    this.deleted.set(slot, addInterval(this.deleted.get(slot) ?? [], interval));
  }

  deletedOf(slot: number): readonly Interval[] {
    return this.deleted.get(slot) ?? [];
  }

  /** Whether a series has nothing but full chunks and open ones. */
  isPlain(slot: number): boolean {
    return !this.late.has(slot) && !this.deleted.has(slot);
  }

  private openChunk(ref: SeriesRef): RawChunk {
    return {
      minTimeMs: this.kernel.openMinTimeMs(ref),
      maxTimeMs: this.kernel.lastTimeMs(ref),
      samples: this.kernel.openSamples(ref),
      encoding: 1,
      data: this.kernel.copyOpen(ref),
    };
  }

  /** The earliest sample that the head has; +Infinity if none. Looks at every series, in slices, while nothing cuts the head. */
  async firstTimeMs(): Promise<number> {
    let first = Infinity;
    for (let slot = 1; slot < this.refs.slots; slot++) {
      if (slot % SLOTS_PER_LOOK === 0 && isTurnOver()) await nextTurn();
      if (!this.refs.isUsed(slot)) continue;
      const ref = this.refs.refAt(slot);
      const open = this.kernel.openSamples(ref) > 0 ? this.kernel.openMinTimeMs(ref) : Infinity;
      const histogram = this.histograms.get(slot)?.minTimeMs ?? Infinity;
      first = Math.min(first, open, histogram, this.sealed.minTimeMs(slot));
    }
    return first;
  }

  /** Refuses samples before a time that blocks reach to. For replay: drops nothing. */
  refuseBefore(timeMs: number): void {
    this.truncatedMs = Math.max(this.truncatedMs, timeMs);
  }

  /** Drops every chunk that ends before a time, a multiple of the block duration, and the series that have none left. */
  truncate(beforeMs: number): void {
    this.readers.cut();
    this.refuseBefore(beforeMs);
    const flags = new Uint8Array(this.refs.slots);
    const gone: number[] = [];
    for (let slot = 1; slot < flags.length; slot++) {
      if (this.refs.isUsed(slot) && this.truncateSeries(slot, beforeMs)) {
        flags[slot] = 1;
        gone.push(slot);
      }
    }
    this.sealed.freePages(beforeMs);
    this.forgetDeleted(beforeMs);
    this.removeFromIndex(gone, flags);
    for (const slot of gone) this.forget(this.refs.refAt(slot));
    this.seriesRemoved += gone.length;
    this.schedules.compact((slot) => slot < this.refs.slots && this.refs.isUsed(slot));
    this.minTimeMs = this.maxTimeMs < beforeMs ? Infinity : Math.max(this.minTimeMs, beforeMs);
    if (this.minTimeMs === Infinity) this.maxTimeMs = -Infinity;
  }

  private forgetDeleted(beforeMs: number): void {
    for (const [slot, intervals] of this.deleted) {
      // Late samples that are older wait on, and what is deleted of them must not come back.
      const firstMs = Math.min(beforeMs, this.late.firstTimeMs(slot));
      const left = intervals.filter(({ maxTimeMs }) => maxTimeMs >= firstMs);
      if (left.length === 0) this.deleted.delete(slot);
      else this.deleted.set(slot, left);
    }
  }

  private removeFromIndex(slots: readonly number[], flags: Uint8Array): void {
    for (const slot of slots) this.exemplars.leave(this.refs.refAt(slot));
    this.index.remove(slots, flags);
  }

  /** Whether the series has nothing left. */
  private truncateSeries(slot: number, beforeMs: number): boolean {
    const ref = this.refs.refAt(slot);
    this.sealed.truncate(slot, beforeMs);
    if (this.kernel.openSamples(ref) > 0 && this.kernel.lastTimeMs(ref) < beforeMs) this.kernel.dropOpen(ref);
    if ((this.histograms.get(slot)?.maxTimeMs ?? beforeMs) < beforeMs) this.histograms.drop(slot);
    return (
      !this.wanted.has(ref) &&
      this.histograms.isIdle(slot) &&
      !this.late.has(slot) &&
      !this.sealed.has(slot) &&
      this.kernel.isIdle(ref)
    );
  }

  /** Takes a published series out that has no chunks: its slot is wanted by a later series of a WAL. */
  tryEvict(slot: number): boolean {
    if (!this.refs.isUsed(slot)) return true;
    if (!this.truncateSeries(slot, -Infinity)) return false;
    const flags = new Uint8Array(this.refs.slots);
    flags[slot] = 1;
    this.removeFromIndex([slot], flags);
    this.forget(this.refs.refAt(slot));
    return true;
  }
}

function saveIntervals(deleted: ReadonlyMap<number, readonly Interval[]>, out: SnapshotWriter): void {
  out.u32(deleted.size);
  for (const [slot, intervals] of deleted) {
    out.u32(slot);
    out.array(Float64Array.from(intervals.flatMap(({ minTimeMs, maxTimeMs }) => [minTimeMs, maxTimeMs])));
  }
}

function loadIntervals(input: SnapshotReader, deleted: Map<number, readonly Interval[]>): void {
  for (let left = input.u32(); left > 0; left--) {
    const slot = input.u32();
    const times = input.array(Float64Array);
    const intervals: Interval[] = [];
    for (let i = 0; i < times.length; i += 2)
      intervals.push({ minTimeMs: times[i]!, maxTimeMs: times[i + 1]! });
    deleted.set(slot, intervals);
  }
}

/** Few differ, many series have each. */
function saveMetadata(bySlot: ReadonlyMap<number, SeriesMetadata>, out: SnapshotWriter): void {
  out.section(section.metadata);
  const numbers = new Map<string, number>();
  const chosen = Uint32Array.from(bySlot.values(), ({ type, help, unit }) => {
    const text = JSON.stringify([type, help, unit]);
    const number = numbers.get(text) ?? numbers.size;
    numbers.set(text, number);
    return number;
  });
  out.texts([...numbers.keys()]);
  out.array(Uint32Array.from(bySlot.keys()));
  out.array(chosen);
}

function loadMetadata(input: SnapshotReader, bySlot: Map<number, SeriesMetadata>): void {
  input.section(section.metadata);
  const distinct = input.texts().map((text) => {
    const [type, help, unit] = JSON.parse(text) as [string, string, string];
    return { type, help, unit };
  });
  const [slots, chosen] = [input.array(Uint32Array), input.array(Uint32Array)];
  for (const [i, slot] of slots.entries()) bySlot.set(slot, distinct[chosen[i]!]!);
}
