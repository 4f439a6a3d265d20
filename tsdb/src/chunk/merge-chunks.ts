// Chunks of one series from several places, as one ascending list without overlaps.

import { CorruptionError } from '@flotilla/model';
import type { RawChunk } from '../api.ts';
import { mergedChunks, samplesOf } from './samples.ts';

/**
 * Sorts by time; decodes and encodes only what overlaps. At equal times the chunk that comes later in `chunks` wins.
 * Damaged chunks among those that overlap are left out.
 */
export function mergeChunks(chunks: readonly RawChunk[]): RawChunk[] {
  return mergeChunksStrictly(chunks, isSound);
}

/** The same for a rewrite that must not lose anything unseen: throws CorruptionError on damage. */
export function mergeChunksStrictly(
  chunks: readonly RawChunk[],
  keep: (chunk: RawChunk) => boolean = () => true,
): RawChunk[] {
  const order = chunks.map((_, i) => i).toSorted((a, b) => chunks[a]!.minTimeMs - chunks[b]!.minTimeMs);
  const out: RawChunk[] = [];
  for (let from = 0; from < order.length;) {
    let to = from + 1;
    let maxTimeMs = chunks[order[from]!]!.maxTimeMs;
    for (; to < order.length && chunks[order[to]!]!.minTimeMs <= maxTimeMs; to++) {
      maxTimeMs = Math.max(maxTimeMs, chunks[order[to]!]!.maxTimeMs);
    }
    const run = order.slice(from, to).toSorted((a, b) => a - b);
    if (run.length === 1) out.push(chunks[run[0]!]!);
    else out.push(...mergedChunks(run.map((i) => chunks[i]!).filter(keep)));
    from = to;
  }
  return out;
}

function isSound(chunk: RawChunk): boolean {
  try {
    samplesOf(chunk);
    return true;
  } catch (error) {
    if (error instanceof CorruptionError) return false;
    throw error;
  }
}
