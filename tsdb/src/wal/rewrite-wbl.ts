// Shortens the log of late samples to those that no block has.

import type { Head } from '../head/head.ts';
import type { Wal } from './wal.ts';

/** Writes all late samples of the head to a new segment and drops the older ones. Throws Unavailable. */
export function rewriteWbl(wbl: Wal, head: Head): void {
  wbl.nextSegment();
  const first = wbl.segment;
  for (const record of head.late.records((slot) => head.refs.refAt(slot)))
    wbl.write(head.kernel, (page) => head.kernel.frameRecord(record, page));
  wbl.sync();
  wbl.dropThrough(first - 1);
}
