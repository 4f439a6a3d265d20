import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventRecorder } from './event-recorder.ts';
import type { KubeEvent } from './event-recorder.ts';
import { TestApiServer, testLog } from './test-api-server.ts';
import type { Tree } from './test-trees.ts';

/** A machine that does much else is slow, not wrong. */
jest.setTimeout(60_000);

const events = '/apis/events.k8s.io/v1/namespaces/shop/events';
const regarding = {
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'ServiceMonitor',
  namespace: 'shop',
  name: 'web',
  uid: 'uid-web',
};
const refused: KubeEvent = {
  regarding,
  type: 'Warning',
  reason: 'InvalidConfiguration',
  action: 'Select',
  note: 'spec.endpoints[0].port: missing',
};

let server: TestApiServer;
let recorder: EventRecorder;
beforeEach(async () => {
  server = new TestApiServer();
  recorder = new EventRecorder({
    client: await server.open(),
    namespace: 'monitoring',
    reportingController: 'flotilla.dev/operator',
    identity: 'operator-0',
    log: testLog,
  });
});
afterEach(() => server.close());

function recorded(collection = events): Tree[] {
  return server.store.list(collection);
}

async function expectSoon(condition: () => boolean): Promise<void> {
  for (let round = 0; round < 1000 && !condition(); round++) await sleep(5);
  expect(condition()).toBe(true);
}

function countOf(event: Tree | undefined): number {
  return (event?.['series'] as { count: number } | undefined)?.count ?? 1;
}

describe('EventRecorder', () => {
  test('writes an event where the object is', async () => {
    recorder.record(refused);
    await expectSoon(() => recorded().length === 1);
    expect(recorded()[0]).toMatchObject({
      ...refused,
      reportingController: 'flotilla.dev/operator',
      reportingInstance: 'operator-0',
      metadata: { name: expect.stringMatching(/^web\.[0-9a-f]+$/) },
      eventTime: expect.stringMatching(/\.\d{6}Z$/),
    });
  });

  test('writes about objects without a namespace into its own', async () => {
    recorder.record({ ...refused, regarding: { ...regarding, kind: 'Node', namespace: '', name: 'one' } });
    await expectSoon(() => recorded('/apis/events.k8s.io/v1/namespaces/monitoring/events').length === 1);
    expect(recorded()).toEqual([]);
  });

  test('makes a series of equal ones, and none of different ones', async () => {
    for (let count = 0; count < 4; count++) recorder.record(refused);
    recorder.record({ ...refused, note: 'something else' });
    await expectSoon(() => recorded().length === 2);
    expect(recorded().map(countOf).toSorted()).toEqual([1, 4]);
  });

  test('begins a new one when the API server has forgotten the first', async () => {
    recorder.record(refused);
    await expectSoon(() => recorded().length === 1);
    const [{ metadata } = {}] = recorded();
    server.store.remove(`${events}/${(metadata as { name: string }).name}`);
    recorder.record(refused);
    await expectSoon(() => recorded().length === 1);
    expect(countOf(recorded()[0])).toBe(1);
  });

  test('drops what comes faster than fifty a minute', async () => {
    for (let count = 0; count < 200; count++) recorder.record({ ...refused, note: `${count}` });
    await expectSoon(() => recorded().length === 50);
    expect(server.requests.length).toBe(50);
  });

  test('shortens a note that is too long, between characters', async () => {
    recorder.record({ ...refused, note: 'ü'.repeat(2000) });
    await expectSoon(() => recorded().length === 1);
    const note = recorded()[0]!['note'] as string;
    expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1024);
    expect(note).toMatch(/^ü+…$/);
  });

  test('goes on after one that was refused', async () => {
    const refusals = [{ status: 403 }];
    server.refuse = () => refusals.shift();
    recorder.record(refused);
    recorder.record({ ...refused, note: 'the next' });
    await expectSoon(() => recorded().length === 1);
    expect(recorded()[0]!['note']).toBe('the next');
  });
});
