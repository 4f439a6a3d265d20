// Manifests in a real folder to targets, rule files and refusals.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createLogger } from '@flotilla/chassis';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FolderSource } from '../objects/folder-source.ts';
import { FleetDiscovery } from './fleet-discovery.ts';

const log = createLogger({ name: 'test', write: () => undefined });
const fleet = 'apiVersion: flotilla.dev/v1alpha1\nkind: Fleet\nmetadata: {name: main}\nspec: {shards: 2}\n';

let folder: string;
let discovery: FleetDiscovery;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flotilla-discovery-'));
  discovery = new FleetDiscovery({ source: new FolderSource({ folders: [folder], debounceMs: 10 }), log });
});
afterEach(async () => {
  await discovery.stop();
  rmSync(folder, { recursive: true, force: true });
});

function write(file: string, ...documents: readonly object[]): void {
  writeFileSync(join(folder, file), documents.map((one) => JSON.stringify(one)).join('\n---\n'));
}

async function start(...documents: readonly object[]): Promise<void> {
  writeFileSync(join(folder, 'fleet.yaml'), fleet);
  write('objects.yaml', ...documents);
  await discovery.start();
}

async function until(condition: () => boolean): Promise<void> {
  for (let round = 0; round < 400 && !condition(); round++) await sleep(20);
  expect(condition()).toBe(true);
}

function targets(): { job: string; url: string; labels: Record<string, string>; key: string }[] {
  return discovery
    .pools()
    .flatMap(({ job, targets: list }) =>
      list.map(({ url, labels, key }) => ({ job: job.name, url, labels: labels.toRecord(), key })),
    );
}

function object(kind: string, apiVersion: string, name: string, rest: object, metadata: object = {}): object {
  return { apiVersion, kind, metadata: { name, namespace: 'shop', ...metadata }, ...rest };
}

const monitoring = 'monitoring.coreos.com/v1';
const pod = object(
  'Pod',
  'v1',
  'web-0',
  {
    spec: {
      nodeName: 'n1',
      containers: [
        {
          name: 'app',
          ports: [
            { name: 'http', containerPort: 8080 },
            { name: 'admin', containerPort: 9000 },
          ],
        },
      ],
    },
    status: {
      phase: 'Running',
      podIP: '10.0.0.1',
      podIPs: [{ ip: '10.0.0.1' }],
      conditions: [{ type: 'Ready', status: 'True' }],
    },
  },
  { labels: { app: 'web', tier: 'front' } },
);
const service = object(
  'Service',
  'v1',
  'web',
  { spec: { ports: [{ name: 'http', port: 80 }] } },
  { labels: { app: 'web', team: 'a' } },
);
const slice = object(
  'EndpointSlice',
  'discovery.k8s.io/v1',
  'web-abc',
  {
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: [
      {
        addresses: ['10.0.0.1'],
        conditions: { ready: true },
        nodeName: 'n1',
        targetRef: { kind: 'Pod', name: 'web-0', namespace: 'shop' },
      },
    ],
  },
  { labels: { 'kubernetes.io/service-name': 'web' } },
);

