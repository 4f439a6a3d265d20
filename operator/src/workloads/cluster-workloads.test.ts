import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestApiServer, testLog } from '../cluster/test-api-server.ts';
import type { Tree } from '../cluster/test-trees.ts';
import type { FleetSpec } from '../discovery/fleet-spec.ts';
import { ClusterWorkloads } from './cluster-workloads.ts';
import { planWorkloads } from './plan-workloads.ts';
import { testFleet, testPlace } from './test-fleet.ts';
import type { WorkloadAddress } from './workloads.ts';

/** A machine that does much else is slow, not wrong. */
jest.setTimeout(60_000);

const core = '/api/v1/namespaces/monitoring';
const sets = '/apis/apps/v1/namespaces/monitoring/statefulsets';
const services = `${core}/services`;
const budgets = '/apis/policy/v1/namespaces/monitoring/poddisruptionbudgets';
const claims = `${core}/persistentvolumeclaims`;
const managed = {
  'app.kubernetes.io/managed-by': 'flotilla-operator',
  'app.kubernetes.io/name': 'flotilla',
  'flotilla.dev/fleet': 'main',
};

let server: TestApiServer;
let workloads: ClusterWorkloads;
beforeEach(async () => {
  server = new TestApiServer();
  const client = await server.open();
  workloads = new ClusterWorkloads({ client, place: testPlace, fleet: 'main', log: testLog, lagMs: 0 });
  await expectSoon(() => server.watches === 6);
});
afterEach(async () => {
  await workloads.stop();
  await server.close();
});

async function expectSoon(condition: () => boolean): Promise<void> {
  for (let round = 0; round < 1000 && !condition(); round++) await sleep(5);
  expect(condition()).toBe(true);
}

function apply(spec: object = {}, shards: readonly number[] = [0, 1]): Promise<readonly WorkloadAddress[]> {
  const fleet: FleetSpec = testFleet(spec);
  return workloads.apply(fleet, planWorkloads(fleet, shards));
}

/** Applies until the watches have shown it what there is, and it has nothing more to do. */
async function settle(spec: object = {}, shards: readonly number[] = [0, 1]): Promise<void> {
  for (let quiet = 0, round = 0; quiet < 3 && round < 200; round++) {
    server.requests = [];
    await apply(spec, shards);
    quiet = server.requests.length === 0 ? quiet + 1 : 0;
    await sleep(5);
  }
  expect(server.requests).toEqual([]);
}

async function expectApplied(isRepaired: () => boolean): Promise<void> {
  for (let round = 0; round < 400 && !isRepaired(); round++) {
    await apply();
    await sleep(5);
  }
  expect(isRepaired()).toBe(true);
}

function specOf(path: string): Tree {
  return server.store.get(path)!['spec'] as Tree;
}

/** As somebody else changes it. */
function edit(path: string, change: (object: Tree) => void): void {
  const object = JSON.parse(JSON.stringify(server.store.get(path)!)) as Tree;
  change(object);
  server.store.put(path, object);
}

describe('what is planned', () => {
  test('is made, with a token, and reached by names that stay', async () => {
    const addresses = await apply();
    expect(server.names('statefulsets')).toEqual(['ruler-main', 'scraper-main-0', 'scraper-main-1']);
    expect(server.names('services')).toEqual(['querier-main', 'ruler-main', 'scraper-main']);
    expect(server.names('secrets')).toEqual(['main-internal-token']);
    expect(addresses.slice(0, 2)).toEqual([
      { name: 'scraper-main-0-0', url: 'http://scraper-main-0-0.scraper-main.monitoring.svc:9090' },
      { name: 'scraper-main-0-1', url: 'http://scraper-main-0-1.scraper-main.monitoring.svc:9090' },
    ]);
  });

  test('costs no request while nothing changes', async () => {
    await settle();
    for (let count = 0; count < 5; count++) await apply();
    expect(server.requests).toEqual([]);
  });

  test('is made for a Fleet whose scrape classes have relabelings', async () => {
    const relabelings = [{ sourceLabels: ['a'], action: 'hashmod', modulus: 4, targetLabel: 'b' }];
    await settle({ scrapeClasses: [{ name: 'c', relabelings }] });
    expect(server.store.list(sets).length).toBeGreaterThan(0);
  });

  test('needs an image', async () => {
    const client = await server.open();
    const place = { ...testPlace, image: '' };
    const none = new ClusterWorkloads({ client, place, fleet: 'main', log: testLog });
    await expect(none.apply(testFleet(), [])).rejects.toThrow('flag --image: missing');
    await none.stop();
  });

  test('keeps the token that was made once', async () => {
    await settle();
    const token = server.store.get(`${core}/secrets/main-internal-token`);
    await apply();
    expect(server.store.get(`${core}/secrets/main-internal-token`)).toBe(token);
  });
});

