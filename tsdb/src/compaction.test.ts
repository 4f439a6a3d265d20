import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Matcher } from '@flotilla/model';
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { anything, EPOCH_MS, MINUTE_MS, put, read, readNumbers, Sandbox } from './testing/sandbox.ts';
import type { Tsdb } from './tsdb.ts';

const STEP_MS = 5000;
const options = { blockDurationMs: MINUTE_MS, retentionMs: 24 * 60 * MINUTE_MS };

let sandbox: Sandbox;
let db: Tsdb;

beforeEach(async () => {
  sandbox = new Sandbox();
  db = await sandbox.tsdb(options);
});

afterEach(() => sandbox.remove());

/** Samples of `a`, `b` and one short-lived series a minute, value = index, for some minutes. */
function fill(fromMinute: number, toMinute: number): void {
  const perMinute = MINUTE_MS / STEP_MS;
  for (let i = fromMinute * perMinute; i < toMinute * perMinute; i++) {
    put(db, EPOCH_MS + i * STEP_MS, { a: i, b: -i, [`c${Math.floor(i / perMinute)}`]: 1 });
  }
}

function blockNames(): string[] {
  return readdirSync(sandbox.dir).filter((name) => name.length === 26);
}

function spans(): number[][] {
  const minute = (ms: number): number => (ms - EPOCH_MS) / MINUTE_MS;
  return db.status().blocks.map(({ minTimeMs, maxTimeMs }) => [minute(minTimeMs), minute(maxTimeMs)]);
}

function is(name: string): Matcher[] {
  return [new Matcher('=', '__name__', name)];
}

describe('compaction', () => {
  test('merges blocks into larger ones, level by level, and reads stay the same', async () => {
    fill(0, 30);
    const before = await read(db);
    await db.maintain();
    expect(spans()).toEqual([[0, 9], [9, 18], [18, 27], [27, 28], [28, 29]]); // prettier-ignore
    expect(db.status().blocks[0]).toMatchObject({ level: 3, samples: 9 * 12 * 3, series: 11 });
    expect(await read(db)).toEqual(before);
    expect(blockNames()).toHaveLength(5);
    const meta = JSON.parse(
      readFileSync(join(sandbox.dir, db.status().blocks[0]!.ulid, 'meta.json'), 'utf8'),
    );
    expect(meta.compaction.sources).toHaveLength(9);
    expect(meta.compaction.parents).toHaveLength(3);
    await db.close();
    db = await sandbox.tsdb(options);
    expect(await read(db)).toEqual(before);
  });

  test('merges overlapping blocks, as another writer may leave them', async () => {
    fill(0, 4);
    await db.maintain();
    const before = await read(db);
    const [first] = blockNames();
    const copy = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
    cpSync(join(sandbox.dir, first!), join(sandbox.dir, copy), { recursive: true });
    const path = join(sandbox.dir, copy, 'meta.json');
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(first!, copy));
    await db.maintain();
    expect(db.status().blocks.some(({ ulid }) => ulid === copy)).toBe(false);
    expect(spans()).toEqual([[0, 1], [1, 2], [2, 3]]); // prettier-ignore
    expect(await read(db)).toEqual(before);
  });

  test('deletes what a crash left of the blocks that it replaced', async () => {
    fill(0, 4);
    await db.maintain();
    const copies = blockNames();
    for (const name of copies)
      cpSync(join(sandbox.dir, name), join(sandbox.dir, `${name}.kept`), { recursive: true });
    fill(4, 6);
    await db.maintain();
    const [merged] = db.status().blocks;
    expect(merged!.level).toBe(2);
    const before = await read(db);
    await db.close();
    for (const name of copies)
      cpSync(join(sandbox.dir, `${name}.kept`), join(sandbox.dir, name), { recursive: true });
    db = await sandbox.tsdb(options);
    expect(db.status().blocks.filter(({ ulid }) => copies.includes(ulid))).toEqual([]);
    expect(await read(db)).toEqual(before);
  });

  test('leaves a reader in peace: what it began it can end', async () => {
    fill(0, 4);
    await db.maintain();
    const old = blockNames();
    const set = await db.select(is('a'), EPOCH_MS, EPOCH_MS + MINUTE_MS - 1);
    fill(4, 6);
    await db.maintain();
    expect(blockNames().filter((name) => old.includes(name))).toHaveLength(1);
    expect(set.next()).toBe(true);
    expect(set.chunks[0]!.samples).toBe(12);
    set.close();
    expect(blockNames().filter((name) => old.includes(name))).toHaveLength(0);
  });

  test('marks a damaged block and leaves it as it is; the rest of it serves', async () => {
    fill(0, 4);
    await db.maintain();
    const damaged = join(sandbox.dir, blockNames()[0]!, 'chunks', '000001');
    const bytes = readFileSync(damaged);
    bytes[20]! ^= 1;
    writeFileSync(damaged, bytes);
    fill(4, 8);
    await db.maintain();
    expect(spans()).toEqual([[0, 1], [1, 2], [2, 3], [3, 6], [6, 7]]); // prettier-ignore
    expect(db.collect()['flotilla_tsdb_blocks_damaged_total']).toBe(1);
    expect(db.status().corruptions[0]!.detail).toContain('checksum');
    expect((await readNumbers(db, is('b')))['b']).toHaveLength(96);
    await db.maintain();
    expect(db.collect()['flotilla_tsdb_blocks_damaged_total']).toBe(1);
  });
});

