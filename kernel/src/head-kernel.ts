// Hot: the open chunks and transactions of one head, in WASM memory.
//
// The caller owns refs (slot | generation << 24, see assembly/series.ts), stage numbers (1..255) and sealed chunks.

import { ByteRing } from './byte-ring.ts';
import { ChunkGather } from './chunk-gather.ts';
import { HistogramChunks } from './histogram-chunks.ts';
import { HistogramRecord } from './histogram-record.ts';
import { HistogramRow } from './histogram-row.ts';
import { KernelInstance } from './instance.ts';

/** Takes a sealed chunk. `data` is a view of WASM memory: copy it before returning. */
export type SealedSink = (
  ref: number,
  samples: number,
  minTimeMs: number,
  maxTimeMs: number,
  data: Uint8Array,
) => void;

/** What one samples record did; the times are of what was appended. */
export interface Replayed {
  readonly appended: number;
  /** Samples of series that the head does not have. */
  readonly unknown: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

const SEALED_HEADER_BYTES = 32;
/** Of an open chunk, at most. */
const OPEN_CHUNK_BYTES_MAX = 1024;
const CHUNK_BUFFER_BYTES = OPEN_CHUNK_BYTES_MAX + 64;
/** Bounds one WAL record to about 300 KiB. */
const RECORD_SAMPLES_MAX = 16_384;
/** Limits how much is copied in at a time. */
const INPUT_SAMPLES_MAX = 65_536;
/** What a sample adds to an open chunk: one segment. */
const SAMPLE_BYTES_MAX = 28;
/** A new open chunk of as many buckets as are usual; who has more finds them in the spare bytes. */
const HISTOGRAM_BYTES_MAX = 4096;
const FREE_ENOUGH = 8;
/** One piece of saved series. */
const IMAGE_BYTES = 256 << 10;

export class HeadKernel {
  /** The open chunks of native histograms, which live in this memory. */
  readonly histogramChunks: HistogramChunks;
  readonly histogramRecord: HistogramRecord;
  private readonly kernel: KernelInstance;
  private readonly chunkBuffer: number;
  private scratchAt = 0;
  private scratchCapacity = 0;

  constructor(sink: SealedSink) {
    this.kernel = new KernelInstance((at, length) => this.drainSealed(at >>> 0, length >>> 0, sink));
    const row = new HistogramRow(this.kernel);
    this.histogramChunks = new HistogramChunks(this.kernel, row);
    this.histogramRecord = new HistogramRecord(this.kernel, row);
    this.chunkBuffer = this.kernel.exports.alloc(CHUNK_BUFFER_BYTES) >>> 0;
  }

  /** That were ever used, those that are free again included. */
  get usedBytes(): number {
    return this.kernel.exports.usedBytes() >>> 0;
  }

  get liveBytes(): number {
    return this.usedBytes - this.freeSegmentBytes - this.freeListBytes;
  }

  /** Bytes that samples and series may still take; what is free again may not be of the size that is asked for. */
  get roomBytes(): number {
    return this.growthLeft + this.freeSegmentBytes + this.freeListBytes;
  }

  /** Bytes that sealing every open chunk of floats gives back. */
  get openBytes(): number {
    return this.kernel.exports.usedSegmentBytes() >>> 0;
  }

  /** Bytes that were never used. */
  get growthLeft(): number {
    return this.kernel.exports.growthLeft() >>> 0;
  }

  private get freeSegmentBytes(): number {
    return this.kernel.exports.freeSegmentBytes() >>> 0;
  }

  private get freeListBytes(): number {
    return this.kernel.exports.freeListBytes() >>> 0;
  }

  /** Whether so many samples find memory, and `spareBytes` are left then. Without it the kernel would trap amid them. */
  hasRoomFor(samples: number, histograms: number, spareBytes: number): boolean {
    const samplesBytes = samples * SAMPLE_BYTES_MAX;
    const histogramsBytes = histograms * HISTOGRAM_BYTES_MAX;
    if (this.roomBytes < samplesBytes + histogramsBytes + spareBytes) return false;
    // Free blocks that are many times what is asked for have those sizes among them.
    const isListed = this.freeListBytes >= FREE_ENOUGH * histogramsBytes;
    return this.growthLeft + this.freeSegmentBytes >= samplesBytes + (isListed ? 0 : histogramsBytes);
  }

  /** The most that hasRoomFor() and roomBytes may speak of: 4 GiB, less for tests. */
  limitMemory(bytes: number): void {
    this.kernel.exports.limitMemory(Math.min(bytes, 2 ** 32 - 1));
  }