describe('drift', () => {
  test('is repaired, and what others have added stays', async () => {
    await settle();
    edit(`${sets}/scraper-main-0`, (set) => {
      const spec = set['spec'] as { replicas: number; revisionHistoryLimit: number; template: Tree };
      const template = spec.template as { metadata: { annotations: Tree }; spec: { containers: Tree[] } };
      spec.replicas = 7;
      spec.revisionHistoryLimit = 3;
      template.metadata.annotations['kubectl.kubernetes.io/restartedAt'] = 'now';
      template.spec.containers.push({ name: 'injected', image: 'mesh:1' });
      template.spec.containers[0]!['image'] = 'evil:1';
    });
    await expectApplied(() => specOf(`${sets}/scraper-main-0`)['replicas'] === 2);
    const spec = specOf(`${sets}/scraper-main-0`) as unknown as {
      revisionHistoryLimit: number;
      template: { metadata: { annotations: Tree }; spec: { containers: Tree[] } };
    };
    expect(spec.revisionHistoryLimit).toBe(3);
    expect(spec.template.metadata.annotations).toEqual({ 'kubectl.kubernetes.io/restartedAt': 'now' });
    expect(spec.template.spec.containers.map(({ name, image }) => [name, image])).toEqual([
      ['scraper', testPlace.image],
      ['injected', 'mesh:1'],
    ]);
    await settle();
  });

  test('of labels, owners and Services is repaired as well', async () => {
    await settle();
    edit(`${services}/scraper-main`, (service) => ((service['spec'] as Tree)['selector'] = { app: 'x' }));
    edit(`${budgets}/scraper-main-0`, ({ metadata }) => {
      delete ((metadata as Tree)['labels'] as Tree)['flotilla.dev/shard'];
    });
    const isRepaired = (): boolean =>
      (specOf(`${services}/scraper-main`)['selector'] as Tree)['flotilla.dev/fleet'] === 'main' &&
      (server.store.get(`${budgets}/scraper-main-0`)!.metadata['labels'] as Tree)['flotilla.dev/shard'] ===
        '0';
    await expectApplied(isRepaired);
  });

  test('of a status is none', async () => {
    await settle();
    edit(`${sets}/scraper-main-0`, (set) => (set['status'] = { readyReplicas: 2 }));
    await sleep(50);
    await apply();
    expect(server.requests).toEqual([]);
  });

  test('what was deleted is made again', async () => {
    await settle();
    server.store.remove(`${sets}/scraper-main-1`);
    await expectApplied(() => server.names('statefulsets').includes('scraper-main-1'));
  });

  test('a field that the Fleet names no more goes', async () => {
    const scraper = { podTemplate: { spec: { priorityClassName: 'high' } } };
    await settle({ scraper });
    const podSpec = (): Tree => (specOf(`${sets}/scraper-main-0`)['template'] as { spec: Tree }).spec;
    expect(podSpec()['priorityClassName']).toBe('high');
    await apply();
    expect(podSpec()).not.toHaveProperty('priorityClassName');
  });
});

describe('what is planned no longer', () => {
  function claim(name: string, labels: Record<string, string>): void {
    server.store.put(`${claims}/${name}`, { metadata: { name, labels } });
  }

  test('goes: first the volumes of the shard, then the shard', async () => {
    claim('data-scraper-main-1-0', {
      ...managed,
      'app.kubernetes.io/component': 'scraper',
      'flotilla.dev/shard': '1',
    });
    claim('data-scraper-main-0-0', {
      ...managed,
      'app.kubernetes.io/component': 'scraper',
      'flotilla.dev/shard': '0',
    });
    await settle({ storage: { size: '1Gi' } });
    server.requests = [];
    await apply({ storage: { size: '1Gi' } }, [0]);
    expect(server.requests.filter((line) => line.startsWith('DELETE'))).toEqual([
      `DELETE ${claims}/data-scraper-main-1-0`,
      `DELETE ${sets}/scraper-main-1`,
      `DELETE ${budgets}/scraper-main-1`,
    ]);
    expect(server.names('persistentvolumeclaims')).toEqual(['data-scraper-main-0-0']);
    await settle({ storage: { size: '1Gi' } }, [0]);
  });

  test('is not ours to delete when somebody else owns it', async () => {
    const path = `${services}/of-another`;
    const owner = { apiVersion: 'v1', kind: 'Thing', name: 'x', uid: 'x', controller: true };
    const metadata = { name: 'of-another', labels: managed, ownerReferences: [owner] };
    server.store.put(path, { metadata, spec: {} });
    await settle();
    expect(server.store.get(path)).toBeDefined();
  });

  test('stays as long as not all is known', async () => {
    await settle();
    await workloads.stop();
    server.refuse = ({ query }) => (query.has('limit') ? { status: 503 } : undefined);
    const client = await server.open();
    workloads = new ClusterWorkloads({ client, place: testPlace, fleet: 'main', log: testLog, lagMs: 0 });
    await apply({}, [0]);
    expect(server.names('statefulsets')).toContain('scraper-main-1');
  });
});

