import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Labels, Matcher, STALE_NAN_LOW } from '@flotilla/model';
import { appendCode, type Schedule } from './api.ts';
import { EPOCH_MS, named, put, read, readNumbers, Sandbox } from './testing/sandbox.ts';
import type { Tsdb } from './tsdb.ts';

const { ok, outOfOrder, duplicate, tooOld, outOfBounds, unknownRef } = appendCode;
const STALE_BITS = 0x7ff0000000000002n;
const schedule: Schedule = { targetId: 7, intervalMs: 5000, phaseMs: 3 };

let sandbox: Sandbox;
let db: Tsdb;

beforeEach(async () => {
  sandbox = new Sandbox();
  db = await sandbox.tsdb();
});

afterEach(() => sandbox.remove());

describe('an appender', () => {
  test('shows samples after commit, not before', async () => {
    const appender = db.appender();
    const ref = appender.series(named('up', { job: 'a' }));
    expect(appender.append(ref, EPOCH_MS, 1)).toBe(ok);
    expect(await readNumbers(db)).toEqual({});
    expect(await db.labelNames([], 0, 1e15)).toEqual([]);
    appender.commit();
    expect(await readNumbers(db)).toEqual({ 'up{job="a"}': [[EPOCH_MS, 1]] });
  });

  test('takes everything back on rollback, the series too', async () => {
    const appender = db.appender();
    const ref = appender.series(named('up'));
    appender.append(ref, EPOCH_MS, 1);
    appender.rollback();
    expect(appender.append(ref, EPOCH_MS, 1)).toBe(unknownRef);
    appender.commit();
    expect(db.status().headSeries).toBe(0);
    expect(await readNumbers(db)).toEqual({});
  });

  test('answers as Prometheus does to samples out of order', () => {
    const appender = db.appender();
    const ref = appender.series(named('up'));
    const check = (timeMs: number, value: number, want: number): void =>
      expect(appender.append(ref, timeMs, value)).toBe(want);
    check(EPOCH_MS, 1, ok);
    check(EPOCH_MS, 1, ok);
    check(EPOCH_MS, 2, duplicate);
    check(EPOCH_MS - 1, 1, outOfOrder);
    appender.commit();
    check(EPOCH_MS, 1, ok);
    check(EPOCH_MS, 2, duplicate);
    check(EPOCH_MS - 1, 1, outOfOrder);
    check(EPOCH_MS - 3_600_001, 1, tooOld);
    check(EPOCH_MS + 1e9 + 600_001, 1, outOfBounds);
    expect(appender.append(99, EPOCH_MS, 1)).toBe(unknownRef);
    appender.commit();
    expect(db.status().samplesAppended).toBe(1);
    expect(db.collect()['prometheus_tsdb_out_of_order_samples_total']).toBe(2);
  });

  test('refuses labels that are no series, and times that are no milliseconds', () => {
    const appender = db.appender();
    expect(() => appender.series(Labels.EMPTY)).toThrow('no labels');
    expect(() => appender.series(named('a', { b: '\ud800' }))).toThrow('no UTF-8');
    expect(() => appender.series(named('a', { b: 'x'.repeat(2 ** 20) }))).toThrow('want at most');
    expect(() => appender.series(named('a'), { ...schedule, intervalMs: -1 })).toThrow('schedule');
    expect(() => appender.append(appender.series(named('a')), 1.5, 1)).toThrow('whole milliseconds');
    appender.rollback();
    expect(db.status().headSeries).toBe(0);
  });

  test('shares a series that two transactions create', async () => {
    const first = db.appender();
    const second = db.appender();
    const ref = first.series(named('up'));
    expect(second.series(named('up'))).toBe(ref);
    second.append(ref, EPOCH_MS, 1);
    first.rollback();
    second.commit();
    expect(await readNumbers(db)).toEqual({ up: [[EPOCH_MS, 1]] });
  });

  test('appends batches, keeping every NaN bit, and tells what became of each', async () => {
    const appender = db.appender();
    const refs = Uint32Array.of(appender.series(named('a')), 77, appender.series(named('b')));
    const bits = BigUint64Array.of(0x7ff8000000000001n, 1n, 0xfff0deadbeef0001n);
    const codes = new Uint8Array(3);
    expect(appender.appendBatch(refs, new Float64Array(bits.buffer), 3, EPOCH_MS, codes)).toBe(2);
    expect([...codes]).toEqual([ok, unknownRef, ok]);
    appender.commit();
    expect(appender.appendStale([refs[0]!, refs[2]!], EPOCH_MS)).toBe(0);
    expect(appender.appendStale(refs, EPOCH_MS + 1)).toBe(2);
    appender.commit();
    expect([...(await read(db))]).toEqual([
      [
        'a',
        [
          [EPOCH_MS, 0x7ff8000000000001n],
          [EPOCH_MS + 1, STALE_BITS],
        ],
      ],
      [
        'b',
        [
          [EPOCH_MS, 0xfff0deadbeef0001n],
          [EPOCH_MS + 1, STALE_BITS],
        ],
      ],
    ]);
    expect(Number(STALE_BITS & 0xffffffffn)).toBe(STALE_NAN_LOW);
  });
});

