import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Matcher, STALE_NAN_LOW, Unavailable, writeStale } from '@flotilla/model';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { appendCode, type Schedule } from './api.ts';
import { diskIo } from './io.ts';
import { anything, EPOCH_MS, MINUTE_MS, named, put, read, readNumbers, Sandbox } from './testing/sandbox.ts';
import type { Tsdb } from './tsdb.ts';

const STEP_MS = 1000;
const small = { blockDurationMs: MINUTE_MS };
const schedule: Schedule = { targetId: 3, intervalMs: STEP_MS, phaseMs: 1 };

let sandbox: Sandbox;
let db: Tsdb;

beforeEach(async () => {
  sandbox = new Sandbox();
  db = await sandbox.tsdb(small);
});

afterEach(() => sandbox.remove());

/** Samples of `a` (value = index) and `b` (stale at each 10th) for seconds from..to−1. */
function fill(from: number, to: number): void {
  const appender = db.appender();
  const values = new Float64Array(2);
  for (let i = from; i < to; i++) {
    const refs = Uint32Array.of(
      appender.series(named('a', { ü: 'x' }), schedule),
      appender.series(named('b')),
    );
    values.set([i, -i]);
    if (i % 10 === 9) writeStale(values, 1);
    expect(appender.appendBatch(refs, values, 2, EPOCH_MS + i * STEP_MS)).toBe(2);
    appender.commit();
  }
}

function blockNames(): string[] {
  return readdirSync(sandbox.dir).filter((name) => name.length === 26);
}

test('what was deleted stays so when its block is gone and the WAL still has it', async () => {
  put(db, EPOCH_MS, { old: 1 });
  put(db, EPOCH_MS + 2 * MINUTE_MS, { new: 1 });
  await db.maintain();
  expect(blockNames()).toHaveLength(1);
  await db.deleteSeries([new Matcher('=', '__name__', 'old')], 0, EPOCH_MS + MINUTE_MS);
  await db.cleanTombstones();
  expect(blockNames()).toEqual([]);
  const survivor = new Sandbox();
  cpSync(sandbox.dir, survivor.dir, { recursive: true });
  try {
    expect([...(await read(await survivor.tsdb(small))).keys()]).toEqual(['new']);
  } finally {
    await survivor.remove();
  }
});

