// Writes a block: everything into <ULID>.tmp-for-creation, synced, then renamed. See docs/format/block.md.
//
// Series stream through: what is held is one series' chunks, the symbols and the postings' ids.

import { BlockSeriesEncoder } from '@flotilla/kernel';
import { CorruptionError, Unavailable } from '@flotilla/model';
import { join } from 'node:path';
import type { Schedule } from '../api.ts';
import type { Io } from '../io.ts';
import type { BlockSeries, BlockSource } from './block-source.ts';
import { isTurnOver, nextTurn } from '../turns.ts';
import { ChunkWriter } from './chunk-segments.ts';
import { writeFile } from './file-sink.ts';
import { IndexWriter } from './index-writer.ts';
import { type BlockMeta, type BlockStats, type Compaction, metaText } from './meta.ts';
import { newUlid } from './new-ulid.ts';
import { encodeSchedulesFile } from './schedules-file.ts';
import { encodeTombstones } from './tombstones.ts';

export interface BlockPlan {
  /** Its name, if somebody must know it before; a new one by default. */
  readonly ulid?: string;
  readonly minTimeMs: number;
  /** Exclusive. */
  readonly maxTimeMs: number;
  /** Default: level 1, and its own source. */
  readonly compaction?: Compaction;
  /** Of a block of level 1. */
  readonly hints?: readonly string[];
  /** Asked now and then; true makes the writing throw Unavailable. */
  readonly mustStop?: () => boolean;
}

/**
 * Writes a block of [minTimeMs, maxTimeMs) below `dir` and returns its folder; undefined, and no block, if the source has
 * no series. Leaves nothing behind if it fails.
 */
export async function writeBlock(
  dir: string,
  source: BlockSource,
  plan: BlockPlan,
  io: Io,
): Promise<string | undefined> {
  const ulid = plan.ulid ?? newUlid();
  const path = join(dir, ulid);
  const temporary = temporaryOf(path);
  try {
    io.makeFolder(temporary);
    const stats = await (await SeriesWriter.create(temporary, source, plan, io)).run();
    if (stats.numSeries === 0) {
      io.remove(temporary);
      return undefined;
    }
    const compaction = plan.compaction ?? {
      level: 1,
      sources: [ulid],
      ...(plan.hints === undefined ? {} : { hints: plan.hints }),
    };
    writeFile(join(temporary, 'tombstones'), encodeTombstones(new Map()), io);
    const { minTimeMs: minTime, maxTimeMs: maxTime } = plan;
    const meta: BlockMeta = { ulid, minTime, maxTime, stats, compaction, version: 1 };
    writeFile(join(temporary, 'meta.json'), Buffer.from(metaText(meta)), io);
    io.syncFolder(join(temporary, 'chunks'));
    io.syncFolder(temporary);
    io.rename(temporary, path);
    io.syncFolder(dir);
    return path;
  } catch (error) {
    discard(temporary, io);
    throw error;
  }
}

/** Where a block is until it is whole. */
export function temporaryOf(path: string): string {
  return `${path}.tmp-for-creation`;
}

class SeriesWriter {
  private readonly dir: string;
  private readonly source: BlockSource;
  private readonly mustStop: () => boolean;
  private readonly io: Io;
  private readonly chunks: ChunkWriter;
  private readonly index: IndexWriter;
  private readonly encoder = new BlockSeriesEncoder();
  private readonly schedules: (Schedule | undefined)[] = [];
  private readonly stats = { numSamples: 0, numFloatSamples: 0, numHistogramSamples: 0, numChunks: 0 };

  static async create(dir: string, source: BlockSource, plan: BlockPlan, io: Io): Promise<SeriesWriter> {
    const index = new IndexWriter(join(dir, 'index'), await source.symbols(), io);
    try {
      return new SeriesWriter(dir, source, plan, index, io);
    } catch (error) {
      index.abort();
      throw error;
    }
  }

  private constructor(dir: string, source: BlockSource, plan: BlockPlan, index: IndexWriter, io: Io) {
    this.dir = dir;
    this.source = source;
    this.mustStop = plan.mustStop ?? (() => false);
    this.io = io;
    this.index = index;
    this.chunks = new ChunkWriter(join(dir, 'chunks'), io);
  }

  async run(): Promise<BlockStats> {
    const series = this.source.series();
    try {
      while (series.next()) {
        this.write(series);
        if (isTurnOver()) await this.pause();
      }
      await this.chunks.close();
      await this.index.close();
    } catch (error) {
      this.chunks.abort();
      this.index.abort();
      throw error;
    } finally {
      series.close();
      this.encoder.end();
    }
    if (this.schedules.some((schedule) => schedule !== undefined))
      writeFile(join(this.dir, 'schedules'), encodeSchedulesFile(this.schedules), this.io);
    return { ...this.stats, numSeries: this.schedules.length };
  }

  private async pause(): Promise<void> {
    await nextTurn();
    if (this.mustStop()) throw new Unavailable('block: writing was stopped, the database closes');
  }

  private write(series: BlockSeries): void {
    const { encoder, stats } = this;
    const { chunkList } = series;
    if (!encoder.join(chunkList))
      throw new CorruptionError(
        this.dir,
        0,
        `series ${this.schedules.length}: chunks of ${chunkList.length} bytes`,
      );
    const ref = this.chunks.write(encoder.frames());
    this.index.addSeries(series.pairs, encoder, ref);
    this.schedules.push(series.schedule);
    stats.numChunks += encoder.chunks;
    stats.numSamples += encoder.samples;
    stats.numFloatSamples += encoder.floatSamples;
    stats.numHistogramSamples += encoder.samples - encoder.floatSamples;
  }
}

/** What cannot be removed now goes at the next start. */
export function discard(path: string, io: Io): void {
  try {
    io.remove(path);
  } catch {
    // The reason why the block failed is the one to tell.
  }
}
