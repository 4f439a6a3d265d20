// The beginning of a histogram chunk: what its samples have in common. See docs/format/chunks.md.

import { type BucketSpan, CUSTOM_SCHEMA } from '@flotilla/model';
import type { BitReader, BitWriter } from './bit-stream.ts';
import type { HistogramLayout } from './native-histogram.ts';

const THRESHOLD_EXPONENT_MIN = -242;
const THRESHOLD_EXPONENT_MAX = 11;
const THRESHOLD_BIAS = 243;
const THRESHOLD_RAW = 255;
const BOUND_SCALE = 1000;
/** The most that a varbit of four bytes holds, less one. */
const SCALED_BOUND_MAX = 33_554_430;

const float = new Float64Array(1);
const halves = new Uint32Array(float.buffer);

export function writeFloat(out: BitWriter, value: number): void {
  float[0] = value;
  out.bits64(halves[1]!, halves[0]!);
}

export function readFloat(input: BitReader): number {
  halves[1] = input.bits(32);
  halves[0] = input.bits(32);
  return float[0]!;
}

export function writeLayout(out: BitWriter, layout: HistogramLayout): void {
  writeThreshold(out, layout.zeroThreshold);
  out.varbitInt(layout.schema);
  writeSpans(out, layout.positiveSpans);
  writeSpans(out, layout.negativeSpans);
  if (layout.schema !== CUSTOM_SCHEMA) return;
  out.varbitUint(layout.customBounds.length);
  for (const bound of layout.customBounds) writeBound(out, bound);
}

/** Throws RangeError on damage. */
export function readLayout(input: BitReader): HistogramLayout {
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

function writeThreshold(out: BitWriter, threshold: number): void {
  const exponent = Math.log2(threshold) + 1; // Of the form 0.5 · 2^exponent, exactly, or it is no power of two.
  const isPower = Number.isInteger(exponent) && 0.5 * 2 ** exponent === threshold;
  if (threshold === 0) out.bits(0, 8);
  else if (isPower && exponent >= THRESHOLD_EXPONENT_MIN && exponent <= THRESHOLD_EXPONENT_MAX)
    out.bits(exponent + THRESHOLD_BIAS, 8);
  else {
    out.bits(THRESHOLD_RAW, 8);
    writeFloat(out, threshold);
  }
}

function readThreshold(input: BitReader): number {
  const byte = input.bits(8);
  if (byte === 0) return 0;
  return byte === THRESHOLD_RAW ? readFloat(input) : 0.5 * 2 ** (byte - THRESHOLD_BIAS);
}

function writeSpans(out: BitWriter, spans: readonly BucketSpan[]): void {
  out.varbitUint(spans.length);
  for (const { length, offset } of spans) {
    out.varbitUint(length);
    out.varbitInt(offset);
  }
}

function readSpans(input: BitReader): BucketSpan[] {
  const spans: BucketSpan[] = [];
  for (let left = countWithin(input); left > 0; left--) {
    const length = input.varbitUint();
    spans.push({ length, offset: input.varbitInt() });
  }
  return spans;
}

function writeBound(out: BitWriter, bound: number): void {
  const scaled = bound * BOUND_SCALE;
  const rounded = Math.round(scaled);
  if (!(scaled >= 0 && scaled <= SCALED_BOUND_MAX) || rounded / BOUND_SCALE !== bound) {
    out.bits(0, 1);
    writeFloat(out, bound);
  } else out.varbitUint(rounded + 1);
}

function readBound(input: BitReader): number {
  const number = input.varbitUint();
  return number === 0 ? readFloat(input) : (number - 1) / BOUND_SCALE;
}
