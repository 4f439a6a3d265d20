import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UptimeLog } from './uptime-log.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flotilla-uptime-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function run(startMs: number, lastSeenMs: number): Promise<void> {
  const log = await UptimeLog.open(join(folder, 'uptime'), startMs);
  log.touch(lastSeenMs);
}

test('gaps lie before the first run and between runs, cut to the range', async () => {
  await run(1000, 2000);
  await run(3000, 4000);
  const log = await UptimeLog.open(join(folder, 'uptime'), 5000);
  expect(log.gaps(0, 9000)).toEqual([
    { fromMs: 0, toMs: 1000 },
    { fromMs: 2000, toMs: 3000 },
    { fromMs: 4000, toMs: 5000 },
  ]);
  expect(log.gaps(2500, 2600)).toEqual([{ fromMs: 2500, toMs: 2600 }]);
  expect(log.gaps(1100, 1900)).toEqual([]);
  expect(log.gaps(6000, 9000)).toEqual([]);
});

test('a torn last record is written over', async () => {
  await run(1000, 2000);
  appendFileSync(join(folder, 'uptime'), Buffer.alloc(9));
  await run(3000, 4000);
  const log = await UptimeLog.open(join(folder, 'uptime'), 4000);
  expect(log.gaps(0, 5000)).toEqual([
    { fromMs: 0, toMs: 1000 },
    { fromMs: 2000, toMs: 3000 },
  ]);
});
