// Several blocks → one: series merged in label order, overlapping chunks merged, deleted samples left out.

import type { SeriesSet } from '../api.ts';
import { MergedSeriesSet } from '../merged-series-set.ts';
import type { Io } from '../io.ts';
import type { Block } from './block.ts';
import { LabelledSource } from './block-source.ts';
import { type BlockPlan, writeBlock } from './block-writer.ts';
import { type Compaction, isOutOfOrder, OUT_OF_ORDER_HINT } from './meta.ts';

/**
 * Writes one block from all samples of some, which ascend in time, and returns its folder; undefined if nothing is left
 * of them. Throws CorruptionError if one is damaged: then nothing is written.
 */
export async function compact(
  dir: string,
  blocks: readonly Block[],
  { ulid, mustStop }: Pick<BlockPlan, 'ulid' | 'mustStop'>,
  io: Io,
): Promise<string | undefined> {
  const metas = blocks.map(({ meta }) => meta);
  const plan = {
    minTimeMs: Math.min(...metas.map(({ minTime }) => minTime)),
    maxTimeMs: Math.max(...metas.map(({ maxTime }) => maxTime)),
    compaction: compactionOf(blocks),
    ...(ulid !== undefined && { ulid }),
    ...(mustStop !== undefined && { mustStop }),
  };
  const source = new LabelledSource(
    () => symbolsOf(blocks),
    () => merged(blocks),
  );
  return writeBlock(dir, source, plan, io);
}

function compactionOf(blocks: readonly Block[]): Compaction {
  const metas = blocks.map(({ meta }) => meta);
  const level = Math.max(...metas.map(({ compaction }) => compaction.level));
  return {
    level: metas.length > 1 ? level + 1 : level,
    sources: [...new Set(metas.flatMap(({ compaction }) => compaction.sources))].toSorted(),
    parents: metas.map(({ ulid, minTime, maxTime }) => ({ ulid, minTime, maxTime })),
    ...(metas.every(isOutOfOrder) ? { hints: [OUT_OF_ORDER_HINT] } : {}),
  };
}

function* symbolsOf(blocks: readonly Block[]): Iterable<string> {
  for (const { index } of blocks) {
    for (let number = 0; number < index.symbolCount; number++) yield index.symbol(number);
  }
}

function merged(blocks: readonly Block[]): SeriesSet {
  const sets: SeriesSet[] = [];
  try {
    for (const block of blocks)
      sets.push(block.select([], -Infinity, Infinity, { strict: true, packed: true }));
  } catch (error) {
    for (const set of sets) set.close();
    throw error;
  }
  return new MergedSeriesSet(sets, { strict: true });
}
