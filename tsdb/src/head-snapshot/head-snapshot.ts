// The head on disk between an orderly stop and the next start, so that it need not replay the WAL. See
// docs/format/head-snapshot.md.
//
// The WAL stays the truth: whatever is wrong with the file, or does not fit, the start replays.

import { kernelDigest } from '@flotilla/kernel';
import { Unavailable } from '@flotilla/model';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../api.ts';
import type { HeadChunkFiles } from '../head/head-chunk-files.ts';
import type { Head } from '../head/head.ts';
import type { Io } from '../io.ts';
import { listCheckpoints, segmentPath } from '../wal/segment-files.ts';
import type { Wal } from '../wal/wal.ts';
import { SnapshotReader } from './snapshot-reader.ts';
import { section, SnapshotWriter } from './snapshot-writer.ts';

/** Well within the time that a stopping process is given. */
const SAVE_MS_MAX = 5000;

/** Where a log ended. */
interface LogEnd {
  readonly segment: number;
  readonly bytes: number;
}

interface Header {
  /** JSON of what must be equal. */
  readonly terms: string;
  readonly checkpoint: number;
  readonly wal: LogEnd;
  readonly wbl: LogEnd | undefined;
}

/** What is read of each log after the snapshot: its segments after these. */
export interface Loaded {
  readonly walSegment: number;
  /** −1: all. */
  readonly wblSegment: number;
}

export interface SnapshotPlace {
  readonly dir: string;
  readonly files: HeadChunkFiles;
  /** Blocks hold the samples before this. */
  readonly headCutMs: number;
  readonly io: Io;
  readonly log: Log;
}

function pathIn(dir: string): string {
  return join(dir, 'head_snapshot');
}

function termsOf(head: Head, headCutMs: number): string {
  const { blockDurationMs, lateWindowMs, exemplars, metadata } = head;
  return JSON.stringify({
    kernel: kernelDigest(),
    blockDurationMs,
    lateWindowMs,
    exemplarsMax: exemplars.max,
    metadata: metadata !== undefined,
    headCutMs: String(headCutMs),
  });
}

/** Writes the file. The logs are closed and nothing is appended any more. A failure is logged, and leaves nothing. */
export function saveHead(place: SnapshotPlace, head: Head, wal: Wal, wbl: Wal | undefined): void {
  const { dir, io, log, headCutMs } = place;
  const start = performance.now();
  const temporary = `${pathIn(dir)}.tmp`;
  try {
    io.remove(temporary);
    const header: Header = {
      terms: termsOf(head, headCutMs),
      checkpoint: newestCheckpoint(dir),
      wal: { segment: wal.segment, bytes: wal.segmentBytes },
      wbl: wbl === undefined ? undefined : { segment: wbl.segment, bytes: wbl.segmentBytes },
    };
    writeSnapshot(temporary, place, head, header, () => performance.now() - start > SAVE_MS_MAX);
    io.rename(temporary, pathIn(dir));
    io.syncFolder(dir);
    log.info('head: saved for the next start', { series: head.seriesCount, seconds: secondsSince(start) });
  } catch (error) {
    log.warn('head: not saved, the next start replays the WAL', { error: textOf(error) });
    removeQuietly(temporary, io);
  }
}

function writeSnapshot(
  path: string,
  { files, io }: SnapshotPlace,
  head: Head,
  header: Header,
  mustStop: () => boolean,
): void {
  head.abandonAll();
  if (files.damaged > 0) throw new Unavailable('head chunks are damaged: only the WAL has them');
  if (!head.sealed.flush()) throw new Unavailable('head chunks are in memory: no room on the disk');
  files.sync(mustStop);
  const out = new SnapshotWriter(path, io, mustStop);
  try {
    out.section(section.header);
    out.text(JSON.stringify(header));
    files.save(out);
    head.save(out);
    out.close();
  } catch (error) {
    out.abort();
    throw error;
  }
}

export function hasSavedHead(dir: string): boolean {
  return existsSync(pathIn(dir));
}

/** Fills an empty head; undefined if the snapshot does not fit. Then the head is of no use, and files are to be cleared. */
export function loadHead(place: SnapshotPlace, head: Head): Loaded | undefined {
  const { log } = place;
  const start = performance.now();
  try {
    const loaded = readSnapshot(place, head);
    log.info('head: loaded as it was saved', { series: head.seriesCount, seconds: secondsSince(start) });
    return loaded;
  } catch (error) {
    log.warn('head: what was saved is not used, replaying the WAL', { reason: textOf(error) });
    return undefined;
  }
}

function readSnapshot({ dir, files, headCutMs }: SnapshotPlace, head: Head): Loaded {
  const input = new SnapshotReader(pathIn(dir));
  try {
    input.section(section.header);
    const header = JSON.parse(input.text()) as Header;
    const misfit = misfitOf(header, dir, termsOf(head, headCutMs));
    if (misfit !== undefined) throw input.damage(misfit);
    files.load(input);
    head.load(input, files);
    input.end();
    return { walSegment: header.wal.segment, wblSegment: header.wbl?.segment ?? -1 };
  } finally {
    input.close();
  }
}

function misfitOf({ terms, checkpoint, wal, wbl }: Header, dir: string, want: string): string | undefined {
  if (terms !== want) return `written for ${terms}, want ${want}`;
  const newest = newestCheckpoint(dir);
  if (newest !== checkpoint) return `checkpoint ${checkpoint}, but the newest is ${newest}`;
  if (!isAsItWas(join(dir, 'wal'), wal)) return `the WAL does not end segment ${wal.segment} at ${wal.bytes}`;
  if (wbl !== undefined && !isAsItWas(join(dir, 'wbl'), wbl)) return 'another log of late samples';
  return undefined;
}

function newestCheckpoint(dir: string): number {
  return listCheckpoints(join(dir, 'wal')).at(-1) ?? -1;
}

function isAsItWas(dir: string, { segment, bytes }: LogEnd): boolean {
  return statSync(segmentPath(dir, segment), { throwIfNoEntry: false })?.size === bytes;
}

/** Deletes the file, durably: what is appended from now on is not in it. Throws what the disk throws. */
export function dropSavedHead(dir: string, io: Io): void {
  removeQuietly(`${pathIn(dir)}.tmp`, io);
  if (!hasSavedHead(dir)) return;
  io.remove(pathIn(dir));
  io.syncFolder(dir);
}

function removeQuietly(path: string, io: Io): void {
  try {
    if (existsSync(path)) io.remove(path);
  } catch {
    // The next start tries again.
  }
}

function secondsSince(start: number): number {
  return Math.round(performance.now() - start) / 1000;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
