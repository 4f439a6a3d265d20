// Hot: open chunks of native histograms in the memory of a kernel, once per ingested sample. A chunk is its address.
//
// The caller owns the chunks and frees them; it knows their layouts, and gives samples with as many buckets as those have.

import { type HistogramNumbers, HistogramRow } from './histogram-row.ts';
import { type KernelInstance, sharedInstance } from './instance.ts';

/** What the samples of a chunk have in common, as the chunk's bits have it. */
export interface EncodedLayout {
  readonly bytes: Uint8Array;
  readonly bits: number;
  /** As a record of the log has it: schema and zero threshold, `loggedSplit` bytes, and the spans. */
  readonly logged: Uint8Array;
  readonly loggedSplit: number;
  readonly positiveBuckets: number;
  readonly negativeBuckets: number;
}

/** What append() did with a sample: all but the first leave the chunk as it was. */
export const appendFate = { appended: 0, wentDown: 1, full: 2 } as const;
export type AppendFate = (typeof appendFate)[keyof typeof appendFate];

const COUNTS = 2;
// Where assembly/histogram-append.ts keeps what is read here.
const LAST_TIME = 8;
const SUM = 24;
const SAMPLES = 44;
const COLUMNS = 48;
const POSITIVES = 52;
const IS_FLOAT = 60;
const FLAG = 61;
const IS_STALE = 62;
const HEAD = 64;

export class HistogramChunks {
  readonly #kernel: KernelInstance;
  readonly #row: HistogramRow;
  #out = 0;
  #outBytes = 0;

  constructor(kernel: KernelInstance, row: HistogramRow) {
    this.#kernel = kernel;
    this.#row = row;
  }

  /** Begins a chunk with its first sample; `header` is its third byte. A stale marker wants a layout without buckets. */
  begin(
    layout: EncodedLayout,
    isFloat: boolean,
    header: number,
    timeMs: number,
    first: HistogramNumbers,
  ): number {
    const { exports } = this.#kernel;
    const columns = COUNTS + layout.positiveBuckets + layout.negativeBuckets;
    const scratch = exports.histogramScratch(layout.bytes.length, columns) >>> 0;
    this.#row.put(first, columns);
    this.#kernel.bytes.set(layout.bytes, scratch);
    return (
      exports.beginHistogramChunk(
        layout.bits,
        columns,
        layout.positiveBuckets,
        isFloat ? 1 : 0,
        header,
        timeMs,
        first.isStale ? 1 : 0,
      ) >>> 0
    );
  }

  /**
   * Appends a newer sample of the chunk's kind and layout, or a stale marker, unless it belongs into a chunk of its own:
   * because it is of a counter and something went down, because the chunk is full, or because rangeStartMs lies between.
   */
  append(
    chunk: number,
    timeMs: number,
    sample: HistogramNumbers,
    isCounter: boolean,
    rangeStartMs: number,
  ): AppendFate {
    this.#row.put(sample, this.#kernel.words[(chunk + COLUMNS) >>> 2]!);
    const compares = isCounter && !sample.isStale ? 1 : 0;
    const { exports } = this.#kernel;
    const isStale = sample.isStale ? 1 : 0;
    return exports.tryAppendHistogram(chunk, timeMs, isStale, compares, rangeStartMs) as AppendFate;
  }

  /** Appends a newer sample of the chunk's kind and layout, or a stale marker, whatever the chunk holds. */
  push(chunk: number, timeMs: number, sample: HistogramNumbers): void {
    this.#row.put(sample, this.#kernel.words[(chunk + COLUMNS) >>> 2]!);
    this.#kernel.exports.appendHistogramSample(chunk, timeMs, sample.isStale ? 1 : 0);
  }

  isFull(chunk: number, rangeStartMs: number): boolean {
    return this.#kernel.exports.isHistogramChunkFull(chunk, rangeStartMs) !== 0;
  }

  samples(chunk: number): number {
    return this.#kernel.words[(chunk + SAMPLES) >>> 2]!;
  }

  minTimeMs(chunk: number): number {
    return this.#kernel.floats[chunk >>> 3]!;
  }

  maxTimeMs(chunk: number): number {
    return this.#kernel.floats[(chunk + LAST_TIME) >>> 3]!;
  }

  isFloat(chunk: number): boolean {
    return this.#kernel.bytes[chunk + IS_FLOAT] !== 0;
  }

  /** The chunk's third byte. */
  header(chunk: number): number {
    return this.#kernel.bytes[chunk + FLAG]!;
  }

  /** Whether the last sample is a stale marker. */
  isStale(chunk: number): boolean {
    return this.#kernel.bytes[chunk + IS_STALE] !== 0;
  }

  /** The numbers of the last sample; of a stale marker they say nothing. */
  last(chunk: number): HistogramNumbers {
    const { floats, words } = this.#kernel;
    const columns = words[(chunk + COLUMNS) >>> 2]!;
    const negatives = COUNTS + words[(chunk + POSITIVES) >>> 2]!;
    const at = (chunk + HEAD) >>> 3;
    return {
      isStale: this.isStale(chunk),
      count: floats[at]!,
      zeroCount: floats[at + 2]!,
      sum: floats[(chunk + SUM) >>> 3]!,
      positive: evenOf(floats, at + 2 * COUNTS, at + 2 * negatives),
      negative: evenOf(floats, at + 2 * negatives, at + 2 * columns),
    };
  }

  dataBytes(chunk: number): number {
    return this.#kernel.exports.histogramChunkBytes(chunk) >>> 0;
  }

  /** Copies the chunk's data to an address of the same memory. */
  copyTo(chunk: number, address: number): void {
    this.#kernel.exports.histogramChunkCopy(chunk, address);
  }

  /** The chunk's data: a copy. */
  copy(chunk: number): Uint8Array {
    const { exports } = this.#kernel;
    const length = this.dataBytes(chunk);
    if (length > this.#outBytes) {
      exports.free(this.#out, this.#outBytes);
      this.#outBytes = exports.capacityOf(length) >>> 0;
      this.#out = exports.alloc(this.#outBytes) >>> 0;
    }
    this.copyTo(chunk, this.#out);
    return this.#kernel.bytes.slice(this.#out, this.#out + length);
  }

  free(chunk: number): void {
    this.#kernel.exports.freeHistogramChunk(chunk);
  }
}

/** Every second one of the floats [from, to). */
function evenOf(floats: Float64Array, from: number, to: number): number[] {
  const values: number[] = [];
  for (let i = from; i < to; i += 2) values.push(floats[i]!);
  return values;
}

let shared: HistogramChunks | undefined;

/** For chunks that are freed before the caller returns. */
export function sharedHistogramChunks(): HistogramChunks {
  return (shared ??= new HistogramChunks(sharedInstance(), new HistogramRow(sharedInstance())));
}