describe('maintain', () => {
  test('cuts whole ranges into blocks, and reads stay the same, over restarts too', async () => {
    fill(0, 200);
    const before = await read(db);
    await db.maintain();
    expect(db.status().blocks.map(({ samples, minTimeMs }) => [samples, minTimeMs - EPOCH_MS])).toEqual([
      [120, 0],
      [120, MINUTE_MS],
    ]);
    expect(await read(db)).toEqual(before);
    expect(db.status().headMinTimeMs).toBe(EPOCH_MS + 2 * MINUTE_MS);
    await db.close();
    db = await sandbox.tsdb(small);
    expect(await read(db)).toEqual(before);
    fill(200, 300);
    await db.maintain();
    expect(db.status().blocks.map(({ level }) => level)).toEqual([2, 1]);
    const all = await readNumbers(db);
    expect(all['{"a", "ü"="x"}'] ?? all['a{"ü"="x"}']).toEqual(
      Array.from({ length: 300 }, (_, i) => [EPOCH_MS + i * STEP_MS, i]),
    );
    const stale = (await read(db)).get('b')!.filter(([, bits]) => bits === 0x7ff0000000000002n);
    expect(stale).toHaveLength(30);
    expect(STALE_NAN_LOW).toBe(2);
  });

  test('leaves a young head alone', async () => {
    fill(0, 90);
    await db.maintain();
    expect(db.status().blocks).toEqual([]);
  });

  test('gives blocks schedules, labels and matchers like the head', async () => {
    fill(0, 200);
    await db.maintain();
    const range = [EPOCH_MS, EPOCH_MS + MINUTE_MS - 1] as const;
    const set = await db.select([new Matcher('=', 'ü', 'x')], ...range);
    expect(set.next()).toBe(true);
    expect(set.schedule).toEqual(schedule);
    expect(set.next()).toBe(false);
    expect(await db.labelNames([], ...range)).toEqual(['__name__', 'ü']);
    expect(await db.labelNames([new Matcher('=', 'ü', '')], ...range)).toEqual(['__name__']);
    expect(await db.labelValues('__name__', [new Matcher('!=', 'ü', 'x')], ...range)).toEqual(['b']);
    expect(await db.labelValues('__name__', [], ...range, 1)).toEqual(['a']);
    expect((await read(db, anything, ...range, { limit: 1 })).size).toBe(1);
    expect((await read(db, [new Matcher('=~', '__name__', 'a|c')], ...range)).size).toBe(1);
    expect(
      (await read(db, [new Matcher('!~', '__name__', 'a|c'), new Matcher('=', 'q', '')], ...range)).size,
    ).toBe(1);
    expect((await read(db, [], EPOCH_MS - 5, EPOCH_MS - 1)).size).toBe(0);
  });

  test('drops series that have nothing left, and their refs die', async () => {
    put(db, EPOCH_MS, { gone: 1 });
    const appender = db.appender();
    const ref = appender.series(named('gone'));
    fill(0, 200);
    expect(db.status().headSeries).toBe(3);
    await db.maintain();
    expect(db.status().headSeries).toBe(2);
    expect(appender.append(ref, EPOCH_MS + 200 * STEP_MS, 1)).toBe(appendCode.unknownRef);
    expect(await db.labelValues('__name__', [], EPOCH_MS + 2 * MINUTE_MS, 1e15)).toEqual(['a', 'b']);
    put(db, EPOCH_MS + 200 * STEP_MS, { gone: 2 });
    const back = [new Matcher('=', '__name__', 'gone')];
    const want = {
      gone: [
        [EPOCH_MS, 1],
        [EPOCH_MS + 200 * STEP_MS, 2],
      ],
    };
    expect(await readNumbers(db, back)).toEqual(want);
    await db.close();
    db = await sandbox.tsdb(small);
    expect(await readNumbers(db, back)).toEqual(want);
  });

  test('replaces old segments by a checkpoint that keeps what no block has', async () => {
    await db.close();
    db = await sandbox.tsdb({ ...small, walSegmentBytes: 4096 });
    fill(0, 200);
    put(db, EPOCH_MS + 200 * STEP_MS, { c: 1 });
    const before = await read(db);
    await db.maintain();
    const wal = readdirSync(join(sandbox.dir, 'wal'));
    expect(wal.filter((name) => name.startsWith('checkpoint'))).toHaveLength(1);
    expect(wal).not.toContain('00000000');
    await db.close();
    db = await sandbox.tsdb({ ...small, walSegmentBytes: 4096 });
    expect(await read(db)).toEqual(before);
    expect(db.status().corruptions).toEqual([]);
    fill(201, 400);
    await db.maintain();
    expect(
      readdirSync(join(sandbox.dir, 'wal')).filter((name) => name.startsWith('checkpoint')),
    ).toHaveLength(1);
    const set = await db.select([new Matcher('=', '__name__', 'a')], EPOCH_MS + 300_000, 1e15);
    expect(set.next() && set.schedule).toEqual(schedule);
  });

  test('deletes blocks beyond retention, whole', async () => {
    await db.close();
    db = await sandbox.tsdb({ ...small, retentionMs: 2 * MINUTE_MS });
    fill(0, 400);
    await db.maintain();
    const [first] = await read(db, [new Matcher('=', '__name__', 'b')]);
    expect(first![1][0]![0]).toBe(EPOCH_MS + 4 * MINUTE_MS);
    expect(blockNames()).toHaveLength(db.status().blocks.length);
    expect(db.collect()['prometheus_tsdb_time_retentions_total']).toBe(4);
  });

  test('that fails leaves no block behind, and is tried again', async () => {
    await db.close();
    let broken = false;
    const io = {
      ...diskIo,
      sync(fd: number): void {
        if (broken) throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' });
        diskIo.sync(fd);
      },
    };
    db = await sandbox.tsdb({ ...small, io });
    fill(0, 200);
    const before = await read(db);
    broken = true;
    await expect(db.maintain()).rejects.toThrow('EIO');
    expect(readdirSync(sandbox.dir).filter((name) => name.includes('tmp'))).toEqual([]);
    expect(await read(db)).toEqual(before);
    broken = false;
    await db.maintain();
    expect(await read(db)).toEqual(before);
    expect(db.collect()['prometheus_tsdb_compactions_failed_total']).toBe(1);
  });

  test('takes appends while it runs', async () => {
    fill(0, 200);
    const running = db.maintain();
    fill(200, 230);
    await running;
    expect((await readNumbers(db))['b']).toHaveLength(230);
    expect(db.maintain()).toEqual(db.maintain());
  });
});

