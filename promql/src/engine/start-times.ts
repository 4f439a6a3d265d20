// Hot: what start times tell of counters: a sample that began after the one before it is of a new counter.
//
// Windows that have no start times answer no.

import type { Windows } from './windows.ts';

/** Whether the counter of sample i began after that of sample i - 1. */
export function beganBetween({ startTimesMs, times }: Windows, i: number): boolean {
  if (startTimesMs === undefined) return false;
  const start = startTimesMs[i]!;
  const startBefore = startTimesMs[i - 1]!;
  const before = times[i - 1]!;
  // A start at or after the sample is no start, and 0 is none that is known.
  if (start === startBefore || start === 0 || start >= times[i]! || start < before) return false;
  if (start > before) return true;
  // It begins where the sample before it is: a delta, unless nobody knows when that one began.
  return startBefore <= before && startBefore !== 0 && startBefore !== before;
}

/** Whether sample i claims to begin before sample i - 1, and apart from it. */
export function beginsBeforeLast({ startTimesMs, times }: Windows, i: number): boolean {
  if (startTimesMs === undefined) return false;
  const start = startTimesMs[i]!;
  return start !== 0 && start < times[i - 1]! && start !== startTimesMs[i - 1];
}
