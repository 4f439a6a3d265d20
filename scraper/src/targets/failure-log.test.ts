// What a scrape says of itself when it is asked for more: a log of failures, and the extra report series.

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, testJob, TestServer, TestShard, testTarget } from '../testing.ts';
import { FailureLog } from './failure-log.ts';

let dir: string;
let file: string;
let failureLog: FailureLog;
let shard: TestShard;
let server: TestServer;
let page: string;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'flotilla-failures-'));
  file = join(dir, 'failures.log');
  failureLog = new FailureLog(file, silentLog);
  shard = await TestShard.start({ hasExtraMetrics: true, failureLog });
  server = await TestServer.page(() => page);
});

afterEach(async () => {
  await shard.stop();
  await server.stop();
  await failureLog.stop();
  rmSync(dir, { recursive: true });
});

function lines(): unknown[] {
  const text = readFileSync(file, 'utf8').trimEnd().split('\n');
  return text.map((line) => JSON.parse(line) as unknown);
}

test('each failed scrape is a line of JSON, as Prometheus writes it', async () => {
  await shard.apply([testJob()], [testTarget(server.url)]);
  for (page of ['a 1\n', '}\n', 'a 2\n', '}}\n']) await shard.tick();
  await failureLog.flush();
  const line = (token: string) => ({
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    level: 'ERROR',
    msg: expect.stringContaining(token),
    job_name: 'job',
    target: server.url,
  });
  expect(lines()).toEqual([line('"}"'), line('"}')]);
});

test('a log that cannot be written costs no scrape', async () => {
  rmSync(dir, { recursive: true });
  await shard.apply([testJob()], [testTarget(server.url)]);
  page = '}\n';
  await shard.tick();
  await failureLog.flush();
  page = 'a 1\n';
  expect((await shard.tick()).get(1)?.up).toBe(true);
  dir = mkdtempSync(join(tmpdir(), 'flotilla-failures-'));
});

test('extra report series: timeout, sample limit, size of the body', async () => {
  const limits = { ...testJob().limits, samples: 7, bodySizeBytes: 20 };
  await shard.apply([testJob({ limits })], [testTarget(server.url)]);
  for (page of ['a 1\n', '}\n', 'a 1\n'.repeat(9)]) await shard.tick();
  await server.stop();
  await shard.tick();
  const series = await shard.series('scrape_(timeout|sample_limit|body).*');
  const values = Object.entries(series).map(([name, samples]) => [
    name.slice(0, name.indexOf('{')),
    samples.map(([, value]) => value),
  ]);
  expect(values).toEqual([
    ['scrape_body_size_bytes', [4, 2, -1, 0]],
    ['scrape_sample_limit', [7, 7, 7, 7]],
    ['scrape_timeout_seconds', [5, 5, 5, 5]],
  ]);
  server = await TestServer.page(() => page);
});
