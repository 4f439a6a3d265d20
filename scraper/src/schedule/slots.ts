// The slots of a target: phaseMs + k·intervalMs on the wall clock. Both replicas of a shard compute the same ones, now
// and after any restart, so that their samples carry the same times.

import type { Schedule } from '@flotilla/tsdb';

/** A target's schedule: its id spreads targets evenly over the interval. */
export function scheduleOf(targetId: number, intervalMs: number): Schedule {
  return { targetId, intervalMs, phaseMs: targetId % intervalMs };
}

/** The last slot at or before `timeMs`. */
export function slotAt(schedule: Schedule, timeMs: number): number {
  const { phaseMs, intervalMs } = schedule;
  return phaseMs + Math.floor((timeMs - phaseMs) / intervalMs) * intervalMs;
}

/** How long after its slot replica `replica` scrapes: replicas take turns, within a quarter of the interval. */
export function replicaDelayMs(replica: number, offsetMs: number, intervalMs: number): number {
  return Math.min(replica * offsetMs, Math.floor(intervalMs / 4));
}

/** How late a scrape may start and still carry its slot's time. `toleranceMs` 0 means the default: 40 %, at most 1 s. */
export function slotToleranceMs(intervalMs: number, toleranceMs: number): number {
  return toleranceMs > 0 ? Math.min(toleranceMs, intervalMs) : Math.min(Math.floor(intervalMs * 0.4), 1000);
}
