// One instance of the WASM module and the views of its memory.
//
// Each instance has a memory of its own, which only grows (to 4 GiB). A view dies when it does: take `bytes`, `floats`
// anew after each call that may allocate.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** What assembly/index.ts exports. Addresses and counts are u32 but arrive as i32: read them with >>> 0. */
export interface KernelExports {
  readonly memory: WebAssembly.Memory;
  init(): void;
  alloc(size: number): number;
  free(at: number, size: number): void;
  capacityOf(size: number): number;
  usedBytes(): number;
  freeListBytes(): number;
  freeSegmentBytes(): number;
  usedSegmentBytes(): number;
  hasSegments(ref: number): number;
  limitMemory(bytes: number): void;
  growthLeft(): number;
  crc32c(crc: number, at: number, length: number): number;
  decodeXor(chunk: number, length: number, times: number, values: number, max: number): number;
  beginHistograms(chunk: number, length: number, areFloats: number): number;
  decodeHistograms(times: number, rows: number, max: number): number;
  packRows(rows: number, count: number, stride: number, isWide: number, out: number): number;
  readonly layoutEnd: { readonly value: number };
  readonly layoutNumbers: { readonly value: number };
  readonly layoutSchema: { readonly value: number };
  readonly layoutThreshold: { readonly value: number };
  readonly positiveBuckets: { readonly value: number };
  readonly positiveSpans: { readonly value: number };
  readonly negativeBuckets: { readonly value: number };
  readonly negativeSpans: { readonly value: number };
  readonly customBounds: { readonly value: number };
  readonly staleHistograms: { readonly value: number };
  histogramRow(columns: number): number;
  histogramScratch(layoutBytes: number, columns: number): number;
  beginHistogramChunk(
    layoutBits: number,
    columns: number,
    positives: number,
    isFloat: number,
    header: number,
    timeMs: number,
    isStale: number,
  ): number;
  tryAppendHistogram(
    chunk: number,
    timeMs: number,
    isStale: number,
    isCounter: number,
    rangeStartMs: number,
  ): number;
  appendHistogramSample(chunk: number, timeMs: number, isStale: number): void;
  isHistogramChunkFull(chunk: number, rangeStartMs: number): number;
  histogramChunkBytes(chunk: number): number;
  histogramChunkCopy(chunk: number, out: number): void;
  freeHistogramChunk(chunk: number): void;
  clearHistogramRecord(): void;
  recordLayout(bytes: number): number;
  recordHistogram(
    ref: number,
    timeMs: number,
    hint: number,
    layoutBytes: number,
    split: number,
    columns: number,
    positives: number,
  ): void;
  frameHistogramRecord(pageOffset: number): void;
  takeFrames(window: number, jobs: number, count: number): number;
  warmOpen(refs: number): number;
  copyAll(jobs: number, count: number): void;
  listOpenChunk(ref: number, minTimeMs: number, maxTimeMs: number, out: number): number;
  readonly OPEN_LIST_BYTES: { readonly value: number };
  listOpen(
    refs: number,
    count: number,
    minTimeMs: number,
    maxTimeMs: number,
    extent: number,
    out: number,
    ends: number,
  ): number;
  chunkListSamples(list: number, length: number): number;
  joinChunks(list: number, length: number, to: number, rows: number): number;
  encodeEntry(labels: number, count: number, rows: number, chunks: number, ref: number, to: number): number;
  decodeChunkList(list: number, length: number, times: number, values: number): number;
  createSeries(ref: number): void;
  deleteSeries(ref: number): void;
  readonly IMAGE_BYTES_MAX: { readonly value: number };
  saveSeries(fromSlot: number, toSlot: number, out: number, room: number): number;
  readonly savedTo: { readonly value: number };
  loadSeries(at: number, length: number): number;
  isIdle(ref: number): number;
  openSamples(ref: number): number;
  openMin(ref: number): number;
  lastTime(ref: number): number;
  lastIsStale(ref: number): number;
  gatherOpen(ref: number, out: number): number;
  dropOpenChunk(ref: number): void;
  sealOpen(ref: number): void;
  noteSample(ref: number, timeMs: number, isStale: number): void;
  readonly ENCODE_SLACK: { readonly value: number };
  readonly encodedBytes: { readonly value: number };
  encodeXor(
    times: number,
    values: number,
    count: number,
    samplesMax: number,
    bytesMax: number,
    out: number,
  ): number;
  flushSealed(): void;
  reserveInput(count: number): void;
  readonly inputRefs: { readonly value: number };
  readonly inputValues: { readonly value: number };
  readonly inputCodes: { readonly value: number };
  stageInput(stage: number, count: number, timeMs: number): number;
  stagedCount(stage: number): number;
  discardStage(stage: number): void;
  applyStage(stage: number, minValidMs: number, blockRangeMs: number): number;
  frameStaged(stage: number, from: number, to: number, pageOffset: number): void;
  decodeSamples(at: number, length: number): number;
  readonly decodedRefs: { readonly value: number };
  replayDecoded(count: number, minValidMs: number, blockRangeMs: number): number;
  readonly replayMin: { readonly value: number };
  readonly replayMax: { readonly value: number };
  readonly replayUnknown: { readonly value: number };
  keepDecoded(count: number, minTimeMs: number): number;
  encodeKept(count: number): number;
  recordAt(): number;
  clearFrames(compress: number): void;
  frameRecord(at: number, length: number, pageOffset: number): void;
  readonly SNAPPY_SLACK: { readonly value: number };
  snappyBound(length: number): number;
  snappyCompress(from: number, length: number, to: number): number;
  snappyLength(at: number, length: number): number;
  snappyUncompress(from: number, length: number, to: number, room: number): number;
  framesAt(): number;
  framesLength(): number;
  readonly powersOfFive: { readonly value: number };
  parseFloat64(at: number): number;
  readonly floatEnd: { readonly value: number };
  seedHash(low: number, high: number): void;
  readonly BODY_PADDING: { readonly value: number };
  newLineCache(): number;
  clearLineCache(cache: number): void;
  freeLineCache(cache: number): void;
  beginScan(cache: number): void;
  scanPart(part: number, length: number, offset: number, isLast: number): number;
  learn(entry: number, ref: number): void;
  commitScan(cache: number): number;
  takeAbsent(cache: number): void;
  readonly sampleCount: { readonly value: number };
  readonly sampleRefs: { readonly value: number };
  readonly sampleValues: { readonly value: number };
  readonly unknownCount: { readonly value: number };
  readonly unknownLines: { readonly value: number };
  readonly missingCount: { readonly value: number };
  readonly missingRefs: { readonly value: number };
  readonly droppedCount: { readonly value: number };
  equalColumns(a: number, b: number, count: number): number;
  hasNaN(column: number, count: number): number;
  readonly INFLATE_STATE_BYTES: { readonly value: number };
  readonly INFLATE_SLACK: { readonly value: number };
  readonly INFLATE_STARVED: { readonly value: number };
  readonly INFLATE_DONE: { readonly value: number };
  readonly INFLATE_CORRUPT: { readonly value: number };
  readonly inflatedTo: { readonly value: number };
  readonly inflateReadTo: { readonly value: number };
  beginInflate(state: number): void;
  inflate(state: number, from: number, to: number, past: number, out: number, outEnd: number): number;
  readonly powersOfTen: { readonly value: number };
  readonly CODE_TABLE_BYTES: { readonly value: number };
  readonly TEXT_MAX: { readonly value: number };
  newJsonWriter(): number;
  freeJsonWriter(writer: number): void;
  startJson(
    writer: number,
    isGzip: number,
    codes: number,
    outLength: number,
    bits: number,
    bitCount: number,
  ): void;
  beginRow(writer: number): void;
  writePoints(writer: number, count: number): void;
  writeText(writer: number, length: number): void;
  jsonInputAt(writer: number): number;
  jsonOutAt(writer: number): number;
  jsonOutLength(writer: number): number;
  jsonTextAt(writer: number): number;
  jsonTextLength(writer: number): number;
  takeJson(writer: number): void;
  endJson(writer: number): void;
  readonly PIECE_TEXT_MAX: { readonly value: number };
  addPiece(writer: number, length: number): number;
  keepPieces(writer: number, count: number): void;
  switchToHistograms(writer: number, codes: number, headerBits: number): void;
  writeHistogram(writer: number): void;
  writeBuckets(writer: number, count: number): void;
  hasBuckets(writer: number): number;
  readonly WINDOW_BYTES: { readonly value: number };
  hasReset(values: number, count: number): number;
  windowRates(
    table: number,
    windows: number,
    values: number,
    unit: number,
    isCounter: number,
    out: number,
  ): void;
  readonly WINDOWS_HEAD: { readonly value: number };
  readonly WINDOWS_GROUP: { readonly value: number };
  enterWindows(table: number, steps: number): number;
  windowSums(table: number, values: number, count: number, sums: number, out: number): void;
  windowAverages(table: number, values: number, count: number, sums: number, out: number): void;
  windowVariances(table: number, values: number, isDeviation: number, out: number): void;
  windowExtremes(table: number, values: number, count: number, isMax: number, out: number): void;
  windowChanges(table: number, values: number, count: number, counts: number, out: number): void;
  windowResets(table: number, values: number, count: number, counts: number, out: number): void;
}

