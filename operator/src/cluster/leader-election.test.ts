import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from './api-client.ts';
import { LeaderElection } from './leader-election.ts';
import type { LeaderElectionOptions } from './leader-election.ts';
import { TestApiServer, testLog } from './test-api-server.ts';

/** A machine that does much else is slow, not wrong. */
jest.setTimeout(60_000);

const path = '/apis/coordination.k8s.io/v1/namespaces/shop/leases/operator';
const patient = { leaseMs: 60_000, renewMs: 50_000, retryMs: 20 };
const short = { leaseMs: 1500, renewMs: 1000, retryMs: 20 };

let server: TestApiServer;
let client: ApiClient;
let elections: LeaderElection[];
/** `a leads`, `a follows` */
let told: string[];
beforeEach(async () => {
  server = new TestApiServer();
  client = await server.open();
  elections = [];
  told = [];
});
afterEach(async () => {
  await Promise.all(elections.map((election) => election.stop()));
  await server.close();
});

function candidate(identity: string, options: Partial<LeaderElectionOptions> = {}): LeaderElection {
  const election = new LeaderElection({
    client,
    namespace: 'shop',
    name: 'operator',
    identity,
    log: testLog,
    onChange: (isLeader) => told.push(`${identity} ${isLeader ? 'leads' : 'follows'}`),
    ...patient,
    ...options,
  });
  elections.push(election);
  election.start();
  return election;
}

function spec(): Record<string, unknown> {
  return server.store.get(path)!['spec'] as Record<string, unknown>;
}

async function expectSoon(condition: () => boolean): Promise<void> {
  for (let round = 0; round < 2000 && !condition(); round++) await sleep(5);
  expect(condition()).toBe(true);
}

describe('LeaderElection', () => {
  test('one of two leads, and the other one knows who', async () => {
    const [a, b] = [candidate('a'), candidate('b')];
    await expectSoon(() => a.holder !== '' && a.holder === b.holder);
    await sleep(200);
    expect([a, b].filter(({ isLeader }) => isLeader).length).toBe(1);
    expect(told.length).toBe(1);
    const { holderIdentity, leaseTransitions, renewTime, acquireTime } = spec();
    expect([holderIdentity, leaseTransitions]).toEqual([a.holder, 1]);
    for (const time of [renewTime, acquireTime])
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  });

  test('gives the lease up when it stops, and the other one takes it at once', async () => {
    const a = candidate('a');
    await expectSoon(() => a.isLeader);
    const b = candidate('b');
    await expectSoon(() => b.holder === 'a');
    await a.stop();
    expect(spec()['holderIdentity']).toBe('');
    await expectSoon(() => b.isLeader);
    expect(told).toEqual(['a leads', 'a follows', 'b leads']);
  });

  test('leads no more as soon as it cannot renew, before anybody else may', async () => {
    const a = candidate('a', short);
    await expectSoon(() => a.isLeader);
    const b = candidate('b', short);
    await expectSoon(() => b.holder === 'a');
    server.refuse = () => ({ status: 503 });
    await expectSoon(() => !a.isLeader && told.at(-1) === 'a follows');
    expect(told).not.toContain('b leads');
    server.refuse = () => undefined;
    await expectSoon(() => a.isLeader || b.isLeader);
    expect(a.isLeader && b.isLeader).toBe(false);
  });

  test('does not wait for an answer that never comes', async () => {
    const a = candidate('a', short);
    await expectSoon(() => a.isLeader);
    server.isStalled = true;
    await expectSoon(() => told.includes('a follows'));
    expect(a.isLeader).toBe(false);
    server.isStalled = false;
    await expectSoon(() => a.isLeader);
  });

  test('takes a lease whose holder has gone, whatever its clock said', async () => {
    const metadata = { name: 'operator', namespace: 'shop' };
    // A holder whose clock is a day ahead.
    const renewTime = new Date(Date.now() + 86_400_000).toISOString().replace('Z', '000Z');
    const before = { holderIdentity: 'gone', leaseDurationSeconds: 1, renewTime, leaseTransitions: 3 };
    server.store.put(path, { metadata, spec: before });
    const a = candidate('a', short);
    await expectSoon(() => a.holder === 'gone');
    expect(a.isLeader).toBe(false);
    await expectSoon(() => a.isLeader);
    expect(spec()['leaseTransitions']).toBe(4);
  });

  test('leaves a lease alone that is renewed, though its clock is a day behind', async () => {
    const metadata = { name: 'operator', namespace: 'shop' };
    let count = 0;
    const renew = (): void => {
      const renewTime = new Date(Date.now() - 86_400_000 + count++).toISOString().replace('Z', '000Z');
      server.store.put(path, {
        metadata,
        spec: { holderIdentity: 'other', leaseDurationSeconds: 1, renewTime },
      });
    };
    renew();
    const timer = setInterval(renew, 50);
    const a = candidate('a', short);
    await sleep(2500);
    clearInterval(timer);
    expect([a.isLeader, told]).toEqual([false, []]);
  });

  test('of two who try at once, the version decides', async () => {
    const many = ['a', 'b', 'c', 'd', 'e', 'f'].map((identity) => candidate(identity));
    await expectSoon(() => many.every(({ holder }) => holder !== ''));
    await sleep(100);
    expect(many.filter(({ isLeader }) => isLeader).length).toBe(1);
    expect(told.length).toBe(1);
  });

  test('goes on leading under its own name after a restart', async () => {
    const a = candidate('a');
    await expectSoon(() => a.isLeader);
    const again = candidate('a');
    await expectSoon(() => again.isLeader);
    expect(spec()['leaseTransitions']).toBe(1);
  });
});
