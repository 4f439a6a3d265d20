// Hot: chunks of native histograms to rows of floats, once per chunk that a query reads.
//
// One chunk at a time and never across a pause: all decoders of a thread share the memory. What samples have in common is
// made once for all chunks that say the same, so that readers can tell by identity.

import { type KernelInstance, sharedInstance } from './instance.ts';
import { PackedRows, rowColumn } from './packed-rows.ts';

/** What the samples of a chunk have in common. */
export interface ChunkLayout {
  /** −4 to 8: exponential; −53: custom bounds. */
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly positiveSpans: readonly LayoutSpan[];
  readonly negativeSpans: readonly LayoutSpan[];
  /** Upper bounds of custom buckets, without +Inf; empty for exponential ones. */
  readonly customBounds: readonly number[];
  /** The same as the spans: the index of each bucket. */
  readonly positiveIndexes: readonly number[];
  readonly negativeIndexes: readonly number[];
}

/** A run of buckets: how many indexes after the last run's end it begins (the first: from 0), and its length. */
export interface LayoutSpan {
  readonly offset: number;
  readonly length: number;
}

// The decoder reads up to 18 bytes beyond the end of a chunk.
const PADDING_BYTES = 32;
const HEADER_BYTES = 3;
/** Of the rows that next() gives together, unless a single one is longer. */
const ROWS_FLOATS = 1 << 13;
const TIMES_MAX = 1 << 10;
/** Fewer are not smaller when they are packed. */
const PACKED_MIN = 4;
const PACKED_SLACK = 64;
const STALE_LOW = 2;
const STALE_HIGH = 0x7ff00000;

/** As many as the series of a query have. Those that are remembered are small: all together take a few megabytes at most. */
const LAYOUTS_MAX = 1 << 10;
const LAYOUT_BYTES_MAX = 1 << 10;
/** Of buckets and spans. */
const LAYOUT_ITEMS_MAX = 1 << 9;
const layouts = new Map<string, ChunkLayout>();

class Scratch {
  readonly kernel: KernelInstance = sharedInstance();
  readonly timesAt = this.kernel.exports.alloc(TIMES_MAX * 8) >>> 0;
  chunkAt = 0;
  #chunkBytes = 0;
  rowsAt = 0;
  #rowsBytes = 0;
  packedAt = 0;
  #packedBytes = 0;

