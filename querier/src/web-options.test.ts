// A querier without stores: where it is served, who may ask from elsewhere, what it says of itself and of its queries.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHttpServer, createLogger, createMetrics, parseFlags, standardFlags } from '@flotilla/chassis';
import type { HttpServer } from '@flotilla/chassis';
import { serializeTopology } from '@flotilla/wire';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ActiveQueryLog, readActiveQueries } from './api/active-query-log.ts';
import { mountQuerier } from './querier.ts';
import { routePrefix } from './route-prefix.ts';

const config = parseFlags(standardFlags, ['--internal.insecure']);
const lines: string[] = [];
const log = createLogger({ name: 'test', write: (line) => void lines.push(line) });
let folder: string;
let server: HttpServer;
let closeQuerier: () => Promise<void>;
let root: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flotilla-web-'));
  const topologyFile = join(folder, 'topology.json');
  writeFileSync(
    topologyFile,
    serializeTopology({
      version: 1,
      fleet: 'main',
      replicas: 1,
      epochs: [{ id: 1, sinceMs: 0, shards: 1, table: Array.from({ length: 1024 }, () => 0) }],
      stores: [],
      operatorUrl: '',
    }),
  );
  const metrics = createMetrics('querier');
  server = createHttpServer({ name: 'querier', config, log, metrics });
  closeQuerier = mountQuerier({
    server,
    log,
    metrics,
    tokenFile: undefined,
    operatorTokenFile: undefined,
    topologyFile,
    lookbackMs: 300_000,
    timeoutMs: 5000,
    maxConcurrency: 2,
    maxSamples: 1e6,
    maxBytes: 1e8,
    maxSearchLimit: 10_000,
    defaultIntervalMs: 60_000,
    storeTimeoutMs: 1000,
    corsOrigin: 'https://(a|b)\\.example',
    externalUrl: 'https://host/prom/',
    queryLogFile: join(folder, 'queries.log'),
    slowQueryMs: 0.000001,
    activeQueryFile: join(folder, 'active.log'),
    flags: { 'query.timeout': '5s' },
  });
  root = (await server.listen()).url;
});

afterAll(async () => {
  await server.close(0);
  await closeQuerier();
  rmSync(folder, { recursive: true });
});

async function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(root + path, { headers, redirect: 'manual' });
}

test('everything is below the prefix; probes and metrics are at the root, too', async () => {
  const check = async (path: string, status: number): Promise<string> => {
    const response = await get(path);
    expect([path, response.status]).toEqual([path, status]);
    return response.text();
  };
  expect(await check('/prom/api/v1/query?query=1', 200)).toContain('"scalar"');
  await check('/api/v1/query?query=1', 404);
  await check('/prometheus/api/v1/query?query=1', 404);
  expect(await check('/prom/query', 200)).toContain('src="/prom/assets/main-');
  expect(await check('/prom/', 200)).toContain('href="/prom/assets/style-');
  await check('/prom/-/healthy', 200);
  await check('/-/healthy', 200);
  await check('/prom/metrics', 200);
  await check('/metrics', 200);
  await check('/', 302);
  expect((await get('/')).headers.get('location')).toBe('/prom/');
  expect([
    routePrefix('', ''),
    routePrefix('/', ''),
    routePrefix('x/', ''),
    routePrefix('/a', 'http://b/c'),
  ]).toEqual(['', '', '/x', '/a']);
});

test('origins that match may ask', async () => {
  const allowed = async (origin: string): Promise<string | null> =>
    (await get('/prom/api/v1/query?query=1', { origin })).headers.get('access-control-allow-origin');
  expect(await allowed('https://a.example')).toBe('https://a.example');
  expect(await allowed('https://a.example.org')).toBeNull();
  const preflight = await fetch(`${root}/prom/api/v1/query`, {
    method: 'OPTIONS',
    headers: { origin: 'https://b.example' },
  });
  expect([preflight.status, preflight.headers.get('vary')]).toEqual([204, 'Origin']);
  expect(preflight.headers.get('access-control-allow-methods')).toBe('GET, POST, OPTIONS');
});

