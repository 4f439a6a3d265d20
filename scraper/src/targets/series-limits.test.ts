// Limits of series, over real HTTP and a real database: churn counts, what is there already goes on, others are undisturbed.

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { JobLimits } from '@flotilla/wire';
import { testJob, TestServer, TestShard, testTarget } from '../testing.ts';

const reportSeries = 5;
let shard: TestShard;
let calm: TestServer;
let wild: TestServer;
let page: string;

beforeEach(async () => {
  shard = await TestShard.start();
  calm = await TestServer.page(() => 'calm 1\n');
  wild = await TestServer.page(() => page);
});

afterEach(async () => {
  await shard.stop();
  await calm.stop();
  await wild.stop();
});

async function apply(limits: Partial<JobLimits>): Promise<void> {
  const job = testJob({ limits: { ...testJob().limits, ...limits } });
  await shard.apply([job], [testTarget(calm.url, { id: 1 }), testTarget(wild.url, { id: 2 })]);
}

/** Errors of the calm and the wild target after the next scrape. */
async function errors(): Promise<readonly (string | undefined)[]> {
  const health = await shard.tick();
  return [health.get(1)?.error, health.get(2)?.error];
}

function pageOf(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, i) => `w{id="${from + i}"} 1\n`).join('');
}

test('a target whose series come and go fails at its limit, and recovers with the series it has', async () => {
  await apply({ series: reportSeries + 6 });
  for (let i = 0; i < 3; i++) {
    page = pageOf(2 * i, 2 * i + 2);
    expect(await errors()).toEqual(['', '']);
  }
  page = pageOf(5, 7);
  const reason =
    'series_limit exceeded (series of the target, lately ended ones included: 11 and new ones, limit: 11)';
  expect(await errors()).toEqual(['', reason]);
  expect(shard.counters.exceededSeriesLimit).toBe(1);
  page = pageOf(4, 6);
  expect(await errors()).toEqual(['', '']);
  expect(Object.keys(await shard.series('w'))).toHaveLength(6);
  expect(shard.tsdb.seriesByTarget()).toEqual(
    new Map([
      [1, reportSeries + 1],
      [2, reportSeries + 6],
    ]),
  );
});

test('a full shard refuses who wants more, and nobody else', async () => {
  page = pageOf(0, 2);
  await apply({ shardSeries: 2 * reportSeries + 1 + 4 });
  expect(await errors()).toEqual(['', '']);
  page = pageOf(0, 50_000);
  const reason = 'shard_series_limit exceeded (series of the shard: 13 and new ones, limit: 15)';
  expect(await errors()).toEqual(['', reason]);
  expect(await errors()).toEqual(['', reason]);
  expect(shard.counters.exceededShardSeriesLimit).toBe(2);
  expect(shard.tsdb.status().headSeries).toBe(13);
  page = pageOf(0, 4);
  expect(await errors()).toEqual(['', '']);
});

test('a shard without memory for more series refuses them with the reason, and nobody else', async () => {
  await shard.stop();
  shard = await TestShard.start({ headBytesMax: 4 << 20 });
  page = pageOf(0, 2);
  await apply({});
  expect(await errors()).toEqual(['', '']);
  page = pageOf(0, 100_000);
  const reason = /^head: \d+ series take \d+ of 4194304 bytes, no room for more series; more shards have it$/;
  expect(await errors()).toEqual(['', expect.stringMatching(reason)]);
  expect(shard.counters.exceededRoom).toBe(1);
  expect(shard.tsdb.status().headSeries).toBe(2 * reportSeries + 3);
  page = pageOf(0, 4);
  expect(await errors()).toEqual(['', '']);
});
