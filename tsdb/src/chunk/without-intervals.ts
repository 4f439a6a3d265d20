// Chunks without what was deleted of them.

import type { RawChunk } from '../api.ts';
import type { Interval } from '../block/tombstones.ts';
import { encodeSamples, samplesOf } from './samples.ts';

/** `intervals` as in Tombstones. Chunks that they do not touch stay as they are. Throws CorruptionError on damage. */
export function withoutIntervals(chunks: readonly RawChunk[], intervals: readonly Interval[]): RawChunk[] {
  if (intervals.length === 0) return [...chunks];
  return chunks.flatMap((chunk) => {
    const touching = intervals.filter(
      ({ minTimeMs, maxTimeMs }) => minTimeMs <= chunk.maxTimeMs && maxTimeMs >= chunk.minTimeMs,
    );
    if (touching.length === 0) return [chunk];
    if (touching.some((interval) => covers(interval, chunk))) return [];
    return rewritten(chunk, touching);
  });
}

function covers({ minTimeMs, maxTimeMs }: Interval, chunk: RawChunk): boolean {
  return minTimeMs <= chunk.minTimeMs && maxTimeMs >= chunk.maxTimeMs;
}

function rewritten(chunk: RawChunk, intervals: readonly Interval[]): RawChunk[] {
  return encodeSamples(samplesOf(chunk).filter(({ timeMs }) => !isInside(intervals, timeMs)));
}

function isInside(intervals: readonly Interval[], timeMs: number): boolean {
  return intervals.some(({ minTimeMs, maxTimeMs }) => timeMs >= minTimeMs && timeMs <= maxTimeMs);
}
