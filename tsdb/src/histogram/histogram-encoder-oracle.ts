// An encoder of histogram chunks for tests, in plain JavaScript: the bytes that it writes are what the one of the kernel must
// write. docs/format/chunks.md.
//
// Integer chunks (encoding 2) keep times, counts and bucket deltas as differences of differences, float chunks
// (encoding 3) each count as an xor column; the sum is one in both. Every sample has the buckets of the first one.

import { STALE_NAN_HIGH, STALE_NAN_LOW, NORMAL_NAN_HIGH, NORMAL_NAN_LOW } from '@flotilla/model';
import { BitWriter } from './bit-writer.ts';
import { writeFloat, writeLayout } from './chunk-layout.ts';
import { EMPTY_LAYOUT, type HistogramLayout, type NativeHistogram } from './native-histogram.ts';
import type { ResetFlag } from './reset-flag.ts';

const HEADER_BYTES = 3;
const NO_WINDOW = 0xff;

const float = new Float64Array(1);
const halves = new Uint32Array(float.buffer);

/** Puts a sum's bits into `halves`: NaNs are the stale marker or the ordinary one. */
function setSum({ sum, isStale }: NativeHistogram): void {
  float[0] = sum;
  if (!Number.isNaN(sum) && !isStale) return;
  halves[1] = isStale ? STALE_NAN_HIGH : NORMAL_NAN_HIGH;
  halves[0] = isStale ? STALE_NAN_LOW : NORMAL_NAN_LOW;
}

/** The last sample of a chunk, written over by the next one. */
class LastSample implements NativeHistogram {
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly positiveSpans: NativeHistogram['positiveSpans'];
  readonly negativeSpans: NativeHistogram['negativeSpans'];
  readonly customBounds: readonly number[];
  readonly isFloat: boolean;
  readonly isStale = false;
  hint: NativeHistogram['hint'];
  count: number;
  zeroCount: number;
  sum: number;
  readonly positive: number[];
  readonly negative: number[];

  constructor(first: NativeHistogram) {
    this.schema = first.schema;
    this.zeroThreshold = first.zeroThreshold;
    this.positiveSpans = first.positiveSpans;
    this.negativeSpans = first.negativeSpans;
    this.customBounds = first.customBounds;
    this.isFloat = first.isFloat;
    this.hint = first.hint;
    this.count = first.count;
    this.zeroCount = first.zeroCount;
    this.sum = first.sum;
    this.positive = first.positive.slice();
    this.negative = first.negative.slice();
  }

  /** A sample with the same buckets. */
  take({ hint, count, zeroCount, sum, positive, negative }: NativeHistogram): void {
    this.hint = hint;
    this.count = count;
    this.zeroCount = zeroCount;
    this.sum = sum;
    for (let i = 0; i < positive.length; i++) this.positive[i] = positive[i]!;
    for (let i = 0; i < negative.length; i++) this.negative[i] = negative[i]!;
  }
}

export class HistogramEncoder {
  readonly isFloat: boolean;
  readonly layout: HistogramLayout;
  readonly flag: ResetFlag;
  private readonly out = new BitWriter();
  private timeDelta = 0;
  /** Of integers: how much count, zero count and each bucket's delta grew last time. */
  private readonly growths: number[] = [];
  private readonly xors: XorColumn[] = [];
  private sum = new XorColumn();
  samples = 0;
  readonly minTimeMs: number;
  maxTimeMs: number;
  private readonly live: LastSample | undefined;
  private stale: NativeHistogram | undefined;

  /** Begins a chunk with its first sample. */
  constructor(flag: ResetFlag, timeMs: number, first: NativeHistogram) {
    this.flag = flag;
    this.isFloat = first.isFloat;
    this.minTimeMs = timeMs;
    this.maxTimeMs = timeMs;
    if (first.isStale) this.stale = first;
    else this.live = new LastSample(first);
    this.layout = this.live ?? EMPTY_LAYOUT;
    writeLayout(this.out, this.layout);
    this.out.varbitInt(timeMs);
    if (this.isFloat) this.firstFloats(first);
    else this.firstIntegers(first);
    this.samples = 1;
  }

  private firstIntegers(first: NativeHistogram): void {
    this.out.varbitUint(first.count);
    this.out.varbitUint(first.zeroCount);
    this.growths.push(0, 0);
    this.firstSum(first);
    this.firstDeltas(first.positive);
    this.firstDeltas(first.negative);
  }

  /** Each bucket's count as the difference to the one before it. */
  private firstDeltas(counts: readonly number[]): void {
    let before = 0;
    for (const count of counts) {
      this.out.varbitInt(count - before);
      this.growths.push(0);
      before = count;
    }
  }

  private firstFloats(first: NativeHistogram): void {
    for (const value of [first.count, first.zeroCount]) this.firstFloat(value);
    this.firstSum(first);
    for (const value of first.positive) this.firstFloat(value);
    for (const value of first.negative) this.firstFloat(value);
  }

