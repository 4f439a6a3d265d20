// What is deleted but still on disk: intervals of time by series. See docs/format/tombstones.md.

import { crc32c } from '@flotilla/kernel';
import { CorruptionError } from '@flotilla/model';
import { existsSync, readFileSync } from 'node:fs';
import { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';

const MAGIC = 0x0130ba30;
const VERSION = 1;
const HEADER_BYTES = 5;

/** Both ends belong to it. */
export interface Interval {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

/** By series id: ascending, neither overlapping nor adjacent. */
export type Tombstones = ReadonlyMap<number, readonly Interval[]>;

/** The list with one interval more; those that touch become one. */
export function addInterval(intervals: readonly Interval[], added: Interval): Interval[] {
  let { minTimeMs, maxTimeMs } = added;
  const apart: Interval[] = [];
  for (const interval of intervals) {
    if (interval.maxTimeMs + 1 < minTimeMs || interval.minTimeMs - 1 > maxTimeMs) {
      apart.push(interval);
      continue;
    }
    minTimeMs = Math.min(minTimeMs, interval.minTimeMs);
    maxTimeMs = Math.max(maxTimeMs, interval.maxTimeMs);
  }
  return [...apart, { minTimeMs, maxTimeMs }].toSorted((a, b) => a.minTimeMs - b.minTimeMs);
}

export function encodeTombstones(tombstones: Tombstones): Uint8Array {
  const out = new ByteWriter();
  out.be32(MAGIC);
  out.u8(VERSION);
  for (const [series, intervals] of tombstones) {
    for (const { minTimeMs, maxTimeMs } of intervals) {
      out.uvarint(series);
      out.varint(minTimeMs);
      out.varint(maxTimeMs);
    }
  }
  out.be32(crc32c(out.bytes().subarray(HEADER_BYTES)));
  return out.bytes();
}

/** Throws CorruptionError. A file that is not there deletes nothing. */
export function readTombstones(path: string): Map<number, Interval[]> {
  if (!existsSync(path)) return new Map();
  try {
    return parse(readFileSync(path));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CorruptionError(path, 0, error.message, { cause: error });
  }
}

function parse(file: Uint8Array): Map<number, Interval[]> {
  const input = new ByteReader(file, 0, Math.max(0, file.length - 4));
  const magic = input.be32();
  const version = input.u8();
  if (magic !== MAGIC || version !== VERSION) throw new RangeError(`magic ${magic}, version ${version}`);
  const want = new ByteReader(file, file.length - 4).be32();
  if (crc32c(file.subarray(HEADER_BYTES, -4)) !== want) throw new RangeError('wrong checksum');
  const tombstones = new Map<number, Interval[]>();
  while (input.left > 0) {
    const series = input.uvarint();
    const interval = { minTimeMs: input.varint(), maxTimeMs: input.varint() };
    tombstones.set(series, addInterval(tombstones.get(series) ?? [], interval));
  }
  return tombstones;
}
