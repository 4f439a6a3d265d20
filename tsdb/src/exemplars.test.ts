import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Labels, Matcher } from '@flotilla/model';
import type { Exemplar } from './api.ts';
import { anything, EPOCH_MS, MINUTE_MS, named, put, Sandbox } from './testing/sandbox.ts';
import type { Tsdb } from './tsdb.ts';

const options = { blockDurationMs: MINUTE_MS, walSegmentBytes: 20_000 };

let sandbox: Sandbox;
let db: Tsdb;

beforeEach(async () => {
  sandbox = new Sandbox();
  db = await sandbox.tsdb(options);
});

afterEach(() => sandbox.remove());

function trace(id: string, timeMs: number, value = 1): Exemplar {
  return { labels: Labels.fromRecord({ trace_id: id }), value, timeMs, hasTimestamp: true };
}

/** One scrape: a sample and an exemplar of the series. */
function scrape(series: Labels, id: string, timeMs: number): void {
  const appender = db.appender();
  const ref = appender.series(series);
  appender.append(ref, timeMs, 1);
  appender.appendExemplar(ref, trace(id, timeMs));
  appender.commit();
}

/** Series → "id@time". */
async function found(
  sets: readonly (readonly Matcher[])[] = [anything],
  minTimeMs = -Infinity,
  maxTimeMs = Infinity,
): Promise<[string, string[]][]> {
  const all = await db.selectExemplars(sets, minTimeMs, maxTimeMs);
  return all.map(({ labels, exemplars }) => [
    labels.toMetric(),
    exemplars.map((one) => `${one.labels.get('trace_id')}@${one.timeMs - EPOCH_MS}`),
  ]);
}

async function restart(more = {}): Promise<void> {
  await db.close();
  db = await sandbox.tsdb({ ...options, ...more });
}

test('exemplars are found by matchers and time, series in label order, and over a restart', async () => {
  scrape(named('b', { job: 'y' }), '1', EPOCH_MS);
  scrape(named('a', { job: 'x' }), '2', EPOCH_MS + 1);
  scrape(named('a', { job: 'x' }), '3', EPOCH_MS + 5);
  const check = async (): Promise<void> => {
    expect(await found()).toEqual([
      ['a{job="x"}', ['2@1', '3@5']],
      ['b{job="y"}', ['1@0']],
    ]);
    expect(await found([anything], EPOCH_MS + 2)).toEqual([['a{job="x"}', ['3@5']]]);
    expect(await found([anything], -Infinity, EPOCH_MS)).toEqual([['b{job="y"}', ['1@0']]]);
    const sets = [[new Matcher('=', 'job', 'y')], [new Matcher('=', '__name__', 'c')]];
    expect(await found(sets)).toEqual([['b{job="y"}', ['1@0']]]);
    expect(await found([])).toEqual([]);
  };
  await check();
  await restart();
  await check();
});

test('what is rolled back, or is too much, is not there', async () => {
  const appender = db.appender();
  appender.appendExemplar(appender.series(named('a')), trace('1', EPOCH_MS));
  appender.rollback();
  expect(await found()).toEqual([]);
  expect(appender.appendExemplar(123_456, trace('1', EPOCH_MS))).toBe('unknown series');
  for (let i = 0; i < 10; i++) scrape(named('a'), `${i}`, EPOCH_MS + i);
  await restart({ exemplarsMax: 3 });
  expect(await found()).toEqual([['a', ['7@7', '8@8', '9@9']]]);
  await restart({ exemplarsMax: 0 });
  expect(await found()).toEqual([]);
});

test('a series that left the head keeps its exemplars, and has them when it is back', async () => {
  scrape(named('a'), '1', EPOCH_MS);
  for (let minute = 0; minute < 4; minute++) put(db, EPOCH_MS + minute * MINUTE_MS, { b: minute });
  await db.maintain();
  expect(db.status().headSeries).toBe(1);
  expect(await found()).toEqual([['a', ['1@0']]]);
  scrape(named('a'), '2', EPOCH_MS + 4 * MINUTE_MS);
  expect(await found()).toEqual([['a', ['1@0', `2@${4 * MINUTE_MS}`]]]);
});

test('a checkpoint keeps the exemplars of series that the head has', async () => {
  for (let i = 0; i < 2000; i++) scrape(named('a'), `${i}`.repeat(20), EPOCH_MS + i * 200);
  const before = await found();
  await db.maintain();
  expect(db.collect()['prometheus_tsdb_checkpoint_creations_total']).toBe(1);
  await restart();
  expect(await found()).toEqual(before);
  expect(before[0]![1]).toHaveLength(2000);
  expect(db.collect()['prometheus_tsdb_exemplar_exemplars_in_storage']).toBe(2000);
});