  createSeries(ref: number): void {
    this.kernel.exports.createSeries(ref);
  }

  deleteSeries(ref: number): void {
    this.kernel.exports.deleteSeries(ref);
  }

  /** Whether the series has neither an open chunk nor a sample in an open transaction. */
  isIdle(ref: number): boolean {
    return this.kernel.exports.isIdle(ref) !== 0;
  }

  /** Samples of the open chunk; 0 when there is none or the series is unknown. */
  openSamples(ref: number): number {
    return this.kernel.exports.openSamples(ref);
  }

  /** Time of the open chunk's first sample. Requires an open chunk. */
  openMinTimeMs(ref: number): number {
    return this.kernel.exports.openMin(ref);
  }

  /** Time of the newest sample ever appended; −2^63 before the first. Requires a live series. */
  lastTimeMs(ref: number): number {
    return this.kernel.exports.lastTime(ref);
  }

  lastIsStale(ref: number): boolean {
    return this.kernel.exports.lastIsStale(ref) !== 0;
  }

  /** A copy of the open chunk; empty when there is none. */
  copyOpen(ref: number): Uint8Array {
    const length = this.kernel.exports.gatherOpen(ref, this.chunkBuffer) >>> 0;
    return Buffer.from(this.kernel.bytes.subarray(this.chunkBuffer, this.chunkBuffer + length));
  }

  /** To gather chunks in this memory; the caller ends it. */
  newGather(areaBytes: number): ChunkGather {
    return new ChunkGather(this.kernel, areaBytes);
  }

  /** In this memory, which it takes when something is kept. */
  newRing(bytes: number): ByteRing {
    return new ByteRing(this.kernel, bytes);
  }

  dropOpen(ref: number): void {
    this.kernel.exports.dropOpenChunk(ref);
  }

  /** Takes note of a newer sample, a histogram, that the caller keeps; seals the open chunk before it. */
  noteSample(ref: number, timeMs: number, isStale: boolean): void {
    this.kernel.exports.noteSample(ref, timeMs, isStale ? 1 : 0);
  }

  /** Hands the open chunk to the sink. */
  sealOpen(ref: number): void {
    this.kernel.exports.sealOpen(ref);
    this.kernel.exports.flushSealed();
  }

  /** Hands the open chunk to the sink if that gives memory back. */
  sealLong(ref: number): void {
    if (this.kernel.exports.hasSegments(ref) !== 0) this.sealOpen(ref);
  }

  /** Stages `count` samples of one time; codes as in the database's appendCode. Returns how many were taken. */
  stage(
    stage: number,
    refs: Uint32Array,
    values: Float64Array,
    count: number,
    timeMs: number,
    codes?: Uint8Array,
  ): number {
    let taken = 0;
    for (let from = 0; from < count; from += INPUT_SAMPLES_MAX) {
      const to = Math.min(count, from + INPUT_SAMPLES_MAX);
      taken += this.stagePart(stage, refs.subarray(from, to), values.subarray(from, to), timeMs);
      codes?.set(this.codes(to - from), from);
    }
    return taken;
  }

  private stagePart(stage: number, refs: Uint32Array, values: Float64Array, timeMs: number): number {
    const { exports } = this.kernel;
    exports.reserveInput(refs.length);
    this.kernel.words.set(refs, exports.inputRefs.value >>> 2);
    this.kernel.floats.set(values, exports.inputValues.value >>> 3);
    const taken = exports.stageInput(stage, refs.length, timeMs);
    if (taken < 0) throw new RangeError('transaction: more than 16777214 samples');
    return taken;
  }

  private codes(count: number): Uint8Array {
    const at = this.kernel.exports.inputCodes.value >>> 0;
    return this.kernel.bytes.subarray(at, at + count);
  }

  stagedCount(stage: number): number {
    return this.kernel.exports.stagedCount(stage) >>> 0;
  }

  discard(stage: number): void {
    this.kernel.exports.discardStage(stage);
  }

  /**
   * Appends what is staged, unless it is older than minValidMs or no longer newer than its series; chunks end at
   * multiples of blockRangeMs. Returns how many samples were appended.
   */
  apply(stage: number, minValidMs: number, blockRangeMs: number): number {
    return this.kernel.exports.applyStage(stage, minValidMs, blockRangeMs) >>> 0;
  }

  /** Starts a run of WAL frames. `compress`: records that snappy makes smaller are written so. */
  beginFrames(compress: boolean): void {
    this.kernel.exports.clearFrames(compress ? 1 : 0);
  }