test('every query is logged, slow ones are told, failures with their reason', async () => {
  const before = lines.length;
  await get('/prom/api/v1/query_range?query=vector(7)&start=0&end=60&step=30');
  await get('/prom/api/v1/query?query=up(&time=5');
  await closeLog();
  const [range, failed] = readFileSync(join(folder, 'queries.log'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .slice(-2);
  expect(range).toMatchObject({
    params: {
      query: 'vector(7)',
      start: '1970-01-01T00:00:00.000Z',
      end: '1970-01-01T00:01:00.000Z',
      step: 30,
    },
    httpRequest: { clientIP: '127.0.0.1', method: 'GET', path: '/prom/api/v1/query_range' },
    stats: { samples: { totalQueryableSamples: 0 } },
  });
  expect(failed).toMatchObject({ params: { query: 'up(' }, error: expect.stringContaining('parse error') });
  expect(lines.slice(before).join('')).toContain('slow query');
});

/** Lines are written soon, not at once. */
async function closeLog(): Promise<void> {
  const file = join(folder, 'queries.log');
  for (let i = 0; i < 100 && !readFileSync(file, 'utf8').includes('up('); i++)
    await new Promise((resolve) => setTimeout(resolve, 20));
}

test('queries that ran when the process died are told by the next one', () => {
  const file = join(folder, 'crashed.log');
  const first = new ActiveQueryLog(file, 2, log);
  const end = first.begin('sum(a)');
  first.begin('"\u00e9'.repeat(2000));
  first.begin('no slot is left')();
  expect(readActiveQueries(file).map(({ query }) => query.slice(0, 6))).toEqual([
    'sum(a)',
    '"\u00e9"\u00e9"\u00e9',
  ]);
  end();
  expect(readActiveQueries(file)).toHaveLength(1);
  first.close();
  const before = lines.length;
  new ActiveQueryLog(file, 2, log).close();
  expect(lines.slice(before).join('')).toContain('did not finish');
  expect(readActiveQueries(file)).toEqual([]);
  expect(readActiveQueries(join(folder, 'none'))).toEqual([]);
});

test('what it says of itself', async () => {
  const data = async (path: string): Promise<unknown> =>
    ((await (await get(`/prom/api/v1/${path}`)).json()) as { data: unknown }).data;
  expect(await data('status/flags')).toEqual({ 'query.timeout': '5s' });
  expect(await data('status/walreplay')).toEqual({ min: 0, max: 0, current: 0 });
  expect(await data('status/tsdb/blocks')).toEqual({ blocks: [] });
  expect(await data('notifications')).toEqual([]);
  expect(await data('features')).toMatchObject({
    promql_functions: { rate: true, info: false },
    promql_operators: { '+': true, limitk: false },
    promql: { anchored: false },
  });
  const own = await data('status/self_metrics?metric_name_pattern=prometheus_engine_queries.*');
  expect(own).toMatchObject([
    { name: 'prometheus_engine_queries', type: 'GAUGE', metric: [{ gauge: { value: 0 } }] },
    { name: 'prometheus_engine_queries_concurrent_max' },
  ]);
  expect((await get('/prom/api/v1/status/self_metrics?metric_name_pattern=(')).status).toBe(400);
});

test('profiles of CPU and heap, one at a time', async () => {
  const take = async (path: string): Promise<[number, string]> => {
    const response = await get(`/prom/debug/pprof/${path}`);
    const bytes = Buffer.from(await response.arrayBuffer());
    return [response.status, response.ok ? gunzipSync(bytes).toString('latin1') : bytes.toString()];
  };
  const first = take('profile?seconds=0.3');
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await take('heap?seconds=0.1')).toEqual([500, expect.stringContaining('already in use')]);
  expect(await first).toEqual([200, expect.stringContaining('nanoseconds')]);
  expect(await take('heap?seconds=0.1')).toEqual([200, expect.stringContaining('inuse_space')]);
  expect(await take('goroutine')).toEqual([200, expect.stringContaining('goroutine')]);
});
