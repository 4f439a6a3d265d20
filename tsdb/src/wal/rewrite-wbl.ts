// Shortens the log of late samples to those that no block has.

import type { Head } from '../head/head.ts';
import { encodeLate, type LateSample } from './late-records.ts';
import type { Wal } from './wal.ts';

const SAMPLES_PER_RECORD = 5000;

/** Writes all late samples of the head to a new segment and drops the older ones. Throws Unavailable. */
export function rewriteWbl(wbl: Wal, head: Head): void {
  wbl.nextSegment();
  const first = wbl.segment;
  let samples: LateSample[] = [];
  const flush = (): void => {
    if (samples.length === 0) return;
    wbl.write(head.kernel, (page) => {
      for (const record of encodeLate(samples)) head.kernel.frameRecord(record, page);
    });
    samples = [];
  };
  for (const slot of head.late.slots()) {
    const ref = head.refs.refAt(slot);
    for (const sample of head.late.of(slot, -Infinity, Infinity)) samples.push({ ...sample, ref });
    if (samples.length >= SAMPLES_PER_RECORD) flush();
  }
  flush();
  wbl.sync();
  wbl.dropThrough(first - 1);
}
