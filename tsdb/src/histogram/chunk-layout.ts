// The beginning of a histogram chunk: what its samples have in common. See docs/format/chunks.md.

import { type BucketSpan, CUSTOM_SCHEMA } from '@flotilla/model';
import type { BitWriter } from './bit-writer.ts';
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

export function writeLayout(out: BitWriter, layout: HistogramLayout): void {
  writeThreshold(out, layout.zeroThreshold);
  out.varbitInt(layout.schema);
  writeSpans(out, layout.positiveSpans);
  writeSpans(out, layout.negativeSpans);
  if (layout.schema !== CUSTOM_SCHEMA) return;
  out.varbitUint(layout.customBounds.length);
  for (const bound of layout.customBounds) writeBound(out, bound);
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

function writeSpans(out: BitWriter, spans: readonly BucketSpan[]): void {
  out.varbitUint(spans.length);
  for (const { length, offset } of spans) {
    out.varbitUint(length);
    out.varbitInt(offset);
  }
}

function writeBound(out: BitWriter, bound: number): void {
  const scaled = bound * BOUND_SCALE;
  const rounded = Math.round(scaled);
  if (!(scaled >= 0 && scaled <= SCALED_BOUND_MAX) || rounded / BOUND_SCALE !== bound) {
    out.bits(0, 1);
    writeFloat(out, bound);
  } else out.varbitUint(rounded + 1);
}
