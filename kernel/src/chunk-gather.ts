// Hot: chunk lists of many series in WASM memory, once per chunk that a query reads from a head.
//
// A caller plans: header by header, with room for the data. Then it fills: open chunks at once, sealed ones in the order of
// their file, by runs that lie in the window. Memory is taken from the instance at begin() and given back by end().

import type { ByteRing } from './byte-ring.ts';
import { CHUNK_HEADER_BYTES, writeChunkHeader } from './chunk-list.ts';
import type { HistogramChunks } from './histogram-chunks.ts';
import { KernelInstance } from './instance.ts';

/** Readable behind the data, and what gathering an open chunk may write beyond it. */
const SLACK_BYTES = 64;
const JOB_WORDS = 4;
const COPY_WORDS = 3;
/** Copies that are put off at most. */
const COPIES_MAX = 1024;
/** As in assembly/chunk-list.ts. */
const TRUSTED = 2 ** 31;

/** What of an open chunk a list has: all, or, where that is less, the samples of the range, or the newest of them. */
export const openExtent = { whole: 0, range: 1, newest: 2 } as const;
export type OpenExtent = (typeof openExtent)[keyof typeof openExtent];

export class ChunkGather {
  /** Of the window that runs of a file are read to, unless one frame is larger. */
  static readonly windowBytes = 256 << 10;
  static readonly warmMax = 8;
  /** Frames of one run. */
  static readonly jobsMax = 4096;
  readonly #kernel: KernelInstance;
  readonly #area: number;
  readonly #areaBytes: number;
  #window: number;
  #windowBytes = ChunkGather.windowBytes;
  readonly #jobs: number;
  /** All of the memory, and the same again. */
  #bytes: Uint8Array;
  #view: DataView;
  #used = 0;
  #jobCount = 0;
  readonly #copies: number;
  #copyCount = 0;
  /** The last time of the chunk that was added last, in ms. */
  endMs = -Infinity;

  static #ownInstance: KernelInstance | undefined;

