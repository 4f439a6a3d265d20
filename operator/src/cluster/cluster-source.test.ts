import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createMetrics } from '@flotilla/chassis';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterSource } from './cluster-source.ts';
import type { ClusterSourceOptions } from './cluster-source.ts';
import { TestApiServer, testLog } from './test-api-server.ts';

/** A machine that does much else is slow, not wrong. */
jest.setTimeout(60_000);

const core = '/api/v1/namespaces/shop';
const monitors = '/apis/monitoring.coreos.com/v1/namespaces/shop/servicemonitors';
const pace = {
  backoffMinMs: 1,
  backoffMaxMs: 4,
  notInstalledMs: 5,
  relistMinMs: 0,
  failingMs: 100,
  missingMs: 20,
  refreshMs: 20,
};

let server: TestApiServer;
let source: ClusterSource;
let changes: number;
beforeEach(() => {
  server = new TestApiServer();
  changes = 0;
});
afterEach(async () => {
  source.stop();
  await server.close();
});

async function start(options: Partial<ClusterSourceOptions> = {}): Promise<void> {
  source = new ClusterSource({
    client: await server.open(),
    log: testLog,
    namespaces: [],
    debounceMs: 1,
    pace,
    ...options,
  });
  source.onChange(() => changes++);
  await source.start();
}

async function expectSoon(condition: () => boolean): Promise<void> {
  for (let round = 0; round < 2000 && !condition(); round++) await sleep(5);
  expect(condition()).toBe(true);
}

function put(collection: string, name: string, rest: object = {}, metadata: object = {}): void {
  server.store.put(`${collection}/${name}`, { metadata: { name, ...metadata }, ...rest });
}

function monitor(name: string, port: string): void {
  put(monitors, name, { spec: { selector: {}, endpoints: [{ port }] } });
}

function secret(name: string, value: string): void {
  put(`${core}/secrets`, name, { data: { key: Buffer.from(value).toString('base64') } });
}

function namesOf(kind: 'Pod' | 'Service' | 'ServiceMonitor' | 'Fleet'): string[] {
  return source.list(kind).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
}

describe('objects', () => {
  test('are those of all kinds, sorted, and the same objects while nobody changes them', async () => {
    put(`${core}/services`, 'b');
    put(`${core}/services`, 'a');
    put('/api/v1/namespaces/other/services', 'c');
    put('/api/v1/nodes', 'one');
    monitor('web', 'http');
    await start();
    await expectSoon(() => source.synced());
    expect(namesOf('Service')).toEqual(['other/c', 'shop/a', 'shop/b']);
    expect(source.get('Node', '', 'one')?.metadata.name).toBe('one');
    const before = source.list('Service');
    put(`${core}/pods`, 'p');
    await expectSoon(() => namesOf('Pod').length === 1);
    expect(source.list('Service')).toBe(before);
  });

  test('stay the same when only what is not kept of them changes', async () => {
    put(`${core}/pods`, 'p', { status: { podIP: '10.0.0.1', qosClass: 'Burstable' } });
    await start();
    await expectSoon(() => source.synced());
    const before = source.get('Pod', 'shop', 'p');
    put(`${core}/pods`, 'p', { status: { podIP: '10.0.0.1', qosClass: 'Guaranteed' } });
    put(`${core}/pods`, 'q');
    await expectSoon(() => namesOf('Pod').length === 2);
    expect(source.get('Pod', 'shop', 'p')).toBe(before);
  });

  test('that are refused are problems, with their names, and cost no other', async () => {
    monitor('good', 'http');
    put(monitors, 'bad', { spec: { selector: {}, endpoints: [{ interval: 'soon' }] } });
    await start();
    await expectSoon(() => source.synced());
    expect(namesOf('ServiceMonitor')).toEqual(['shop/good']);
    expect(source.problems()).toMatchObject([
      { severity: 'refused', kind: 'ServiceMonitor', name: 'shop/bad' },
    ]);
    monitor('bad', 'http');
    await expectSoon(() => source.problems().length === 0);
    expect(namesOf('ServiceMonitor')).toEqual(['shop/bad', 'shop/good']);
  });

  test('are those of some namespaces, where only some are to be watched', async () => {
    put(`${core}/services`, 'a');
    put('/api/v1/namespaces/other/services', 'b');
    put('/api/v1/namespaces/third/services', 'c');
    await start({ namespaces: ['shop', 'third'] });
    await expectSoon(() => source.synced());
    expect(namesOf('Service')).toEqual(['shop/a', 'third/c']);
    expect(source.get('Service', 'third', 'c')).toBeDefined();
    expect(source.get('Service', 'other', 'b')).toBeUndefined();
  });
});

