// Proof: of the same targets a real Prometheus and a fleet say the same: labels before and after relabeling, what was dropped,
// what each rule did, what targets say of their metrics. Prometheus gets the rules that the fleet says it has.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePort } from '@flotilla/chassis';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, LocalFleet } from '../../local/fleet.ts';
import { fleetManifest, scrapeConfig } from '../../local/manifests.ts';

const pool = 'scrapeConfig/default/app';
const relabelings = `  keepDroppedTargets: 2
  params:
    module: [b, a]
  metricsPath: /m
  relabelings:
    - {sourceLabels: [__address__], regex: '.*:(\\d+)', targetLabel: port}
    - {sourceLabels: [fate, zone], regex: 'gone;.*', action: Drop}
    - {sourceLabels: [zone], targetLabel: region, action: Uppercase}
    - {regex: 'zo.e', action: LabelDrop}
    - {sourceLabels: [port, region], modulus: 7, targetLabel: spread, action: HashMod}
    - {regex: '(fa).*', replacement: '\${1}x', action: LabelMap}
    - {sourceLabels: [port], targetLabel: region, action: DropEqual}
    - {sourceLabels: [fate], separator: '', regex: '', targetLabel: empty, replacement: ''}
`;
const dir = mkdtempSync(join(tmpdir(), 'flotilla-targets-'));
const socketPath = join(dir, 'metrics.sock');
let target: Server;
let socketTarget: Server;
let fleet: LocalFleet;
let prometheus: ChildProcess;
let peerUrl: string;

/** Static configurations in the operator's form and in Prometheus's; the operator's form has one less name for labels. */
function groups(address: string): readonly { readonly targets: string[]; readonly labels: object }[] {
  return [
    { targets: [address], labels: { zone: 'eu' } },
    { targets: ['127.0.0.1:1'], labels: { zone: 'us', fate: 'kept' } },
    { targets: ['app:80'], labels: { zone: 'us', __unix_socket__: socketPath } },
    { targets: ['gone:80'], labels: { zone: 'us', __unix_socket__: `${socketPath}.none` } },
    { targets: ['127.0.0.1:2', '127.0.0.1:3', '127.0.0.1:4'], labels: { fate: 'gone' } },
  ];
}

interface Answer {
  readonly error?: string;
  readonly data: unknown;
}

async function get(url: string, path: string): Promise<Answer> {
  const response = await fetch(`${url}/api/v1/${path}`);
  return (await response.json()) as Answer;
}

async function both(path: string): Promise<readonly [ours: Answer, theirs: Answer]> {
  return Promise.all([get(fleet.url, path), get(peerUrl, path)]);
}

beforeAll(async () => {
  const page: RequestListener = (_request, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end('# HELP up_total Ups.\n# TYPE up_total counter\nup_total 1\n# TYPE now gauge\nnow 2\n');
  };
  target = createServer(page);
  socketTarget = createServer(page);
  await new Promise<void>((resolve) => {
    socketTarget.listen(socketPath, resolve);
  });
  await new Promise<void>((resolve) => {
    target.listen(0, '127.0.0.1', resolve);
  });
  const configs = groups(`127.0.0.1:${(target.address() as AddressInfo).port}`);
  const text = scrapeConfig('app', [], relabelings).replace(
    /staticConfigs:\n.*\n/,
    `staticConfigs: ${JSON.stringify(configs)}\n`,
  );
  fleet = await LocalFleet.start({
    'fleet.yaml': fleetManifest({ shards: 2, rulers: 0 }),
    'app.yaml': text.replace('  name: app', '  name: app\n  namespace: default'),
  });
  const rules = await eventually('the rules of the pool', 20_000, async () => {
    const { data } = await get(fleet.url, `targets/relabel_steps?scrapePool=${pool}&labels={}`);
    return (data as { steps: { rule: Rule }[] }).steps.map(({ rule }) => configOf(rule));
  });
  await startPrometheus(configs, rules);
  await Promise.all([fleet.url, peerUrl].map((url) => isScraped(url)));
}, 90_000);

interface Rule {
  readonly action: string;
  readonly regex: string;
}

/** As a file has it, where some actions take no regex, not even the default. */
function configOf({ regex, ...rule }: Rule): object {
  const isEqual = rule.action.endsWith('equal');
  return { ...rule, ...(!isEqual && { regex }) };
}