  /** For chunks of blocks, which no head has: in an instance of its own, so that decoding what it gives never detaches that. */
  static forBlocks(areaBytes: number): ChunkGather {
    return new ChunkGather((ChunkGather.#ownInstance ??= new KernelInstance()), areaBytes);
  }

  constructor(kernel: KernelInstance, areaBytes: number) {
    const { exports } = kernel;
    this.#kernel = kernel;
    this.#areaBytes = areaBytes;
    this.#area = exports.alloc(areaBytes + SLACK_BYTES) >>> 0;
    this.#window = exports.alloc(this.#windowBytes + SLACK_BYTES) >>> 0;
    this.#jobs = exports.alloc(ChunkGather.jobsMax * JOB_WORDS * 4) >>> 0;
    this.#copies = exports.alloc(COPIES_MAX * COPY_WORDS * 4) >>> 0;
    this.#bytes = kernel.bytes;
    this.#view = new DataView(kernel.bytes.buffer);
  }

  get usedBytes(): number {
    return this.#used;
  }

  get leftBytes(): number {
    return this.#areaBytes - this.#used;
  }

  /** Forgets what was added after the first `bytes`. */
  cut(bytes: number): void {
    this.#used = bytes;
  }

  /** Adds a header and room for its data; returns the place of the data. The caller has looked at leftBytes. */
  reserve(
    minTimeMs: number,
    maxTimeMs: number,
    samples: number,
    encoding: number,
    dataBytes: number,
  ): number {
    const at = this.#area + this.#used;
    writeChunkHeader(this.#memory(), at, minTimeMs, maxTimeMs, samples, encoding, dataBytes);
    this.#used += CHUNK_HEADER_BYTES + dataBytes;
    this.endMs = maxTimeMs;
    return this.#used - dataBytes;
  }

  /** Says of which series, at most warmMax, the open chunks are added next. */
  warmOpen(refs: Uint32Array): void {
    const { words, exports } = this.#kernel;
    const at = this.#jobs >>> 2;
    words.fill(0, at, at + ChunkGather.warmMax);
    words.set(refs, at);
    exports.warmOpen(this.#jobs);
  }

  /** Adds the open chunk of a series if it touches the range; leftBytes must be openListBytes. */
  addOpen(ref: number, minTimeMs: number, maxTimeMs: number): void {
    const at = this.#area + this.#used;
    const { exports } = this.#kernel;
    const bytes = exports.listOpenChunk(ref, minTimeMs, maxTimeMs, at) >>> 0;
    if (bytes === 0) return;
    this.#used += bytes;
    this.endMs = this.#memory().getFloat64(at + 16, true);
  }

  /** Adds an open chunk of histograms in the same memory; false if there is no room. */
  addHistograms(
    chunks: HistogramChunks,
    chunk: number,
    minTimeMs: number,
    maxTimeMs: number,
    encoding: number,
  ): boolean {
    const bytes = chunks.dataBytes(chunk);
    if (this.leftBytes < CHUNK_HEADER_BYTES + bytes) return false;
    const place = this.reserve(minTimeMs, maxTimeMs, chunks.samples(chunk), encoding, bytes);
    chunks.copyTo(chunk, this.#area + place);
    return true;
  }

  /**
   * Adds the chunk lists of those of at most warmMax series (0: none) of which all samples in the range are in open chunks;
   * `from` and `to` get from `at` on where each lies, and are the same for the others. leftBytes must be openListBytes for each.
   */
  addOpenLists(
    refs: Uint32Array,
    minTimeMs: number,
    maxTimeMs: number,
    extent: OpenExtent,
    from: Uint32Array,
    to: Uint32Array,
    at: number,
  ): void {
    const { words, exports } = this.#kernel;
    const begin = (this.#used + 7) & ~7;
    const out = this.#area + begin;
    const places = (this.#jobs >>> 2) + ChunkGather.warmMax;
    words.fill(0, this.#jobs >>> 2, places);
    words.set(refs, this.#jobs >>> 2);
    const bytes = exports.listOpen(this.#jobs, refs.length, minTimeMs, maxTimeMs, extent, out, places << 2);
    for (let i = 0; i < refs.length; i++) {
      from[at + i] = begin + words[places + 2 * i]!;
      to[at + i] = begin + words[places + 2 * i + 1]!;
    }
    this.#used = begin + bytes;
  }

  /** What addOpenLists() may take for a series. */
  get openListBytes(): number {
    return this.#kernel.exports.OPEN_LIST_BYTES.value + 8;
  }

  /** The last time of a list of addOpenLists(), in ms. */
  endOf(from: number): number {
    return this.#kernel.floats[(this.#area + from + 16) >>> 3]!;
  }

  /** Copies data to their place. */
  fill(place: number, data: Uint8Array): void {
    this.#kernel.bytes.set(data, this.#area + place);
  }

  /** Copies data from their place into a ring of the same instance; returns their position there. */
  keep(ring: ByteRing, place: number, bytes: number): number {
    return ring.keep(this.#area + place, bytes);
  }

  /**
   * Plans to copy data to their place from a ring of the same instance: at fillAll() at the latest, which must come before anything
   * is kept in the ring, or what the place is in is cut.
   */
  fillKept(ring: ByteRing, position: number, place: number, bytes: number): void {
    const { words } = this.#kernel;
    const at = (this.#copies >>> 2) + COPY_WORDS * this.#copyCount++;
    words[at] = ring.addressOf(position);
    words[at + 1] = this.#area + place;
    words[at + 2] = bytes;
    if (this.#copyCount === COPIES_MAX) this.fillAll();
  }

  /** Does what fillKept() planned: all together, so that one copy does not wait for the memory of the one before. */
  fillAll(): void {
    if (this.#copyCount > 0) this.#kernel.exports.copyAll(this.#copies, this.#copyCount);
    this.#copyCount = 0;
  }

  /** The bytes of [from, to), as a view: valid until the instance's memory grows. */
  bytes(from: number, to: number): Uint8Array {
    return this.#kernel.bytes.subarray(this.#area + from, this.#area + to);
  }

  /** Where a run of frames is to be read to: memory and the window's place in it. */
  window(bytes: number): { readonly memory: Uint8Array; readonly at: number } {
    if (bytes > this.#windowBytes) this.#growWindow(bytes);
    return { memory: this.#kernel.bytes, at: this.#window };
  }

  /**
   * Plans to take the frame at `offset` in the window, of `frameBytes` without its checksum, with data from `dataAt`. The
   * checksum is looked at unless the frame is trusted.
   */
  addJob(offset: number, frameBytes: number, dataAt: number, place: number, isTrusted: boolean): void {
    const { words } = this.#kernel;
    const at = (this.#jobs >>> 2) + JOB_WORDS * this.#jobCount++;
    words[at] = offset;
    words[at + 1] = isTrusted ? frameBytes + TRUSTED : frameBytes;
    words[at + 2] = dataAt;
    words[at + 3] = this.#area + place;
  }

  /** Does the jobs; calls `onDamage` with the number of each whose frame is damaged. */
  takeFrames(onDamage: (job: number) => void): void {
    const count = this.#jobCount;
    this.#jobCount = 0;
    if (this.#kernel.exports.takeFrames(this.#window, this.#jobs, count) === 0) return;
    const { words } = this.#kernel;
    for (let job = 0; job < count; job++)
      if (words[(this.#jobs >>> 2) + JOB_WORDS * job + 3] === 0) onDamage(job);
  }

  /** Gives the memory back; the object must not be used any more. */
  end(): void {
    const { exports } = this.#kernel;
    exports.free(this.#area, this.#areaBytes + SLACK_BYTES);
    exports.free(this.#window, this.#windowBytes + SLACK_BYTES);
    exports.free(this.#jobs, ChunkGather.jobsMax * JOB_WORDS * 4);
    exports.free(this.#copies, COPIES_MAX * COPY_WORDS * 4);
  }

  #growWindow(bytes: number): void {
    const { exports } = this.#kernel;
    exports.free(this.#window, this.#windowBytes + SLACK_BYTES);
    this.#window = exports.alloc(bytes + SLACK_BYTES) >>> 0;
    this.#windowBytes = bytes;
  }

  #memory(): DataView {
    const { bytes } = this.#kernel;
    if (this.#bytes !== bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer);
    }
    return this.#view;
  }
}