  /** Adds one WAL record to the frames. */
  frameRecord(record: Uint8Array, pageOffset: number): void {
    this.copyIn(record);
    this.kernel.exports.frameRecord(this.scratchAt, record.length, pageOffset);
  }

  /** Adds the staged samples to the frames, as samples records. */
  frameStaged(stage: number, pageOffset: number): void {
    const { exports } = this.kernel;
    const count = this.stagedCount(stage);
    for (let from = 0; from < count; from += RECORD_SAMPLES_MAX) {
      exports.frameStaged(stage, from, Math.min(count, from + RECORD_SAMPLES_MAX), pageOffset);
    }
  }

  /** The frames, as a view: valid until the next call of this kernel. */
  frames(): Uint8Array {
    const { exports } = this.kernel;
    const at = exports.framesAt() >>> 0;
    return this.kernel.bytes.subarray(at, at + (exports.framesLength() >>> 0));
  }

  /** Decodes a samples record of the WAL into this kernel; returns how many samples it has, −1 if it is malformed. */
  decodeSamples(record: Uint8Array): number {
    this.copyIn(record);
    return this.kernel.exports.decodeSamples(this.scratchAt, record.length);
  }

  /** The refs of the decoded samples, to read or to change; a view, valid until the next call. 0 = no u32. */
  decodedRefs(count: number): Uint32Array {
    const at = this.kernel.exports.decodedRefs.value >>> 2;
    return this.kernel.words.subarray(at, at + count);
  }

  /** Appends the decoded samples that are newer than their series and not older than minValidMs. */
  replayDecoded(count: number, minValidMs: number, blockRangeMs: number): Replayed {
    const { exports } = this.kernel;
    const appended = exports.replayDecoded(count, minValidMs, blockRangeMs) >>> 0;
    return {
      appended,
      unknown: exports.replayUnknown.value >>> 0,
      minTimeMs: exports.replayMin.value,
      maxTimeMs: exports.replayMax.value,
    };
  }

  /** Frames the decoded samples of live series at or after a time, if there are any. */
  frameDecodedSince(count: number, minTimeMs: number, pageOffset: number): void {
    const { exports } = this.kernel;
    const kept = exports.keepDecoded(count, minTimeMs) >>> 0;
    if (kept === 0) return;
    const length = exports.encodeKept(kept); // May move the record: its address comes after.
    exports.frameRecord(exports.recordAt(), length, pageOffset);
  }

  /**
   * Hands out the live series below slot `slots` with their open chunks, in pieces: views, valid until the sink returns.
   * What open transactions have staged is left out.
   */
  saveSeries(slots: number, sink: (image: Uint8Array) => void): void {
    const { exports } = this.kernel;
    const room = Math.max(IMAGE_BYTES, exports.IMAGE_BYTES_MAX.value);
    for (let from = 0; from < slots; from = exports.savedTo.value) {
      const at = this.reserveScratch(room);
      const length = exports.saveSeries(from, slots, at, room) >>> 0;
      if (length > 0) sink(this.kernel.bytes.subarray(at, at + length));
    }
  }

  /** Makes the series of a piece that saveSeries of the same module gave; false, with some made, if it is malformed. */
  loadSeries(image: Uint8Array): boolean {
    this.copyIn(image);
    return this.kernel.exports.loadSeries(this.scratchAt, image.length) !== 0;
  }

  private copyIn(bytes: Uint8Array): void {
    const at = this.reserveScratch(bytes.length); // May grow memory: views of it are taken afterwards.
    this.kernel.bytes.set(bytes, at);
  }

  private reserveScratch(bytes: number): number {
    const { exports } = this.kernel;
    if (bytes > this.scratchCapacity) {
      exports.free(this.scratchAt, this.scratchCapacity);
      this.scratchCapacity = exports.capacityOf(Math.max(bytes, 2 * this.scratchCapacity)) >>> 0;
      this.scratchAt = exports.alloc(this.scratchCapacity) >>> 0;
    }
    return this.scratchAt;
  }

  private drainSealed(at: number, length: number, sink: SealedSink): void {
    const { bytes, words, floats } = this.kernel;
    for (let o = at; o < at + length;) {
      const dataBytes = words[(o + 24) >>> 2]!;
      const from = o + SEALED_HEADER_BYTES;
      sink(
        words[o >>> 2]!,
        words[(o + 4) >>> 2]!,
        floats[(o + 8) >>> 3]!,
        floats[(o + 16) >>> 3]!,
        bytes.subarray(from, from + dataBytes),
      );
      o = from + ((dataBytes + 7) & ~7);
    }
  }
}
