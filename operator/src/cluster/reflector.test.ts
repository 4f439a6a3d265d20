import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import * as fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from './api-client.ts';
import { Reflector } from './reflector.ts';
import type { RawObject, ReflectorOptions } from './reflector.ts';
import { RESOURCES } from './resources.ts';
import { TestApiServer, testLog } from './test-api-server.ts';

/** A machine that does much else is slow, not wrong. */
jest.setTimeout(60_000);

const pods = '/api/v1/namespaces/shop/pods';
const fast = {
  pageSize: 2,
  backoffMinMs: 1,
  backoffMaxMs: 4,
  notInstalledMs: 5,
  relistMinMs: 0,
  idleMs: 60_000,
  goneMs: 60_000,
};

let server: TestApiServer;
let client: ApiClient;
let reflector: Reflector<string> | undefined;
/** The picture after each change. */
let pictures: string[];
beforeEach(async () => {
  server = new TestApiServer();
  client = await server.open();
  pictures = [];
});
afterEach(async () => {
  await reflector?.stop();
  await server.close();
});

function reflect(options: Partial<ReflectorOptions<string>> = {}): Reflector<string> {
  const made = new Reflector<string>({
    client,
    resource: RESOURCES.Pod,
    project: (raw) => (raw as RawObject & { spec: { value: string } }).spec.value,
    onChange: () => pictures.push(picture(made)),
    log: testLog,
    ...options,
    pace: { ...fast, ...options.pace },
  });
  reflector = made;
  made.start();
  return made;
}

function picture(of: Reflector<string>): string {
  const entries = [...of.items()].map(([key, value]) => `${key.replace('shop/', '')}=${value}`);
  return entries.toSorted().join(' ');
}

function serverPicture(): string {
  const items = server.store.list(pods).map(({ metadata, spec }) => {
    const { value } = spec as { value: string };
    return `${metadata.name}=${value}`;
  });
  return items.toSorted().join(' ');
}

function put(name: string, value: string, labels: Record<string, string> = {}): void {
  server.store.put(`${pods}/${name}`, { metadata: { name, labels }, spec: { value } });
}

async function expectSoon(condition: () => boolean): Promise<void> {
  for (let round = 0; round < 2000 && !condition(); round++) await sleep(2);
  expect(condition()).toBe(true);
}

/** Resolves when the reflector has what the server has, and watches. */
async function converged(): Promise<void> {
  await expectSoon(() => reflector!.synced && server.watches > 0 && picture(reflector!) === serverPicture());
}

describe('a list', () => {
  test('comes by pages, and is taken whole', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) put(name, '1');
    const { counters } = reflect();
    await converged();
    expect(pictures).toEqual(['a=1 b=1 c=1 d=1 e=1']);
    expect(counters.lists).toBe(1);
  });

  test('begins anew when its place expires between two pages', async () => {
    for (const name of ['a', 'b', 'c']) put(name, '1');
    let pages = 0;
    server.refuse = ({ query }) => {
      if (query.has('limit') && ++pages === 2) {
        server.compact();
        server.store.remove(`${pods}/a`);
      }
      return undefined;
    };
    const { counters } = reflect();
    await converged();
    expect(pictures).toEqual(['b=1 c=1']);
    expect(counters.lists).toBe(2);
  });

  test('that came in half counts for nothing', async () => {
    put('a', '1');
    put('b', 'x'.repeat(1000));
    let tries = 0;
    server.refuse = ({ query }) => {
      if (!query.has('limit') || ++tries > 2) return undefined;
      if (tries === 1) return { status: 200, isHalf: true, message: '' };
      server.store.remove(`${pods}/a`);
      return undefined;
    };
    reflect();
    await converged();
    expect([tries, pictures.length]).toEqual([2, 1]);
  });

  test('that fails changes nothing, and is tried again', async () => {
    put('a', '1');
    const made = reflect();
    await converged();
    server.refuse = ({ query }) => (query.has('limit') ? { status: 403 } : undefined);
    server.compact();
    server.failWatches(410);
    await expectSoon(() => made.counters.failures > 3);
    expect([made.synced, made.failingSinceMs !== undefined]).toEqual([true, true]);
    expect(picture(made)).toBe('a=1');
    put('b', '1');
    server.refuse = () => undefined;
    await converged();
    expect(made.failingSinceMs).toBeUndefined();
  });

  test('selects by labels', async () => {
    put('a', '1', { app: 'x' });
    put('b', '1', { app: 'y' });
    const made = reflect({ labelSelector: 'app=x' });
    await expectSoon(() => server.watches > 0 && picture(made) === 'a=1');
    put('a', '1', { app: 'y' });
    put('b', '2', { app: 'x' });
    await expectSoon(() => picture(made) === 'b=2');
  });
});

