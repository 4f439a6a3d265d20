// One block on disk: immutable series and chunks of [minTimeMs, maxTimeMs), and what is deleted of them.

import { CorruptionError, type Labels, type Matcher } from '@flotilla/model';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { BlockStatus, Schedule, SeriesSet } from '../api.ts';
import type { Io } from '../io.ts';
import { isTurnOver, nextTurn } from '../turns.ts';
import { type BlockReadOptions, BlockSeriesSet } from './block-series-set.ts';
import { replaceFile } from './file-sink.ts';
import type { IndexCache } from './index-cache.ts';
import type { IndexFile } from './index-file.ts';
import { IndexReader } from './index-reader.ts';
import { type BlockMeta, metaText, readMeta } from './meta.ts';
import { SchedulesFile } from './schedules-file.ts';
import {
  addInterval,
  encodeTombstones,
  type Interval,
  readTombstones,
  type Tombstones,
} from './tombstones.ts';

export class Block {
  readonly dir: string;
  private currentMeta: BlockMeta;
  readonly sizeBytes: number;
  private readonly cache: IndexCache;
  private readonly onDamage: (error: CorruptionError) => void;
  private deleted: Tombstones;
  private schedules: SchedulesFile | undefined;
  private readers = 0;
  private whenIdle: (() => void) | undefined;

  /** Reads meta.json and checks the index. Throws CorruptionError. */
  constructor(dir: string, cache: IndexCache, onDamage: (error: CorruptionError) => void) {
    this.dir = dir;
    this.cache = cache;
    this.onDamage = onDamage;
    try {
      this.currentMeta = readMeta(join(dir, 'meta.json'));
      this.sizeBytes = folderBytes(dir);
      this.deleted = readTombstones(join(dir, 'tombstones'));
      cache.open(this.indexPath);
    } catch (error) {
      if (error instanceof CorruptionError) throw error;
      const detail = error instanceof Error ? error.message : String(error);
      throw new CorruptionError(dir, 0, detail, { cause: error });
    }
  }

  get meta(): BlockMeta {
    return this.currentMeta;
  }

  get tombstones(): Tombstones {
    return this.deleted;
  }

  private get indexPath(): string {
    return join(this.dir, 'index');
  }

  get index(): IndexFile {
    return this.cache.open(this.indexPath);
  }

  get status(): BlockStatus {
    const { ulid, minTime, maxTime, stats, compaction } = this.meta;
    return {
      ulid,
      minTimeMs: minTime,
      maxTimeMs: maxTime,
      samples: stats.numSamples,
      series: stats.numSeries,
      chunks: stats.numChunks,
      tombstones: stats.numTombstones ?? 0,
      level: compaction.level,
      sizeBytes: this.sizeBytes,
    };
  }

  overlaps(minTimeMs: number, maxTimeMs: number): boolean {
    return this.meta.minTime <= maxTimeMs && this.meta.maxTime > minTimeMs;
  }

  get hasSchedules(): boolean {
    this.schedules ??= this.readSchedules();
    return this.schedules !== SchedulesFile.none;
  }

  /** What a side file says; a damaged one is reported once and says nothing. */
  schedule(ordinal: number): Schedule | undefined {
    return this.hasSchedules ? this.schedules!.get(ordinal) : undefined;
  }

  private readSchedules(): SchedulesFile {
    try {
      return SchedulesFile.read(join(this.dir, 'schedules'));
    } catch (error) {
      this.damaged(error);
      return SchedulesFile.none;
    }
  }

  /** Reports damage; rethrows anything else. */
  damaged(error: unknown): void {
    if (!(error instanceof CorruptionError)) throw error;
    this.onDamage(error);
  }

  select(
    matchers: readonly Matcher[],
    minTimeMs: number,
    maxTimeMs: number,
    options: BlockReadOptions,
  ): SeriesSet {
    const index = new IndexReader(this.index);
    try {
      return new BlockSeriesSet(this, index, index.select(matchers), minTimeMs, maxTimeMs, options);
    } catch (error) {
      index.close();
      throw error;
    }
  }

  async labelNames(matchers: readonly Matcher[]): Promise<Iterable<string>> {
    if (matchers.length === 0) return this.index.names.keys();
    const names = new Set<string>();
    await this.eachSeries(matchers, (labels) => {
      for (const [name] of labels) names.add(name);
    });
    return names;
  }

  async labelValues(name: string, matchers: readonly Matcher[]): Promise<Iterable<string>> {
    if (matchers.length === 0) return this.index.names.get(name)?.keys() ?? [];
    const values = new Set<string>();
    await this.eachSeries(matchers, (labels) => values.add(labels.get(name)));
    values.delete('');
    return values;
  }

  /** In slices. */
  private async eachSeries(matchers: readonly Matcher[], visit: (labels: Labels) => void): Promise<void> {
    const index = new IndexReader(this.index);
    try {
      for (const id of index.select(matchers)) {
        if (isTurnOver()) await nextTurn();
        visit(index.series(id).labels);
      }
    } finally {
      index.close();
    }
  }

  private withIndex<T>(read: (index: IndexReader) => T): T {
    const index = new IndexReader(this.index);
    try {
      return read(index);
    } finally {
      index.close();
    }
  }

  /** Marks the samples of the range as deleted, durably. Returns how many series that touched. */
  deleteSeries(matchers: readonly Matcher[], minTimeMs: number, maxTimeMs: number, io: Io): number {
    const deleted = new Map<number, readonly Interval[]>(this.deleted);
    const touched = this.withIndex((index) => {
      let count = 0;
      for (const id of index.select(matchers)) {
        const { chunks } = index.series(id);
        const interval = {
          minTimeMs: Math.max(minTimeMs, chunks[0]?.minTimeMs ?? Infinity),
          maxTimeMs: Math.min(maxTimeMs, chunks.at(-1)?.maxTimeMs ?? -Infinity),
        };
        if (interval.minTimeMs > interval.maxTimeMs) continue;
        deleted.set(id, addInterval(deleted.get(id) ?? [], interval));
        count++;
      }
      return count;
    });
    if (touched === 0) return 0;
    replaceFile(join(this.dir, 'tombstones'), encodeTombstones(deleted), io);
    this.deleted = deleted;
    let numTombstones = 0;
    for (const intervals of deleted.values()) numTombstones += intervals.length;
    this.writeMeta({ ...this.meta, stats: { ...this.meta.stats, numTombstones } }, io);
    return touched;
  }

  /** Notes that the block cannot be compacted, so that nobody tries again. */
  markFailed(io: Io): void {
    this.writeMeta({ ...this.meta, compaction: { ...this.meta.compaction, failed: true } }, io);
  }

  private writeMeta(meta: BlockMeta, io: Io): void {
    replaceFile(join(this.dir, 'meta.json'), Buffer.from(metaText(meta)), io);
    this.currentMeta = meta;
  }

  hold(): void {
    this.readers++;
  }

  letGo(): void {
    if (--this.readers === 0) this.whenIdle?.();
  }

  /** Calls `remove` once nobody reads the block any more; perhaps now. */
  closeAndThen(remove: () => void): void {
    this.cache.drop(this.indexPath);
    if (this.readers === 0) remove();
    else this.whenIdle = remove;
  }
}

function folderBytes(dir: string): number {
  let bytes = 0;
  for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) bytes += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}
