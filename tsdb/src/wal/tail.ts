// Follows the WAL from a position that its owner keeps: what was committed after it, in the order of the commits.
//
// A position is the end of a record, or a begin of a segment. Reads end at the last whole transaction, since the log is
// written by the same thread. As long as a tail lags behind, the log is not shortened, up to a bound; what goes all the
// same is counted as lost. The owner must close() it.

import type { Labels } from '@flotilla/model';
import { closeSync, existsSync, openSync, statSync } from 'node:fs';
import type { Log, SeriesRef } from '../api.ts';
import type { Head } from '../head/head.ts';
import { slotOf } from '../head/ref-table.ts';
import { decodeExemplars } from './exemplar-records.ts';
import { isHistogramRecord, decodeHistogramRecord } from './histogram-records.ts';
import { decodeSeries, recordType } from './records.ts';
import { checkpointPath, listCheckpoints, listSegments, segmentPath } from './segment-files.ts';
import { PAGE_BYTES, readFully, readSegmentSlowly, SegmentReader } from './segment-reader.ts';
import { TailBatch } from './tail-batch.ts';
import type { Wal } from './wal.ts';

export interface WalPosition {
  readonly segment: number;
  readonly offset: number;
}

export interface TailOptions {
  /** The log may grow to this because of the tail. */
  readonly holdBytesMax: number;
}

/** Part of a block's duration that commits may be out of the order of their times by. */
const SLACK = 0.1;
const PAGES_PER_READ = 8;

export interface TailSources {
  readonly wal: Wal;
  readonly head: Head;
  readonly log: Log;
  /** Files that this start wrote anew: offsets in them mean nothing. */
  readonly rewritten: readonly string[];
  readonly onClose: (tail: WalTail) => void;
}

export class WalTail {
  readonly holdBytesMax: number;
  private readonly sources: TailSources;
  private readonly window = Buffer.allocUnsafeSlow(PAGES_PER_READ * PAGE_BYTES);
  private at: WalPosition;
  private released: WalPosition;
  private releasedMs = -Infinity;
  /** Series that left the head before their last samples were read. */
  private readonly gone = new Map<SeriesRef, Labels>();
  /** Samples that went before they were read. */
  lostSamples = 0;
  /** Times that the log did not have what was to be read next. */
  gaps = 0;

  constructor(from: WalPosition, { holdBytesMax }: TailOptions, sources: TailSources) {
    this.holdBytesMax = holdBytesMax;
    this.sources = sources;
    this.at = this.validated(from);
    this.released = this.at;
  }

  /** A position of a log that is gone, or of a file that has been written anew, is none. */
  private validated(from: WalPosition): WalPosition {
    const { wal, rewritten } = this.sources;
    if (rewritten.includes(segmentPath(wal.dir, from.segment))) return { segment: from.segment, offset: 0 };
    if (!isBefore(this.end, from)) return from;
    this.gaps++;
    return { segment: listSegments(wal.dir)[0] ?? wal.segment, offset: 0 };
  }

  /** Where the next transaction will begin. */
  get end(): WalPosition {
    const { wal } = this.sources;
    return { segment: wal.segment, offset: wal.segmentBytes };
  }

  /** Where the next read begins. */
  get position(): WalPosition {
    return this.at;
  }

  /** Reads again from an earlier position. */
  seek(position: WalPosition): void {
    this.at = position;
  }

  get isAtEnd(): boolean {
    return !isBefore(this.at, this.end);
  }

  /**
   * Adds whole records to a batch, until it has `samplesMax` samples or the next ones are not before `to`. One call reads
   * some hundred kilobytes at most: false when there is nothing more for now. Throws what the disk throws.
   */
  read(batch: TailBatch, samplesMax: number, to: WalPosition = this.end): boolean {
    if (batch.size >= samplesMax || !isBefore(this.at, to)) return false;
    const { wal } = this.sources;
    const path = segmentPath(wal.dir, this.at.segment);
    if (!existsSync(path)) return this.skipGap();
    const isLast = this.at.segment === to.segment;
    const isCurrent = this.at.segment === wal.segment;
    const sizeBytes = isCurrent ? wal.segmentBytes : statSync(path).size;
    const limit = isLast ? Math.min(sizeBytes, to.offset) : sizeBytes;
    if (this.at.offset < limit) this.readPages(path, limit, batch, samplesMax);
    if (this.at.offset >= limit) {
      if (isLast || isCurrent) return false;
      this.at = { segment: this.at.segment + 1, offset: 0 };
    }
    return batch.size < samplesMax;
  }

