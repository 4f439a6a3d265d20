// A real querier over real stores: two shards of two replicas, each a database behind HTTP.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHttpServer, createLogger, createMetrics, parseFlags, standardFlags } from '@flotilla/chassis';
import type { HttpServer } from '@flotilla/chassis';
import { bucketsOfSpans, FloatHistogram, Labels } from '@flotilla/model';
import { createStoreRouter, UptimeLog } from '@flotilla/store';
import { nativeOf, Tsdb } from '@flotilla/tsdb';
import type { Appender } from '@flotilla/tsdb';
import { serializeTopology } from '@flotilla/wire';
import type { Topology } from '@flotilla/wire';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mountQuerier } from './querier.ts';

const config = parseFlags(standardFlags, ['--internal.insecure']);
const log = createLogger({ name: 'test', write: () => undefined });
const intervalMs = 1000;
const endMs = Math.floor(Date.now() / intervalMs) * intervalMs - 10_000;
const slots = 60;

/** What a replica that is `behind` observations behind would have scraped. */
function histogramAt(slot: number, behind: number): FloatHistogram {
  const positive = bucketsOfSpans([{ offset: 0, length: 2 }], [slot - behind, 2 * (slot - behind)]);
  return new FloatHistogram({ schema: 0, count: 3 * (slot - behind), sum: 4 * slot, positive });
}

interface Store {
  readonly url: string;
  readonly server: HttpServer;
  readonly tsdb: Tsdb;
}

let folder: string;
let querier: HttpServer;
let closeQuerier: () => Promise<void>;
let url: string;
const stores = new Map<string, Store>();

/** Samples of one target of a shard in every slot that `isKept` keeps. */
async function startStore(shard: number, replica: number, isKept: (slot: number) => boolean): Promise<void> {
  const name = `scraper-main-${shard}-${replica}`;
  const tsdb = await Tsdb.open({ dir: join(folder, name), retentionMs: 1e9, log });
  const schedule = { targetId: shard + 1, intervalMs, phaseMs: 0 };
  for (let slot = 0; slot < slots; slot++) {
    if (!isKept(slot)) continue;
    const timeMs = endMs - (slots - 1 - slot) * intervalMs;
    const appender = tsdb.appender();
    const put = (labels: Record<string, string>, value: number) =>
      appender.append(
        appender.series(Labels.fromRecord({ job: 'app', instance: `t${shard}`, ...labels }), schedule),
        timeMs,
        value,
      );
    put({ __name__: 'up' }, 1);
    put({ __name__: 'c_total' }, slot);
    put({ __name__: 'tiny' }, 1e-7);
    for (const short of [0, 1])
      if (shard === 1 && (replica !== short || slot < slots - 4))
        put({ __name__: 'short_total', short: `${short}` }, slot);
    const h = Labels.fromRecord({ __name__: 'h', instance: `t${shard}`, job: 'app' });
    const sample = nativeOf(histogramAt(slot + 10, replica), shard === 1);
    appender.appendHistogram(appender.series(h, schedule), timeMs, sample);
    addExemplars(appender, shard, slot, replica, timeMs);
    appender.commit();
  }
  const uptime = await UptimeLog.open(join(folder, `${name}.uptime`), endMs - 3_600_000);
  const metrics = createMetrics(name);
  const server = createHttpServer({ name, config, log, metrics });
  server.app.use(
    createStoreRouter({
      tsdb,
      name,
      kind: 'scraper',
      uptime,
      state: () => 'ready',
      tokenFile: undefined,
      log,
      metrics,
    }),
  );
  stores.set(name, { url: (await server.listen()).url, server, tsdb });
}

