// What the WAL's records say: series and schedules. Samples are written and read by the kernel. See docs/format/wal.md.

import { Labels } from '@flotilla/model';
import type { Schedule, SeriesRef } from '../api.ts';
import type { Interval } from '../block/tombstones.ts';
import { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';

export const recordType = {
  series: 1,
  samples: 2,
  tombstones: 3,
  exemplars: 4,
  metadata: 6,
  histograms: 7,
  floatHistograms: 8,
  customHistograms: 9,
  customFloatHistograms: 10,
  /** Ours. Prometheus skips record types that it does not know. */
  schedules: 0xf0,
} as const;

const SCHEDULE_BYTES = 20;

/** Type 1: {be64 ref, uvarint number of labels, {string name, string value}}. */
export function encodeSeries(refs: readonly SeriesRef[], labelsOf: (ref: SeriesRef) => Labels): Uint8Array {
  const out = new ByteWriter();
  out.u8(recordType.series);
  for (const ref of refs) {
    const labels = labelsOf(ref);
    out.be64(ref);
    out.uvarint(labels.length);
    for (const text of labels.flat) out.string(text);
  }
  return out.bytes();
}

/** Calls `onSeries` for each series of a record. Throws RangeError if it is malformed. */
export function decodeSeries(record: Uint8Array, onSeries: (ref: number, labels: Labels) => void): void {
  const input = new ByteReader(record, 1);
  while (input.left > 0) {
    const ref = input.be64();
    const count = input.uvarint();
    const flat: string[] = [];
    for (let i = 0; i < 2 * count; i++) flat.push(input.string());
    onSeries(ref, Labels.fromSorted(flat));
  }
}

/** Type 3: {be64 ref, varint min time, varint max time}. */
export function encodeDeletions(deletions: Iterable<readonly [SeriesRef, Interval]>): Uint8Array {
  const out = new ByteWriter();
  out.u8(recordType.tombstones);
  for (const [ref, { minTimeMs, maxTimeMs }] of deletions) {
    out.be64(ref);
    out.varint(minTimeMs);
    out.varint(maxTimeMs);
  }
  return out.bytes();
}

export function decodeDeletions(
  record: Uint8Array,
  onDeletion: (ref: number, interval: Interval) => void,
): void {
  const input = new ByteReader(record, 1);
  while (input.left > 0) {
    onDeletion(input.be64(), { minTimeMs: input.varint(), maxTimeMs: input.varint() });
  }
}

/** Type 0xf0: {be64 ref, be32 target id, be32 interval ms, be32 phase ms}. */
export function encodeSchedules(schedules: ReadonlyMap<SeriesRef, Schedule>): Uint8Array {
  const out = new ByteWriter(1 + SCHEDULE_BYTES * schedules.size);
  out.u8(recordType.schedules);
  for (const [ref, schedule] of schedules) {
    out.be64(ref);
    out.be32(schedule.targetId);
    out.be32(schedule.intervalMs);
    out.be32(schedule.phaseMs);
  }
  return out.bytes();
}

export function decodeSchedules(
  record: Uint8Array,
  onSchedule: (ref: number, schedule: Schedule) => void,
): void {
  const input = new ByteReader(record, 1);
  while (input.left > 0) {
    onSchedule(input.be64(), {
      targetId: input.be32(),
      intervalMs: input.be32(),
      phaseMs: input.be32(),
    });
  }
}
