// Proof: a real API server takes every CRD in crds/, keeps every field that the operator reads, refuses what the rules refuse, and
// scales a Fleet. Binaries come from FLOTILLA_CLUSTER_BINARIES or the cache.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheFolder, missing, render } from '../../chart/helm.ts';
import { valueSets } from '../../chart/value-sets.ts';
import { startApiServer } from '../operator/api-server.ts';
import type { ApiServer } from '../operator/api-server.ts';
import { ChildProcesses, repository } from '../operator/child-processes.ts';
import { pathOf } from '../operator/kube-client.ts';
import type { KubeObject } from '../operator/kube-client.ts';

interface Crd extends KubeObject {
  readonly spec: { readonly group: string; readonly names: { readonly plural: string } };
}

interface LiveCrd {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const binaries = process.env['FLOTILLA_CLUSTER_BINARIES'] ?? join(cacheFolder, 'cluster/bin');
const withApiServer = existsSync(join(binaries, 'kube-apiserver')) ? describe : describe.skip;
const folder = join(repository, 'crds');
const crds = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => load(readFileSync(join(folder, name), 'utf8')) as Crd);
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const fleets = '/apis/flotilla.dev/v1alpha1/namespaces/default/fleets';
const monitors = '/apis/monitoring.coreos.com/v1/namespaces/default';
const mergePatch = 'application/merge-patch+json';

