// The database: a head with its WAL, and blocks. One process, one folder.
//
//     dir/lock  dir/wal/{00000000…, checkpoint.00000004/}  dir/<ULID>/{meta.json, index, chunks/, tombstones, schedules}
//
// Appends go to the head; maintain() moves what is old enough into blocks and deletes what is too old. Reads merge both.

import type { Labels, Matcher } from '@flotilla/model';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type {
  Appender,
  CorruptionStatus,
  ExemplarSeries,
  Log,
  OpenOptions,
  SeriesMetadata,
  TsdbStatus,
} from './api.ts';
import { Blocks } from './block/blocks.ts';
import { HeadAppender, type Refusals } from './head/head-appender.ts';
import { slotOf } from './head/ref-table.ts';
import { HeadChunkFiles } from './head/head-chunk-files.ts';
import {
  dropSavedHead,
  hasSavedHead,
  type Loaded,
  loadHead,
  saveHead,
  type SnapshotPlace,
} from './head-snapshot/head-snapshot.ts';
import { Head } from './head/head.ts';
import { deleteFromHead } from './head/delete-series.ts';
import { diskIo, type Io } from './io.ts';
import { selectExemplars } from './head/select-exemplars.ts';
import { lockFolder } from './lock.ts';
import { Maintenance } from './maintenance.ts';
import { DatabaseReader } from './database-reader.ts';
import { collectMetrics } from './metrics.ts';
import { Readable } from './readable.ts';
import { writeSnapshot } from './snapshot.ts';
import { replayWal, replayWbl, type ReplayReport } from './wal/replay.ts';
import { writeCheckpoint } from './wal/checkpoint.ts';
import { rewriteWbl } from './wal/rewrite-wbl.ts';
import { type TailOptions, type WalPosition, WalTail } from './wal/tail.ts';
import { Wal } from './wal/wal.ts';

const BLOCK_DURATION_MS = 2 * 3_600_000;
const WAL_SEGMENT_BYTES = 128 << 20;
const EXEMPLARS_MAX = 100_000;
const TOP_LIST_LENGTH = 10;

export class Tsdb extends Readable {
  private readonly head: Head;
  private readonly chunkFiles: HeadChunkFiles;
  private readonly dir: string;
  private readonly savesHead: boolean;
  private readonly wal: Wal;
  private readonly wbl: Wal | undefined;
  private readonly wblCorruptions: readonly CorruptionStatus[];
  private readonly blocks: Blocks;
  protected readonly reader: DatabaseReader;
  private readonly maintenance: Maintenance;
  private readonly replayed: ReplayReport;
  private readonly clock: () => number;
  private readonly unlock: () => void;
  private readonly io: Io;
  private readonly log: Log;
  private readonly tails = new Set<WalTail>();
  private readonly refusals: Refusals = { 0: 0, 1: 0, 2: 0, 3: 0, 4: 0, 5: 0 };
  private snapshotErrors = 0;
  private closed = false;

  /**
   * Opens or makes a database, and replays its WAL. Damage never refuses a start: it is put aside, logged and in the
   * status. Throws Unavailable if another process has the folder open.
   */
  static async open(options: OpenOptions): Promise<Tsdb> {
    makeRoot(options.dir, options.io ?? diskIo);
    const unlock = lockFolder(options.dir);
    try {
      const tsdb = new Tsdb(options, unlock);
      await tsdb.dropAliases();
      dropSavedHead(options.dir, tsdb.io);
      return tsdb;
    } catch (error) {
      unlock();
      throw error;
    }
  }

  /** Writes the WAL anew if its refs are not those of the head: whatever reads it later must not need both. */
  private async dropAliases(): Promise<void> {
    const { aliases } = this.replayed;
    if (aliases.size === 0) return;
    const { wal, head, io } = this;
    const through = wal.segment - 1;
    await writeCheckpoint(wal.dir, head, through, { compress: wal.compress, aliases }, io);
    wal.dropThrough(through);
    if (this.wbl !== undefined) rewriteWbl(this.wbl, head);
  }