async function startPrometheus(configs: readonly object[], rules: readonly object[]): Promise<void> {
  const job = {
    job_name: pool,
    metrics_path: '/m',
    keep_dropped_targets: 2,
    params: { module: ['b', 'a'] },
    static_configs: configs,
    relabel_configs: rules,
  };
  const file = join(dir, 'prometheus.yml');
  const config = { global: { scrape_interval: '1s', scrape_timeout: '1s' }, scrape_configs: [job] };
  writeFileSync(file, JSON.stringify(config));
  const port = await freePort();
  peerUrl = `http://127.0.0.1:${port}`;
  const args = [`--config.file=${file}`, `--storage.tsdb.path=${join(dir, 'data')}`];
  const binary = process.env['FLOTILLA_PROMETHEUS'];
  if (binary === undefined) throw new Error('FLOTILLA_PROMETHEUS is not set: run `npm run conformance`');
  prometheus = spawn(binary, [...args, `--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' });
}

function isScraped(url: string): Promise<true> {
  return eventually(`targets of ${url} were scraped`, 40_000, async () => {
    const { data } = await get(url, 'targets/metadata?metric=now');
    const { activeTargets } = (await get(url, 'targets')).data as { activeTargets: { health: string }[] };
    const isDone = activeTargets.length > 0 && activeTargets.every(({ health }) => health !== 'unknown');
    return isDone && (data as unknown[]).length === 2 ? true : undefined;
  });
}

afterAll(async () => {
  prometheus.kill('SIGKILL');
  await fleet.remove();
  for (const server of [target, socketTarget]) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(dir, { recursive: true, force: true });
}, 30_000);

/** Without what measures time, names a host, or tells of shards; errors of a connection have different texts. */
function comparable({ error, data }: Answer): unknown {
  if (error !== undefined) return error;
  const { activeTargets, ...rest } = data as { activeTargets: Record<string, unknown>[] };
  const shown = [
    'discoveredLabels',
    'labels',
    'scrapePool',
    'scrapeUrl',
    'health',
    'scrapeInterval',
    'scrapeTimeout',
  ];
  const active = activeTargets.map((one) => shown.map((name) => one[name]));
  return { active: active.toSorted((a, b) => (String(a[3]) < String(b[3]) ? -1 : 1)), ...rest };
}

test('targets: discovered labels, dropped ones, their counts, every state and pool', async () => {
  const [whole] = await both('targets');
  const { activeTargets, droppedTargets, droppedTargetCounts } = whole.data as Record<string, unknown[]>;
  expect([activeTargets!.length, droppedTargets!.length, droppedTargetCounts]).toEqual([4, 2, { [pool]: 3 }]);
  const states = (activeTargets as { scrapeUrl: string; health: string; lastError: string }[]).filter(
    ({ scrapeUrl }) => scrapeUrl.includes(':80/'),
  );
  expect(states.map(({ health }) => health).toSorted()).toEqual(['down', 'up']);
  const queries = [
    '',
    'state=active',
    'state=Dropped',
    'state=any',
    'state=none',
    `scrapePool=${pool}`,
    'scrapePool=x',
  ];
  for (const query of queries) {
    const [ours, theirs] = await both(`targets?${query}`);
    expect([query, comparable(ours)]).toEqual([query, comparable(theirs)]);
  }
  const [ourPools, theirPools] = await both('scrape_pools');
  expect(ourPools.data).toEqual(theirPools.data);
});

test('relabel steps: what each rule makes of labels', async () => {
  const sets = [
    { __address__: '127.0.0.1:1', zone: 'eu' },
    { __address__: 'host', fate: 'gone', zone: 'x' },
    { fate: 'kept', fab: '1', zone: 'eu' },
    { region: 'A', zone: 'A', 'a.b': 'ü\n' },
    {},
  ];
  for (const labels of sets) {
    const query = new URLSearchParams({ scrapePool: pool, labels: JSON.stringify(labels) });
    const [ours, theirs] = await both(`targets/relabel_steps?${query}`);
    expect(ours.data).toEqual(theirs.data);
  }
  const bad = ['', 'labels={}', `scrapePool=${pool}`, 'scrapePool=x&labels={}'];
  for (const query of bad) {
    const [ours, theirs] = await both(`targets/relabel_steps?${query}`);
    expect(ours.error).toBe(theirs.error);
    expect(ours.error).toBeDefined();
  }
});

type Keyed = readonly [key: string, entry: object];

function keyed(entry: { readonly metric?: string; readonly target?: object }): Keyed {
  return [JSON.stringify([entry.metric, Object.entries(entry.target ?? {}).toSorted()]), entry];
}

function byKey([a]: Keyed, [b]: Keyed): number {
  return a < b ? -1 : 1;
}

test('metadata of targets, by target, metric and limit', async () => {
  const queries = [
    '',
    'metric=up_total',
    'metric=x',
    'match_target={region="EU"}',
    'match_target={region="US"}',
  ];
  // Which targets a limit leaves out is by chance.
  const limited = ['limit=1', 'metric=now&limit=1'].map((query) => `${query}&match_target={region="EU"}`);
  for (const query of [...queries, ...limited, 'limit=0', 'limit=x', 'match_target={']) {
    const [ours, theirs] = await both(`targets/metadata?${encodeURI(query)}`);
    const sorted = ({ error, data }: Answer): unknown =>
      error ?? (data as { metric?: string; target?: object }[]).map(keyed).toSorted(byKey);
    expect([query, sorted(ours)]).toEqual([query, sorted(theirs)]);
  }
});
