import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Unavailable } from '@flotilla/model';
import { afterEach, describe, expect, test } from '@jest/globals';
import { ApiError } from './api-error.ts';
import { freePort } from './free-port.ts';
import { internalFetchHeaders, readToken, requireToken } from './internal-auth.ts';
import {
  createInternalClient,
  UpstreamError,
  type InternalClient,
  type InternalClientOptions,
} from './internal-client.ts';
import { jsonBody, protobufBody } from './request-body.ts';
import { sendData, sendJson } from './send-json.ts';
import * as certs from './test-certificates.ts';
import { folderOf, startServer, stopServers } from './test-server.ts';

const clients: InternalClient[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await stopServers();
});

function newClient(options: Partial<InternalClientOptions> = {}): InternalClient {
  const client = createInternalClient({ timeoutMs: 10_000, ...options });
  clients.push(client);
  return client;
}

function tokenFile(token = 'a-secret-token'): string {
  return join(folderOf({ token: `${token}\n` }), 'token');
}

async function errorOf(call: Promise<unknown>): Promise<Error> {
  try {
    await call;
  } catch (err) {
    return err as Error;
  }
  throw new Error('answered, want an error');
}

describe('the token', () => {
  test('opens what requireToken guards, and nothing else does', async () => {
    const file = tokenFile();
    const { url, lines } = await startServer((app) =>
      app.get('/x', requireToken(file), (_req, res) => void res.send('in')),
    );
    const check = async (authorization: string | undefined, want: number): Promise<void> => {
      const response = await fetch(`${url}/x`, {
        headers: authorization === undefined ? {} : { authorization },
      });
      expect([authorization, response.status, await response.text()]).toEqual([
        authorization,
        want,
        want === 200 ? 'in' : 'Unauthorized\n',
      ]);
    };
    await check(internalFetchHeaders(file)['authorization'], 200);
    await check('bearer a-secret-token', 200);
    await check(undefined, 401);
    await check('Bearer ', 401);
    await check('Bearer a-secret-tokem', 401);
    await check('Basic a-secret-token', 401);
    expect(lines.join('')).not.toContain('secret');
  });

  test('may change while running', async () => {
    const file = tokenFile();
    const { url } = await startServer((app) =>
      app.get('/x', requireToken(file), (_req, res) => void res.send('{}')),
    );
    const client = newClient({ tokenFile: file });
    await client.getJson(`${url}/x`);
    writeFileSync(file, 'another-token');
    expect(readToken(file)).toBe('another-token');
    await client.getJson(`${url}/x`);
    expect((await fetch(`${url}/x`, { headers: { authorization: 'Bearer a-secret-token' } })).status).toBe(
      401,
    );
  });

  test('must be there at start, and be a token', () => {
    for (const bad of ['', 'short', 'two words here'])
      expect(() => requireToken(tokenFile(bad))).toThrow('want 8 to 4096');
    expect(() => requireToken('/nowhere/token')).toThrow('token file /nowhere/token');
    expect(() => requireToken('')).toThrow('token file: no path');
  });

  test('may be done without on purpose', async () => {
    const { url } = await startServer((app) =>
      app.get('/x', requireToken(undefined), (_req, res) => void res.send('{"a":1}')),
    );
    expect(await newClient().getJson(`${url}/x`)).toEqual({ a: 1 });
  });
});

describe('JSON calls', () => {
  test('send and read JSON', async () => {
    const { url } = await startServer((app) => {
      app.get('/x', (req, res) => sendData(req, res, 'é'.repeat(5000)));
      app.post('/x', jsonBody(1000), (req, res) => sendJson(req, res, 200, { got: req.body as unknown }));
      app.post('/none', (_req, res) => void res.status(204).end());
    });
    const client = newClient();
    expect(await client.getJson<{ data: string }>(`${url}/x`)).toEqual({
      status: 'success',
      data: 'é'.repeat(5000),
    });
    expect(await client.postJson(`${url}/x`, { a: [1] })).toEqual({ got: { a: [1] } });
    expect(await client.postJson(`${url}/none`, {})).toBeUndefined();
  });

  test('name method, URL, status and reason when refused, never the query', async () => {
    const { url } = await startServer((app) => {
      app.get('/gone', () => {
        throw new ApiError('not_found', 'no such shard');
      });
      app.get('/busy', () => {
        throw new ApiError('unavailable', 'try later');
      });
      app.get('/html', (_req, res) => void res.send('<html>'));
    });
    const client = newClient();
    const gone = await errorOf(client.getJson(`${url}/gone?secret=1`));
    expect(gone).toBeInstanceOf(UpstreamError);
    expect(gone.message).toBe(`GET ${url}/gone: status 404: no such shard`);
    const busy = await errorOf(client.getJson(`${url}/busy`));
    expect(busy).toBeInstanceOf(Unavailable);
    expect(busy.message).toBe(`GET ${url}/busy: status 503: try later`);
    expect((await errorOf(client.getJson(`${url}/html`))).message).toBe(`GET ${url}/html: answer is no JSON`);
  });

  test('are Unavailable when nobody listens', async () => {
    const err = await errorOf(newClient().getJson(`http://127.0.0.1:${await freePort()}/x`));
    expect(err).toBeInstanceOf(Unavailable);
    expect(err.message).toMatch(/ECONNREFUSED/);
  });
});

