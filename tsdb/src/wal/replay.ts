// Rebuilds a head from checkpoint and segments. Damage is put aside, reported, and never refuses a start.

import type { HeadKernel } from '@flotilla/kernel';
import type { Labels } from '@flotilla/model';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { CorruptionStatus, Exemplar, Log, Schedule, SeriesMetadata, SeriesRef } from '../api.ts';
import type { Interval } from '../block/tombstones.ts';
import type { Head } from '../head/head.ts';
import { slotOf } from '../head/ref-table.ts';
import { grown } from '../head/symbols.ts';
import type { Io } from '../io.ts';
import { decodeDeletions, decodeSchedules, decodeSeries, recordType } from './records.ts';
import { decodeLate } from './late-records.ts';
import { decodeExemplars } from './exemplar-records.ts';
import { decodeMetadata } from './metadata-records.ts';
import { decodeHistogramRecord, type RefHistogram } from './histogram-records.ts';
import { checkpointPath, listCheckpoints, listSegments, segmentPath } from './segment-files.ts';
import { PAGE_BYTES, readSegment, type SegmentProblem } from './segment-reader.ts';

const U32_MAX = 2 ** 32 - 1;

/** Ref in the WAL → ref in the head, where they differ. */
export type Aliases = ReadonlyMap<number, SeriesRef>;

export interface ReplayReport {
  readonly samples: number;
  /** Samples of series that no record names: after damage, or of deleted series. */
  readonly unknownSamples: number;
  readonly unknownExemplars: number;
  /** Records of a type that we do not keep, or malformed under a right checksum. */
  readonly skippedRecords: number;
  readonly corruptions: readonly CorruptionStatus[];
  /** Whether a record was read. */
  readonly isEmpty: boolean;
  /** Refs of the WAL whose series have another one now: the WAL is to be written anew before it grows. */
  readonly aliases: Aliases;
}

/** Loads the folder's last checkpoint and the segments after it into an empty head; or only the segments after `from`. */
export function replayWal(dir: string, head: Head, log: Log, io: Io, from?: number): ReplayReport {
  const loader = new HeadLoader(head);
  const segments = listSegments(dir);
  const checkpoint = listCheckpoints(dir).at(-1) ?? -1;
  const paths = segments.filter((n) => n > (from ?? checkpoint)).map((n) => segmentPath(dir, n));
  if (checkpoint >= 0 && from === undefined) {
    const folder = checkpointPath(dir, checkpoint);
    paths.unshift(...listSegments(folder).map((n) => segmentPath(folder, n)));
  }
  const corruptions = readAll(paths, (record) => loader.record(record), { kernel: head.kernel, log, io });
  return loader.finish(corruptions);
}

/** Loads late samples of segments after `from`, after the WAL, whose aliases hold for them too. */
export function replayWbl(
  dir: string,
  head: Head,
  aliases: Aliases,
  log: Log,
  io: Io,
  from = -1,
): CorruptionStatus[] {
  const segments = listSegments(dir).filter((n) => n > from);
  const paths = segments.map((n) => segmentPath(dir, n));
  return readAll(paths, (record) => loadLate(record, head, aliases), { kernel: head.kernel, log, io });
}

