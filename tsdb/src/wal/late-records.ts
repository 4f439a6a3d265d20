// Records of late samples in the wbl: those of the WAL, of floats (type 2) and histograms.

import type { SeriesRef } from '../api.ts';
import { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import type { AnySample } from '../chunk/samples.ts';
import { decodeHistogramRecord, encodeHistograms, isHistogramRecord } from './histogram-records.ts';
import { recordType } from './records.ts';

export interface LateSample extends AnySample {
  readonly ref: SeriesRef;
}

export function encodeLate(samples: readonly LateSample[]): Uint8Array[] {
  const floats = samples.filter(({ histogram }) => histogram === undefined);
  const histograms = samples.flatMap(({ ref, timeMs, histogram }) =>
    histogram === undefined ? [] : [{ ref, timeMs, histogram }],
  );
  return [...(floats.length > 0 ? [encodeFloats(floats)] : []), ...encodeHistograms(histograms)];
}

function encodeFloats(samples: readonly LateSample[]): Uint8Array {
  const first = samples[0]!;
  const out = new ByteWriter();
  out.u8(recordType.samples);
  out.be64(first.ref);
  out.signed64(first.timeMs);
  for (const { ref, timeMs, low, high } of samples) {
    out.varint(ref - first.ref);
    out.varint(timeMs - first.timeMs);
    out.be32(high);
    out.be32(low);
  }
  return out.bytes();
}

/** None, if the record is of another type. Throws RangeError if it is malformed. */
export function decodeLate(record: Uint8Array): LateSample[] {
  if (isHistogramRecord(record[0]))
    return decodeHistogramRecord(record).map((sample) => ({ ...sample, low: 0, high: 0 }));
  const samples: LateSample[] = [];
  if (record[0] !== recordType.samples) return samples;
  const input = new ByteReader(record, 1);
  const firstRef = input.be64();
  const firstTimeMs = input.signed64();
  while (input.left > 0) {
    const ref = firstRef + input.varint();
    const timeMs = firstTimeMs + input.varint();
    const high = input.be32();
    samples.push({ ref, timeMs, high, low: input.be32(), histogram: undefined });
  }
  return samples;
}
