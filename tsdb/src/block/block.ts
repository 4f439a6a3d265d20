// One block on disk: immutable series and chunks of [minTimeMs, maxTimeMs).

import { CorruptionError, type Labels, type Matcher } from '@flotilla/model';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { BlockStatus, RawChunk, Schedule, SelectOptions, SeriesSet } from '../api.ts';
import { ChunkReader } from './chunk-segments.ts';
import { indexOf } from './id-list.ts';
import type { IndexCache } from './index-cache.ts';
import type { IndexFile, IndexSeries } from './index-file.ts';
import type { ChunkMeta } from './index-writer.ts';
import { type BlockMeta, readMeta } from './meta.ts';
import { SchedulesFile } from './schedules-file.ts';

export class Block {
  readonly dir: string;
  readonly meta: BlockMeta;
  readonly sizeBytes: number;
  private readonly cache: IndexCache;
  private readonly onDamage: (error: CorruptionError) => void;
  private schedules: SchedulesFile | undefined;

  /** Reads meta.json and checks the index. Throws CorruptionError. */
  constructor(dir: string, cache: IndexCache, onDamage: (error: CorruptionError) => void) {
    this.dir = dir;
    this.cache = cache;
    this.onDamage = onDamage;
    try {
      this.meta = readMeta(join(dir, 'meta.json'));
      this.sizeBytes = folderBytes(dir);
      cache.open(this.indexPath);
    } catch (error) {
      if (error instanceof CorruptionError) throw error;
      const detail = error instanceof Error ? error.message : String(error);
      throw new CorruptionError(dir, 0, detail, { cause: error });
    }
  }

  private get indexPath(): string {
    return join(this.dir, 'index');
  }

  get index(): IndexFile {
    return this.cache.open(this.indexPath);
  }

  get status(): BlockStatus {
    const { ulid, minTime, maxTime, stats } = this.meta;
    return {
      ulid,
      minTimeMs: minTime,
      maxTimeMs: maxTime,
      samples: stats.numSamples,
      series: stats.numSeries,
      chunks: stats.numChunks,
      sizeBytes: this.sizeBytes,
    };
  }

  overlaps(minTimeMs: number, maxTimeMs: number): boolean {
    return this.meta.minTime <= maxTimeMs && this.meta.maxTime > minTimeMs;
  }

  /** What a side file says; a damaged one is reported once and says nothing. */
  schedule(ordinal: number): Schedule | undefined {
    this.schedules ??= this.readSchedules();
    return this.schedules.get(ordinal);
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
    options: SelectOptions,
  ): SeriesSet {
    return new BlockSeriesSet(this, this.index.select(matchers), minTimeMs, maxTimeMs, options);
  }

  labelNames(matchers: readonly Matcher[]): Iterable<string> {
    const { index } = this;
    if (matchers.length === 0) return index.labelNames();
    const names = new Set<string>();
    for (const id of index.select(matchers)) for (const [name] of index.series(id).labels) names.add(name);
    return names;
  }

  labelValues(name: string, matchers: readonly Matcher[]): Iterable<string> {
    const { index } = this;
    if (matchers.length === 0) return index.labelValues(name);
    const values = new Set<string>();
    for (const id of index.select(matchers)) values.add(index.series(id).labels.get(name));
    values.delete('');
    return values;
  }

  close(): void {
    this.cache.drop(this.indexPath);
  }
}

function folderBytes(dir: string): number {
  let bytes = 0;
  for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size;
  }
  return bytes;
}

/** A cursor over series of a block. Damaged series and chunks are reported and left out. */
class BlockSeriesSet implements SeriesSet {
  private readonly block: Block;
  private readonly index: IndexFile;
  private readonly ids: Uint32Array;
  private readonly minTimeMs: number;
  private readonly maxTimeMs: number;
  private readonly skipChunks: boolean;
  private readonly reader: ChunkReader;
  private left: number;
  private at = -1;
  private series: IndexSeries | undefined;
  private current: readonly RawChunk[] = [];

  constructor(block: Block, ids: Uint32Array, minTimeMs: number, maxTimeMs: number, options: SelectOptions) {
    this.block = block;
    this.index = block.index;
    this.ids = ids;
    this.minTimeMs = minTimeMs;
    this.maxTimeMs = maxTimeMs;
    this.skipChunks = options.skipChunks ?? false;
    this.left = options.limit || Infinity;
    this.reader = new ChunkReader(join(block.dir, 'chunks'));
  }

  next(): boolean {
    while (this.left > 0 && ++this.at < this.ids.length) {
      if (!this.enter()) continue;
      this.left--;
      return true;
    }
    this.close();
    return false;
  }

  private enter(): boolean {
    try {
      this.series = this.index.series(this.ids[this.at]!);
    } catch (error) {
      this.block.damaged(error);
      return false;
    }
    const touched = this.series.chunks.filter(
      (chunk) => chunk.minTimeMs <= this.maxTimeMs && chunk.maxTimeMs >= this.minTimeMs,
    );
    if (this.skipChunks) return touched.length > 0;
    this.current = touched.flatMap((chunk) => this.read(chunk) ?? []);
    return this.current.length > 0;
  }

  private read({ minTimeMs, maxTimeMs, ref }: ChunkMeta): RawChunk | undefined {
    try {
      const data = this.reader.read(ref);
      if (data === undefined || data.length < 2) return undefined;
      return { minTimeMs, maxTimeMs, samples: (data[0]! << 8) | data[1]!, encoding: 1, data };
    } catch (error) {
      this.block.damaged(error);
      return undefined;
    }
  }

  get labels(): Labels {
    return this.series!.labels;
  }

  get schedule(): Schedule | undefined {
    return this.block.schedule(indexOf(this.index.all, this.ids[this.at]!));
  }

  get chunks(): readonly RawChunk[] {
    return this.current;
  }

  close(): void {
    this.at = this.ids.length;
    this.reader.close();
  }
}
