import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Matcher } from '@flotilla/model';
import { decodeHistogramChunk } from './chunk/decode-chunk.ts';
import type { Io } from './io.ts';
import { changesDisk, FailingIo, PowerCut, PowerIo, quick, watched } from './testing/fault-io.ts';
import {
  commitStep,
  lateTimeOf,
  newProgress,
  runScript,
  scriptOptions,
  timeOf,
} from './testing/fault-script.ts';
import { readNumbers } from './testing/sandbox.ts';
import { Tsdb } from './tsdb.ts';

/** Every how-many-th call is one to fail at; 1 for all. */
const STRIDE = Number(process.env['FLOTILLA_FAULT_STRIDE'] ?? 97);

let base: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'flotilla-faults-'));
});

afterEach(() => rmSync(base, { recursive: true, force: true }));

async function callsOfScript(): Promise<number> {
  const dir = join(base, 'counted');
  const power = new PowerIo(dir);
  const progress = newProgress();
  const db = await runScript(dir, power.io, progress, () => false);
  expect(progress.failures).toBe(0);
  expect(db!.status().blocks.some(({ level }) => level > 1)).toBe(true);
  expect(db!.collect()['prometheus_tsdb_checkpoint_creations_total']).toBeGreaterThan(0);
  await checkContent(db!, progress.committed, progress.committed);
  const { calls } = power;
  await db!.close();
  return calls;
}

/** Step 0 has no late sample that differs from 0, and is left out. */
function checkSteps(steps: readonly number[], must: ReadonlySet<number>, may: ReadonlySet<number>): void {
  expect([...must].filter((step) => step > 0 && !steps.includes(step))).toEqual([]);
  expect(steps.filter((step) => !may.has(step))).toEqual([]);
  expect(new Set(steps).size).toBe(steps.length);
}

async function histogramSteps(db: Tsdb): Promise<number[]> {
  const set = await db.select([new Matcher('=', '__name__', 'h')], 0, 1e15);
  const counts: number[] = [];
  while (set.next())
    for (const chunk of set.chunks)
      for (const { histogram } of decodeHistogramChunk(chunk)) counts.push(histogram.count);
  return counts;
}

/** All of `must` is there, nothing but `may`, each once, with the right values. */
async function checkContent(db: Tsdb, must: ReadonlySet<number>, may: ReadonlySet<number>): Promise<void> {
  const series = await readNumbers(db);
  for (const name of ['s0', 's1', 's2']) {
    const points = series[name] ?? [];
    const steps = points.map(([, value]) => value);
    expect(points.map(([time]) => time)).toEqual(steps.map(timeOf));
    expect([...must].filter((step) => !steps.includes(step))).toEqual([]);
    expect(steps.filter((step) => !may.has(step))).toEqual([]);
    expect(new Set(steps).size).toBe(steps.length);
  }
  for (const step of must) expect(series[`only${step}`]).toEqual([[timeOf(step), step]]);
  const late = (series['late'] ?? []).filter(([, value]) => value > 0);
  expect(late.map(([time]) => time)).toEqual(late.map(([, value]) => lateTimeOf(value)));
  checkSteps(late.map(([, value]) => value), must, may); // prettier-ignore
  checkSteps(await histogramSteps(db), must, may);
}

describe('a power cut', () => {
  test('at any call that changes the disk loses nothing that was synced', async () => {
    const calls = await callsOfScript();
    expect(calls).toBeGreaterThan(300);
    for (let cutAt = 0; cutAt < calls; cutAt += STRIDE) {
      const dir = join(base, `cut-${cutAt}`);
      const power = new PowerIo(dir, cutAt);
      const progress = newProgress();
      const dead = await runScript(dir, power.io, progress, () => power.isCut);
      await dead?.close().catch(() => {});
      // A commit that threw because the power went may be there.
      const may = new Set([...progress.committed, progress.committed.size]);
      for (const torn of [false, true]) {
        const survivors = join(base, `left-${cutAt}-${torn}`);
        power.survivors(survivors, torn);
        let db = await Tsdb.open({ ...scriptOptions, dir: survivors, io: quick });
        await checkContent(db, progress.synced, may);
        expect(db.status().corruptions).toEqual([]);
        commitStep(db, 100);
        await db.maintain();
        await db.close();
        db = await Tsdb.open({ ...scriptOptions, dir: survivors, io: quick });
        await checkContent(db, new Set([...progress.synced, 100]), new Set([...may, 100]));
        await db.close();
        rmSync(survivors, { recursive: true });
      }
      rmSync(dir, { recursive: true, force: true });
    }
  }, 1_500_000);
});

describe('a call that fails', () => {
  test('wherever it is, costs what it was doing, and nothing else', async () => {
    const calls = await callsOfScript();
    for (let at = 0; at < calls; at += STRIDE) {
      const dir = join(base, `fail-${at}`);
      const failing = new FailingIo(at);
      const progress = newProgress();
      let db = (await runScript(dir, failing.io, progress, () => false))!;
      expect(failing.failed).toBe(true);
      await checkContent(db, progress.committed, progress.committed);
      await db.maintain();
      await checkContent(db, progress.committed, progress.committed);
      await db.close();
      db = await Tsdb.open({ ...scriptOptions, dir, io: quick });
      await checkContent(db, progress.committed, progress.committed);
      expect(db.status().corruptions).toEqual([]);
      await db.close();
      rmSync(dir, { recursive: true });
    }
  }, 1_500_000);
});

describe('a full disk', () => {
  /** Refuses whatever needs space, after half of a write, while it is full. */
  class FullDisk {
    isFull = false;
    readonly io: Io;

    constructor() {
      const refuse = (): void => {
        if (this.isFull) throw Object.assign(new PowerCut('no space left on device'), { code: 'ENOSPC' });
      };
      const needsSpace = (name: keyof Io): boolean => ['create', 'makeFolder', 'link'].includes(name);
      const inner = watched(quick, (name) => {
        if (changesDisk(name) && needsSpace(name)) refuse();
      });
      this.io = {
        ...inner,
        write: (fd, bytes) => {
          if (this.isFull) quick.write(fd, bytes.subarray(0, bytes.length >> 1));
          refuse();
          quick.write(fd, bytes);
        },
      };
    }
  }

  test('while appending, cutting, checkpointing and compacting: reads go on, and it recovers alone', async () => {
    const disk = new FullDisk();
    const dir = join(base, 'full');
    const db = await Tsdb.open({ ...scriptOptions, dir, io: disk.io });
    const committed = new Set<number>();
    for (let step = 0; step < 90; step++) {
      disk.isFull = Math.floor(step / 10) % 2 === 1;
      if (disk.isFull) expect(() => commitStep(db, step)).toThrow('no space left on device');
      else {
        commitStep(db, step);
        committed.add(step);
      }
      if (step % 10 === 5 && (disk.isFull || step > 60)) await db.maintain().catch(() => {});
      await checkContent(db, committed, committed);
    }
    expect(db.collect()['prometheus_tsdb_wal_writes_failed_total']).toBeGreaterThan(30);
    expect(db.collect()['prometheus_tsdb_compactions_failed_total']).toBeGreaterThan(0);
    disk.isFull = false;
    await db.maintain();
    await checkContent(db, committed, committed);
    await db.close();
    const again = await Tsdb.open({ ...scriptOptions, dir, io: quick });
    await checkContent(again, committed, committed);
    expect(again.status().corruptions).toEqual([]);
    await again.close();
  });
});
