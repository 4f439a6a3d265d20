// Whether a series has a sample in every slot of a range, read off its chunks' headers. Hot: once per series of an answer.
//
// Careful in one direction only: "covered" is certain, "not covered" may be a hole outside the range in a chunk that touches it.

import { ChunkListReader, type Schedule } from '@flotilla/tsdb';

/** A slot is not missed before its time and this have passed: the scrape may still run. */
const graceMinMs = 2000;

/** For one series at a time. */
const chunk = new ChunkListReader(new Uint8Array(0));

/** Last moment of the range whose slot must be filled by now. */
export function settledEnd(maxTimeMs: number, intervalMs: number, nowMs: number): number {
  return Math.min(maxTimeMs, nowMs - Math.max(intervalMs, graceMinMs));
}

/** True when each slot of [minTimeMs, maxTimeMs] that is due has a sample. A series without a schedule is never covered. */
export function isCovered(
  schedule: Schedule | undefined,
  chunkList: Uint8Array,
  minTimeMs: number,
  maxTimeMs: number,
  nowMs: number,
): boolean {
  if (schedule === undefined || schedule.intervalMs <= 0) return false;
  const { intervalMs, phaseMs } = schedule;
  const first = Math.ceil((minTimeMs - phaseMs) / intervalMs);
  const last = Math.floor((settledEnd(maxTimeMs, intervalMs, nowMs) - phaseMs) / intervalMs);
  if (last < first) return true;
  chunk.begin(chunkList);
  let expected: number | undefined;
  while (chunk.next()) {
    const from = Math.floor((chunk.minTimeMs - phaseMs) / intervalMs);
    const to = Math.floor((chunk.maxTimeMs - phaseMs) / intervalMs);
    if (chunk.samples !== to - from + 1) return false;
    if (expected === undefined ? from > first : from !== expected) return false;
    expected = to + 1;
  }
  return expected !== undefined && expected > last;
}

/**
 * True when the newest sample of [minTimeMs, maxTimeMs] is of the last slot there that is due, so that no other store has a
 * newer one. A list need not have others.
 */
export function isNewest(
  schedule: Schedule | undefined,
  chunkList: Uint8Array,
  minTimeMs: number,
  maxTimeMs: number,
  nowMs: number,
): boolean {
  if (schedule === undefined || schedule.intervalMs <= 0) return false;
  const { intervalMs, phaseMs } = schedule;
  const last = Math.floor((settledEnd(maxTimeMs, intervalMs, nowMs) - phaseMs) / intervalMs);
  if (phaseMs + last * intervalMs < minTimeMs) return true;
  chunk.begin(chunkList);
  let newest = -Infinity;
  while (chunk.next()) {
    const from = Math.floor((chunk.minTimeMs - phaseMs) / intervalMs);
    const to = Math.floor((chunk.maxTimeMs - phaseMs) / intervalMs);
    // Which of a chunk that goes on behind the range are in it, only one without holes tells.
    if (chunk.maxTimeMs <= maxTimeMs || chunk.samples === to - from + 1) newest = to;
  }
  return newest >= last;
}
