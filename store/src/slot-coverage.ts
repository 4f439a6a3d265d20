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

/** The slots of a range that are due, first > last if none is; undefined if the series has no schedule. */
function dueSlots(
  schedule: Schedule | undefined,
  minTimeMs: number,
  maxTimeMs: number,
  nowMs: number,
): { readonly first: number; readonly last: number } | undefined {
  if (schedule === undefined || schedule.intervalMs <= 0) return undefined;
  const { intervalMs, phaseMs } = schedule;
  return {
    first: Math.ceil((minTimeMs - phaseMs) / intervalMs),
    last: Math.floor((settledEnd(maxTimeMs, intervalMs, nowMs) - phaseMs) / intervalMs),
  };
}

function slotOf(timeMs: number, { intervalMs, phaseMs }: Schedule): number {
  return Math.floor((timeMs - phaseMs) / intervalMs);
}

/** True when each slot of [minTimeMs, maxTimeMs] that is due has a sample. A series without a schedule is never covered. */
export function isCovered(
  schedule: Schedule | undefined,
  chunkList: Uint8Array,
  minTimeMs: number,
  maxTimeMs: number,
  nowMs: number,
): boolean {
  const due = dueSlots(schedule, minTimeMs, maxTimeMs, nowMs);
  if (due === undefined) return false;
  if (due.last < due.first) return true;
  chunk.begin(chunkList);
  let expected: number | undefined;
  while (chunk.next()) {
    const from = slotOf(chunk.minTimeMs, schedule!);
    const to = slotOf(chunk.maxTimeMs, schedule!);
    if (chunk.samples !== to - from + 1) return false;
    if (expected === undefined ? from > due.first : from !== expected) return false;
    expected = to + 1;
  }
  return expected !== undefined && expected > due.last;
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
  const due = dueSlots(schedule, minTimeMs, maxTimeMs, nowMs);
  if (due === undefined) return false;
  if (due.last < due.first) return true;
  chunk.begin(chunkList);
  let newest = -Infinity;
  while (chunk.next()) {
    const to = slotOf(chunk.maxTimeMs, schedule!);
    // Which of a chunk that goes on behind the range are in it, only one without holes tells.
    const isDense = chunk.samples === to - slotOf(chunk.minTimeMs, schedule!) + 1;
    if (chunk.maxTimeMs <= maxTimeMs || isDense) newest = to;
  }
  return newest >= due.last;
}
