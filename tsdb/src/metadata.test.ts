import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { SeriesMetadata } from './api.ts';
import { EPOCH_MS, MINUTE_MS, named, put, Sandbox } from './testing/sandbox.ts';
import type { Tsdb } from './tsdb.ts';

const options = { blockDurationMs: MINUTE_MS, walSegmentBytes: 10_000, metadataRecords: true };
const counter: SeriesMetadata = { type: 'counter', help: 'Requests.', unit: '' };

let sandbox: Sandbox;
let db: Tsdb;

beforeEach(async () => {
  sandbox = new Sandbox();
  db = await sandbox.tsdb(options);
});

afterEach(() => sandbox.remove());

function say(name: string, metadata: SeriesMetadata): void {
  const appender = db.appender();
  const ref = appender.series(named(name));
  appender.append(ref, EPOCH_MS, 1);
  appender.setMetadata(ref, metadata);
  appender.commit();
}

async function restart(more = {}): Promise<void> {
  await db.close();
  db = await sandbox.tsdb({ ...options, ...more });
}

test('the last word on a series stands, over restarts and checkpoints', async () => {
  say('a', counter);
  say('a', { ...counter, help: 'All requests.' });
  const bytes = db.status().walBytes;
  const appender = db.appender();
  appender.setMetadata(appender.series(named('a')), { ...counter, help: 'All requests.' });
  appender.commit();
  expect(db.status().walBytes).toBe(bytes); // No news.
  const check = (): void => {
    expect(db.metadataOf(named('a'))).toEqual({ ...counter, help: 'All requests.' });
    expect(db.metadataOf(named('b'))).toBeUndefined();
  };
  check();
  await restart();
  check();
  for (let i = 0; i < 3000; i++) put(db, EPOCH_MS + 100 * i, { a: i, b: i });
  await db.maintain();
  expect(db.collect()['prometheus_tsdb_checkpoint_creations_total']).toBe(1);
  await restart();
  check();
});

test('without the setting nothing is logged or kept', async () => {
  await restart({ metadataRecords: false });
  say('a', counter);
  expect(db.metadataOf(named('a'))).toBeUndefined();
  await restart();
  expect(db.metadataOf(named('a'))).toBeUndefined();
});

test('a rollback says nothing, and a series that left the head is forgotten', async () => {
  say('a', counter);
  const appender = db.appender();
  appender.setMetadata(appender.series(named('a')), { ...counter, unit: 's' });
  appender.rollback();
  expect(db.metadataOf(named('a'))).toEqual(counter);
  for (let minute = 0; minute < 4; minute++) put(db, EPOCH_MS + minute * MINUTE_MS, { b: minute });
  await db.maintain();
  put(db, EPOCH_MS + 4 * MINUTE_MS, { c: 1 }); // In the slot of a.
  expect(db.metadataOf(named('a'))).toBeUndefined();
  expect(db.metadataOf(named('c'))).toBeUndefined();
});
