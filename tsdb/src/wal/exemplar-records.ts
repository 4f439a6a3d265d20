// Exemplars in the WAL: type 4, as Prometheus writes it. See docs/format/wal.md.

import { Labels } from '@flotilla/model';
import type { Exemplar, SeriesRef } from '../api.ts';
import { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { recordType } from './records.ts';

export interface RefExemplar {
  readonly ref: SeriesRef;
  readonly exemplar: Exemplar;
}

/** At least: two deltas, a value, a number of labels. */
const EXEMPLAR_BYTES_MIN = 11;

/** One record of at least one exemplar. Whether a time is the exemplar's own or its scrape's is not in it. */
export function encodeExemplars(exemplars: readonly RefExemplar[]): Uint8Array {
  const first = exemplars[0]!;
  const out = new ByteWriter();
  out.u8(recordType.exemplars);
  out.be64(first.ref);
  out.signed64(first.exemplar.timeMs);
  for (const { ref, exemplar } of exemplars) {
    out.varint(ref - first.ref);
    out.varint(exemplar.timeMs - first.exemplar.timeMs);
    out.float(exemplar.value);
    out.uvarint(exemplar.labels.length);
    for (const text of exemplar.labels.flat) out.string(text);
  }
  return out.bytes();
}

/** The exemplars of a record of type 4, as without times of their own. Throws RangeError if it is malformed. */
export function decodeExemplars(record: Uint8Array): RefExemplar[] {
  const input = new ByteReader(record, 1);
  const exemplars: RefExemplar[] = [];
  if (input.left === 0) return exemplars;
  const firstRef = input.be64();
  const firstTimeMs = input.signed64();
  while (input.left > 0) {
    if (input.left < EXEMPLAR_BYTES_MIN) throw new RangeError(`exemplar: ${input.left} bytes left`);
    const ref = firstRef + input.varint();
    const timeMs = firstTimeMs + input.varint();
    const value = input.float();
    exemplars.push({ ref, exemplar: { labels: readLabels(input), value, timeMs, hasTimestamp: false } });
  }
  return exemplars;
}

/** Foreign records may have labels in any order, or empty ones. */
function readLabels(input: ByteReader): Labels {
  const count = input.uvarint();
  const pairs: [string, string][] = [];
  for (let i = 0; i < count; i++) pairs.push([input.string(), input.string()]);
  return Labels.fromPairs(pairs);
}
