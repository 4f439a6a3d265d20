// Which blocks become one next. Prometheus's rules, so that the blocks of a folder look as they would there.

import type { BlockMeta } from './meta.ts';

const LEVEL_FACTOR = 3;
const LEVELS_MAX = 10;
const MONTH_MS = 31 * 86_400_000;
/** Deleted intervals per series beyond which a block is rewritten alone. */
const TOMBSTONES_PER_SERIES = 0.05;

/** Widths of the levels: the smallest, three times as wide, and so on, up to min(31 days, a tenth of the retention). */
export function levelRangesMs(blockDurationMs: number, retentionMs: number): number[] {
  const widest = Math.max(blockDurationMs, Math.min(MONTH_MS, retentionMs / 10));
  const ranges: number[] = [];
  for (let range = blockDurationMs; range <= widest && ranges.length < LEVELS_MAX; range *= LEVEL_FACTOR)
    ranges.push(range);
  return ranges;
}

/** The blocks to compact now, ascending in time; none if all is well. `metas` in any order. */
export function planCompaction(metas: readonly BlockMeta[], rangesMs: readonly number[]): BlockMeta[] {
  const sorted = metas.toSorted((a, b) => a.minTime - b.minTime);
  const overlapping = firstOverlap(sorted);
  if (overlapping.length > 0) return overlapping.some(isFailed) ? [] : overlapping;
  const settled = sorted.slice(0, -1); // The newest one may be on its way to a backup.
  const range = firstFullRange(settled, rangesMs);
  return range.length > 0 ? range : firstRidden(settled, rangesMs);
}

function isFailed({ compaction }: BlockMeta): boolean {
  return compaction.failed === true;
}

function firstOverlap(sorted: readonly BlockMeta[]): BlockMeta[] {
  const found: BlockMeta[] = [];
  let endMs = sorted[0]?.maxTime ?? 0;
  for (let i = 1; i < sorted.length; i++) {
    const meta = sorted[i]!;
    if (meta.minTime < endMs) {
      if (found.length === 0) found.push(sorted[i - 1]!);
      found.push(meta);
    } else if (found.length > 0) break;
    endMs = Math.max(endMs, meta.maxTime);
  }
  return found;
}

/** Several blocks in one aligned range that they fill, or that no more blocks will come into. */
function firstFullRange(sorted: readonly BlockMeta[], rangesMs: readonly number[]): BlockMeta[] {
  const newest = sorted.at(-1)?.minTime ?? 0;
  for (const rangeMs of rangesMs.slice(1)) {
    for (const group of byRange(sorted, rangeMs)) {
      const width = group.at(-1)!.maxTime - group[0]!.minTime;
      const isDone = width === rangeMs || group.at(-1)!.maxTime <= newest;
      if (isDone && group.length > 1 && !group.some(isFailed)) return group;
    }
  }
  return [];
}

/** Groups of the blocks that lie in the same multiple of a range; those that cross one are in none. */
function byRange(sorted: readonly BlockMeta[], rangeMs: number): BlockMeta[][] {
  const groups = new Map<number, BlockMeta[]>();
  for (const meta of sorted) {
    const number = Math.floor(meta.minTime / rangeMs);
    if (meta.maxTime > (number + 1) * rangeMs) continue;
    const group = groups.get(number);
    if (group === undefined) groups.set(number, [meta]);
    else group.push(meta);
  }
  return [...groups.values()];
}

/** A large block of which much is deleted. */
function firstRidden(sorted: readonly BlockMeta[], rangesMs: readonly number[]): BlockMeta[] {
  const large = rangesMs[Math.floor(rangesMs.length / 2)] ?? 0;
  for (const meta of sorted.toReversed()) {
    if (meta.maxTime - meta.minTime < large) break;
    const share = (meta.stats.numTombstones ?? 0) / (meta.stats.numSeries + 1);
    if (share > TOMBSTONES_PER_SERIES && !isFailed(meta)) return [meta];
  }
  return [];
}