  private constructor(options: OpenOptions, unlock: () => void) {
    super();
    const { dir, log } = options;
    const io = options.io ?? diskIo;
    this.io = io;
    this.dir = dir;
    this.savesHead = options.headSnapshot ?? true;
    this.log = log;
    const walDir = join(dir, 'wal');
    const wblDir = join(dir, 'wbl');
    this.clock = options.clock ?? Date.now;
    this.unlock = unlock;
    this.blocks = new Blocks(dir, log, io);
    this.chunkFiles = new HeadChunkFiles(join(dir, 'chunks_head'), io, log);
    const { head: opened, loaded } = this.openHead(options);
    this.head = opened;
    this.replayed = replayWal(walDir, opened, log, io, loaded?.walSegment);
    const { aliases } = this.replayed;
    this.wblCorruptions = replayWbl(wblDir, opened, aliases, log, io, loaded?.wblSegment);
    const logOptions = {
      segmentBytes: options.walSegmentBytes ?? WAL_SEGMENT_BYTES,
      fsyncIntervalMs: options.fsyncIntervalMs ?? 1000,
      compress: options.walCompression !== 'none',
      io,
      log,
    };
    this.wal = new Wal({ dir: walDir, ...logOptions });
    const needsWbl = this.head.lateWindowMs > 0 || existsSync(wblDir);
    this.wbl = needsWbl ? new Wal({ dir: wblDir, ...logOptions }) : undefined;
    if (loaded === undefined || !this.replayed.isEmpty) opened.truncate(opened.truncatedBeforeMs);
    this.reader = new DatabaseReader(this.blocks, this.head);
    const { head, wal, wbl, blocks, chunkFiles } = this;
    this.maintenance = new Maintenance({
      dir,
      walDir,
      retentionMs: options.retentionMs,
      retentionBytes: options.retentionBytes ?? Infinity,
      head,
      wal,
      wbl,
      blocks,
      chunkFiles,
      tails: this.tails,
      io,
      log,
    });
  }

  /** The head as the last close() saved it, or an empty one. */
  private openHead(options: OpenOptions): { head: Head; loaded: Loaded | undefined } {
    const empty = (): Head => {
      const head = new Head(options.blockDurationMs ?? BLOCK_DURATION_MS, this.chunkFiles, {
        exemplarsMax: EXEMPLARS_MAX,
        ...options,
      });
      head.refuseBefore(this.blocks.headCutMs);
      return head;
    };
    const head = empty();
    const isSaved = this.savesHead && hasSavedHead(this.dir);
    const loaded = isSaved ? loadHead(this.snapshotPlace, head) : undefined;
    if (loaded !== undefined) return { head, loaded };
    if (isSaved) this.snapshotErrors++;
    this.chunkFiles.clear();
    return { head: isSaved ? empty() : head, loaded };
  }

  private get snapshotPlace(): SnapshotPlace {
    const { dir, chunkFiles: files, io, log } = this;
    return { dir, files, headCutMs: this.blocks.headCutMs, io, log };
  }

  /** Follows the WAL from a position, or from what is committed next. The tail is closed before the database. */
  tail(from: WalPosition | undefined, options: TailOptions): WalTail {
    const { wal, head, log, tails } = this;
    const start = from ?? { segment: wal.segment, offset: wal.segmentBytes };
    const rewritten = this.replayed.corruptions.map(({ path }) => path);
    const onClose = (tail: WalTail): void => void tails.delete(tail);
    const tail = new WalTail(start, options, { wal, head, log, rewritten, onClose });
    tails.add(tail);
    return tail;
  }

  appender(): Appender {
    return new HeadAppender(this.head, this.wal, this.wbl, this.clock, this.refusals);
  }

  /**
   * Exemplars in the range, both ends included, of the series that satisfy all matchers of one of the sets; series in
   * label order. Works in slices, with a turn of the event loop in between.
   */
  selectExemplars(
    sets: readonly (readonly Matcher[])[],
    minTimeMs: number,
    maxTimeMs: number,
  ): Promise<ExemplarSeries[]> {
    return selectExemplars(this.head, sets, minTimeMs, maxTimeMs);
  }

  /** Whether appenders take the metadata of series. */
  get recordsMetadata(): boolean {
    return this.head.metadata !== undefined;
  }