describe('a watch', () => {
  test('goes on from the bookmark after its end', async () => {
    put('a', '1');
    const { counters } = reflect();
    await converged();
    put('c', '1');
    await converged();
    // Objects of others: nothing is told of them but the bookmark.
    for (let count = 0; count < 5; count++)
      server.store.put(`/api/v1/namespaces/shop/secrets/s${count}`, { metadata: { name: `s${count}` } });
    server.bookmark();
    await expectSoon(() => server.watches > 0);
    const from: string[] = [];
    server.refuse = ({ query }) => {
      from.push(query.get('resourceVersion') ?? '');
      return undefined;
    };
    server.compact();
    const version = String(server.store.version);
    server.endWatches();
    await expectSoon(() => from.length > 0);
    put('b', '2');
    await converged();
    expect(from[0]).toBe(version);
    expect(counters.lists).toBe(1);
  });

  test('that lost its place leads to a list, whose differences are told once', async () => {
    for (const name of ['a', 'b', 'c']) put(name, '1');
    const { counters } = reflect();
    await converged();
    server.refuse = () => ({ status: 503 });
    server.endWatches();
    await expectSoon(() => server.watches === 0);
    server.store.remove(`${pods}/a`);
    put('b', '2');
    put('d', '1');
    server.compact();
    server.refuse = () => undefined;
    await converged();
    expect(pictures.filter((one) => one !== 'a=1 b=1 c=1')).toEqual(['b=2 c=1 d=1']);
    expect(counters.lists).toBe(2);
  });

  test('that is told of lost history in the stream lists again', async () => {
    put('a', '1');
    const { counters } = reflect();
    await converged();
    server.failWatches(410);
    await expectSoon(() => counters.lists === 2);
    await converged();
    expect(counters.failures).toBe(0);
  });

  test('that is cut in the middle of a line goes on where it was', async () => {
    put('a', '1');
    const { counters } = reflect();
    await converged();
    put('b', '1');
    server.cutWatches();
    put('c', '1');
    await converged();
    expect(counters.lists).toBe(1);
    expect(counters.failures).toBeGreaterThan(0);
  });

  test('that is silent is begun anew, which is no failure', async () => {
    put('a', '1');
    const { counters } = reflect({ pace: { idleMs: 30 } });
    await expectSoon(() => counters.watches > 0 && pictures.length > 0);
    server.isMute = true;
    put('b', '1');
    server.isMute = false;
    await converged();
    expect([counters.lists, counters.failures]).toEqual([1, 0]);
  });

  test('tells what came before an error in the same breath', async () => {
    put('a', '1');
    reflect();
    await converged();
    server.refuse = () => ({ status: 503 });
    put('b', '1');
    server.failWatches(500);
    await expectSoon(() => pictures.includes('a=1 b=1'));
  });
});

