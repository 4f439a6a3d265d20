import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { appendCode } from './api.ts';
import { decodeHistogramChunk } from './chunk/decode-chunk.ts';
import { type NativeHistogram, nativeOf } from './histogram/native-histogram.ts';
import { diskIo, type Io } from './io.ts';
import { FloatHistogram, Matcher, METRIC_NAME, Unavailable } from '@flotilla/model';
import { anything, EPOCH_MS, MINUTE_MS, named, put, readNumbers, Sandbox } from './testing/sandbox.ts';
import type { Tsdb } from './tsdb.ts';

const io: Io = { ...diskIo, sync() {}, syncFolder() {}, syncLater: (_fd, done) => done(null) };
const options = { blockDurationMs: MINUTE_MS, walSegmentBytes: 3000, io };
const late = { ...options, outOfOrderWindowMs: 5 * MINUTE_MS };

let sandbox: Sandbox;
let db: Tsdb;

beforeEach(() => {
  sandbox = new Sandbox();
});

afterEach(() => sandbox.remove());

function append(name: string, timeMs: number, value: number): number {
  const appender = db.appender();
  const code = appender.append(appender.series(named(name)), timeMs, value);
  appender.commit();
  return code;
}

describe('late samples', () => {
  test('are refused without a window, and outside of it', async () => {
    db = await sandbox.tsdb(options);
    append('a', EPOCH_MS + 20_000, 1);
    expect(append('a', EPOCH_MS + 10_000, 1)).toBe(appendCode.outOfOrder);
    expect(append('a', EPOCH_MS - 3 * MINUTE_MS, 1)).toBe(appendCode.tooOld);
    expect(existsSync(join(sandbox.dir, 'wbl'))).toBe(false);
    await db.close();
    db = await sandbox.tsdb(late);
    expect(append('a', EPOCH_MS + 10_000, 2)).toBe(appendCode.ok);
    expect(append('a', EPOCH_MS + 20_000, 9)).toBe(appendCode.duplicate);
    expect(append('b', EPOCH_MS - 3 * MINUTE_MS, 3)).toBe(appendCode.ok);
    expect(append('b', EPOCH_MS - 6 * MINUTE_MS, 3)).toBe(appendCode.tooOld);
    const ref = db.appender().series(named('a'));
    expect(db.appender().appendStale([ref], EPOCH_MS + 5_000)).toBe(0);
    expect(await readNumbers(db)).toEqual({
      a: [[EPOCH_MS + 10_000, 2], [EPOCH_MS + 20_000, 1]], // prettier-ignore
      b: [[EPOCH_MS - 3 * MINUTE_MS, 3]],
    });
  });

  test('in any order give what a map gives, over restarts, cuts and compaction', async () => {
    db = await sandbox.tsdb(late);
    const model: Record<string, Map<number, number>> = { a: new Map(), b: new Map(), c: new Map() };
    let state = 12345;
    const random = (n: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 8) % n;
    };
    let nowMs = EPOCH_MS;
    for (let i = 0; i < 1500; i++) {
      nowMs += random(1500);
      const name = 'abc'[random(3)]!;
      const timeMs = random(3) === 0 ? nowMs - random(5 * MINUTE_MS) : nowMs;
      if (model[name]!.has(timeMs)) continue; // Which of two values stays is not promised.
      if (append(name, timeMs, i) === appendCode.ok) model[name]!.set(timeMs, i);
      if (i % 60 === 59) await db.maintain();
      if (i % 210 === 209) {
        await db.close();
        db = await sandbox.tsdb(late);
      }
    }
    const check = async (): Promise<void> => {
      const got = await readNumbers(db);
      for (const [name, points] of Object.entries(model))
        expect(got[name]).toEqual([...points].toSorted((a, b) => a[0] - b[0]));
    };
    await check();
    await db.maintain();
    await check();
    expect(db.collect()['prometheus_tsdb_head_out_of_order_samples_appended_total']).toBeGreaterThan(0);
    expect(db.status().blocks.some(({ level }) => level > 1)).toBe(true);
    expect(db.status().corruptions).toEqual([]);
  }, 60_000);

  test('do not let the head forget what is not in a block', async () => {
    db = await sandbox.tsdb(late);
    for (let i = 0; i < 24; i++) put(db, EPOCH_MS + i * 5000, { a: i });
    await db.maintain();
    expect(db.status().blocks).toHaveLength(1);
    append('old', EPOCH_MS + 1000, 7);
    for (let i = 24; i < 36; i++) put(db, EPOCH_MS + i * 5000, { a: i });
    await db.maintain();
    expect(append('old', EPOCH_MS + 1001, 8)).toBe(appendCode.ok);
    await db.close();
    db = await sandbox.tsdb(late);
    const got = await readNumbers(db);
    expect(got['old']).toEqual([[EPOCH_MS + 1000, 7], [EPOCH_MS + 1001, 8]]); // prettier-ignore
    expect(got['a']).toHaveLength(36);
  });

  test('that are deleted stay so, over cuts and restarts, and in their own block', async () => {
    const replaying = { ...late, headSnapshot: false };
    db = await sandbox.tsdb(replaying);
    append('a', EPOCH_MS + 1000, 1);
    append('a', EPOCH_MS - 1000, 2);
    append('a', EPOCH_MS - 500, 3);
    await db.deleteSeries([new Matcher('=', METRIC_NAME, 'a')], EPOCH_MS - 1000, EPOCH_MS - 1000);
    const check = async (): Promise<void> =>
      expect((await readNumbers(db))['a']).toEqual([[EPOCH_MS - 500, 3], [EPOCH_MS + 1000, 1]]); // prettier-ignore
    await check();
    put(db, EPOCH_MS + 2 * MINUTE_MS, { b: 1 });
    await db.maintain();
    await check(); // The range of what came in order is cut; the late ones wait.
    await db.close();
    db = await sandbox.tsdb(replaying);
    await check();
    put(db, EPOCH_MS + 4 * MINUTE_MS, { b: 1 });
    await db.maintain();
    await check();
    await db.close();
    db = await sandbox.tsdb(replaying);
    await check();
    expect(db.status().blocks.some(({ minTimeMs }) => minTimeMs < EPOCH_MS)).toBe(true);
  });

  test('shrink their log once blocks have them', async () => {
    db = await sandbox.tsdb(late);
    for (let i = 0; i < 20; i++) put(db, EPOCH_MS + i * 5000, { a: i });
    for (let i = 0; i < 500; i++) append('b', EPOCH_MS + 50_000 - i * 10, i);
    const bytes = (): number =>
      readdirSync(join(sandbox.dir, 'wbl')).reduce(
        (sum, name) => sum + statSync(join(sandbox.dir, 'wbl', name)).size,
        0,
      );
    expect(bytes()).toBeGreaterThan(5000);
    await db.maintain();
    expect(bytes()).toBe(0);
    expect((await readNumbers(db))['b']).toHaveLength(500);
  });

  test('may be histograms', async () => {
    db = await sandbox.tsdb(late);
    const one = (n: number): NativeHistogram =>
      nativeOf(new FloatHistogram({ count: n, sum: n, zeroCount: n }), false);
    for (const n of [5, 3, 4, 1]) {
      const appender = db.appender();
      const ref = appender.series(named('h'));
      expect(appender.appendHistogram(ref, EPOCH_MS + n * 1000, one(n))).toBe(appendCode.ok);
      appender.commit();
    }
    await db.close();
    db = await sandbox.tsdb(late);
    const set = await db.select(anything, 0, 1e15);
    expect(set.next()).toBe(true);
    const counts = set.chunks
      .flatMap((chunk) => decodeHistogramChunk(chunk))
      .map(({ histogram }) => histogram.count);
    expect(counts).toEqual([1, 3, 4, 5]);
  });

  test('and the others of a transaction are refused together', async () => {
    let isFull = false;
    const failing: Io = {
      ...io,
      write(fd, bytes) {
        if (isFull && --writes === 0) throw new Error('ENOSPC');
        io.write(fd, bytes);
      },
    };
    let writes = 0;
    db = await sandbox.tsdb({ ...late, io: failing });
    put(db, EPOCH_MS + 10_000, { a: 1 });
    for (const at of [1, 2]) {
      isFull = true;
      writes = at;
      const appender = db.appender();
      const ref = appender.series(named('a'));
      appender.append(ref, EPOCH_MS + 20_000, 2);
      appender.append(ref, EPOCH_MS + 5000, 2);
      expect(() => appender.commit()).toThrow(Unavailable);
      isFull = false;
    }
    const want = { a: [[EPOCH_MS + 10_000, 1]] };
    expect(await readNumbers(db)).toEqual(want);
    await db.close();
    db = await sandbox.tsdb(late);
    expect(await readNumbers(db)).toEqual(want);
  });
});
