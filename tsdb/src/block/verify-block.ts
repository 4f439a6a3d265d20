// Reads all of a block and names what does not fit: checksums, order, counts, samples outside of their chunk's times.

import { compareLabels, CorruptionError, type Labels } from '@flotilla/model';
import { join } from 'node:path';
import type { ChunkEncoding } from '../api.ts';
import { samplesOf } from '../chunk/samples.ts';
import type { Block } from './block.ts';
import { ChunkReader } from './chunk-segments.ts';
import { IndexReader } from './index-reader.ts';
import type { ChunkMeta } from './index-writer.ts';

export interface BlockProblem {
  readonly ulid: string;
  readonly detail: string;
}

export function verifyBlock(block: Block): BlockProblem[] {
  const verifier = new Verifier(block);
  try {
    verifier.run();
  } finally {
    verifier.close();
  }
  return verifier.problems;
}

class Verifier {
  readonly problems: BlockProblem[] = [];
  private readonly block: Block;
  private readonly index: IndexReader;
  private readonly chunks: ChunkReader;
  private samples = 0;
  private chunkCount = 0;

  constructor(block: Block) {
    this.block = block;
    this.index = new IndexReader(block.index);
    this.chunks = new ChunkReader(join(block.dir, 'chunks'));
  }

  run(): void {
    let before: Labels | undefined;
    const ids = this.guarded(() => this.index.all()) ?? [];
    for (const id of ids) {
      const series = this.guarded(() => this.index.series(id));
      if (series === undefined) continue;
      if (before !== undefined && compareLabels(before, series.labels) >= 0)
        this.problem(`series ${series.labels.toString()} is not behind the one before it`);
      before = series.labels;
      this.verifyChunks(series.labels, series.chunks);
    }
    const { stats } = this.block.meta;
    this.expectCount('series', ids.length, stats.numSeries);
    this.expectCount('chunks', this.chunkCount, stats.numChunks);
    this.expectCount('samples', this.samples, stats.numSamples);
  }

  private verifyChunks(labels: Labels, metas: readonly ChunkMeta[]): void {
    const { minTime, maxTime } = this.block.meta;
    let endMs = -Infinity;
    for (const meta of metas) {
      this.chunkCount++;
      const where = `series ${labels.toString()}, chunk ${meta.ref}`;
      if (meta.minTimeMs <= endMs) this.problem(`${where}: begins before the one before it ends`);
      if (meta.minTimeMs < minTime || meta.maxTimeMs >= maxTime)
        this.problem(`${where}: outside of the block`);
      endMs = meta.maxTimeMs;
      this.guarded(() => this.verifyChunk(where, meta));
    }
  }

  private verifyChunk(where: string, { minTimeMs, maxTimeMs, ref }: ChunkMeta): void {
    const { encoding, data } = this.chunks.read(ref);
    if (encoding < 1 || encoding > 3) return this.problem(`${where}: encoding ${encoding}, want 1 to 3`);
    const count = (data[0]! << 8) | data[1]!;
    this.samples += count;
    const chunk = { minTimeMs, maxTimeMs, samples: count, encoding: encoding as ChunkEncoding, data };
    const times = samplesOf(chunk).map(({ timeMs }) => timeMs);
    if (times.some((time, i) => i > 0 && time <= times[i - 1]!))
      this.problem(`${where}: times do not ascend`);
    if (times[0] !== minTimeMs || times.at(-1) !== maxTimeMs)
      this.problem(`${where}: times are not those of the index`);
    return undefined;
  }

  private expectCount(what: string, got: number, want: number): void {
    if (got !== want) this.problem(`${got} ${what}, want ${want}, as meta.json says`);
  }

  private guarded<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      this.problem(error.message);
      return undefined;
    }
  }

  private problem(detail: string): void {
    this.problems.push({ ulid: this.block.meta.ulid, detail });
  }

  close(): void {
    this.index.close();
    this.chunks.close();
  }
}