  enter(chunk: Uint8Array): void {
    const { exports } = this.kernel;
    if (chunk.length + PADDING_BYTES > this.#chunkBytes) {
      exports.free(this.chunkAt, this.#chunkBytes);
      this.#chunkBytes = exports.capacityOf(chunk.length + PADDING_BYTES) >>> 0;
      this.chunkAt = exports.alloc(this.#chunkBytes) >>> 0;
    }
    this.kernel.bytes.set(chunk, this.chunkAt);
  }

  reserveRows(floats: number): void {
    if (floats * 8 <= this.#rowsBytes) return;
    const { exports } = this.kernel;
    exports.free(this.rowsAt, this.#rowsBytes);
    exports.free(this.packedAt, this.#packedBytes);
    this.#rowsBytes = exports.capacityOf(floats * 8) >>> 0;
    this.rowsAt = exports.alloc(this.#rowsBytes) >>> 0;
    // A row, the sums, and four bytes of each float: less than all.
    this.#packedBytes = exports.capacityOf(this.#rowsBytes + 8 * TIMES_MAX + PACKED_SLACK) >>> 0;
    this.packedAt = exports.alloc(this.#packedBytes) >>> 0;
  }
}

let shared: Scratch | undefined;

/** begin() a chunk, then next() until there are no more rows; what they come to lasts until the next call. */
export class HistogramDecoder {
  readonly #scratch = (shared ??= new Scratch());
  #layout: ChunkLayout | undefined;
  #rowsMax = 0;
  #count = 0;
  #areFloats = false;
  /** Samples that the chunk claims, and its third byte, which says why it begins. */
  samples = 0;
  header = 0;
  /** Floats of a row: three and its buckets. */
  stride = 0;

  /** Takes the data of a chunk of encoding 2, or, `areFloats`, 3. False if it is damaged. Safe on hostile bytes. */
  begin(chunk: Uint8Array, areFloats: boolean): boolean {
    const scratch = this.#scratch;
    scratch.enter(chunk);
    const { exports } = scratch.kernel;
    this.#count = 0;
    this.#areFloats = areFloats;
    if (exports.beginHistograms(scratch.chunkAt, chunk.length, areFloats ? 1 : 0) === 0) return false;
    this.samples = (chunk[0]! << 8) | chunk[1]!;
    this.header = chunk[2]!;
    this.stride = rowColumn.buckets + exports.positiveBuckets.value + exports.negativeBuckets.value;
    this.#rowsMax = Math.min(TIMES_MAX, Math.max(1, Math.floor(ROWS_FLOATS / this.stride)));
    scratch.reserveRows(Math.max(ROWS_FLOATS, this.stride));
    this.#layout = layoutOf(chunk, scratch.kernel);
    return true;
  }

  /** Of the chunk. The same object for all chunks that say the same, as far as they are remembered. */
  get layout(): ChunkLayout {
    return this.#layout!;
  }

  /** Reads further rows: how many, 0 at the end, −1 if the chunk is damaged. */
  next(): number {
    const { kernel, timesAt, rowsAt } = this.#scratch;
    this.#count = kernel.exports.decodeHistograms(timesAt, rowsAt, this.#rowsMax);
    return this.#count;
  }

  /** When the rows were taken, in ms. */
  times(): Float64Array {
    const { kernel, timesAt } = this.#scratch;
    return kernel.floats.subarray(timesAt >>> 3, (timesAt >>> 3) + this.#count);
  }

  /** Of each row `stride` columns, as in rowColumn. Of a stale marker they say nothing. */
  rows(): Float64Array {
    const { kernel, rowsAt } = this.#scratch;
    return kernel.floats.subarray(rowsAt >>> 3, (rowsAt >>> 3) + this.#count * this.stride);
  }

  /**
   * The rows [from, to), none of which is a stale marker, in memory that `column` gives; once, since it may spoil them. Whole counts that only grew
   * take a third of their memory or less.
   */
  keep(from: number, to: number, column: (length: number) => Float64Array): PackedRows {
    const { stride } = this;
    const packed = this.#packed(from, to, column);
    if (packed !== undefined) return packed;
    const rows = this.rows().subarray(from * stride, to * stride);
    const numbers = column(rows.length);
    numbers.set(rows);
    return new PackedRows(numbers, undefined, stride);
  }

  #packed(from: number, to: number, column: (length: number) => Float64Array): PackedRows | undefined {
    const count = to - from;
    if (this.#areFloats || count < PACKED_MIN) return undefined;
    const { kernel, rowsAt, packedAt } = this.#scratch;
    const { stride } = this;
    const at = rowsAt + 8 * from * stride;
    const isNarrow = kernel.exports.packRows(at, count, stride, 0, packedAt) !== 0;
    if (!isNarrow && kernel.exports.packRows(at, count, stride, 1, packedAt) === 0) return undefined;
    const deltasAt = stride + count;
    const length = deltasAt + Math.ceil((count * stride) / (isNarrow ? 4 : 2));
    const numbers = column(length);
    numbers.set(kernel.floats.subarray(packedAt >>> 3, (packedAt >>> 3) + length));
    const { buffer } = numbers;
    const offset = numbers.byteOffset + 8 * deltasAt;
    const deltas = isNarrow
      ? new Uint16Array(buffer, offset, count * stride)
      : new Uint32Array(buffer, offset, count * stride);
    return new PackedRows(numbers, deltas, stride);
  }

  /** How many of the rows are stale markers. */
  get staleCount(): number {
    return this.#scratch.kernel.exports.staleHistograms.value;
  }

  isStale(row: number): boolean {
    const { kernel, rowsAt } = this.#scratch;
    const at = (rowsAt >>> 2) + 2 * (row * this.stride + rowColumn.sum);
    return kernel.words[at] === STALE_LOW && kernel.words[at + 1] === STALE_HIGH;
  }
}

/** The layout that the kernel has just read. No layout's bits begin with those of another: padded with zeros they are its name. */
function layoutOf(chunk: Uint8Array, kernel: KernelInstance): ChunkLayout {
  const { layoutEnd, positiveBuckets, negativeBuckets, positiveSpans, negativeSpans } = kernel.exports;
  const end = layoutEnd.value;
  const bytes = end >>> 3;
  const items = positiveBuckets.value + negativeBuckets.value + positiveSpans.value + negativeSpans.value;
  if (bytes > LAYOUT_BYTES_MAX || items > LAYOUT_ITEMS_MAX) return readLayout(kernel);
  const whole = Buffer.from(chunk.buffer, chunk.byteOffset, bytes).toString('latin1', HEADER_BYTES);
  const key = whole + String.fromCharCode(chunk[bytes]! & (0xff00 >>> (end & 7)));
  const known = layouts.get(key);
  if (known !== undefined) return known;
  if (layouts.size === LAYOUTS_MAX) layouts.clear();
  const layout = readLayout(kernel);
  layouts.set(key, layout);
  return layout;
}

function readLayout({ exports, floats }: KernelInstance): ChunkLayout {
  const positivesAt = exports.layoutNumbers.value >>> 3;
  const negativesAt = positivesAt + 2 * exports.positiveSpans.value;
  const boundsAt = negativesAt + 2 * exports.negativeSpans.value;
  const positiveSpans = spansOf(floats.subarray(positivesAt, negativesAt));
  const negativeSpans = spansOf(floats.subarray(negativesAt, boundsAt));
  return {
    schema: exports.layoutSchema.value,
    zeroThreshold: exports.layoutThreshold.value,
    positiveSpans,
    negativeSpans,
    customBounds: Array.from(floats.subarray(boundsAt, boundsAt + exports.customBounds.value)),
    positiveIndexes: indexesOf(positiveSpans),
    negativeIndexes: indexesOf(negativeSpans),
  };
}

function spansOf(numbers: Float64Array): LayoutSpan[] {
  return Array.from({ length: numbers.length / 2 }, (_, i) => ({
    length: numbers[2 * i]!,
    offset: numbers[2 * i + 1]!,
  }));
}

function indexesOf(spans: readonly LayoutSpan[]): number[] {
  const indexes: number[] = [];
  let index = 0;
  for (const { offset, length } of spans) {
    index += offset;
    for (let i = 0; i < length; i++) indexes.push(index++);
  }
  return indexes;
}