/** Every tenth observation has an exemplar with a time, and every twentieth one without, which replica 1 sees a scrape late. */
function addExemplars(
  appender: Appender,
  shard: number,
  slot: number,
  replica: number,
  timeMs: number,
): void {
  const labels = (name: string): Labels =>
    Labels.fromRecord({ __name__: name, job: 'app', instance: `t${shard}` });
  const add = (name: string, trace: number, own?: number): void => {
    const exemplar = { labels: Labels.fromRecord({ trace: `${trace}` }), value: trace / 2 };
    const time = { timeMs: own ?? timeMs, hasTimestamp: own !== undefined };
    appender.appendExemplar(appender.series(labels(name)), { ...exemplar, ...time });
  };
  if (slot % 10 === 0) add('c_total', slot, endMs - 100_500 + slot);
  const seen = slot - replica;
  if (seen >= 0 && seen % 20 === 0) add('tiny', seen);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flotilla-querier-'));
  await startStore(0, 0, (slot) => slot < 20 || slot > 30);
  await startStore(0, 1, (slot) => slot !== 50);
  await startStore(1, 0, () => true);
  await startStore(1, 1, () => true);
  const topology: Topology = {
    version: 1,
    fleet: 'main',
    replicas: 2,
    epochs: [{ id: 1, sinceMs: 0, shards: 2, table: Array.from({ length: 1024 }, (_, slot) => slot % 2) }],
    stores: [...stores].map(([name, store]) => ({
      name,
      kind: 'scraper',
      shard: Number(name.split('-')[2]),
      replica: Number(name.split('-')[3]),
      url: store.url,
    })),
    operatorUrl: '',
  };
  writeFileSync(join(folder, 'topology.json'), serializeTopology(topology));
  const metrics = createMetrics('querier');
  querier = createHttpServer({ name: 'Querier', config, log, metrics });
  closeQuerier = mountQuerier({
    server: querier,
    log,
    metrics,
    tokenFile: undefined,
    operatorTokenFile: undefined,
    topologyFile: join(folder, 'topology.json'),
    lookbackMs: 300_000,
    timeoutMs: 20_000,
    maxConcurrency: 4,
    maxSamples: 1e6,
    maxBytes: 1e8,
    maxSearchLimit: 10_000,
    defaultIntervalMs: 60_000,
    storeTimeoutMs: 2000,
    corsOrigin: '.*',
    flags: {},
  });
  ({ url } = await querier.listen());
}, 30_000);