describe('a damaged block', () => {
  let block: string;

  beforeEach(async () => {
    fill(0, 200);
    await db.maintain();
    await db.close();
    const [name] = blockNames().toSorted();
    block = join(sandbox.dir, name!);
  });

  function flip(path: string, at: number): void {
    const bytes = readFileSync(path);
    bytes[at < 0 ? bytes.length + at : at]! ^= 0x10;
    writeFileSync(path, bytes);
  }

  test('is put aside when its index or meta.json is unreadable; the rest serves', async () => {
    for (const damage of [
      () => flip(join(block, 'index'), -3),
      () => flip(join(block, 'index'), 12),
      () => writeFileSync(join(block, 'meta.json'), '{"ver'),
      () => writeFileSync(join(block, 'meta.json'), 'null'),
      () => renameSync(join(block, 'index'), join(block, 'gone')),
    ]) {
      const intact = `${block}.tmp`;
      renameSync(block, intact);
      mkdirSync(block);
      for (const name of ['index', 'meta.json'])
        writeFileSync(join(block, name), readFileSync(join(intact, name)));
      damage();
      db = await sandbox.tsdb(small);
      expect(db.status().corruptions).toHaveLength(1);
      expect(db.status().corruptions[0]!.path).toBe(block);
      expect(existsSync(block)).toBe(false);
      expect((await readNumbers(db))['b']).toHaveLength(140);
      await db.close();
      renameSync(intact, block);
    }
  });

  test('loses only the chunk that is damaged', async () => {
    flip(join(block, 'chunks', '000001'), 30);
    db = await sandbox.tsdb(small);
    const numbers = await readNumbers(db);
    expect(
      Object.values(numbers)
        .map((points) => points.length)
        .toSorted(),
    ).toEqual([140, 200]);
    // Once for each of the three ways to read.
    expect(db.status().corruptions).toHaveLength(3);
    expect(db.collect()['flotilla_tsdb_block_damaged_reads_total']).toBe(3);
  });

  test('has no schedules when their file is damaged', async () => {
    flip(join(block, 'schedules'), 20);
    db = await sandbox.tsdb(small);
    const set = await db.select([new Matcher('=', 'ü', 'x')], EPOCH_MS, EPOCH_MS + 1000);
    expect(set.next()).toBe(true);
    expect(set.schedule).toBeUndefined();
    expect(db.status().corruptions).toHaveLength(1);
  });

  test('leftovers of a crash are deleted', async () => {
    mkdirSync(`${block}.tmp-for-creation`);
    renameSync(block, `${block}.tmp-for-deletion`);
    db = await sandbox.tsdb(small);
    expect(readdirSync(sandbox.dir).filter((name) => name.includes('tmp'))).toEqual([]);
  });
});

describe('a cut while somebody reads', () => {
  test('waits until all is read', async () => {
    fill(0, 200);
    const set = await db.select([new Matcher('=', '__name__', 'b')], 0, 1e15);
    const cut = db.maintain();
    while (blockNames().length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(db.status().blocks).toEqual([]);
    expect(set.next()).toBe(true);
    expect(set.chunks.reduce((sum, { samples }) => sum + samples, 0)).toBe(200);
    expect(set.next()).toBe(false);
    await cut;
    expect(db.status().blocks).toHaveLength(2);
  });

  test('that cannot wait fails the reader rather than leave something out', async () => {
    fill(0, 200);
    const whole = await db.select(anything, 0, 1e15);
    const cut = db.maintain();
    while (blockNames().length === 0) await new Promise((resolve) => setImmediate(resolve));
    const closed = db.close();
    await Promise.all([cut, closed]);
    expect(() => whole.next()).toThrow(Unavailable);
    whole.close();
  });
});
