// Writes a block: everything into <ULID>.tmp-for-creation, synced, then renamed. See docs/format/block.md.
//
// Series stream through: what is held is one series' chunks, the symbols and the postings' ids.

import { Unavailable } from '@flotilla/model';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { ulid as newUlid } from 'ulid';
import type { RawChunk, Schedule, SeriesSet } from '../api.ts';
import { joinedChunks } from '../chunk/samples.ts';
import type { Io } from '../io.ts';
import { ChunkWriter } from './chunk-segments.ts';
import { writeFile } from './file-sink.ts';
import { IndexWriter } from './index-writer.ts';
import { type BlockMeta, type BlockStats, type Compaction, metaText } from './meta.ts';
import { encodeSchedulesFile } from './schedules-file.ts';
import { encodeTombstones } from './tombstones.ts';

/** How many series are written before the event loop gets its turn. */
const SERIES_PER_TURN = 256;

export interface BlockSource {
  /** Every label name and value, in any order; more than there are, or twice, does no harm. */
  symbols(): Iterable<string>;
  /** In label order, each with at least one chunk. Closed by the writer. */
  series(): SeriesSet;
}

export interface BlockPlan {
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
  const ulid = newUlid();
  const path = join(dir, ulid);
  const temporary = `${path}.tmp-for-creation`;
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

class SeriesWriter {
  private readonly dir: string;
  private readonly source: BlockSource;
  private readonly mustStop: () => boolean;
  private readonly io: Io;
  private readonly chunks: ChunkWriter;
  private readonly index: IndexWriter;
  private readonly schedules: (Schedule | undefined)[] = [];
  private readonly stats = { numSamples: 0, numFloatSamples: 0, numHistogramSamples: 0, numChunks: 0 };

  static async create(dir: string, source: BlockSource, plan: BlockPlan, io: Io): Promise<SeriesWriter> {
    const index = await IndexWriter.create(join(dir, 'index'), source.symbols(), io);
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
        if (this.schedules.length % SERIES_PER_TURN === 0) await this.pause();
      }
      this.chunks.close();
      await this.index.close();
    } catch (error) {
      this.chunks.abort();
      this.index.abort();
      throw error;
    } finally {
      series.close();
    }
    if (this.schedules.some((schedule) => schedule !== undefined))
      writeFile(join(this.dir, 'schedules'), encodeSchedulesFile(this.schedules), this.io);
    return { ...this.stats, numSeries: this.schedules.length };
  }

  private async pause(): Promise<void> {
    await setImmediate();
    if (this.mustStop()) throw new Unavailable('block: writing was stopped, the database closes');
  }

  private write({ labels, schedule, chunks }: SeriesSet): void {
    const metas = joinedChunks(chunks).map((chunk) => {
      this.count(chunk);
      const { minTimeMs, maxTimeMs } = chunk;
      return { minTimeMs, maxTimeMs, ref: this.chunks.write(chunk.encoding, chunk.data) };
    });
    this.index.addSeries(labels, metas);
    this.schedules.push(schedule);
  }

  private count({ encoding, samples }: RawChunk): void {
    this.stats.numChunks++;
    this.stats.numSamples += samples;
    if (encoding === 1) this.stats.numFloatSamples += samples;
    else this.stats.numHistogramSamples += samples;
  }
}

/** What cannot be removed now goes at the next start. */
function discard(path: string, io: Io): void {
  try {
    io.remove(path);
  } catch {
    // The reason why the block failed is the one to tell.
  }
}