afterAll(async () => {
  await querier.close(100);
  await closeQuerier();
  for (const { server, tsdb } of stores.values()) {
    await server.close(100);
    await tsdb.close();
  }
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

interface Body {
  readonly status: string;
  readonly data: {
    readonly resultType: string;
    readonly result: {
      metric: Record<string, string>;
      value: [number, string];
      values: [number, string][];
      histogram?: [number, unknown];
      histograms?: [number, { count: string }][];
    }[];
  };
  readonly error?: string;
  readonly errorType?: string;
  readonly warnings?: string[];
  readonly infos?: string[];
}

async function get(path: string): Promise<{ status: number; body: Body; shards: string }> {
  const response = await fetch(`${url}/api/v1/${path}`);
  const header = JSON.parse(response.headers.get('x-flotilla-completeness') ?? '{"shards":[]}') as {
    shards: { shard: string; state: string }[];
  };
  return {
    status: response.status,
    body: (await response.json()) as Body,
    shards: header.shards.map(({ shard, state }) => `${shard} ${state}`).join(', '),
  };
}

function query(expr: string, extra = ''): ReturnType<typeof get> {
  return get(`query?query=${encodeURIComponent(expr)}&time=${endMs / 1000}${extra}`);
}

describe('the merged view', () => {
  test('fills the slots that one replica has missed from the other', async () => {
    const { body, shards } = await query(`count_over_time(c_total[${slots}s])`);
    expect(body.data.result.map(({ metric, value }) => [metric['instance'], value[1]])).toEqual([
      ['t0', '60'],
      ['t1', '60'],
    ]);
    expect([shards, body.warnings]).toEqual(['0 all, 1 all', undefined]);
    const { body: resets } = await query(`sum(resets(c_total[${slots}s]))`);
    expect(resets.data.result[0]?.value[1]).toBe('0');
  });

  test('takes the newest sample from the replica that has it', async () => {
    const values = async (expr: string) =>
      (await query(expr, '&lookback_delta=20')).body.data.result.map(({ value }) => value[1]);
    const last = `${slots - 1}`;
    expect(await values('short_total')).toEqual([last, last]);
    expect(await values(`max_over_time(short_total[${slots}s])`)).toEqual([last, last]);
    expect(await values('c_total')).toEqual([last, last]);
  });

  test('answers native histograms', async () => {
    const { body } = await query('h{instance="t0"}');
    expect(body.data.result).toEqual([
      {
        metric: { __name__: 'h', instance: 't0', job: 'app' },
        histogram: [
          endMs / 1000,
          {
            count: '207',
            sum: '276',
            buckets: [
              [0, '0.5', '1', '69'],
              [0, '1', '2', '138'],
            ],
          },
        ],
      },
    ]);
    const window = `start=${endMs / 1000 - slots + 1}&end=${endMs / 1000}&step=1`;
    const { body: range } = await get(`query_range?query=h&${window}`);
    expect(range.data.result.map(({ values }) => values)).toEqual([undefined, undefined]);
    expect(range.data.result.map(({ histograms }) => histograms?.length)).toEqual([slots, slots]);
    const counts = range.data.result[0]!.histograms!.map(([, { count }]) => Number(count));
    expect(counts.slice(19, 22)).toEqual([87, 87, 90]); // The other replica is behind: held, then passed.
  });

  test('finds no reset of a histogram where replicas take turns', async () => {
    const values = async (expr: string) =>
      (await query(expr)).body.data.result.map(({ value }) => Number(value[1]));
    expect(await values(`count_over_time(h[${slots}s])`)).toEqual([60, 60]);
    expect(await values(`resets(h[${slots}s])`)).toEqual([0, 0]);
    expect(await values(`histogram_count(sum(rate(h[${slots}s])))`)).toEqual([expect.closeTo(6)]);
    expect(await values('histogram_quantile(0.5, sum(h))')).toEqual([expect.closeTo(2 ** 0.25)]);
  });

  test('shows each replica apart without dedup', async () => {
    const { body } = await query(`count_over_time(c_total[${slots}s])`, '&dedup=false');
    expect(
      body.data.result.map(({ metric, value }) => [metric['instance'], metric['replica'], value[1]]),
    ).toEqual([
      ['t0', '0', '49'],
      ['t0', '1', '59'],
      ['t1', '0', '60'],
      ['t1', '1', '60'],
    ]);
  });

  test('writes numbers and times as Prometheus does', async () => {
    const text = await (
      await fetch(`${url}/api/v1/query?query=tiny{instance="t1"}&time=${endMs / 1000 + 0.5}`)
    ).text();
    expect(text).toContain(`"value":[${endMs / 1000}.500,"1e-07"]`);
    const { body } = await query('1e-7');
    expect(body.data.result).toEqual([endMs / 1000, '0.0000001']);
  });

  test('explains a query, and what each part of it cost', async () => {
    const span = `query=sum(up)&start=${endMs / 1000 - 10}&end=${endMs / 1000}&step=5`;
    const node = { operator: 'sum', steps: 3, inputs: [{ operator: 'selector' }] };
    const told = await get(`explain_query?${span}`);
    expect(told.body.data).toMatchObject({ stats: { plan: node } });
    const run = await get(`explain_query?${span}&analyze=true`);
    const perStep = [-10, -5, 0].map((seconds) => [endMs / 1000 + seconds, 2]);
    expect(run.body.data).toMatchObject({
      resultType: 'matrix',
      stats: {
        samples: { totalQueryableSamples: 6, totalQueryableSamplesPerStep: perStep },
        plan: { ...node, cost: { series: 1, samples: 3 } },
      },
    });
    const { status, body } = await get('explain_query?query=sum(&analyze=1');
    expect([status, body.errorType]).toEqual([400, 'bad_data']);
  });

  test('has the exemplars of all replicas, each once', async () => {
    const { body, shards } = await get('query_exemplars?query=rate(c_total{instance="t0"}[5m])%2Btiny');
    const found = body.data as unknown as {
      seriesLabels: Record<string, string>;
      exemplars: { labels: { trace: string }; value: string; timestamp: number }[];
    }[];
    expect(shards).toBe('0 all, 1 all');
    expect(found.map(({ seriesLabels }) => seriesLabels)).toEqual(
      ['c_total 0', 'tiny 0', 'tiny 1'].map((text) => ({
        __name__: text.slice(0, -2),
        instance: `t${text.at(-1)}`,
        job: 'app',
      })),
    );
    const traces = (i: number): [number, number][] =>
      found[i]!.exemplars.map(({ labels, timestamp }) => [Number(labels.trace), timestamp]);
    expect(found[0]!.exemplars[1]).toEqual({
      labels: { trace: '10' },
      value: '5',
      timestamp: (endMs - 100_490) / 1000,
    });
    const stamped = [0, 10, 20, 30, 40, 50].map((slot) => [slot, (endMs - 100_500 + slot) / 1000]);
    expect(traces(0)).toEqual(stamped);
    const seconds = (slot: number): number => endMs / 1000 - (slots - 1 - slot);
    expect(traces(1)).toEqual([
      [0, seconds(0)],
      [20, seconds(21)],
      [40, seconds(40)],
    ]);
    expect(traces(2)).toEqual([0, 20, 40].map((slot) => [slot, seconds(slot)]));
    const cut = await get(`query_exemplars?query=tiny&start=${seconds(40)}&end=${seconds(40)}`);
    expect(JSON.stringify(cut.body.data).match(/"trace":"40"/g)).toHaveLength(2);
    expect((await get('query_exemplars?query=none')).body).toEqual({ status: 'success', data: [] });
    expect((await get('query_exemplars?query=1')).body).toEqual({ status: 'success' });
  });

  test('lists series, labels and values', async () => {
    const list = async (path: string) => (await get(path)).body.data as unknown;
    expect(await list('labels')).toEqual(['__name__', 'instance', 'job', 'short']);
    expect(await list('label/instance/values')).toEqual(['t0', 't1']);
    expect(await list('label/__name__/values')).toEqual(['c_total', 'h', 'short_total', 'tiny', 'up']);
    expect(await list('series?match[]=up&match[]=tiny{instance="t0"}')).toHaveLength(3);
    const { body } = await get('label/instance/values?limit=1');
    expect([body.data, body.warnings]).toEqual([['t0'], ['results truncated due to limit']]);
  });
});

describe('bad requests', () => {
  test("get Prometheus's texts", async () => {
    const check = async (path: string, want: string) => {
      const { status, body } = await get(path);
      expect([status, body.errorType, body.error]).toEqual([400, 'bad_data', expect.stringContaining(want)]);
    };
    await check('query?query=sum(', 'invalid parameter "query": 1:5: parse error: unclosed left parenthesis');
    await check(
      'query?query=up&time=x',
      'invalid parameter "time": invalid time value for \'time\': cannot parse "x" to a valid timestamp',
    );
    await check('query_range?query=up&start=2&end=1&step=1', 'end timestamp must not be before start time');
    await check('query_range?query=up&start=1&end=2&step=0', 'zero or negative query resolution step widths');
    await check(
      'query_range?query=up&start=0&end=11001&step=1',
      'exceeded maximum resolution of 11,000 points',
    );
    await check('series', 'no match[] parameter provided');
    await check('query?query=up&limit=-1', 'limit must be non-negative');
  });

  test('that are valid but cannot be run are 422', async () => {
    const { status, body } = await query('c_total + on() c_total');
    expect([status, body.errorType]).toEqual([422, 'execution']);
  });
});

// The last ones: they take stores away.
describe('when stores die', () => {
  test('one replica of a shard: the answer is whole and says so', async () => {
    await stores.get('scraper-main-1-0')!.server.close(0);
    const { body, shards } = await query('count(up)');
    expect([body.data.result[0]?.value[1], shards, body.warnings]).toEqual(['2', '0 all, 1 one', undefined]);
    expect(body.infos?.join()).toContain('shard "1": one replica answered');
  });

  test('both: a warning names the shard, partial_response=false refuses', async () => {
    await stores.get('scraper-main-1-1')!.server.close(0);
    const { body, shards } = await query('count(up)');
    expect([body.data.result[0]?.value[1], shards]).toEqual(['1', '0 all, 1 none']);
    expect(body.warnings?.join()).toContain('shard "1": no replica answered');
    const refused = await query('count(up)', '&partial_response=false');
    expect([refused.status, refused.body.errorType]).toEqual([503, 'unavailable']);
  });
});
