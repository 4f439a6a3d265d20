// The compaction thread, ended at any moment: with its process by kill -9, or alone.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Unavailable } from '@flotilla/model';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { readdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { EPOCH_MS, MINUTE_MS, put, readNumbers, Sandbox, silent } from '../testing/sandbox.ts';
import { Block } from './block.ts';
import { compactInWorker } from './compact-in-worker.ts';
import { IndexCache } from './index-cache.ts';
import { diskIo } from '../io.ts';

const STEP_MS = 10_000;
const options = { blockDurationMs: MINUTE_MS, retentionMs: 1e12 };
const child = fileURLToPath(new URL('../testing/compaction-child.js', import.meta.url));

let sandbox: Sandbox;

beforeEach(() => {
  sandbox = new Sandbox();
});

afterEach(() => sandbox.remove());

function halves(): string[] {
  return readdirSync(sandbox.dir).filter((name) => name.endsWith('.tmp-for-creation'));
}

/** Kills the child some time after its thread has begun to write; returns how many steps were acknowledged. */
async function runAndKill(rounds: number, afterMs: number): Promise<number> {
  const writer = spawn(process.execPath, [child, sandbox.dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise((resolve) => writer.once('exit', resolve));
  let acknowledged = 0;
  for await (const line of createInterface(writer.stdout)) {
    acknowledged = Number(line);
    if (--rounds !== 0) continue;
    while (halves().length === 0 && writer.exitCode === null && writer.signalCode === null) await sleep(1);
    await sleep(afterMs);
    writer.kill('SIGKILL');
  }
  await exited;
  return acknowledged;
}

test('kill -9 while it writes costs nothing, and the next start needs no hand', async () => {
  const kills = Number(process.env['FLOTILLA_KILLS'] ?? 3);
  for (let kill = 0; kill < kills; kill++) {
    const steps = await runAndKill([3, 1, 4][kill % 3]!, (kill * 7) % 23);
    const db = await sandbox.tsdb(options);
    expect(halves()).toEqual([]);
    expect(db.status().corruptions).toEqual([]);
    const series = await readNumbers(db);
    await db.close();
    expect((series['gone'] ?? []).filter(([, k]) => k < steps)).toEqual([]);
    for (const name of ['s0', 's77', 's199']) {
      const points = series[name]!;
      expect(points.length).toBeGreaterThanOrEqual(steps);
      expect(points).toEqual(points.map((_, k) => [EPOCH_MS + STEP_MS * k, k]));
    }
  }
}, 1_500_000);

describe('a thread that does not come to its end', () => {
  /** Some blocks, and the folder that they are in, without a database. */
  async function someBlocks(): Promise<Block[]> {
    const db = await sandbox.tsdb(options);
    for (let step = 0; step < 24; step++) put(db, EPOCH_MS + STEP_MS * step, { a: step, b: -step });
    await db.maintain();
    const names = db.status().blocks.map(({ ulid }) => ulid);
    await db.close();
    const refuse = (error: Error): void => expect(error).toBe(undefined);
    return names.map((name) => new Block(`${sandbox.dir}/${name}`, new IndexCache(1e9), refuse));
  }

  function compacted(blocks: readonly Block[], stop: AbortSignal): Promise<string | undefined> {
    return compactInWorker(sandbox.dir, blocks, stop, diskIo, (error) => silent.error(error.message));
  }

  test('is ended when the database closes, and leaves nothing half', async () => {
    const blocks = await someBlocks();
    const closing = new AbortController();
    const work = compacted(blocks, closing.signal);
    closing.abort();
    await expect(work).rejects.toThrow(Unavailable);
    await expect(compacted(blocks, closing.signal)).rejects.toThrow('the database closes');
    expect(halves()).toEqual([]);
    expect(await compacted(blocks, new AbortController().signal)).toContain(sandbox.dir);
  });

  test('tells what the disk said', async () => {
    const [first] = await someBlocks();
    const elsewhere = Object.create(first!, { dir: { value: `${sandbox.dir}/none` } }) as Block;
    const work = compacted([elsewhere], new AbortController().signal);
    await expect(work).rejects.toMatchObject({ name: 'CorruptionError', path: `${sandbox.dir}/none` });
    const file = `${sandbox.dir}/file`;
    writeFileSync(file, '');
    const stop = new AbortController().signal;
    await expect(compactInWorker(file, [first!], stop, diskIo, () => {})).rejects.toMatchObject({
      code: 'ENOTDIR',
    });
  });
});
