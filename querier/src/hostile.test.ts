// Requests that would hurt, against the real process: each is refused or answered, memory stays within its limit, and the next query
// is answered. Memory is the process's peak, as the kernel counts it.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  createHttpServer,
  createLogger,
  createMetrics,
  freePort,
  parseFlags,
  standardFlags,
} from '@flotilla/chassis';
import type { HttpServer } from '@flotilla/chassis';
import { Labels } from '@flotilla/model';
import { createStoreRouter, UptimeLog } from '@flotilla/store';
import { Tsdb } from '@flotilla/tsdb';
import { serializeTopology } from '@flotilla/wire';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const seriesCount = 2000;
const slots = 240;
const intervalMs = 15_000;
const endMs = Math.floor(Date.now() / intervalMs) * intervalMs - intervalMs;
/** Two queries of 64 MB at once, what is kept between the processes, and the runtime. */
const memoryMaxBytes = 600e6;

const config = parseFlags(standardFlags, ['--internal.insecure']);
const log = createLogger({ name: 'test', write: () => undefined });
let folder: string;
let tsdb: Tsdb;
let store: HttpServer;
let querier: ChildProcess;
let port: number;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flotilla-hostile-'));
  const url = await startStore();
  const topologyFile = join(folder, 'topology.json');
  writeFileSync(
    topologyFile,
    serializeTopology({
      version: 1,
      fleet: 'main',
      replicas: 1,
      epochs: [{ id: 1, sinceMs: 0, shards: 1, table: Array.from({ length: 1024 }, () => 0) }],
      stores: [{ name: 'scraper-main-0-0', kind: 'scraper', shard: 0, replica: 0, url }],
      operatorUrl: '',
    }),
  );
  port = await freePort();
  const flags = [
    `--web.listen-address=127.0.0.1:${port}`,
    `--topology.file=${topologyFile}`,
    '--internal.insecure',
    '--query.max-bytes=64MB',
    '--query.max-concurrency=2',
    '--query.timeout=10s',
  ];
  const main = join(import.meta.dirname, 'main.js');
  querier = spawn(process.execPath, ['--no-warnings', main, ...flags], { stdio: 'ignore' });
  for (let i = 0; i < 200 && !(await isReady()); i++) await sleep(100);
}, 60_000);

afterAll(async () => {
  querier.kill('SIGKILL');
  await once(querier, 'exit');
  await store.close(0);
  await tsdb.close();
  rmSync(folder, { recursive: true });
});

async function startStore(): Promise<string> {
  const name = 'scraper-main-0-0';
  tsdb = await Tsdb.open({ dir: join(folder, name), retentionMs: 1e9, log });
  const labels = Array.from({ length: seriesCount }, (_, i) =>
    Labels.fromRecord({ __name__: 'm', series: `s${i}`, job: 'app' }),
  );
  for (let slot = 0; slot < slots; slot++) {
    const appender = tsdb.appender();
    labels.forEach((one, i) => {
      const ref = appender.series(one, { targetId: 1, intervalMs, phaseMs: 0 });
      appender.append(ref, endMs - (slots - 1 - slot) * intervalMs, Math.sqrt(i * slot));
    });
    appender.commit();
  }
  const uptime = await UptimeLog.open(join(folder, 'uptime'), endMs - 7_200_000);
  const metrics = createMetrics('store');
  store = createHttpServer({ name, config, log, metrics });
  const state = (): 'ready' => 'ready';
  store.app.use(
    createStoreRouter({ tsdb, name, kind: 'scraper', uptime, state, tokenFile: undefined, log, metrics }),
  );
  return (await store.listen()).url;
}

async function isReady(): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/-/ready`).then(
    ({ ok }) => ok,
    () => false,
  );
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function ask(path: string, params: Record<string, string>): Promise<Answer> {
  const body = new URLSearchParams(params);
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`, { method: 'POST', body });
  return { status: response.status, text: await response.text() };
}

const seconds = (atMs: number): string => String(atMs / 1000);
const range = (query: string, steps: number, stepMs = intervalMs): Promise<Answer> =>
  ask('query_range', {
    query,
    start: seconds(endMs - steps * stepMs),
    end: seconds(endMs),
    step: seconds(stepMs),
  });

/** Refused with a reason, or answered; then the next query is right, and memory was within its limit. */
async function expectRefused(answer: Promise<Answer>, status: number, reason: string): Promise<void> {
  const got = await answer;
  expect([got.status, got.text.slice(0, 400)]).toEqual([status, expect.stringContaining(reason)]);
  await expectAlive();
}

async function expectAlive(): Promise<void> {
  const { status, text } = await ask('query', { query: 'count(m)', time: seconds(endMs) });
  expect([status, text]).toEqual([200, expect.stringContaining(`"${seriesCount}"]`)]);
  expect(querier.exitCode).toBeNull();
  expect(peakBytes()).toBeLessThan(memoryMaxBytes);
}

