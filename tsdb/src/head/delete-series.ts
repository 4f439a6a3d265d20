// Deletions in the head: logged first, then hidden.

import type { Matcher } from '@flotilla/model';
import type { SeriesRef } from '../api.ts';
import type { Interval } from '../block/tombstones.ts';
import { encodeDeletions } from '../wal/records.ts';
import type { Wal } from '../wal/wal.ts';
import type { Head } from './head.ts';
import { slotOf } from './ref-table.ts';

/** Deletes what the head has in the range, not what comes into it later. Throws Unavailable when the disk refuses. */
export function deleteFromHead(
  head: Head,
  wal: Wal,
  matchers: readonly Matcher[],
  minTimeMs: number,
  maxTimeMs: number,
): void {
  const deletions: [SeriesRef, Interval][] = [];
  for (const slot of head.index.select(matchers)) {
    const interval = head.heldWithin(slot, minTimeMs, maxTimeMs);
    if (interval !== undefined) deletions.push([head.refs.refAt(slot), interval]);
  }
  if (deletions.length === 0) return;
  wal.write(head.kernel, (page) => head.kernel.frameRecord(encodeDeletions(deletions), page));
  for (const [ref, interval] of deletions) head.delete(slotOf(ref), interval);
}
