// Native histogram samples in the WAL: types 7 to 10, as Prometheus writes them. See docs/format/wal.md.

import {
  type BucketSpan,
  type CounterResetHint,
  CUSTOM_SCHEMA,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
} from '@flotilla/model';
import type { SeriesRef } from '../api.ts';
import { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import {
  bucketCount,
  type HistogramLayout,
  type NativeHistogram,
  staleHistogram,
} from '../histogram/native-histogram.ts';
import { recordType } from './records.ts';

export interface RefHistogram {
  readonly ref: SeriesRef;
  readonly timeMs: number;
  readonly histogram: NativeHistogram;
}

const hints: readonly CounterResetHint[] = ['unknown', 'reset', 'not_reset', 'gauge'];

function typeOf({ isFloat, schema }: NativeHistogram): number {
  if (schema === CUSTOM_SCHEMA)
    return isFloat ? recordType.customFloatHistograms : recordType.customHistograms;
  return isFloat ? recordType.floatHistograms : recordType.histograms;
}

export function isHistogramRecord(type: number | undefined): boolean {
  return type !== undefined && type >= recordType.histograms && type <= recordType.customFloatHistograms;
}

/** Of a sample, the parts of a record that only say its layout: schema and zero threshold, `loggedSplit` bytes, and the spans. */
export function loggedLayout(layout: HistogramLayout): { logged: Uint8Array; loggedSplit: number } {
  const out = new ByteWriter(64);
  out.varint(layout.schema);
  out.float(layout.zeroThreshold);
  const loggedSplit = out.length;
  putSpans(out, layout.positiveSpans);
  putSpans(out, layout.negativeSpans);
  return { logged: out.bytes().slice(), loggedSplit };
}

/** Its number in a record. */
export function hintCode(hint: CounterResetHint): number {
  return hints.indexOf(hint);
}

/** One record for each kind that there is. */
export function encodeHistograms(samples: readonly RefHistogram[]): Uint8Array[] {
  const byType = new Map<number, RefHistogram[]>();
  for (const sample of samples) {
    const type = typeOf(sample.histogram);
    const list = byType.get(type);
    if (list === undefined) byType.set(type, [sample]);
    else list.push(sample);
  }
  return [...byType].map(([type, list]) => encodeRecord(type, list));
}

function encodeRecord(type: number, samples: readonly RefHistogram[]): Uint8Array {
  const first = samples[0]!;
  const out = new ByteWriter();
  out.u8(type);
  out.be64(first.ref);
  out.signed64(first.timeMs);
  for (const { ref, timeMs, histogram } of samples) {
    out.varint(ref - first.ref);
    out.varint(timeMs - first.timeMs);
    putHistogram(out, histogram);
  }
  return out.bytes();
}

function putHistogram(out: ByteWriter, h: NativeHistogram): void {
  out.u8(hintCode(h.hint));
  out.varint(h.schema);
  out.float(h.zeroThreshold);
  if (h.isFloat) {
    out.float(h.zeroCount);
    out.float(h.count);
  } else {
    out.uvarint(h.zeroCount);
    out.uvarint(h.count);
  }
  if (h.isStale) {
    out.be32(STALE_NAN_HIGH);
    out.be32(STALE_NAN_LOW);
  } else out.float(h.sum);
  putSpans(out, h.positiveSpans);
  putSpans(out, h.negativeSpans);
  putCounts(out, h.positive, h.isFloat);
  putCounts(out, h.negative, h.isFloat);
  if (h.schema !== CUSTOM_SCHEMA) return;
  out.uvarint(h.customBounds.length);
  for (const bound of h.customBounds) out.float(bound);
}

function putSpans(out: ByteWriter, spans: readonly BucketSpan[]): void {
  out.uvarint(spans.length);
  for (const { offset, length } of spans) {
    out.varint(offset);
    out.uvarint(length);
  }
}

function putCounts(out: ByteWriter, counts: readonly number[], isFloat: boolean): void {
  out.uvarint(counts.length);
  if (!isFloat) return out.differences(counts);
  for (const count of counts) out.float(count);
}

/** The samples of a record of type 7 to 10. Throws RangeError if it is malformed. */
export function decodeHistogramRecord(record: Uint8Array): RefHistogram[] {
  const type = record[0];
  const isFloat = type === recordType.floatHistograms || type === recordType.customFloatHistograms;
  const input = new ByteReader(record, 1);
  const samples: RefHistogram[] = [];
  if (input.left === 0) return samples;
  const firstRef = input.be64();
  const firstTimeMs = input.signed64();
  while (input.left > 0) {
    const ref = firstRef + input.varint();
    const timeMs = firstTimeMs + input.varint();
    samples.push({ ref, timeMs, histogram: readHistogram(input, isFloat) });
  }
  return samples;
}

function readHistogram(input: ByteReader, isFloat: boolean): NativeHistogram {
  const hint = hints[input.u8()] ?? 'unknown';
  const schema = input.varint();
  const zeroThreshold = input.float();
  const zeroCount = isFloat ? input.float() : input.uvarint();
  const count = isFloat ? input.float() : input.uvarint();
  const sumBits = Buffer.from(input.raw(8));
  const positiveSpans = readSpans(input);
  const negativeSpans = readSpans(input);
  const positive = readCounts(input, isFloat, bucketCount(positiveSpans));
  const negative = readCounts(input, isFloat, bucketCount(negativeSpans));
  const bounds = schema === CUSTOM_SCHEMA ? counted(input, 8) : 0;
  const customBounds = Array.from({ length: bounds }, () => input.float());
  if (sumBits.readUInt32BE(0) === STALE_NAN_HIGH && sumBits.readUInt32BE(4) === STALE_NAN_LOW)
    return staleHistogram(isFloat);
  const sum = sumBits.readDoubleBE(0);
  const layout = { schema, zeroThreshold, positiveSpans, negativeSpans, customBounds };
  return { ...layout, isFloat, hint, isStale: false, count, zeroCount, sum, positive, negative };
}

/** A number of items of at least so many bytes, which must be there. */
function counted(input: ByteReader, itemBytes: number): number {
  const count = input.uvarint();
  if (count * itemBytes > input.left) throw new RangeError(`${count} items in ${input.left} bytes`);
  return count;
}

function readSpans(input: ByteReader): BucketSpan[] {
  return Array.from({ length: counted(input, 2) }, () => ({
    offset: input.varint(),
    length: input.uvarint(),
  }));
}

function readCounts(input: ByteReader, isFloat: boolean, want: number): number[] {
  const count = counted(input, isFloat ? 8 : 1);
  if (count !== want) throw new RangeError(`${count} buckets, want ${want}`);
  const counts: number[] = [];
  let before = 0;
  for (let i = 0; i < count; i++) {
    before = isFloat ? input.float() : before + input.varint();
    counts.push(before);
  }
  return counts;
}