  /** Goes on with the next segment that is there. */
  private skipGap(): boolean {
    const { wal, log } = this.sources;
    const next = listSegments(wal.dir).find((segment) => segment > this.at.segment) ?? wal.segment;
    this.gaps++;
    log.error('wal: a tail lost its place', { segment: this.at.segment, next });
    this.at = { segment: next, offset: 0 };
    return true;
  }

  private readPages(path: string, limit: number, batch: TailBatch, samplesMax: number): void {
    const { segment, offset } = this.at;
    let reached = offset;
    const reader = new SegmentReader((record, endBytes) => {
      if (endBytes > limit || batch.size >= samplesMax) return;
      addRecord(batch, record);
      reached = endBytes;
    }, offset);
    const fd = openSync(path, 'r');
    try {
      let from = offset - (offset % PAGE_BYTES);
      while (from < limit && reached === offset) {
        const bytes = readFully(fd, this.window, from);
        for (let page = 0; page < bytes && from + page < limit; page += PAGE_BYTES)
          reader.page(this.window.subarray(page, Math.min(bytes, page + PAGE_BYTES)), from + page);
        from += this.window.length;
        // Nothing but padding, or damage that a start would put aside.
        if (from >= limit && reached === offset) reached = limit;
      }
    } finally {
      closeSync(fd);
    }
    this.at = { segment, offset: reached };
  }

  /** The labels of a series whose samples were read; undefined for one that findSeries() has to look for. */
  labels(ref: SeriesRef): Labels | undefined {
    const { head } = this.sources;
    return head.isLive(ref) ? head.index.sets.labels(slotOf(ref)) : this.gone.get(ref);
  }

  /** Looks for series that left the head, in all of the log. */
  async findSeries(refs: ReadonlySet<SeriesRef>): Promise<void> {
    const { wal } = this.sources;
    this.gone.clear();
    for (const path of allFiles(wal.dir)) {
      await readSegmentSlowly(path, (record) => {
        if (record[0] !== recordType.series) return;
        tryDecode(() =>
          decodeSeries(record, (ref, labels) => {
            if (refs.has(ref)) this.gone.set(ref, labels);
          }),
        );
      });
    }
  }

  /** Says that everything before a position is delivered, and how new it was. */
  release(position: WalPosition, timeMs: number): void {
    this.released = position;
    this.releasedMs = Math.max(this.releasedMs, timeMs);
  }

  /** Whether something would be missed if the log began after a segment, or series of older samples were forgotten. */
  needs(through: number, truncatedBeforeMs: number): boolean {
    if (!isBefore(this.released, this.end)) return false;
    const slackMs = SLACK * this.sources.head.blockDurationMs;
    return this.released.segment <= through || this.releasedMs < truncatedBeforeMs + slackMs;
  }

  /** Counts what is not read of the segments up to one: they are about to go. */
  async countLost(through: number): Promise<void> {
    const { wal, log } = this.sources;
    const batch = new TailBatch();
    const to = { segment: through + 1, offset: 0 };
    if (!isBefore(this.at, to)) return;
    const { at } = this;
    let lost = 0;
    for (const segment of listSegments(wal.dir).filter((n) => n >= at.segment && n <= through)) {
      const skipBytes = segment === at.segment ? at.offset : 0;
      await readSegmentSlowly(
        segmentPath(wal.dir, segment),
        (record) => {
          batch.clear();
          addRecord(batch, record);
          lost += batch.size - batch.exemplars.length;
        },
        skipBytes,
      );
    }
    this.lostSamples += lost;
    if (isBefore(this.at, to)) this.at = to;
    log.error('wal: samples went before a tail read them', { samples: lost, through });
  }

  close(): void {
    this.sources.onClose(this);
  }
}

export function isBefore(a: WalPosition, b: WalPosition): boolean {
  return a.segment < b.segment || (a.segment === b.segment && a.offset < b.offset);
}

function addRecord(batch: TailBatch, record: Uint8Array): void {
  const [type] = record;
  if (type === recordType.samples) batch.addSamples(record);
  else if (isHistogramRecord(type))
    addAll(batch, () => batch.histograms.push(...decodeHistogramRecord(record)));
  else if (type === recordType.exemplars)
    addAll(batch, () => batch.exemplars.push(...decodeExemplars(record)));
}

function addAll(batch: TailBatch, decode: () => void): void {
  if (!tryDecode(decode)) batch.malformed++;
}

/** False if the record is malformed. */
function tryDecode(decode: () => void): boolean {
  try {
    decode();
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function allFiles(dir: string): string[] {
  const checkpoint = listCheckpoints(dir).at(-1);
  const folder = checkpoint === undefined ? undefined : checkpointPath(dir, checkpoint);
  return [
    ...(folder === undefined ? [] : listSegments(folder).map((n) => segmentPath(folder, n))),
    ...listSegments(dir).map((n) => segmentPath(dir, n)),
  ];
}
