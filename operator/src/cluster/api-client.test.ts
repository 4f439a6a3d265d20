import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { KubeApiError } from './api-client.ts';
import type { ApiClient } from './api-client.ts';
import { TestApiServer } from './test-api-server.ts';
import type { Refusal } from './test-api-server.ts';

/** A machine that does much else is slow, not wrong. */
jest.setTimeout(60_000);

const pods = '/api/v1/namespaces/shop/pods';
const applyOptions = { fieldManager: 'us' };

let server: TestApiServer;
let client: ApiClient;
beforeEach(async () => {
  server = new TestApiServer();
  client = await server.open();
});
afterEach(() => server.close());

/** Refuses the first requests, then no more. */
function refuseFirst(...refusals: readonly Refusal[]): void {
  const rest = [...refusals];
  server.refuse = () => rest.shift();
}

function pod(name: string, labels: Record<string, string> = {}): object {
  return { metadata: { name, labels } };
}

async function failure(call: Promise<unknown>): Promise<KubeApiError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(KubeApiError);
  return error as KubeApiError;
}

describe('what is repeated', () => {
  async function check(method: 'get' | 'create', refusal: Refusal, requests: number): Promise<void> {
    server.store.put(`${pods}/a`, pod('a'));
    server.requests = [];
    refuseFirst(refusal);
    const call = method === 'get' ? client.get(`${pods}/a`) : client.create(pods, pod('b'));
    await call.catch(() => undefined);
    expect(server.requests.length).toBe(requests);
  }

  test('reads, after all that passes', async () => {
    await check('get', { status: 500 }, 2);
    await check('get', { status: 503 }, 2);
    await check('get', { status: 429, retryAfterSeconds: 0 }, 2);
    await check('get', { status: 0 }, 2);
    await check('get', { status: 200, isHalf: true }, 2);
  });

  test('creates, only when the server has not begun them', async () => {
    await check('create', { status: 429 }, 2);
    await check('create', { status: 500 }, 1);
    await check('create', { status: 0 }, 1);
  });

  test('nothing that says no', async () => {
    for (const status of [400, 401, 403, 404, 409, 410, 422]) await check('get', { status }, 1);
  });
});

describe('ApiClient', () => {
  test('waits as long as the server asks', async () => {
    server.store.put(`${pods}/a`, pod('a'));
    refuseFirst({ status: 429, retryAfterSeconds: 1 });
    const startedMs = performance.now();
    await client.get(`${pods}/a`);
    expect(performance.now() - startedMs).toBeGreaterThan(990);
  });

  test('gives up after some tries, with what the server says', async () => {
    server.refuse = () => ({ status: 503, message: 'etcd is away' });
    const { status, message } = await failure(client.get(`${pods}/a`, {}, { tries: 2 }));
    expect([status, message]).toEqual([503, `GET ${pods}/a: 503: etcd is away`]);
    expect(server.requests.length).toBe(2);
  });

  test('tells reason and status of what is refused, also when the body is not a Status', async () => {
    server.store.put(`${pods}/a`, pod('a'));
    const stale = { metadata: { name: 'a', resourceVersion: '1' } };
    const { status, reason } = await failure(client.update(`${pods}/a`, stale));
    expect([status, reason]).toEqual([409, 'Conflict']);
    server.uninstalled.add('pods');
    const error = await failure(client.get(pods));
    expect([error.status, error.message]).toEqual([404, `GET ${pods}: 404: 404 page not found`]);
  });

  test('applies fields of its own, and takes them over only by force', async () => {
    await client.apply(`${pods}/a`, pod('a', { x: '1', y: '1' }), { fieldManager: 'others' });
    await client.apply(`${pods}/a`, pod('a', { z: '1' }), applyOptions);
    const { status } = await failure(client.apply(`${pods}/a`, pod('a', { x: '2' }), applyOptions));
    expect(status).toBe(409);
    await client.apply(`${pods}/a`, pod('a', { x: '2' }), { ...applyOptions, force: true });
    expect(server.store.get(`${pods}/a`)!.metadata['labels']).toEqual({ x: '2', y: '1' });
  });

  test('patches, and removes with null', async () => {
    server.store.put(`${pods}/a`, pod('a', { x: '1', y: '1' }));
    await client.patch(`${pods}/a`, { metadata: { labels: { x: null, z: '3' } } });
    expect(server.store.get(`${pods}/a`)!.metadata['labels']).toEqual({ y: '1', z: '3' });
  });

  test('deletes what is there, and what is not; never what only has its name', async () => {
    const { metadata } = server.store.put(`${pods}/a`, pod('a'));
    expect((await failure(client.delete(`${pods}/a`, { uid: 'other' }))).status).toBe(409);
    await client.delete(`${pods}/a`, { uid: metadata.uid });
    await client.delete(`${pods}/a`);
    expect(server.names('pods')).toEqual([]);
  });

  test('ends an answer that does not come, and a call whose caller has gone', async () => {
    server.refuse = () => ({ status: 503 });
    const gone = new AbortController();
    setTimeout(() => gone.abort(), 20);
    await expect(client.get(pods, {}, { signal: gone.signal, tries: 100 })).rejects.toThrow('aborted');
    await expect(client.get(pods, {}, { timeoutMs: 0 })).rejects.toThrow('no answer in time');
  });

  test('ends a stream that is silent', async () => {
    const stream = await client.stream(pods, { watch: 'true' }, new AbortController().signal, 50);
    const read = async (): Promise<void> => {
      for await (const _ of stream) break;
    };
    await expect(read()).rejects.toMatchObject({ code: 'UND_ERR_BODY_TIMEOUT' });
  });

  test('ends what is open when it is closed', async () => {
    const stream = await client.stream(pods, { watch: 'true' }, new AbortController().signal, 60_000);
    const read = (async (): Promise<void> => {
      for await (const _ of stream) break;
    })();
    await Promise.all([expect(read).rejects.toThrow('destroyed'), client.close()]);
  });
});