/** Most resident memory that the process ever had. */
function peakBytes(): number {
  const [, kilobytes = '0'] =
    /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${querier.pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

test('queries that would need 10 GB', async () => {
  const limit = 'query memory';
  await expectRefused(range('m + on (series) m', 10_999, 100), 422, limit);
  await expectRefused(ask('query', { query: 'max_over_time(m[1h:1ms])', time: seconds(endMs) }), 422, limit);
  await expectRefused(ask('query', { query: 'm[1h:10ms]', time: seconds(endMs) }), 422, limit);
  // More than the engine holds comes from the stores: the selector is named.
  const many = Array.from({ length: 20 }, (_, i) => `sum(m{series!="x${i}"})`).join(' + ');
  await expectRefused(range(many, slots - 1), 422, 'query memory: selector {');
  // Chunks have more samples than the range: only those in it are held.
  expect((await range(many, 1)).status).toBe(200);
  // Seven million samples, of which few are held at a time.
  const { status } = await range('sum by (series) (rate(m[1h:1s]))', 1000);
  expect(status).toBe(200);
  await expectAlive();
}, 60_000);

test('regular expressions that explode', async () => {
  for (const pattern of [
    '(a{1000}){1000}',
    '((a{100}){100}){100}',
    `${'('.repeat(2000)}a${')'.repeat(2000)}`,
  ])
    await expectRefused(ask('query', { query: `m{series=~"${pattern}"}` }), 400, 'error parsing regexp');
  const slow = `^${'(a*)*'.repeat(20)}b$`;
  const { status, text } = await ask('query', {
    query: `label_replace(m, "x", "$1", "series", "${slow}")`,
    time: seconds(endMs),
  });
  expect([status, text.slice(0, 20)]).toEqual([200, '{"status":"success",']);
  await expectAlive();
}, 60_000);

test('texts that are too deep or too long', async () => {
  const deep = (text: string): Promise<Answer> => ask('query', { query: text });
  await expectRefused(deep(`${'('.repeat(10_000)}1${')'.repeat(10_000)}`), 400, 'parse error');
  await expectRefused(deep(`${'-'.repeat(10_000)}1`), 400, 'parse error');
  await expectRefused(deep(`1${'+1'.repeat(10_000)}`), 400, 'parse error');
  await expectRefused(deep(`sum(${'m or '.repeat(50_000)}m)`), 400, 'parse error');
  await expectRefused(range('m', 11_001, 1000), 400, 'exceeded maximum resolution of 11,000 points');
  const url = `http://127.0.0.1:${port}/api/v1/query?query=${'1'.repeat(1 << 20)}`;
  expect((await fetch(url)).status).toBe(431);
  await expectAlive();
}, 60_000);

test('500 clients at once', async () => {
  const answers = await Promise.all(
    Array.from({ length: 500 }, () => ask('query', { query: 'sum(rate(m[5m]))', time: seconds(endMs) })),
  );
  const statuses = new Map<number, number>();
  for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  // Those whose turn does not come in time are told so.
  expect([...statuses.keys()].filter((status) => status !== 200 && status !== 503)).toEqual([]);
  expect(statuses.get(200)).toBeGreaterThan(0);
  await expectAlive();
}, 60_000);

/** Processor time that threads of the querier have used: the event loop's, and all. */
function cpuTicks(): { own: number; all: number } {
  const ticksOf = (file: string): number => {
    const fields = readFileSync(file, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return Number(fields[11]) + Number(fields[12]);
  };
  const { pid } = querier;
  return { own: ticksOf(`/proc/${pid}/task/${pid}/stat`), all: ticksOf(`/proc/${pid}/stat`) };
}

async function textOf(path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  expect([path, response.status]).toEqual([path, 200]);
  return response.text();
}

/** Queries being evaluated. */
async function running(): Promise<number> {
  return Number(/^prometheus_engine_queries (\d+)$/m.exec(await textOf('/metrics'))?.[1]);
}

test('health checks and short requests while a long query runs, which ends with its client', async () => {
  const terms = Array.from(
    { length: 50 },
    (_, i) => `sum(quantile_over_time(0.5, m{series="s${i}"}[1h:1s]))`,
  );
  const query = {
    query: terms.join(' + '),
    start: seconds(endMs - 3_600_000),
    end: seconds(endMs),
    step: '1',
  };
  const client = new AbortController();
  const url = `http://127.0.0.1:${port}/api/v1/query_range?${new URLSearchParams(query)}`;
  const long = fetch(url, { signal: client.signal }).then(({ status }) => status, String);
  while ((await running()) === 0) await sleep(10);
  const before = cpuTicks();
  for (let i = 0; i < 30; i++) {
    await textOf('/-/healthy');
    await textOf('/-/ready');
    await textOf('/api/v1/status/buildinfo');
  }
  expect(await running()).toBe(1);
  await sleep(1000);
  const after = cpuTicks();
  // The event loop did nothing of the query.
  expect(after.own - before.own).toBeLessThan((after.all - before.all) / 2);
  client.abort();
  expect(await long).toContain('AbortError');
  while ((await running()) > 0) await sleep(10);
  await expectAlive();
}, 60_000);

test('clients that stop reading', async () => {
  const form = new URLSearchParams({
    query: 'm',
    start: seconds(endMs - (slots - 1) * intervalMs),
    end: seconds(endMs),
    step: '15',
  });
  const request = `GET /api/v1/query_range?${form} HTTP/1.1\r\nHost: x\r\n\r\n`;
  const sockets = Array.from({ length: 8 }, () => connect({ port, host: '127.0.0.1' }));
  try {
    for (const socket of sockets) {
      socket.write(request);
      await once(socket, 'readable'); // The answer has begun; no more of it is taken.
    }
    await expectAlive();
    await sleep(1000);
    await expectAlive();
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  await expectAlive();
}, 60_000);