describe('retention by size', () => {
  test('deletes the oldest blocks until all fits', async () => {
    fill(0, 9);
    await db.maintain();
    const { blocks, walBytes } = db.status();
    const last = blocks.at(-1)!;
    await db.close();
    db = await sandbox.tsdb({ ...options, retentionBytes: walBytes + last.sizeBytes + 100 });
    await db.maintain();
    expect(db.status().blocks.map(({ ulid }) => ulid)).toEqual([last.ulid]);
    expect(db.collect()['prometheus_tsdb_size_retentions_total']).toBe(blocks.length - 1);
  });
});

describe('deleteSeries', () => {
  const [from, to] = [EPOCH_MS + 90_000, EPOCH_MS + 4 * MINUTE_MS + 1000];

  function expected(name: string, sign: number): Record<string, [number, number][]> {
    const points = Array.from({ length: 72 }, (_, i): [number, number] => [
      EPOCH_MS + i * STEP_MS,
      sign * i || 0,
    ]);
    return { [name]: points.filter(([t]) => t < from || t > to) };
  }

  test('hides samples of blocks and head, over restarts and compactions', async () => {
    fill(0, 6);
    await db.maintain();
    expect(spans().length).toBeGreaterThan(1);
    await db.deleteSeries(is('a'), from, to);
    const all = await readNumbers(db, is('b'));
    const check = async (): Promise<void> => {
      expect(await readNumbers(db, is('a'))).toEqual(expected('a', 1));
      expect(await readNumbers(db, is('b'))).toEqual(all);
    };
    await check();
    await db.close();
    db = await sandbox.tsdb(options);
    await check();
    expect(db.status().blocks.reduce((sum, { tombstones }) => sum + tombstones, 0)).toBeGreaterThan(0);
    fill(6, 12);
    await db.maintain();
    expect((await readNumbers(db, is('a'), 0, EPOCH_MS + 6 * MINUTE_MS - 1))['a']).toEqual(
      expected('a', 1)['a'],
    );
    await db.cleanTombstones();
    expect(db.status().blocks.reduce((sum, { tombstones }) => sum + tombstones, 0)).toBe(0);
    expect((await readNumbers(db, is('a'), 0, EPOCH_MS + 6 * MINUTE_MS - 1))['a']).toEqual(
      expected('a', 1)['a'],
    );
  });

  test('of everything leaves no block', async () => {
    fill(0, 4);
    await db.maintain();
    await db.deleteSeries(anything, 0, EPOCH_MS + 2 * MINUTE_MS - 1);
    await db.cleanTombstones();
    expect(spans()).toEqual([[2, 3]]); // prettier-ignore
    expect((await readNumbers(db, is('a')))['a']).toHaveLength(24);
  });

  test('survives a checkpoint of the WAL', async () => {
    await db.close();
    db = await sandbox.tsdb({ ...options, walSegmentBytes: 2000 });
    fill(0, 10);
    await db.deleteSeries(is('a'), EPOCH_MS + 9 * MINUTE_MS + 1000, EPOCH_MS + 10 * MINUTE_MS);
    put(db, EPOCH_MS + 10 * MINUTE_MS, { a: 7 });
    const before = await readNumbers(db, is('a'));
    await db.maintain();
    expect(db.collect()['prometheus_tsdb_checkpoint_creations_total']).toBe(1);
    await db.close();
    db = await sandbox.tsdb(options);
    expect(await readNumbers(db, is('a'))).toEqual(before);
  });
});

describe('snapshot', () => {
  test('is a database with the same samples', async () => {
    fill(0, 5);
    await db.maintain();
    await db.deleteSeries(is('a'), 0, EPOCH_MS + MINUTE_MS);
    const before = await read(db);
    const dir = join(sandbox.dir, 'snapshots');
    await db.snapshot(dir);
    await db.deleteSeries(anything, 0, 1e15);
    const copy = await sandbox.tsdb({ ...options, dir });
    expect(await read(copy)).toEqual(before);
    await copy.close();
    await expect(db.snapshot(dir)).rejects.toThrow('EEXIST');
    expect(existsSync(dir)).toBe(true);
    const blocks = join(sandbox.dir, 'blocks');
    await db.snapshot(blocks, { skipHead: true });
    expect(readdirSync(blocks)).toEqual(blockNames());
    expect(statSync(join(blocks, blockNames()[0]!, 'index')).nlink).toBeGreaterThan(1);
  });
});
