// Metadata of series in the WAL: type 6, as Prometheus writes it with metadata-wal-records. See docs/format/wal.md.

import type { SeriesMetadata, SeriesRef } from '../api.ts';
import { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { recordType } from './records.ts';

export interface RefMetadata {
  readonly ref: SeriesRef;
  readonly metadata: SeriesMetadata;
}

/** By number; what is not here is unknown, 0. */
const types = ['unknown', 'counter', 'gauge', 'histogram', 'gaugehistogram', 'summary', 'info', 'stateset'];

export function encodeMetadata(entries: Iterable<RefMetadata>): Uint8Array {
  const out = new ByteWriter();
  out.u8(recordType.metadata);
  for (const { ref, metadata } of entries) {
    out.uvarint(ref);
    out.u8(Math.max(0, types.indexOf(metadata.type)));
    out.uvarint(2);
    out.string('UNIT');
    out.string(metadata.unit);
    out.string('HELP');
    out.string(metadata.help);
  }
  return out.bytes();
}

/** The entries of a record of type 6; fields that we do not know are stepped over. Throws RangeError if it is malformed. */
export function decodeMetadata(record: Uint8Array): RefMetadata[] {
  const input = new ByteReader(record, 1);
  const entries: RefMetadata[] = [];
  while (input.left > 0) {
    const ref = input.uvarint();
    const type = types[input.u8()] ?? 'unknown';
    const { UNIT: unit = '', HELP: help = '' } = readFields(input);
    entries.push({ ref, metadata: { type, help, unit } });
  }
  return entries;
}

function readFields(input: ByteReader): Partial<Record<string, string>> {
  const count = input.uvarint();
  const fields: Partial<Record<string, string>> = {};
  for (let i = 0; i < count; i++) {
    const name = input.string();
    const value = input.string();
    if (name === 'UNIT' || name === 'HELP') fields[name] = value;
  }
  return fields;
}
