// A decoder of histogram chunks for tests: plain, bit by bit, written from the format page alone. What it makes of a chunk,
// or whether it throws RangeError, is what the one of the kernel must make of it.

import {
  type BucketSpan,
  type CounterResetHint,
  CUSTOM_SCHEMA,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
} from '@flotilla/model';
import type { DecodedHistograms, HistogramSample } from './histogram-decoder.ts';
import { resetFlag, type ResetFlag } from './reset-flag.ts';
import {
  bucketCount,
  type HistogramLayout,
  type NativeHistogram,
  staleHistogram,
} from './native-histogram.ts';

const HEADER_BYTES = 3;
const FLAG_MASK = 0xc0;
const FLOAT_HISTOGRAM = 3;
const WIDTHS = [3, 6, 9, 12, 18, 25, 56, 64] as const;
const TWO_32 = 2 ** 32;
const THRESHOLD_BIAS = 243;
const THRESHOLD_RAW = 255;
const BOUND_SCALE = 1000;
const NO_WINDOW = 0xff;

const float = new Float64Array(1);
const halves = new Uint32Array(float.buffer);

/** All samples of a chunk of encoding 2 or 3. Throws RangeError. */
export function decodeHistogramsSlowly(encoding: number, data: Uint8Array): DecodedHistograms {
  return new Decoder(encoding === FLOAT_HISTOGRAM, data).run();
}

/** Reading beyond the end throws RangeError. */
export class BitReader {
  private readonly bytes: Uint8Array;
  private position: number;

  constructor(bytes: Uint8Array, fromByte: number) {
    this.bytes = bytes;
    this.position = fromByte * 8;
  }

  get left(): number {
    return this.bytes.length * 8 - this.position;
  }

  /** n ≤ 32 bits as a u32. */
  bits(n: number): number {
    if (n > this.left) throw new RangeError(`bit ${this.position}: want ${n} bits, have ${this.left}`);
    let value = 0;
    let left = n;
    while (left > 0) {
      const room = 8 - (this.position & 7);
      const take = Math.min(room, left);
      const part = (this.bytes[this.position >> 3]! >> (room - take)) & ((1 << take) - 1);
      value = ((value << take) | part) >>> 0;
      this.position += take;
      left -= take;
    }
    return value;
  }

  private width(): number {
    let ones = 0;
    while (ones < 8 && this.bits(1) === 1) ones++;
    return ones === 0 ? 0 : WIDTHS[ones - 1]!;
  }

  /** Loses bits beyond 2^53. */
  varbitInt(): number {
    const width = this.width();
    if (width === 0) return 0;
    if (width > 32) return this.wideInt(width);
    const value = this.bits(width);
    return value > 2 ** (width - 1) ? value - 2 ** width : value;
  }

  /** The sign is taken from the upper half, so that safe integers stay exact. */
  private wideInt(width: number): number {
    const high = this.bits(width - 32);
    const low = this.bits(32);
    const half = 2 ** (width - 33);
    const isNegative = high > half || (high === half && (low > 0 || width === 64));
    return (isNegative ? high - 2 * half : high) * TWO_32 + low;
  }

  varbitUint(): number {
    const width = this.width();
    return width === 0 ? 0 : this.wide(width);
  }

  private wide(width: number): number {
    const high = width > 32 ? this.bits(width - 32) : 0;
    return high * TWO_32 + this.bits(Math.min(width, 32));
  }
}

/** One column of floats. */
class XorReader {
  high: number;
  low: number;
  private lead = NO_WINDOW;
  private trail = 0;

  constructor(high = 0, low = 0) {
    this.high = high >>> 0;
    this.low = low >>> 0;
  }

  read(input: BitReader): void {
    if (input.bits(1) === 0) return;
    if (input.bits(1) === 1) {
      this.lead = input.bits(5);
      const bits = input.bits(6) || 64;
      this.trail = 64 - this.lead - bits;
      if (this.trail < 0) throw new RangeError(`xor window of ${this.lead} zeros and ${bits} bits`);
    } else if (this.lead === NO_WINDOW) {
      this.lead = 0; // As the reader of Prometheus begins: the whole value.
      this.trail = 0;
    }
    const { lead, trail } = this;
    if (trail >= 32) {
      const part = input.bits(64 - lead - trail);
      this.high = (this.high ^ (trail === 32 ? part : part << (trail - 32))) >>> 0;
      return;
    }
    this.high = (this.high ^ input.bits(32 - lead)) >>> 0;
    this.low = (this.low ^ (input.bits(32 - trail) << trail)) >>> 0;
  }
}

function readFloat(input: BitReader): number {
  halves[1] = input.bits(32);
  halves[0] = input.bits(32);
  return float[0]!;
}

/** Throws RangeError on damage. */
function readLayout(input: BitReader): HistogramLayout {
  const zeroThreshold = readThreshold(input);
  const schema = input.varbitInt();
  const positiveSpans = readSpans(input);
  const negativeSpans = readSpans(input);
  const customBounds: number[] = [];
  if (schema === CUSTOM_SCHEMA) {
    for (let left = countWithin(input); left > 0; left--) customBounds.push(readBound(input));
  } else if (schema < -4 || schema > 8) throw new RangeError(`histogram schema ${schema}`);
  return { schema, zeroThreshold, positiveSpans, negativeSpans, customBounds };
}