describe('streams', () => {
  test('bring status, headers and chunks', async () => {
    const { url } = await startServer((app) =>
      app.post(
        '/x',
        protobufBody(1000),
        (req, res) => void res.status(202).setHeader('x-a', 'b').send(req.body),
      ),
    );
    const { status, headers, body } = await newClient().postBytes(`${url}/x`, new Uint8Array([1, 2, 3]));
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    expect([status, headers['x-a'], Buffer.concat(chunks)]).toEqual([202, 'b', Buffer.from([1, 2, 3])]);
  });

  test('end with Unavailable when no headers come in time', async () => {
    const server = createServer((socket) => socket.resume());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`;
    const client = newClient();
    const err = await errorOf(client.get(url, { timeoutMs: 20 }));
    expect([err instanceof Unavailable, err.message]).toEqual([true, `GET ${url}: no answer in 20 ms`]);
    await client.close();
    await new Promise((resolve) => server.close(resolve));
  });

  test('end with Unavailable when the sender pauses or is cut off', async () => {
    const { url, server } = await startServer((app) => app.get('/x', (_req, res) => void res.write('begin')));
    const client = newClient();
    const read = async (idleTimeoutMs: number, afterFirst: () => void): Promise<void> => {
      const { body } = await client.get(`${url}/x`, { idleTimeoutMs });
      for await (const chunk of body) {
        expect(String(chunk)).toBe('begin');
        afterFirst();
      }
    };
    const paused = await errorOf(read(20, () => undefined));
    expect([paused instanceof Unavailable, paused.message]).toEqual([true, `GET ${url}/x: no data in 20 ms`]);
    const cut = await errorOf(read(10_000, () => void server.close(0)));
    expect(cut).toBeInstanceOf(Unavailable);
  });

  test('throw the reason of the signal that cancels them', async () => {
    const { url } = await startServer((app) => {
      app.get('/silent', () => undefined);
      app.get('/x', (_req, res) => void res.write('begin'));
    });
    const client = newClient();
    const reason = new Error('query is over');
    expect(await errorOf(client.get(url, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    const before = new AbortController();
    const silent = errorOf(client.get(`${url}/silent`, { signal: before.signal }));
    setImmediate(() => before.abort(reason));
    expect(await silent).toBe(reason);
    const during = new AbortController();
    const { body } = await client.get(`${url}/x`, { signal: during.signal });
    const reading = async (): Promise<void> => {
      for await (const chunk of body) during.abort(chunk.length > 0 ? reason : undefined);
    };
    expect(await errorOf(reading())).toBe(reason);
  });

  test('free the connection when left early, discarded or forgotten', async () => {
    const { url } = await startServer((app) => app.get('/x', (_req, res) => void res.write('begin')));
    const client = newClient({ connectionsMax: 1 });
    const early = await client.get(`${url}/x`);
    for await (const chunk of early.body) if (chunk.length > 0) break;
    (await client.get(`${url}/x`)).discard();
    const forgotten = await client.get(`${url}/x`, { idleTimeoutMs: 20 });
    const last = await client.get(`${url}/x`);
    expect(last.status).toBe(200);
    last.discard();
    const error = await errorOf(readAll(forgotten));
    expect(error).toBeInstanceOf(Unavailable);
    expect(error.message).toMatch('no data in 20 ms');
  });

  test('come whole to a slow reader; chunks stay, or go when the next one is asked for', async () => {
    const sent = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 31) >> 8));
    const { url } = await startServer((app) => app.get('/x', (_req, res) => void res.send(sent)));
    for (const transient of [false, true]) {
      const chunks: Uint8Array[] = [];
      const copies: Uint8Array[] = [];
      for await (const chunk of (await newClient().get(`${url}/x`, { transient })).body) {
        chunks.push(chunk);
        copies.push(Uint8Array.from(chunk));
        await sleep(1);
      }
      expect(Buffer.concat(copies).equals(sent)).toBe(true);
      expect(chunks.reduce((sum, { length }) => sum + length, 0)).toBe(transient ? 0 : sent.length);
    }
  });
});

async function readAll({ body }: { readonly body: AsyncIterable<Uint8Array> }): Promise<void> {
  for await (const _ of body);
}

describe('https', () => {
  test('trusts the given CA only, and shows its certificate', async () => {
    const folder = folderOf({
      'web.yml': 'tls_server_config: {cert_file: s.crt, key_file: s.key, client_ca_file: ca.crt}',
      's.crt': certs.serverCert,
      's.key': certs.serverKey,
      'ca.crt': certs.caCert,
      'c.crt': certs.clientCert,
      'c.key': certs.clientKey,
    });
    const { url } = await startServer(
      (app) => app.get('/x', (_req, res) => void res.send('[1]')),
      [`--web.config.file=${join(folder, 'web.yml')}`],
    );
    const caFile = join(folder, 'ca.crt');
    const mutual = newClient({ caFile, certFile: join(folder, 'c.crt'), keyFile: join(folder, 'c.key') });
    expect(await mutual.getJson(`${url}/x`)).toEqual([1]);
    expect(await errorOf(newClient({ caFile }).getJson(`${url}/x`))).toBeInstanceOf(Unavailable);
    expect(await errorOf(newClient().getJson(`${url}/x`))).toBeInstanceOf(Unavailable);
  });
});
