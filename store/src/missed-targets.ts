// Targets of which this store misses a slot: their scrape failed, was late beyond its slot, began or ended within the range.
// Read off the `up` series, which every scrape writes, whether it succeeds or not.

import { Matcher, METRIC_NAME } from '@flotilla/model';
import { decodeChunk } from '@flotilla/tsdb';
import type { RawChunk, Tsdb } from '@flotilla/tsdb';
import { isCovered } from './slot-coverage.ts';

const upMatcher = new Matcher('=', METRIC_NAME, 'up');
const times = new Float64Array(0xffff);
const values = new Float64Array(0xffff);

/** Ids of the targets, ascending; only those in `wanted` unless it is empty. */
export async function missedTargets(
  tsdb: Tsdb,
  minTimeMs: number,
  maxTimeMs: number,
  nowMs: number,
  wanted: ReadonlySet<number>,
): Promise<number[]> {
  const missed = new Set<number>();
  const set = await tsdb.select([upMatcher], minTimeMs, maxTimeMs, { packed: true });
  try {
    while (set.next()) {
      const { schedule } = set;
      const id = schedule?.targetId ?? 0;
      if (id === 0 || (wanted.size > 0 && !wanted.has(id))) continue;
      if (
        !isCovered(schedule, set.chunkList, minTimeMs, maxTimeMs, nowMs) ||
        hasFailure(set.chunks, minTimeMs, maxTimeMs)
      )
        missed.add(id);
    }
  } finally {
    set.close();
  }
  return [...missed].toSorted((a, b) => a - b);
}

/** A value other than 1 in the range: 0 for a failed scrape, stale after the target had gone. */
function hasFailure(chunks: readonly RawChunk[], minTimeMs: number, maxTimeMs: number): boolean {
  return chunks.some((chunk) => {
    const count = decodeChunk(chunk, times, values);
    for (let index = 0; index < count; index++) {
      if (values[index] !== 1 && times[index]! >= minTimeMs && times[index]! <= maxTimeMs) return true;
    }
    return count < chunk.samples;
  });
}