let compiled: WebAssembly.Module | undefined;
let digest: string | undefined;

function kernelBytes(): Buffer<ArrayBuffer> {
  return readFileSync(new URL('../dist/kernel.wasm', import.meta.url));
}

function kernelModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(kernelBytes());
  return compiled;
}

/** SHA-256 of the module, in hex: what its memory looks like holds for this build only. */
export function kernelDigest(): string {
  return (digest ??= createHash('sha256').update(kernelBytes()).digest('hex'));
}

function refuse(): never {
  throw new Error('BUG: kernel: a chunk was sealed in an instance without a head');
}

export class KernelInstance {
  readonly exports: KernelExports;
  private byteView: Uint8Array;
  private floatView: Float64Array;
  private wordView: Uint32Array;

  /** `sealed` takes the records of full chunks at (address, length); see assembly/series.ts. */
  constructor(sealed: (at: number, length: number) => void = refuse) {
    const instance = new WebAssembly.Instance(kernelModule(), { env: { sealed } });
    this.exports = instance.exports as unknown as KernelExports;
    const { buffer } = this.exports.memory;
    this.byteView = new Uint8Array(buffer);
    this.floatView = new Float64Array(buffer);
    this.wordView = new Uint32Array(buffer);
    this.exports.init();
  }

  get bytes(): Uint8Array {
    if (this.byteView.length === 0) this.refresh();
    return this.byteView;
  }

  /** Index by address >>> 3. */
  get floats(): Float64Array {
    if (this.floatView.length === 0) this.refresh();
    return this.floatView;
  }

  /** Index by address >>> 2. */
  get words(): Uint32Array {
    if (this.wordView.length === 0) this.refresh();
    return this.wordView;
  }

  /** After growing. A detached view has no length; asking the memory for its buffer instead costs ten times as much. */
  private refresh(): void {
    const { buffer } = this.exports.memory;
    this.byteView = new Uint8Array(buffer);
    this.floatView = new Float64Array(buffer);
    this.wordView = new Uint32Array(buffer);
  }
}

let shared: KernelInstance | undefined;

/** The instance behind the stateless functions (checksums, decoding), made at first use. */
export function sharedInstance(): KernelInstance {
  shared ??= new KernelInstance();
  return shared;
}
