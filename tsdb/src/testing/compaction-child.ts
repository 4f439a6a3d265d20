// A process for the crash test to kill while its compaction thread works: `compaction-child.js DIR` writes minute after
// minute of the series s0…s199 and `gone`, cuts and compacts, deletes what `gone` had, prints the minute, and rewrites its blocks.

import { Matcher } from '@flotilla/model';
import { writeSync } from 'node:fs';
import { Tsdb } from '../tsdb.ts';
import { EPOCH_MS, MINUTE_MS, named, silent } from './sandbox.ts';

const STEP_MS = 10_000;
const series = [...Array.from({ length: 200 }, (_, i) => named(`s${i}`)), named('gone')];
const db = await Tsdb.open({
  dir: process.argv[2]!,
  retentionMs: 1e12,
  blockDurationMs: MINUTE_MS,
  log: silent,
  clock: () => EPOCH_MS + 1e9,
});
const newest = db.status().maxTimeMs;
let k = newest > 0 ? (newest - EPOCH_MS) / STEP_MS + 1 : 0;

for (;;) {
  const until = (Math.floor(k / 6) + 1) * 6;
  for (; k < until; k++) {
    const appender = db.appender();
    for (const labels of series) appender.append(appender.series(labels), EPOCH_MS + STEP_MS * k, k);
    appender.commit();
  }
  await db.maintain();
  await db.deleteSeries([new Matcher('=', '__name__', 'gone')], 0, 1e15);
  writeSync(1, `${k}\n`);
  await db.cleanTombstones();
}
