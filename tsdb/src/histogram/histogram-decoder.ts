// Hot: chunk → native histogram samples. Safe on hostile bytes: damage throws CorruptionError.

import { CorruptionError, type CounterResetHint, STALE_NAN_HIGH, STALE_NAN_LOW } from '@flotilla/model';
import { BitReader } from './bit-stream.ts';
import { readFloat, readLayout } from './chunk-layout.ts';
import { resetFlag, type ResetFlag } from './histogram-encoder.ts';
import {
  bucketCount,
  type HistogramLayout,
  type NativeHistogram,
  staleHistogram,
} from './native-histogram.ts';
import { XorColumn } from './xor-column.ts';

const HEADER_BYTES = 3;
const FLAG_MASK = 0xc0;
const FLOAT_HISTOGRAM = 3;

const float = new Float64Array(1);
const halves = new Uint32Array(float.buffer);

export interface HistogramSample {
  readonly timeMs: number;
  readonly histogram: NativeHistogram;
}

export interface DecodedHistograms {
  readonly flag: ResetFlag;
  readonly layout: HistogramLayout;
  readonly samples: readonly HistogramSample[];
}

/** All samples of a chunk of encoding 2 or 3. Throws CorruptionError. */
export function decodeHistograms(encoding: number, data: Uint8Array): DecodedHistograms {
  try {
    return new Decoder(encoding === FLOAT_HISTOGRAM, data).run();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CorruptionError('chunk', 0, `histogram chunk of ${data.length} bytes: ${error.message}`, {
      cause: error,
    });
  }
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
  private readonly xors: XorColumn[] = [];
  private sum = new XorColumn();
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
    this.sum = new XorColumn(input.bits(32), input.bits(32));
    for (let i = 2; i < values.length; i++) values[i] = this.isFloat ? this.firstFloat() : input.varbitInt();
  }

  private firstFloat(): number {
    const value = readFloat(this.input);
    float[0] = value;
    this.xors.push(new XorColumn(halves[1], halves[0]));
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