withApiServer('CRDs on a real API server', () => {
  let processes: ChildProcesses;
  let server: ApiServer;
  beforeAll(async () => {
    processes = new ChildProcesses();
    server = await startApiServer(processes, binaries);
  }, 90_000);
  afterAll(async () => {
    server?.client.close();
    await processes.stop();
  }, 30_000);

  function send(method: 'POST' | 'PATCH', path: string, body: object): Promise<string> {
    return server.client.send(method, path, body, method === 'PATCH' ? mergePatch : undefined);
  }

  async function makeFleet(name: string, spec: object): Promise<{ spec: Record<string, unknown> }> {
    const fleet = { apiVersion: 'flotilla.dev/v1alpha1', kind: 'Fleet', metadata: { name }, spec };
    await send('POST', `${fleets}?fieldValidation=Strict`, fleet);
    return await server.client.get(`${fleets}/${name}`);
  }

  async function expectRefused(call: Promise<unknown>, text: string): Promise<void> {
    await expect(call).rejects.toThrow(text);
  }

  async function conditionsOf(crd: Crd): Promise<Record<string, string>> {
    const live = await server.client.get<LiveCrd>(`${definitions}/${crd.metadata.name}`);
    return Object.fromEntries((live.status?.conditions ?? []).map(({ type, status }) => [type, status]));
  }

  test('all are established, none as not structural', async () => {
    expect(crds.length).toBe(6);
    for (const crd of crds) await send('POST', `${definitions}?fieldValidation=Strict`, crd);
    for (const crd of crds) {
      for (let tries = 0; tries < 200 && (await conditionsOf(crd))['Established'] !== 'True'; tries++)
        await sleep(50);
      expect([crd.metadata.name, await conditionsOf(crd)]).toEqual([
        crd.metadata.name,
        { Established: 'True', NamesAccepted: 'True' },
      ]);
    }
    for (let tries = 0; tries < 200; tries++) {
      if (await server.client.get(fleets).then(Boolean, () => false)) break;
      await sleep(50);
    }
  }, 60_000);

  test('an empty Fleet has one shard, and nothing else that nobody wrote', async () => {
    expect((await makeFleet('empty', {})).spec).toEqual({ shards: 1 });
  });

  test('a Fleet with everything keeps everything', async () => {
    const spec = {
      shards: 2,
      replicas: 2,
      retention: '30d',
      storage: { size: '10Gi', storageClassName: 'fast', whenDeleted: 'Delete' },
      zones: { names: ['a', 'b'], local: true },
      scraper: {
        resources: { limits: { cpu: 2, memory: '1Gi' } },
        podTemplate: { spec: { containers: [{ name: 'scraper', env: [{ name: 'A', value: 'b' }] }] } },
      },
      querier: { replicas: 2, maxBytes: '2GB' },
      ruler: { replicas: 0, alertmanagers: [{ url: 'http://alertmanager:9093' }] },
      serviceMonitorSelector: null,
      podMonitorSelector: { matchLabels: { team: 'a' } },
      scrapeClasses: [{ name: 'mesh', default: true, relabelings: [{ action: 'drop', regex: 'x' }] }],
      arbitraryFSAccessThroughSMs: { deny: true },
      bodySizeLimit: '10MB',
    };
    expect((await makeFleet('full', spec)).spec).toEqual(spec);
  });

  test('a Fleet that makes no sense is refused, with the reason', async () => {
    await expectRefused(makeFleet('none', { shards: 0 }), 'should be greater than or equal to 1');
    await expectRefused(makeFleet('typo', { shard: 2 }), 'unknown field \\"spec.shard\\"');
    await expectRefused(makeFleet('time', { retention: 'long' }), 'spec.retention');
    await expectRefused(
      makeFleet('zones', { shards: 1, zones: { names: ['a', 'b'], local: true } }),
      'fewer than zones.names',
    );
    await expectRefused(makeFleet('twice', { zones: { names: ['a', 'a'] } }), 'Duplicate value');
    const classes = ['a', 'b'].map((name) => ({ name, default: true }));
    await expectRefused(makeFleet('classes', { scrapeClasses: classes }), 'at most one may be the default');
    const other = { spec: { zones: { names: ['b', 'a'] } } };
    await expectRefused(send('PATCH', `${fleets}/full`, other), 'cannot be changed while zones.local is set');
    const turned = { spec: { zones: { names: ['a'], local: true } } };
    await expectRefused(send('PATCH', `${fleets}/empty`, turned), 'make another Fleet');
  });

  test('a Fleet is scaled as Deployments are, within its rules', async () => {
    const status = { shards: 2, selector: 'app.kubernetes.io/component=scraper' };
    await send('PATCH', `${fleets}/full/status`, { status });
    await send('PATCH', `${fleets}/full/scale`, { spec: { replicas: 5 } });
    expect(await server.client.get(`${fleets}/full/scale`)).toMatchObject({
      kind: 'Scale',
      spec: { replicas: 5 },
      status: { replicas: 2, selector: 'app.kubernetes.io/component=scraper' },
    });
    await expectRefused(send('PATCH', `${fleets}/full/scale`, { spec: { replicas: 1 } }), 'fewer than zones');
  });

  test('a ServiceMonitor keeps its fields, and takes bindings of several owners', async () => {
    const spec = {
      selector: { matchLabels: { app: 'web' } },
      endpoints: [
        {
          port: 'http',
          interval: '30s',
          tlsConfig: { ca: { secret: { name: 'ca', key: 'ca.crt' } } },
          metricRelabelings: [{ sourceLabels: ['__name__'], regex: 'go_.*', action: 'drop' }],
        },
      ],
      nativeHistogramMinBucketFactor: '1.1',
    };
    const path = `${monitors}/servicemonitors`;
    const head = {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'ServiceMonitor',
      metadata: { name: 'web' },
    };
    await send('POST', `${path}?fieldValidation=Strict`, { ...head, spec });
    expect((await server.client.get<{ spec: object }>(`${path}/web`)).spec).toEqual(spec);
    for (const name of ['main', 'other']) {
      const conditions = [{ type: 'Accepted', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }];
      const binding = {
        group: 'monitoring.coreos.com',
        resource: 'prometheuses',
        namespace: 'default',
        name,
      };
      await server.client.send(
        'PATCH',
        `${path}/web/status?fieldManager=${name}&force=true`,
        { ...head, status: { bindings: [{ ...binding, conditions }] } },
        'application/apply-patch+yaml',
      );
    }
    const { status } = await server.client.get<{ status: { bindings: { name: string }[] } }>(`${path}/web`);
    expect(status.bindings.map(({ name }) => name)).toEqual(['main', 'other']);
  });

  test('monitors with what no monitor has are refused when they are written', async () => {
    const rule = { groups: [{ name: 'a', rules: [{ alert: 'A', expr: 1, for: 'soon' }] }] };
    const object = (kind: string, spec: object): object => ({
      apiVersion: 'monitoring.coreos.com/v1',
      kind,
      metadata: { name: 'bad' },
      spec,
    });
    const post = (plural: string, kind: string, spec: object): Promise<string> =>
      send('POST', `${monitors}/${plural}`, object(kind, spec));
    await expectRefused(post('prometheusrules', 'PrometheusRule', rule), 'spec.groups[0].rules[0].for');
    await expectRefused(post('servicemonitors', 'ServiceMonitor', { selector: {} }), 'spec.endpoints');
    await expectRefused(
      post('podmonitors', 'PodMonitor', { selector: {}, podMetricsEndpoints: [{ portNumber: 0 }] }),
      'spec.podMetricsEndpoints[0].portNumber',
    );
  });

  describe(`what the chart renders${missing}`, () => {
    const withHelm = missing === '' ? test : test.skip;
    async function ensureNamespace(name: string): Promise<void> {
      const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
      await server.client.create(object).catch((error: unknown) => {
        if (!String(error).includes('AlreadyExists')) throw error;
      });
    }
    for (const [name, values] of Object.entries(valueSets)) {
      withHelm(`${name}: every object is taken, and no field is unknown`, async () => {
        // The kinds of the Gateway API are not installed here.
        for (const object of render(values).filter(({ kind }) => kind !== 'HTTPRoute')) {
          if (object.metadata.namespace !== undefined) await ensureNamespace(object.metadata.namespace);
          const path = `${pathOf(object)}?dryRun=All&fieldValidation=Strict`;
          const taken = await send('POST', path, object).then(String, (error: unknown) => String(error));
          expect([object.kind, object.metadata.name, taken.slice(0, 500)]).toEqual([
            object.kind,
            object.metadata.name,
            expect.stringMatching(/^\{/),
          ]);
        }
      });
    }
  });
});