describe('select', () => {
  const series = [
    named('up', { job: 'a', pod: '1' }),
    named('up', { job: 'b', pod: '2' }),
    named('down', { job: 'a' }),
  ];

  beforeEach(() => {
    const appender = db.appender();
    for (const labels of series) appender.append(appender.series(labels, schedule), EPOCH_MS, 1);
    appender.commit();
  });

  async function check(matchers: Matcher[], want: string[]): Promise<void> {
    expect([...(await read(db, matchers)).keys()]).toEqual(want);
    const [up1, up2, down] = ['up{job="a", pod="1"}', 'up{job="b", pod="2"}', 'down{job="a"}'];
    expect(want.every((text) => [up1, up2, down].includes(text))).toBe(true);
  }

  test('finds what each kind of matcher means, in label order', async () => {
    const [up1, up2, down] = ['up{job="a", pod="1"}', 'up{job="b", pod="2"}', 'down{job="a"}'];
    await check([new Matcher('=', '__name__', 'up')], [up1, up2]);
    await check([new Matcher('=~', '__name__', 'up|down')], [down, up1, up2]);
    await check([new Matcher('=', 'job', 'a'), new Matcher('=', 'pod', '')], [down]);
    await check([new Matcher('!=', 'pod', '1')], [down, up2]);
    await check([new Matcher('!~', 'pod', '1|2')], [down]);
    await check([new Matcher('=~', 'pod', '.+')], [up1, up2]);
    await check([new Matcher('=~', 'pod', '[2-9]?')], [down, up2]);
    await check([new Matcher('=', 'nothing', 'x')], []);
    await check([new Matcher('=', 'job', 'nothing')], []);
    await check([], [down, up1, up2]);
  });

  test('gives whole chunks that touch the range, both ends included', async () => {
    put(db, EPOCH_MS + 10, { up2: 3 });
    const up2 = [new Matcher('=', '__name__', 'up2')];
    expect((await read(db, up2, EPOCH_MS + 10, EPOCH_MS + 10)).size).toBe(1);
    expect((await read(db, up2, EPOCH_MS + 11, EPOCH_MS + 12)).size).toBe(0);
    expect((await read(db, up2, EPOCH_MS, EPOCH_MS + 9)).size).toBe(0);
  });

  test('limits series, skips chunks, and gives schedules', async () => {
    expect((await read(db, [], 0, 1e15, { limit: 2 })).size).toBe(2);
    const set = await db.select([], 0, 1e15, { skipChunks: true });
    for (let i = 0; i < 3; i++) {
      expect(set.next()).toBe(true);
      expect(set.chunks).toEqual([]);
      expect(set.schedule).toEqual(schedule);
    }
    expect(set.next()).toBe(false);
  });

  test('lists label names and values, bytewise', async () => {
    put(db, EPOCH_MS, { '\u{10000}': 1, '\uffff': 1 });
    expect(await db.labelNames([], 0, 1e15)).toEqual(['__name__', 'job', 'pod']);
    expect(await db.labelNames([new Matcher('=', '__name__', 'down')], 0, 1e15)).toEqual(['__name__', 'job']);
    expect(await db.labelValues('__name__', [], 0, 1e15)).toEqual(['down', 'up', '\uffff', '\u{10000}']);
    expect(await db.labelValues('__name__', [new Matcher('=', 'job', 'a')], 0, 1e15, 1)).toEqual(['down']);
    expect(await db.labelValues('job', [], 0, EPOCH_MS - 1)).toEqual([]);
  });

  test('is in the status', () => {
    const { headSeries, headChunks, minTimeMs, maxTimeMs, cardinality } = db.status(1);
    expect({ headSeries, headChunks, minTimeMs, maxTimeMs }).toEqual({
      headSeries: 3,
      headChunks: 3,
      minTimeMs: EPOCH_MS,
      maxTimeMs: EPOCH_MS,
    });
    expect(cardinality).toEqual({
      seriesCountByMetricName: [{ name: 'up', value: 2 }],
      labelValueCountByLabelName: [{ name: '__name__', value: 2 }],
      memoryInBytesByLabelName: [{ name: '__name__', value: 8 }],
      seriesCountByLabelValuePair: [{ name: '__name__=up', value: 2 }],
    });
  });
});

test('a folder has one owner at a time', async () => {
  await expect(sandbox.tsdb()).rejects.toThrow('locked by process');
  await db.close();
  await db.close();
  db = await sandbox.tsdb();
});

test('a schedule can change, and survives a restart', async () => {
  const appender = db.appender();
  const ref = appender.series(named('up'), schedule);
  appender.append(ref, EPOCH_MS, 1);
  appender.commit();
  appender.series(named('up'), { ...schedule, intervalMs: 9000 });
  appender.rollback();
  const check = async (want: Schedule): Promise<void> => {
    const set = await db.select([], 0, 1e15);
    expect(set.next()).toBe(true);
    expect(set.schedule).toEqual(want);
  };
  await check(schedule);
  appender.series(named('up'), { ...schedule, intervalMs: 9000 });
  appender.commit();
  await check({ ...schedule, intervalMs: 9000 });
  await db.close();
  db = await sandbox.tsdb();
  await check({ ...schedule, intervalMs: 9000 });
});