describe('synced', () => {
  test('is false until every kind has been read whole', async () => {
    put(`${core}/pods`, 'p');
    server.refuse = ({ line }) => (line.includes('/ingresses') ? { status: 403 } : undefined);
    await start();
    await expectSoon(() => namesOf('Pod').length === 1);
    expect(source.synced()).toBe(false);
    server.refuse = () => undefined;
    await expectSoon(() => source.synced());
  });

  test('is false while the API server fails, and nothing goes', async () => {
    put(`${core}/pods`, 'p');
    await start();
    await expectSoon(() => source.synced());
    server.refuse = () => ({ status: 503 });
    server.endWatches();
    await expectSoon(() => !source.synced());
    expect(namesOf('Pod')).toEqual(['shop/p']);
    server.refuse = () => undefined;
    await expectSoon(() => source.synced());
  });

  test('needs no kind of those that may not be installed, and takes them up later', async () => {
    for (const plural of ['servicemonitors', 'podmonitors', 'probes', 'prometheusrules', 'scrapeconfigs'])
      server.uninstalled.add(plural);
    await start();
    await expectSoon(() => source.synced());
    expect(namesOf('ServiceMonitor')).toEqual([]);
    server.uninstalled.clear();
    monitor('web', 'http');
    await expectSoon(() => namesOf('ServiceMonitor').length === 1);
  });

  test('needs every kind that every cluster has', async () => {
    server.uninstalled.add('endpointslices');
    await start();
    await expectSoon(() => changes > 0);
    await sleep(100);
    expect(source.synced()).toBe(false);
  });
});

describe('secrets', () => {
  function valueOf(name: string): string | undefined {
    const data = source.get('Secret', 'shop', name)?.data;
    return data === undefined ? undefined : Buffer.from(data['key']!, 'base64').toString();
  }

  test('are fetched by name when asked for, and unknown until then', async () => {
    secret('token', 'one');
    secret('other', 'not asked for');
    await start();
    await expectSoon(() => source.synced());
    const before = changes;
    expect([valueOf('token'), source.synced()]).toEqual([undefined, false]);
    await expectSoon(() => source.synced());
    expect(valueOf('token')).toBe('one');
    await expectSoon(() => changes > before);
    expect(server.requests.filter((line) => line.includes('/secrets'))).toContain(
      `GET ${core}/secrets/token`,
    );
    expect(server.requests.some((line) => line.includes('other') || line.endsWith('/secrets'))).toBe(false);
    expect(source.list('Secret')).toEqual([]);
  });

  test('that are missing, or not for us, are known to be', async () => {
    server.refuse = ({ line }) => (line.endsWith('/forbidden') ? { status: 403 } : undefined);
    await start();
    await expectSoon(() => source.synced());
    expect([valueOf('missing'), valueOf('forbidden')]).toEqual([undefined, undefined]);
    await expectSoon(() => source.synced());
    secret('missing', 'made later');
    await expectSoon(() => valueOf('missing') === 'made later');
  });

  test('follow their changes, and outlast an API server that is away', async () => {
    secret('token', 'one');
    await start();
    valueOf('token');
    await expectSoon(() => valueOf('token') === 'one');
    secret('token', 'two');
    await expectSoon(() => valueOf('token') === 'two');
    server.refuse = () => ({ status: 500 });
    await sleep(100);
    expect(valueOf('token')).toBe('two');
    server.refuse = () => undefined;
    server.store.remove(`${core}/secrets/token`);
    await expectSoon(() => valueOf('token') === undefined);
  });
});

test('calls listeners once for many changes, and goes on when one throws', async () => {
  await start({ debounceMs: 200 });
  source.onChange(() => {
    throw new Error('of a listener');
  });
  let after = 0;
  source.onChange(() => after++);
  await expectSoon(() => source.synced() && changes > 0);
  await expectSoon(() => after === changes);
  const before = changes;
  for (let count = 0; count < 20; count++) put(`${core}/pods`, `p${count}`);
  await expectSoon(() => changes > before && namesOf('Pod').length === 20);
  expect(changes - before).toBeLessThan(5);
});

test('tells what it holds, as metrics', async () => {
  put(`${core}/pods`, 'p');
  const metrics = createMetrics('operator');
  await start({ metrics });
  await expectSoon(() => source.synced());
  const text = await metrics.metrics();
  expect(text).toContain('flotilla_reflector_items{kind="Pod"} 1');
  expect(text).toContain('flotilla_reflector_synced{kind="Fleet"} 1');
});
