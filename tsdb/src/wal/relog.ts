// Logs series again whose WAL ref could not be kept, so that their later samples find them at the next replay.

import type { Schedule, SeriesRef } from '../api.ts';
import type { Head } from '../head/head.ts';
import { slotOf } from '../head/ref-table.ts';
import { encodeSchedules, encodeSeries } from './records.ts';
import type { Wal } from './wal.ts';

export function relogRenamed(wal: Wal, head: Head, refs: readonly SeriesRef[]): void {
  if (refs.length === 0) return;
  const schedules = new Map<SeriesRef, Schedule>();
  for (const ref of refs) {
    const schedule = head.schedule(ref);
    if (schedule !== undefined) schedules.set(ref, schedule);
  }
  wal.write(head.kernel, (page) => {
    head.kernel.frameRecord(
      encodeSeries(refs, (ref) => head.index.sets.labels(slotOf(ref))),
      page,
    );
    if (schedules.size > 0) head.kernel.frameRecord(encodeSchedules(schedules), page);
  });
}