function loadLate(record: Uint8Array, head: Head, aliases: Aliases): void {
  try {
    for (const sample of decodeLate(record)) {
      const ref = aliases.get(sample.ref) ?? sample.ref;
      if (head.isLive(ref)) head.late.add(slotOf(ref), sample);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}

interface Means {
  readonly kernel: HeadKernel;
  readonly log: Log;
  readonly io: Io;
}

/** Reads files in order; cuts a torn end off, and puts damaged ones aside. */
function readAll(
  paths: readonly string[],
  onRecord: (record: Uint8Array) => void,
  { kernel, log, io }: Means,
): CorruptionStatus[] {
  const corruptions: CorruptionStatus[] = [];
  for (const [i, path] of paths.entries()) {
    const { problem, goodBytes } = readSegment(path, onRecord);
    if (problem === undefined) continue;
    if (problem.kind === 'torn' && i === paths.length - 1) {
      log.info('wal: torn tail cut off', { path, goodBytes });
      cutOff(path, goodBytes, io);
    } else {
      corruptions.push(quarantine(path, problem, kernel, io));
    }
  }
  return corruptions;
}

function cutOff(path: string, sizeBytes: number, io: Io): void {
  const fd = io.openExisting(path);
  try {
    io.truncate(fd, sizeBytes);
    io.sync(fd);
  } finally {
    io.close(fd);
  }
}

/** Keeps the damaged file beside a new one that has the records which can still be read. */
function quarantine(path: string, problem: SegmentProblem, kernel: HeadKernel, io: Io): CorruptionStatus {
  let n = 0;
  while (existsSync(`${path}.corrupt-${n}`)) n++;
  const movedTo = `${path}.corrupt-${n}`;
  const salvage = `${path}.tmp`;
  io.remove(salvage);
  const fd = io.create(salvage);
  let size = 0;
  readSegment(path, (record) => {
    kernel.beginFrames(true);
    kernel.frameRecord(record, size % PAGE_BYTES);
    const frames = kernel.frames();
    io.write(fd, frames);
    size += frames.length;
  });
  io.sync(fd);
  io.close(fd);
  io.link(path, movedTo);
  io.rename(salvage, path);
  io.syncFolder(dirname(path));
  return { path, movedTo, detail: `offset ${problem.offsetBytes}: ${problem.detail}` };
}

/** Applies records to a head, and maps the refs of a foreign WAL to refs that the head can have. */
class HeadLoader {
  private readonly head: Head;
  /** WAL ref → our ref, where they differ. */
  private readonly aliases = new Map<number, SeriesRef>();
  /** Slots that were taken for series whose own were not free: what the WAL has of such a slot later is another series. */
  private readonly lent = new Set<number>();
  /** Records with samples so far, from 1 on; by slot, how many they were when a series got it. */
  private sampleRecords = 1;
  private placedAt = new Uint32Array(64);
  private samples = 0;
  private unknownSamples = 0;
  private unknownExemplars = 0;
  private skippedRecords = 0;
  private isEmpty = true;

  constructor(head: Head) {
    this.head = head;
  }

  record(record: Uint8Array): void {
    this.isEmpty = false;
    try {
      this.apply(record);
    } catch (error) {
      // A right checksum over a malformed record: written by something else. It names nothing that we could keep.
      if (!(error instanceof RangeError)) throw error;
      this.skippedRecords++;
    }
  }

  private apply(record: Uint8Array): void {
    switch (record[0]) {
      case recordType.series:
        decodeSeries(record, (walRef, labels) => this.series(walRef, labels));
        break;
      case recordType.schedules:
        decodeSchedules(record, (walRef, schedule) => this.schedule(walRef, schedule));
        break;
      case recordType.tombstones:
        decodeDeletions(record, (walRef, interval) => this.deletion(walRef, interval));
        break;
      case recordType.samples:
        this.samplesRecord(record);
        break;
      case recordType.exemplars:
        for (const { ref, exemplar } of decodeExemplars(record)) this.exemplar(ref, exemplar);
        break;
      case recordType.metadata:
        for (const { ref, metadata } of decodeMetadata(record)) this.metadata(ref, metadata);
        break;
      case recordType.histograms:
      case recordType.floatHistograms:
      case recordType.customHistograms:
      case recordType.customFloatHistograms:
        this.sampleRecords++;
        for (const sample of decodeHistogramRecord(record)) this.histogram(sample);
        break;
      default: // Of another writer, or of a kind that the head does not keep.
        this.skippedRecords++;
    }
  }

  private series(walRef: number, labels: Labels): void {
    if (labels.length === 0) return;
    let known = this.head.find(labels);
    // The series left the head and came back: without samples of its first life, the later ref is the better one.
    if (known !== 0 && known !== walRef && this.tryEvict(slotOf(known))) known = 0;
    const ref = known !== 0 ? known : this.place(walRef, labels);
    if (ref === walRef) this.aliases.delete(walRef);
    else this.aliases.set(walRef, ref);
  }

  /** Makes a slot free if its series has no samples, and they are not still to come. */
  private tryEvict(slot: number): boolean {
    if (this.placedAt[slot] === this.sampleRecords || !this.head.tryEvict(slot)) return false;
    this.lent.delete(slot);
    this.placedAt[slot] = 0;
    return true;
  }

  private place(walRef: number, labels: Labels): SeriesRef {
    const ref = this.tryClaim(walRef) ? walRef : this.head.refs.take();
    const slot = slotOf(ref);
    if (ref !== walRef) this.lent.add(slot);
    if (slot >= this.placedAt.length) this.placedAt = grown(this.placedAt, slot + 1);
    this.placedAt[slot] = this.sampleRecords;
    this.head.adopt(ref, labels);
    this.head.publish(ref);
    return ref;
  }

  /** Whether the series can have this ref. One that had the slot before it and has no samples is gone. */
  private tryClaim(walRef: number): boolean {
    const slot = slotOf(walRef);
    const isFree = walRef <= U32_MAX && !this.lent.has(slot) && this.tryEvict(slot);
    return isFree && this.head.refs.tryClaim(walRef);
  }

  private resolve(walRef: number): SeriesRef {
    return this.aliases.get(walRef) ?? walRef;
  }

  private schedule(walRef: number, schedule: Schedule): void {
    const slot = this.slotOf(walRef);
    if (slot !== 0) this.head.schedules.set(slot, schedule);
  }

  /** Also of times that blocks hold: late samples of them may come from the wbl. What is needless goes with the next truncation. */
  private deletion(walRef: number, interval: Interval): void {
    const slot = this.slotOf(walRef);
    if (slot !== 0) this.head.delete(slot, interval);
  }

  private histogram({ ref, timeMs, histogram }: RefHistogram): void {
    const slot = this.slotOf(ref);
    if (slot === 0) this.unknownSamples++;
    else if (this.head.appendHistogram(this.resolve(ref), timeMs, histogram)) this.samples++;
  }

  private metadata(walRef: number, metadata: SeriesMetadata): void {
    const slot = this.slotOf(walRef);
    if (slot !== 0) this.head.metadata?.set(slot, metadata);
  }

  private exemplar(walRef: number, exemplar: Exemplar): void {
    if (this.slotOf(walRef) === 0) this.unknownExemplars++;
    else this.head.exemplars.replay(this.resolve(walRef), exemplar);
  }

  /** The slot of a series that the head has; 0 if it has not. */
  private slotOf(walRef: number): number {
    const ref = this.resolve(walRef);
    const slot = slotOf(ref);
    return this.head.isLive(ref) ? slot : 0;
  }

  private samplesRecord(record: Uint8Array): void {
    const { kernel, blockDurationMs, truncatedBeforeMs } = this.head;
    const count = kernel.decodeSamples(record);
    if (count <= 0) return;
    this.sampleRecords++;
    if (this.aliases.size > 0) {
      const refs = kernel.decodedRefs(count);
      for (let i = 0; i < count; i++) refs[i] = this.resolve(refs[i]!);
    }
    const replayed = kernel.replayDecoded(count, truncatedBeforeMs, blockDurationMs);
    this.samples += replayed.appended;
    this.unknownSamples += replayed.unknown;
    if (replayed.appended > 0) this.head.extend(replayed.minTimeMs, replayed.maxTimeMs);
  }

  finish(corruptions: readonly CorruptionStatus[]): ReplayReport {
    this.head.refs.settle();
    const { samples, unknownSamples, unknownExemplars, skippedRecords, isEmpty, aliases } = this;
    return { samples, unknownSamples, unknownExemplars, skippedRecords, corruptions, isEmpty, aliases };
  }
}
