// A process for the crash test to kill: `crash-child.js DIR` appends transactions without end, each of the samples
// (time, k) for series s0..s9, and prints k once its commit has returned.

import { writeSync } from 'node:fs';
import { Tsdb } from '../tsdb.ts';
import { EPOCH_MS, named, silent } from './sandbox.ts';

const series = Array.from({ length: 10 }, (_, i) => named(`s${i}`));
const dir = process.argv[2]!;
const db = await Tsdb.open({
  dir,
  retentionMs: 1e12,
  log: silent,
  walSegmentBytes: 20_000,
  clock: () => EPOCH_MS + 1e9,
});
const newest = db.status().maxTimeMs;
let k = newest > 0 ? (newest - EPOCH_MS) / 10 + 1 : 0;

function transaction(): void {
  const appender = db.appender();
  for (const labels of series) appender.append(appender.series(labels), EPOCH_MS + 10 * k, k);
  appender.commit();
  writeSync(1, `${k}\n`);
  k++;
}

setInterval(() => {
  for (let i = 0; i < 20; i++) transaction();
}, 0);
