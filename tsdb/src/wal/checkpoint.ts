// A checkpoint stands for all segments up to a number: series that the head still has, their schedules, and the samples
// that no block holds. Written to a temporary folder, synced, renamed; then the segments go. See docs/format/wal.md.

import type { HeadKernel } from '@flotilla/kernel';
import type { Schedule, SeriesRef } from '../api.ts';
import { FileSink } from '../block/file-sink.ts';
import type { Head } from '../head/head.ts';
import { slotOf } from '../head/ref-table.ts';
import { nextTurn } from '../turns.ts';
import type { Io } from '../io.ts';
import { decodeExemplars, encodeExemplars } from './exemplar-records.ts';
import { decodeHistogramRecord, encodeHistograms, isHistogramRecord } from './histogram-records.ts';
import { encodeMetadata } from './metadata-records.ts';
import { encodeDeletions, encodeSchedules, encodeSeries, recordType } from './records.ts';
import { checkpointPath, listCheckpoints, listSegments, segmentPath } from './segment-files.ts';
import type { Aliases } from './replay.ts';
import { PAGE_BYTES, readSegmentSlowly } from './segment-reader.ts';

const SERIES_PER_RECORD = 1000;

export interface CheckpointOptions {
  readonly compress: boolean;
  /** What replay found: refs in the segments that stand for other ones. */
  readonly aliases?: Aliases;
}

/** Writes checkpoint `through` from the last one and the segments after it. Damage in them is left out. */
export async function writeCheckpoint(
  dir: string,
  head: Head,
  through: number,
  options: CheckpointOptions,
  io: Io,
): Promise<void> {
  const path = checkpointPath(dir, through);
  const temporary = `${path}.tmp`;
  io.remove(temporary);
  io.makeFolder(temporary);
  const writer = new CheckpointWriter(segmentPath(temporary, 0), head, options, io);
  try {
    await writer.addSeries();
    for (const source of sources(dir, through)) {
      await readSegmentSlowly(source, (record) => writer.addSamples(record));
    }
    writer.sink.close();
  } catch (error) {
    writer.sink.abort();
    throw error;
  }
  io.syncFolder(temporary);
  io.rename(temporary, path);
  io.syncFolder(dir);
  for (const old of listCheckpoints(dir)) {
    if (old < through) io.remove(checkpointPath(dir, old));
  }
}

function sources(dir: string, through: number): string[] {
  const last = listCheckpoints(dir).at(-1) ?? -1;
  const segments = listSegments(dir).filter((n) => n > last && n <= through);
  const paths = segments.map((n) => segmentPath(dir, n));
  if (last < 0) return paths;
  const folder = checkpointPath(dir, last);
  return [...listSegments(folder).map((n) => segmentPath(folder, n)), ...paths];
}

class CheckpointWriter {
  readonly sink: FileSink;
  private readonly head: Head;
  private readonly kernel: HeadKernel;
  private readonly compress: boolean;
  private readonly aliases: Aliases;

  constructor(path: string, head: Head, options: CheckpointOptions, io: Io) {
    this.sink = new FileSink(path, io);
    this.head = head;
    this.kernel = head.kernel;
    this.compress = options.compress;
    this.aliases = options.aliases ?? new Map();
  }

  /** All live series, also those that began after the segments: harmless, and no record is missing. */
  async addSeries(): Promise<void> {
    for (let from = 1; from < this.head.refs.slots; from += SERIES_PER_RECORD) {
      const refs = this.liveRefs(from, Math.min(from + SERIES_PER_RECORD, this.head.refs.slots));
      if (refs.length === 0) continue;
      const schedules = new Map<SeriesRef, Schedule>();
      for (const ref of refs) {
        const schedule = this.head.schedule(ref);
        if (schedule !== undefined) schedules.set(ref, schedule);
      }
      const deletions = refs.flatMap((ref) =>
        this.head.deletedOf(slotOf(ref)).map((interval) => [ref, interval] as const),
      );
      const metadata = refs.flatMap((ref) => {
        const known = this.head.metadata?.get(slotOf(ref));
        return known === undefined ? [] : [{ ref, metadata: known }];
      });
      this.frame((page) => {
        this.kernel.frameRecord(
          encodeSeries(refs, (ref) => this.head.index.sets.labels(slotOf(ref))),
          page,
        );
        if (schedules.size > 0) this.kernel.frameRecord(encodeSchedules(schedules), page);
        if (metadata.length > 0) this.kernel.frameRecord(encodeMetadata(metadata), page);
        if (deletions.length > 0) this.kernel.frameRecord(encodeDeletions(deletions), page);
      });
      await nextTurn();
    }
  }

  private liveRefs(from: number, to: number): SeriesRef[] {
    const refs: SeriesRef[] = [];
    for (let slot = from; slot < to; slot++) {
      const ref = this.head.refs.refAt(slot);
      if (this.head.refs.isUsed(slot) && !this.head.isUnpublished(ref)) refs.push(ref);
    }
    return refs;
  }

  addSamples(record: Uint8Array): void {
    if (isHistogramRecord(record[0])) this.addHistograms(record);
    if (record[0] === recordType.exemplars) this.addExemplars(record);
    if (record[0] !== recordType.samples) return;
    const count = this.kernel.decodeSamples(record);
    if (count <= 0) return;
    if (this.aliases.size > 0) {
      const refs = this.kernel.decodedRefs(count);
      for (let i = 0; i < count; i++) refs[i] = this.resolve(refs[i]!);
    }
    this.frame((page) => this.kernel.frameDecodedSince(count, this.head.truncatedBeforeMs, page));
  }

  private resolve(walRef: number): SeriesRef {
    return this.aliases.get(walRef) ?? walRef;
  }

  private addHistograms(record: Uint8Array): void {
    const { head } = this;
    const kept = wellFormed(record, decodeHistogramRecord)
      .map((sample) => ({ ...sample, ref: this.resolve(sample.ref) }))
      .filter(({ ref, timeMs }) => timeMs >= head.truncatedBeforeMs && head.isLive(ref));
    this.frame((page) => {
      for (const part of encodeHistograms(kept)) this.kernel.frameRecord(part, page);
    });
  }

  /** Those that the ring may still have. */
  private addExemplars(record: Uint8Array): void {
    const { exemplars } = this.head;
    const kept = wellFormed(record, decodeExemplars)
      .map(({ ref, exemplar }) => ({ ref: this.resolve(ref), exemplar }))
      .filter(({ ref, exemplar }) => exemplars.reachesTo(ref, exemplar.timeMs));
    if (kept.length > 0) this.frame((page) => this.kernel.frameRecord(encodeExemplars(kept), page));
  }

  private frame(encode: (pageOffset: number) => void): void {
    this.kernel.beginFrames(this.compress);
    encode(this.sink.offset % PAGE_BYTES);
    this.sink.write(this.kernel.frames());
  }
}

/** None, if the record is malformed: the replay skipped it, too. */
function wellFormed<T>(record: Uint8Array, decode: (record: Uint8Array) => T[]): T[] {
  try {
    return decode(record);
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  }
}