describe('an API server that says no', () => {
  test('a conflict, or one that is away, is for the next round', async () => {
    server.refuse = ({ line }) => (line.startsWith('PATCH') ? { status: 409 } : undefined);
    await expect(apply()).rejects.toMatchObject({ status: 409 });
    server.refuse = () => undefined;
    await settle();
    expect(server.names('statefulsets').length).toBe(3);
  });

  test('a refusal is told, and costs no other object', async () => {
    const message = 'pods "scraper" violates PodSecurity';
    server.refuse = ({ line }) =>
      line === `PATCH ${sets}/scraper-main-0` ? { status: 403, message } : undefined;
    await apply();
    expect(server.names('statefulsets')).toEqual(['ruler-main', 'scraper-main-1']);
    expect(workloads.readiness().get('StatefulSet/scraper-main-0')).toEqual({
      ready: false,
      reason: expect.stringContaining(message),
    });
    server.requests = [];
    await apply();
    expect(server.requests).not.toContain(`PATCH ${sets}/scraper-main-0`);
  });

  test("somebody else's object of the name is left alone", async () => {
    server.store.put(`${services}/querier-main`, {
      metadata: { name: 'querier-main' },
      spec: { mine: true },
    });
    await apply();
    expect(specOf(`${services}/querier-main`)).toEqual({ mine: true });
    expect(workloads.readiness().get('Service/querier-main')?.reason).toContain('want the name free');
    expect(server.names('statefulsets').length).toBe(3);
  });

  test('a StatefulSet that cannot be changed is made anew around its pods', async () => {
    await settle({ storage: { size: '1Gi' } });
    const labels = { ...managed, 'app.kubernetes.io/component': 'scraper', 'flotilla.dev/shard': '0' };
    const small = { resources: { requests: { storage: '1Gi' } } };
    server.store.put(`${claims}/data-0`, { metadata: { name: 'data-0', labels }, spec: small });
    const before = server.store.get(`${sets}/scraper-main-0`)!.metadata.uid;
    await apply({ storage: { size: '2Gi' } });
    expect(server.requests).toContain(`DELETE ${sets}/scraper-main-0`);
    expect(server.store.get(`${sets}/scraper-main-0`)!.metadata.uid).not.toBe(before);
    expect(specOf(`${claims}/data-0`)).toEqual({ resources: { requests: { storage: '2Gi' } } });
    await settle({ storage: { size: '2Gi' } });
  });
});

describe('pods', () => {
  function pod(name: string, component: string, status: object): void {
    const labels = { ...managed, 'app.kubernetes.io/component': component };
    server.store.put(`${core}/pods/${name}`, { metadata: { name, labels }, status });
  }
  const ready = { podIP: '10.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] };

  test('tell whether they are ready, and why not', async () => {
    await settle();
    pod('scraper-main-0-0', 'scraper', ready);
    pod('scraper-main-0-1', 'scraper', {
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'False', message: '0/3 nodes are available' }],
    });
    pod('scraper-main-1-0', 'scraper', {
      phase: 'Running',
      containerStatuses: [
        {
          state: { waiting: { reason: 'CrashLoopBackOff' } },
          lastState: { terminated: { reason: 'OOMKilled', exitCode: 137 } },
        },
      ],
    });
    await expectSoon(() => workloads.readiness().get('scraper-main-1-0')?.reason !== 'no pod');
    const reasons = [...workloads.readiness()].map(([name, one]) => [name, one.ready || one.reason]);
    expect(Object.fromEntries(reasons)).toEqual({
      'scraper-main-0-0': true,
      'scraper-main-0-1': 'Unschedulable: 0/3 nodes are available',
      'scraper-main-1-0': 'CrashLoopBackOff (OOMKilled, exit 137)',
      'scraper-main-1-1': 'no pod',
      'ruler-main-0': 'no pod',
      'ruler-main-1': 'no pod',
      'querier-main': '0 of 1: no pod',
    });
  });

  test('of queriers that are ready read the topology, and are told of it once', async () => {
    pod('querier-main-a', 'querier', ready);
    pod('querier-main-b', 'querier', { ...ready, podIP: 'fd00::1' });
    pod('querier-main-c', 'querier', { phase: 'Pending' });
    await expectSoon(() => workloads.readers().length === 2);
    expect(workloads.readers().map(({ url }) => url)).toEqual([
      'http://10.0.0.1:9090',
      'http://[fd00::1]:9090',
    ]);
    const told = (name: string): unknown =>
      (server.store.get(`${core}/pods/${name}`)!.metadata['annotations'] as Tree | undefined)?.[
        'flotilla.dev/topology-version'
      ];
    await workloads.tellReaders('epoch-2');
    expect([told('querier-main-a'), told('querier-main-c')]).toEqual(['epoch-2', 'epoch-2']);
    await sleep(50);
    server.requests = [];
    await workloads.tellReaders('epoch-2');
    expect(server.requests).toEqual([]);
  });
});