  private firstFloat(value: number): void {
    writeFloat(this.out, value);
    float[0] = value;
    this.xors.push(new XorColumn(halves[1], halves[0]));
  }

  private firstSum(first: NativeHistogram): void {
    setSum(first);
    this.sum = new XorColumn(halves[1], halves[0]);
    this.out.bits64(halves[1]!, halves[0]!);
  }

  /** Until the next append(). */
  get last(): NativeHistogram {
    return this.stale ?? this.live!;
  }

  get bytesLength(): number {
    return HEADER_BYTES + this.out.length;
  }

  /** A later sample with the buckets of the layout, or a stale marker; after a stale marker only another one. */
  append(timeMs: number, sample: NativeHistogram): void {
    const timeDelta = timeMs - this.maxTimeMs;
    this.out.varbitInt(timeDelta - this.timeDelta);
    this.timeDelta = timeDelta;
    if (this.isFloat) this.appendFloats(sample);
    else this.appendIntegers(sample);
    this.samples++;
    this.maxTimeMs = timeMs;
    if (sample.isStale) this.stale = sample;
    else this.live!.take(sample);
  }

  private appendIntegers(sample: NativeHistogram): void {
    if (sample.isStale) {
      this.out.bits(0, 2);
      return this.appendSum(sample);
    }
    const { last } = this;
    this.grow(0, sample.count - last.count);
    this.grow(1, sample.zeroCount - last.zeroCount);
    this.appendSum(sample);
    this.appendDeltas(sample.positive, last.positive, 2);
    this.appendDeltas(sample.negative, last.negative, 2 + sample.positive.length);
  }

  /** Of buckets' deltas, the growth of the growth. */
  private appendDeltas(counts: readonly number[], last: readonly number[], column: number): void {
    let before = 0;
    let lastBefore = 0;
    for (let i = 0; i < counts.length; i++) {
      const count = counts[i]!;
      const lastCount = last[i]!;
      this.grow(column + i, count - before - (lastCount - lastBefore));
      before = count;
      lastBefore = lastCount;
    }
  }

  private grow(column: number, growth: number): void {
    const { growths } = this;
    this.out.varbitInt(growth - growths[column]!);
    growths[column] = growth;
  }

  private appendFloats(sample: NativeHistogram): void {
    this.appendFloat(0, sample.isStale ? 0 : sample.count);
    this.appendFloat(1, sample.isStale ? 0 : sample.zeroCount);
    this.appendSum(sample);
    if (sample.isStale) return;
    let i = 2;
    for (const value of sample.positive) this.appendFloat(i++, value);
    for (const value of sample.negative) this.appendFloat(i++, value);
  }

  private appendFloat(column: number, value: number): void {
    float[0] = value;
    this.xors[column]!.write(this.out, halves[1]!, halves[0]!);
  }

  private appendSum(sample: NativeHistogram): void {
    setSum(sample);
    this.sum.write(this.out, halves[1]!, halves[0]!);
  }

  /** The chunk's data: a copy. */
  bytes(): Uint8Array {
    const body = this.out.bytes();
    const bytes = new Uint8Array(HEADER_BYTES + body.length);
    bytes[0] = this.samples >> 8;
    bytes[1] = this.samples;
    bytes[2] = this.flag;
    bytes.set(body, HEADER_BYTES);
    return bytes;
  }
}

/** Trailing zeros of a 64-bit value that is not 0. */
function trailingZeros(high: number, low: number): number {
  return low !== 0 ? 31 - Math.clz32(low & -low) : 63 - Math.clz32(high & -high);
}

/** The last value's bits and the window of one column. */
export class XorColumn {
  high: number;
  low: number;
  private lead = NO_WINDOW;
  private trail = 0;

  constructor(high = 0, low = 0) {
    this.high = high >>> 0;
    this.low = low >>> 0;
  }

  write(out: BitWriter, high: number, low: number): void {
    const xorHigh = (high ^ this.high) >>> 0;
    const xorLow = (low ^ this.low) >>> 0;
    this.high = high >>> 0;
    this.low = low >>> 0;
    if (xorHigh === 0 && xorLow === 0) return out.bits(0, 1);
    const lead = Math.min(31, xorHigh === 0 ? 32 : Math.clz32(xorHigh));
    const trail = trailingZeros(xorHigh, xorLow);
    if (this.lead !== NO_WINDOW && lead >= this.lead && trail >= this.trail) {
      out.bits(0b10, 2);
    } else {
      this.lead = lead;
      this.trail = trail;
      out.bits(0b11, 2);
      out.bits(lead, 5);
      out.bits((64 - lead - trail) & 63, 6);
    }
    return this.window(out, xorHigh, xorLow);
  }

  /** The bits between the leading and the trailing zeros. */
  private window(out: BitWriter, high: number, low: number): void {
    const { lead, trail } = this;
    if (trail >= 32) {
      out.bits(high >>> (trail - 32), 64 - lead - trail); // lead ≤ 31: the rest is in the upper half.
      return;
    }
    out.bits(high, 32 - lead);
    out.bits(low >>> trail, 32 - trail);
  }
}