  /** What is said of a series of the head, if that is recorded. */
  metadataOf(labels: Labels): SeriesMetadata | undefined {
    return this.head.metadata?.get(slotOf(this.head.find(labels)));
  }

  /** `limit`: how many entries each cardinality list has. */
  status(limit = TOP_LIST_LENGTH): TsdbStatus {
    const { head, blocks, wal } = this;
    const first = blocks.all[0]?.meta.minTime ?? Infinity;
    return {
      headSeries: head.seriesCount,
      headChunks: head.chunkCount(),
      headLabelPairs: head.index.labelPairs,
      samplesAppended: head.samplesAppended,
      minTimeMs: Math.min(first, head.firstMs),
      maxTimeMs: Math.max(blocks.maxTimeMs - 1, head.maxTimeMs),
      headMinTimeMs: head.minTimeMs,
      headMaxTimeMs: head.maxTimeMs,
      blocks: blocks.all.map((block) => block.status),
      walSegment: wal.segment,
      walBytes: wal.sizeBytes,
      corruptions: [...this.replayed.corruptions, ...this.wblCorruptions, ...blocks.corruptions],
      cardinality: head.index.cardinality(limit),
    };
  }

  /** Series in the head by the target of their schedule. Walks all of them. */
  seriesByTarget(): Map<number, number> {
    return this.head.schedules.countByTarget();
  }

  /** Prometheus's names, prometheus_tsdb_…, and plain numbers; histograms and labels are left out. */
  collect(): Record<string, number> {
    const { head, wal, wbl, blocks, chunkFiles, maintenance, replayed, snapshotErrors, refusals } = this;
    return collectMetrics({
      head,
      wal,
      wbl,
      blocks,
      chunkFiles,
      maintenance,
      replayed,
      snapshotErrors,
      refusals,
    });
  }

  /**
   * Writes blocks of what the head has had for long enough, shortens the WAL, deletes blocks beyond retention. Calls
   * while it runs wait for the same run. Throws what the disk throws; the next call tries again.
   */
  maintain(): Promise<void> {
    return this.maintenance.run();
  }

  /**
   * Hides the samples of the range, both ends included, of all series that match, from now on and over restarts.
   * cleanTombstones() and compaction free their space. Throws Unavailable when the disk refuses.
   */
  async deleteSeries(matchers: readonly Matcher[], minTimeMs: number, maxTimeMs: number): Promise<void> {
    await this.maintenance.exclusive(async () => {
      this.blocks.deleteSeries(matchers, minTimeMs, maxTimeMs);
      deleteFromHead(this.head, this.wal, matchers, minTimeMs, maxTimeMs);
    });
  }

  /** Rewrites the blocks of which something is deleted. */
  cleanTombstones(): Promise<void> {
    return this.maintenance.cleanTombstones();
  }

  /**
   * Makes `dir`, which must not exist, a database of what this one has now: links to the blocks, and, unless `skipHead`,
   * a block of the head. Throws what the disk throws, and leaves nothing behind then.
   */
  snapshot(dir: string, options: { readonly skipHead?: boolean } = {}): Promise<void> {
    return this.maintenance.exclusive(() =>
      writeSnapshot(dir, this.blocks, options.skipHead === true ? undefined : this.head, this.io),
    );
  }

  /** Calls maintain() every minute; failures are logged and counted. */
  startMaintenance(intervalMs?: number): void {
    this.maintenance.start(intervalMs);
  }

  stopMaintenance(): void {
    this.maintenance.stop();
  }

  /** Makes all that was committed durable, now. Throws what the disk throws. */
  sync(): void {
    this.wbl?.sync();
    this.wal.sync();
  }

  /** Ends maintenance, makes the WAL durable, saves the head for the next start and gives the folder back. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.maintenance.close();
    try {
      this.wbl?.close();
      this.wal.close();
      if (this.savesHead) saveHead(this.snapshotPlace, this.head, this.wal, this.wbl);
    } finally {
      this.chunkFiles.close();
      this.unlock();
    }
  }
}

function makeRoot(dir: string, io: Io): void {
  if (existsSync(dir)) return;
  io.makeFolder(dir);
  io.syncFolder(dirname(resolve(dir)));
}
