// A cursor over series of a block, without what its tombstones delete.

import { packChunks, unpackChunks } from '@flotilla/kernel';
import { CorruptionError, type Labels } from '@flotilla/model';
import { join } from 'node:path';
import type { ChunkEncoding, RawChunk, Schedule, SelectOptions, SeriesSet } from '../api.ts';
import { withoutIntervals } from '../chunk/without-intervals.ts';
import type { Block } from './block.ts';
import { BlockChunkLists } from './block-chunk-lists.ts';
import { ChunkReader } from './chunk-segments.ts';
import { indexOf } from './id-list.ts';
import type { IndexReader } from './index-reader.ts';
import type { IndexSeries } from './index-series.ts';
import type { ChunkMeta } from './index-writer.ts';
import type { Interval } from './tombstones.ts';

export interface BlockReadOptions extends SelectOptions {
  /** For a rewrite, which must not lose anything unseen: throws CorruptionError at damage, instead of leaving it out. */
  readonly strict?: boolean;
}

const NO_INTERVALS: readonly Interval[] = [];

/** Damaged series and chunks are reported and left out. The block stays on disk until the set is closed or at its end. */
export class BlockSeriesSet implements SeriesSet {
  private readonly block: Block;
  private readonly ids: Uint32Array;
  private readonly minTimeMs: number;
  private readonly maxTimeMs: number;
  private readonly options: BlockReadOptions;
  private readonly index: IndexReader;
  private readonly chunkReader: ChunkReader;
  private all: Uint32Array | undefined;
  private left: number;
  private at = -1;
  private closed = false;
  private series: IndexSeries | undefined;
  private current: readonly RawChunk[] | undefined = [];
  /** Whether `lists` has the chunks of the series. */
  private isListed = false;
  private readonly lists: BlockChunkLists | undefined;

  /** `ids` ascend. */
  constructor(
    block: Block,
    index: IndexReader,
    ids: Uint32Array,
    minTimeMs: number,
    maxTimeMs: number,
    options: BlockReadOptions,
  ) {
    this.block = block;
    this.index = index;
    this.ids = ids;
    this.minTimeMs = minTimeMs;
    this.maxTimeMs = maxTimeMs;
    this.options = options;
    this.left = options.limit || Infinity;
    const chunksDir = join(block.dir, 'chunks');
    this.chunkReader = new ChunkReader(chunksDir);
    if (options.packed === true && options.skipChunks !== true) this.lists = new BlockChunkLists(chunksDir);
    block.hold();
  }

  next(): boolean {
    while (this.left > 0 && !this.closed && ++this.at < this.ids.length) {
      if (!this.tryEnter()) continue;
      this.left--;
      return true;
    }
    this.close();
    return false;
  }

  private guarded<T>(read: () => T, instead: T): T {
    try {
      return read();
    } catch (error) {
      this.pass(error);
      return instead;
    }
  }

  /** Reports damage that may be left out; rethrows anything else. */
  private pass(error: unknown): void {
    if (this.options.strict === true || !(error instanceof CorruptionError)) throw error;
    this.block.damaged(error);
  }

  private tryEnter(): boolean {
    try {
      return this.enter();
    } catch (error) {
      this.pass(error);
      return false;
    }
  }

  private enter(): boolean {
    const { minTimeMs, maxTimeMs } = this;
    const id = this.ids[this.at]!;
    const series = this.index.series(id);
    this.series = series;
    const intervals = this.block.tombstones.get(id) ?? NO_INTERVALS;
    if (this.options.skipChunks === true && intervals.length === 0) return this.isTouched(series);
    this.current = undefined;
    this.isListed = intervals.length === 0 && this.lists?.read(series, minTimeMs, maxTimeMs) === true;
    if (this.isListed) return !this.lists!.isEmpty;
    const touched = series.chunks.filter((chunk) => this.isWanted(chunk));
    const read = touched.flatMap((chunk) => this.guarded(() => [this.read(chunk)], []));
    const chunks = this.guarded(
      () => withoutIntervals(read, intervals).filter((chunk) => this.isWanted(chunk)),
      [],
    );
    this.current = chunks;
    return chunks.length > 0;
  }

  private isTouched(series: IndexSeries): boolean {
    for (let i = 0; i < series.chunkCount; i++)
      if (series.touches(i, this.minTimeMs, this.maxTimeMs)) return true;
    return false;
  }

  private isWanted(chunk: { minTimeMs: number; maxTimeMs: number }): boolean {
    return chunk.minTimeMs <= this.maxTimeMs && chunk.maxTimeMs >= this.minTimeMs;
  }

  private read({ minTimeMs, maxTimeMs, ref }: ChunkMeta): RawChunk {
    const { encoding, data } = this.chunkReader.read(ref);
    if (encoding < 1 || encoding > 3 || data.length < 2)
      throw new CorruptionError(this.block.dir, ref, `chunk of encoding ${encoding}, want 1 to 3`);
    const samples = (data[0]! << 8) | data[1]!;
    return { minTimeMs, maxTimeMs, samples, encoding: encoding as ChunkEncoding, data };
  }

  get labels(): Labels {
    return this.series!.labels;
  }

  get labelSet(): Uint8Array {
    return this.series!.labelSet;
  }

  get schedule(): Schedule | undefined {
    if (!this.block.hasSchedules) return undefined;
    this.all ??= this.guarded(() => this.index.all(), new Uint32Array(0));
    return this.block.schedule(indexOf(this.all, this.ids[this.at]!));
  }

  get chunks(): readonly RawChunk[] {
    return (this.current ??= unpackChunks(this.lists!.list()) as RawChunk[]);
  }

  get chunkList(): Uint8Array {
    return this.isListed ? this.lists!.list() : packChunks(this.chunks);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.index.close();
    this.chunkReader.close();
    this.lists?.close();
    this.block.letGo();
  }
}