describe('an optional kind', () => {
  const fleets = '/apis/flotilla.dev/v1alpha1/namespaces/shop/fleets';
  const fleet = (name: string): void =>
    void server.store.put(`${fleets}/${name}`, { metadata: { name }, spec: { value: '1' } });

  test('is empty until it is installed', async () => {
    server.uninstalled.add('fleets');
    const made = reflect({ resource: RESOURCES.Fleet, optional: true });
    await expectSoon(() => made.synced);
    expect([made.isInstalled, made.items().size, made.failingSinceMs]).toEqual([false, 0, undefined]);
    fleet('main');
    server.uninstalled.clear();
    await expectSoon(() => made.items().size === 1);
    expect(made.isInstalled).toBe(true);
  });

  test('that is missing while it has objects is not believed for a while', async () => {
    fleet('main');
    const made = reflect({ resource: RESOURCES.Fleet, optional: true, pace: { goneMs: 100 } });
    await expectSoon(() => server.watches > 0);
    server.uninstalled.add('fleets');
    server.endWatches();
    await expectSoon(() => made.counters.failures > 2);
    expect([made.items().size, made.failingSinceMs !== undefined]).toEqual([1, true]);
    await expectSoon(() => made.items().size === 0);
    expect(made.isInstalled).toBe(false);
  });

  test('that is required and missing is a failure', async () => {
    server.uninstalled.add('pods');
    const made = reflect();
    await expectSoon(() => made.counters.failures > 2);
    expect(made.synced).toBe(false);
  });
});

test('an object that cannot be projected costs no other', async () => {
  put('a', 'bad');
  put('b', '1');
  const made = reflect({
    project: (raw) => {
      const { value } = (raw as RawObject & { spec: { value: string } }).spec;
      if (value === 'bad') throw new Error('bad');
      return value;
    },
  });
  await expectSoon(() => picture(made) === 'b=1' && server.watches > 0);
  put('a', '2');
  await expectSoon(() => picture(made) === 'a=2 b=1');
});

describe('whatever happens', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(fc.constant('put' as const), name, fc.constantFrom('1', '2')) },
    { weight: 2, arbitrary: fc.tuple(fc.constant('remove' as const), name) },
    { weight: 3, arbitrary: fc.constant(['wait'] as const) },
    { weight: 3, arbitrary: fc.tuple(fc.constantFrom('cut', 'end', 'compact', 'bookmark', 'expire')) },
    fc.tuple(fc.constantFrom('fail', 'mute')),
    fc.tuple(fc.constant('refuse' as const), fc.constantFrom(0, 200, 403, 410, 429, 500, 503)),
  );

  function take([what, argument, value]: readonly unknown[]): void | Promise<void> {
    switch (what) {
      case 'put':
        return put(argument as string, value as string);
      case 'remove':
        return server.store.remove(`${pods}/${argument as string}`);
      case 'cut':
        return server.cutWatches();
      case 'end':
        return server.endWatches();
      case 'compact':
        return server.compact();
      case 'bookmark':
        return server.isMute ? undefined : server.bookmark();
      case 'expire':
        return server.failWatches(410);
      case 'fail':
        return server.failWatches(500);
      case 'mute':
        server.isMute = !server.isMute;
        return undefined;
      case 'refuse':
        return refuseNext(argument as number);
      default:
        return sleep(2);
    }
  }

  function refuseNext(status: number): void {
    let count = 2;
    server.refuse = () => (count-- > 0 ? { status, isHalf: status === 200 } : undefined);
  }

  test('every picture is one that the server had, in its order, and the last is its last', async () => {
    const runs = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const had = [serverPicture()];
      pictures = [];
      const made = reflect({ pace: { idleMs: 40 } });
      for (const one of steps) {
        await take(one);
        had.push(serverPicture());
      }
      server.isMute = false;
      server.refuse = () => undefined;
      await converged();
      await made.stop();
      checkOrder(pictures, had);
      for (const { metadata } of server.store.list(pods)) server.store.remove(`${pods}/${metadata.name}`);
    });
    await fc.assert(runs, { numRuns: 40, seed: 7 });
  }, 60_000);

  /** `seen` is a subsequence of `had`. */
  function checkOrder(seen: readonly string[], had: readonly string[]): void {
    let at = 0;
    for (const one of seen) {
      at = had.indexOf(one, at);
      if (at < 0) throw new Error(`${JSON.stringify(one)}: never or no more, of ${JSON.stringify(had)}`);
    }
  }
});