/** A number of things of at least one bit each. */
function countWithin(input: BitReader): number {
  const count = input.varbitUint();
  if (count > input.left) throw new RangeError(`${count} items in ${input.left} bits`);
  return count;
}

function readThreshold(input: BitReader): number {
  const byte = input.bits(8);
  if (byte === 0) return 0;
  return byte === THRESHOLD_RAW ? readFloat(input) : 0.5 * 2 ** (byte - THRESHOLD_BIAS);
}

function readSpans(input: BitReader): BucketSpan[] {
  const spans: BucketSpan[] = [];
  for (let left = countWithin(input); left > 0; left--) {
    const length = input.varbitUint();
    spans.push({ length, offset: input.varbitInt() });
  }
  return spans;
}

function readBound(input: BitReader): number {
  const number = input.varbitUint();
  return number === 0 ? readFloat(input) : (number - 1) / BOUND_SCALE;
}

class Decoder {
  private readonly isFloat: boolean;
  private readonly input: BitReader;
  private readonly count: number;
  private readonly flag: ResetFlag;
  private readonly layout: HistogramLayout;
  /** Count, zero count, then buckets: integers as value and delta, floats as columns. */
  private readonly values: Float64Array;
  private readonly deltas: Float64Array;
  private readonly xors: XorReader[] = [];
  private sum = new XorReader();
  private timeMs = 0;
  private timeDelta = 0;

  constructor(isFloat: boolean, data: Uint8Array) {
    if (data.length <= HEADER_BYTES) throw new RangeError('no samples');
    this.isFloat = isFloat;
    this.count = (data[0]! << 8) | data[1]!;
    this.flag = (data[2]! & FLAG_MASK) as ResetFlag;
    this.input = new BitReader(data, HEADER_BYTES);
    this.layout = readLayout(this.input);
    const columns = 2 + bucketCount(this.layout.positiveSpans) + bucketCount(this.layout.negativeSpans);
    if (columns > this.input.left) throw new RangeError(`${columns} columns in ${this.input.left} bits`);
    this.values = new Float64Array(columns);
    this.deltas = new Float64Array(columns);
  }

  run(): DecodedHistograms {
    const samples: HistogramSample[] = [];
    for (let i = 0; i < this.count; i++) {
      if (i === 0) this.first();
      else this.following();
      samples.push({ timeMs: this.timeMs, histogram: this.current(i) });
    }
    return { flag: this.flag, layout: this.layout, samples };
  }

  private first(): void {
    const { input, values } = this;
    this.timeMs = input.varbitInt();
    for (let i = 0; i < 2; i++) values[i] = this.isFloat ? this.firstFloat() : input.varbitUint();
    this.sum = new XorReader(input.bits(32), input.bits(32));
    for (let i = 2; i < values.length; i++) values[i] = this.isFloat ? this.firstFloat() : input.varbitInt();
  }

  private firstFloat(): number {
    const value = readFloat(this.input);
    float[0] = value;
    this.xors.push(new XorReader(halves[1], halves[0]));
    return value;
  }

  private following(): void {
    this.timeDelta += this.input.varbitInt();
    this.timeMs += this.timeDelta;
    this.advance(0);
    this.advance(1);
    this.sum.read(this.input);
    if (this.isStale()) return;
    for (let i = 2; i < this.values.length; i++) this.advance(i);
  }

  private advance(column: number): void {
    if (this.isFloat) {
      const xor = this.xors[column]!;
      xor.read(this.input);
      halves[1] = xor.high;
      halves[0] = xor.low;
      this.values[column] = float[0]!;
      return;
    }
    this.deltas[column]! += this.input.varbitInt();
    this.values[column]! += this.deltas[column]!;
  }

  private isStale(): boolean {
    return this.sum.high === STALE_NAN_HIGH && this.sum.low === STALE_NAN_LOW;
  }

  private current(i: number): NativeHistogram {
    if (this.isStale()) return staleHistogram(this.isFloat);
    const positives = bucketCount(this.layout.positiveSpans);
    halves[1] = this.sum.high;
    halves[0] = this.sum.low;
    return {
      ...this.layout,
      isFloat: this.isFloat,
      hint: this.hint(i),
      isStale: false,
      count: this.values[0]!,
      zeroCount: this.values[1]!,
      sum: float[0]!,
      positive: this.counts(2, 2 + positives),
      negative: this.counts(2 + positives, this.values.length),
    };
  }

  private hint(i: number): CounterResetHint {
    if (this.flag === resetFlag.gauge) return 'gauge';
    return i === 0 ? 'unknown' : 'not_reset';
  }

  /** Absolute counts of some columns. */
  private counts(from: number, to: number): number[] {
    const counts: number[] = [];
    let before = 0;
    for (let i = from; i < to; i++) {
      const count = this.isFloat ? this.values[i]! : before + this.values[i]!;
      counts.push(count);
      before = count;
    }
    return counts;
  }
}