describe('targets', () => {
  test('of a ServiceMonitor carry the labels of Service, Pod and endpoint', async () => {
    const spec = {
      selector: { matchLabels: { app: 'web' } },
      targetLabels: ['team'],
      podTargetLabels: ['tier'],
      jobLabel: 'app',
      endpoints: [{ port: 'http', path: '/m', params: { b: ['2'], a: ['1'] } }],
    };
    await start(pod, service, slice, object('ServiceMonitor', monitoring, 'sm', { spec }));
    expect(targets()).toEqual([
      {
        job: 'serviceMonitor/shop/sm/0',
        url: 'http://10.0.0.1:8080/m?a=1&b=2',
        labels: {
          container: 'app',
          endpoint: 'http',
          instance: '10.0.0.1:8080',
          job: 'web',
          namespace: 'shop',
          pod: 'web-0',
          service: 'web',
          team: 'a',
          tier: 'front',
        },
        key: '10.0.0.1:8080',
      },
    ]);
  });

  test('of a PodMonitor: only the named port, job is namespace/name', async () => {
    const spec = { selector: { matchLabels: { app: 'web' } }, podMetricsEndpoints: [{ port: 'admin' }] };
    await start(pod, object('PodMonitor', monitoring, 'pm', { spec }));
    expect(targets()).toEqual([
      {
        job: 'podMonitor/shop/pm/0',
        url: 'http://10.0.0.1:9000/metrics',
        labels: {
          container: 'app',
          endpoint: 'admin',
          instance: '10.0.0.1:9000',
          job: 'shop/pm',
          namespace: 'shop',
          pod: 'web-0',
        },
        key: '10.0.0.1:9000',
      },
    ]);
  });

  test('of a Probe: the prober is scraped, the target is parameter, instance and shard key', async () => {
    const spec = {
      jobName: 'ping',
      module: 'icmp',
      prober: { url: 'prober:9115' },
      targets: { staticConfig: { static: ['example.org'] } },
    };
    await start(object('Probe', monitoring, 'p', { spec }));
    expect(targets()).toEqual([
      {
        job: 'probe/shop/p',
        url: 'http://prober:9115/probe?module=icmp&target=example.org',
        labels: { instance: 'example.org', job: 'ping', namespace: 'shop' },
        key: 'example.org',
      },
    ]);
  });

  test('of a ScrapeConfig: relabeling may drop, choose the key, and disable sharding', async () => {
    const spec = {
      jobName: 'static',
      staticConfigs: [{ targets: ['a:1', 'b:1', 'c:1'], labels: { zone: 'x' } }],
      relabelings: [
        { sourceLabels: ['__address__'], regex: 'b:1', action: 'drop' },
        { sourceLabels: ['__address__'], regex: 'a:1', targetLabel: '__tmp_hash', replacement: 'together' },
        {
          sourceLabels: ['__address__'],
          regex: 'c:1',
          targetLabel: '__tmp_disable_sharding',
          replacement: 'yes',
        },
      ],
    };
    await start(object('ScrapeConfig', 'monitoring.coreos.com/v1alpha1', 'sc', { spec }));
    expect(targets().map(({ url, key }) => [url, key])).toEqual([
      ['http://a:1/metrics', 'together'],
      ['http://c:1/metrics', 'c:1'],
    ]);
    expect(discovery.pools()[0]?.targets.map(({ everyShard }) => everyShard)).toEqual([false, true]);
    const { targets: dropped, nearMisses } = discovery.explain('b:1');
    expect([dropped[0]?.dropped?.rule, nearMisses[0]?.reason]).toEqual([
      3,
      expect.stringContaining('dropped by rule 3'),
    ]);
  });

  test('of file and HTTP discovery come and change with their documents', async () => {
    const file = join(folder, '..', `${folder.split('/').at(-1)}-targets.json`);
    writeFileSync(file, JSON.stringify([{ targets: ['f:1'] }]));
    const server = createServer((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('[{"targets": ["h:1"]}]'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sd`;
      await start(
        object('ScrapeConfig', 'monitoring.coreos.com/v1alpha1', 'sd', {
          spec: { fileSDConfigs: [{ files: [file] }], httpSDConfigs: [{ url }] },
        }),
      );
      expect(discovery.synced()).toBe(false);
      await until(() => discovery.synced() && targets().length === 2);
      expect(targets().map(({ url: target }) => target)).toEqual([
        'http://f:1/metrics',
        'http://h:1/metrics',
      ]);
      writeFileSync(file, 'broken');
      await sleep(300);
      expect(targets()).toHaveLength(2);
      writeFileSync(file, JSON.stringify([{ targets: ['g:1'] }]));
      await until(() => targets().some(({ url: target }) => target === 'http://g:1/metrics'));
    } finally {
      server.close();
      rmSync(file, { force: true });
    }
  });
});

describe('a bad manifest', () => {
  const good = object('ScrapeConfig', 'monitoring.coreos.com/v1alpha1', 'good', {
    spec: { staticConfigs: [{ targets: ['good:1'] }] },
  });
  const other = (targetsOf: unknown): object =>
    object('ScrapeConfig', 'monitoring.coreos.com/v1alpha1', 'other', {
      spec: { staticConfigs: [{ targets: targetsOf }] },
    });

  test('is refused with file, line and reason, keeps its last good version, and disturbs nobody', async () => {
    await start(good);
    write('other.yaml', other(['other:1']));
    await until(() => targets().length === 2);
    write(
      'other.yaml',
      other(7),
      object('ScrapeConfig', 'monitoring.coreos.com/v1alpha1', 'third', {
        spec: { staticConfigs: [{ targets: ['third:1'] }] },
      }),
    );
    await until(() => targets().length === 3);
    expect(discovery.problems()).toEqual([
      {
        file: join(folder, 'other.yaml'),
        line: 1,
        isOfTargets: false,
        apiVersion: '',
        uid: '',
        kind: 'ScrapeConfig',
        namespace: 'shop',
        name: 'other',
        reason: expect.stringContaining('targets'),
      },
    ]);
    rmSync(join(folder, 'other.yaml'));
    await until(() => targets().length === 1 && discovery.problems().length === 0);
  });

  test('of a Fleet is refused for a misspelt field, with a suggestion', async () => {
    writeFileSync(join(folder, 'fleet.yaml'), fleet.replace('shards', 'shardz'));
    await discovery.start();
    expect(discovery.fleet()).toBeUndefined();
    expect(discovery.problems()[0]?.reason).toMatch(/shardz.*shards/s);
  });

  test('is one whose timeout exceeds its interval, or that uses two ways to authenticate', async () => {
    const bad = (name: string, spec: object): object =>
      object('ScrapeConfig', 'monitoring.coreos.com/v1alpha1', name, { spec });
    await start(
      bad('slow', { scrapeInterval: '5s', scrapeTimeout: '10s' }),
      bad('both', { basicAuth: {}, authorization: {} }),
      bad('consul', { consulSDConfigs: [{}] }),
    );
    expect(
      discovery
        .problems()
        .map(({ name, reason }) => `${name}: ${reason}`)
        .toSorted(),
    ).toEqual([
      expect.stringContaining('both: at most one of'),
      expect.stringContaining('consul: consulSDConfigs: not supported'),
      expect.stringContaining('slow: scrapeTimeout 10s greater than interval 5s'),
    ]);
  });
});

test('rules become rule files, and unchanged pools keep their identity', async () => {
  const spec = { groups: [{ name: 'g', interval: '30s', rules: [{ record: 'x', expr: 1 }] }] };
  await start(object('PrometheusRule', monitoring, 'r', { spec }));
  expect(discovery.ruleFiles().map(({ file }) => file)).toEqual(['shop_r.yaml']);
  expect(discovery.ruleFiles()[0]?.text).toContain('interval: 30s');
  const before = discovery.pools();
  write('more.yaml', object('ConfigMap', 'v1', 'c', { data: { a: 'b' } }));
  await sleep(300);
  expect(discovery.pools()).toBe(before);
  expect(discovery.secret({ kind: 'ConfigMap', namespace: 'shop', name: 'c', key: 'a' })).toBe(
    Buffer.from('b').toString('base64'),
  );
});
