import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Job } from '@flotilla/wire';
import { testJob, TestServer } from '../testing.ts';
import { BodyCollector, BodyMemory } from './body-memory.ts';
import { Credentials } from './credentials.ts';
import { type FetchTarget, TargetClient } from './target-client.ts';
import { testCertificate, testKey } from './test-certificate.ts';

let closing: (() => unknown)[];
let memory: BodyMemory;

beforeEach(() => {
  closing = [];
  memory = new BodyMemory(8 << 20);
});

afterEach(async () => {
  for (const close of closing) await close();
});

async function serve(listener: RequestListener): Promise<TestServer> {
  const server = await TestServer.start(listener);
  closing.push(() => server.stop());
  return server;
}

function clientOf(url: string, job: Partial<Job> = {}): TargetClient {
  const credentials = new Credentials({ get: ({ key }) => (key === 'known' ? 'from-operator' : undefined) });
  return clientFor({ url, intervalMs: 10_000 }, credentials, job);
}

function clientFor(target: FetchTarget, credentials: Credentials, job: Partial<Job>): TargetClient {
  const client = new TargetClient({ credentials, memory, bodyBytesMax: 1 << 20 }, target, testJob(job));
  closing.push(() => client.close());
  return client;
}

function fetchText(client: TargetClient, timeoutMs = 5000): Promise<string> {
  return new Promise((resolve, reject) => {
    client.fetch(timeoutMs, { onPage: ({ body }) => resolve(body.toString()), onFailure: reject });
  });
}

/** Answers with the headers of the request, in JSON. */
const echo: RequestListener = (req, res) => {
  res.setHeader('content-type', 'text/plain');
  res.end(JSON.stringify({ ...req.headers, url: req.url }));
};

async function headersOf(job: Partial<Job>, timeoutMs = 5000): Promise<IncomingMessage['headers']> {
  const server = await serve(echo);
  return JSON.parse(
    await fetchText(clientOf(`${server.url}/p?a=b%20c`, job), timeoutMs),
  ) as IncomingMessage['headers'];
}

describe('a unix socket', () => {
  const noCredentials = new Credentials({ get: () => undefined });

  test('is connected to instead of the host, which is named all the same', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'flotilla-socket-'));
    const server = createServer(echo);
    closing.push(() => {
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true });
    });
    const unixSocket = join(folder, 'metrics.sock');
    await new Promise<void>((resolve) => {
      server.listen(unixSocket, resolve);
    });
    const client = clientFor({ url: 'http://app:1/m?a=b', unixSocket, intervalMs: 1000 }, noCredentials, {});
    for (let i = 0; i < 2; i++)
      expect(JSON.parse(await fetchText(client))).toMatchObject({ host: 'app:1', url: '/m?a=b' });
  });

  test('that is not there fails the scrape', async () => {
    const target = { url: 'http://app:1/m', unixSocket: '/nowhere/metrics.sock', intervalMs: 1000 };
    await expect(fetchText(clientFor(target, noCredentials, {}))).rejects.toThrow(
      'Get "http://app:1/m": dial unix /nowhere/metrics.sock: connect: no such file or directory',
    );
  });
});

describe('a request', () => {
  test('says who asks, for what, and until when', async () => {
    expect(await headersOf({}, 2500)).toMatchObject({
      url: '/p?a=b%20c',
      accept:
        'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.7,application/openmetrics-text;version=0.0.1;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.3',
      'accept-encoding': 'gzip',
      'user-agent': 'Flotilla/0.1.0',
      'x-prometheus-scrape-timeout-seconds': '2.5',
    });
    expect(
      await headersOf({ enableCompression: false, scrapeProtocols: ['PrometheusText0.0.4'] }),
    ).toMatchObject({
      accept: 'text/plain;version=0.0.4;q=0.7,*/*;q=0.6',
      'accept-encoding': 'identity',
    });
    expect((await headersOf({ scrapeNativeHistograms: true, nameValidationScheme: 'legacy' })).accept).toBe(
      'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=underscores;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
    );
  });

  test('bears the credentials of its job', async () => {
    const value = (text: string): { value: string } => ({ value: text });
    const secret = { kind: 'Secret', namespace: 'n', name: 's', key: 'known' } as const;
    const basic = await headersOf({ auth: { basic: { username: value('u'), password: value('p:w') } } });
    expect(basic.authorization).toBe(`Basic ${Buffer.from('u:p:w').toString('base64')}`);
    const bearer = await headersOf({ auth: { authorization: { type: 'Bearer', credentials: { secret } } } });
    expect(bearer.authorization).toBe('Bearer from-operator');
    expect((await headersOf({})).authorization).toBeUndefined();
  });

  test('bears what a file holds now', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'flotilla-credentials-'));
    closing.push(() => rm(dir, { recursive: true }));
    const file = join(dir, 'token');
    const server = await serve(echo);
    const client = clientOf(server.url, { auth: { authorization: { type: '', credentials: { file } } } });
    await expect(fetchText(client)).rejects.toThrow(`credentials: unable to read file ${file}`);
    await writeFile(file, 'one\n');
    expect(await fetchText(client)).toContain('"Bearer one"');
    await writeFile(file, 'another');
    expect(await fetchText(client)).toContain('"Bearer another"');
  });
});

describe('TLS', () => {
  const tls = { ca: { value: testCertificate }, cert: { value: testCertificate }, key: { value: testKey } };

  async function secure(): Promise<string> {
    const options = {
      cert: testCertificate,
      key: testKey,
      ca: testCertificate,
      requestCert: true,
      rejectUnauthorized: false,
    };
    const server = createSecureServer(options, (req, res) => {
      res.end(`client ${(req.socket as TLSSocket).authorized ? 'known' : 'unknown'}`);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    closing.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
  }

  test('trusts the CA of the job only, and shows its certificate', async () => {
    const url = await secure();
    expect(await fetchText(clientOf(url, { auth: { tls } }))).toBe('client known');
    const unknown = /tls: failed to verify certificate: x509: self-signed certificate$/;
    await expect(fetchText(clientOf(url))).rejects.toThrow(unknown);
    const lax = { auth: { tls: { insecureSkipVerify: true } } };
    expect(await fetchText(clientOf(url, lax))).toBe('client unknown');
  });

  test('checks the name', async () => {
    const url = await secure();
    expect(await fetchText(clientOf(url, { auth: { tls: { ...tls, serverName: 'localhost' } } }))).toBe(
      'client known',
    );
    const other = { auth: { tls: { ...tls, serverName: 'other' } } };
    await expect(fetchText(clientOf(url, other))).rejects.toThrow(/altnames|certificate/);
  });
});

describe('connections', () => {
  test('are kept, and a second try covers one that was closed meanwhile', async () => {
    let connections = 0;
    const server = await TestServer.start((req, res) => {
      res.setHeader('content-type', 'text/plain');
      // As a server whose keep-alive time runs out just when the next request arrives.
      if (req.socket.bytesWritten > 0 && connections === 1) req.socket.destroy();
      else res.end(`connection ${connections}`);
    });
    closing.push(() => server.stop());
    server.onConnection(() => void connections++);
    const client = clientOf(server.url);
    expect(await fetchText(client)).toBe('connection 1');
    expect(await fetchText(client)).toBe('connection 2');
    expect(await fetchText(client)).toBe('connection 2');
    expect(connections).toBe(2);
  });

  test('work again after a timeout', async () => {
    let hangs = true;
    const server = await serve((_req, res) => {
      if (!hangs) res.end('fine');
    });
    const client = clientOf(server.url);
    await expect(fetchText(client, 50)).rejects.toThrow('context deadline exceeded');
    hangs = false;
    expect(await fetchText(client)).toBe('fine');
  });
});

describe('redirects', () => {
  test('lead to the page, with credentials on the same host only', async () => {
    const other = await serve(echo);
    const server = await serve((req, res) => {
      if (req.url === '/here') echo(req, res);
      else if (req.url === '/a') res.writeHead(307, { location: 'here' }).end('moved');
      else res.writeHead(302, { location: `${other.url}/there` }).end('moved');
    });
    const auth = { authorization: { type: 'Bearer', credentials: { value: 'secret' } } };
    const here = await fetchText(clientOf(`${server.url}/a`, { auth }));
    expect(here).toContain('"Bearer secret"');
    const there = await fetchText(clientOf(`${server.url}/b`, { auth }));
    expect(there).toContain('"url":"/there"');
    expect(there).not.toContain('secret');
  });
});

describe('memory of bodies', () => {
  test('is given back by every outcome', async () => {
    const server = await serve((req, res) => {
      res.write('x'.repeat(req.url === '/large' ? 2 << 20 : 900_000));
      if (req.url === '/cut') res.destroy();
      else if (req.url !== '/hangs') res.end('x'.repeat(100_000));
    });
    for (const path of ['/fine', '/large', '/cut', '/hangs', '/fine']) {
      await fetchText(clientOf(server.url + path), 300).catch(() => '');
    }
    expect(memory.largeBytes).toBe(0);
  });

  test('is refused to large bodies beyond the bound, and to small ones never', () => {
    const tight = new BodyMemory(4 << 20);
    const large = new BodyCollector(tight, 3 << 20);
    large.push(Buffer.from('x'));
    expect(() => new BodyCollector(tight, 2 << 20).push(Buffer.from('x'))).toThrow(/^body memory exhausted/);
    for (let i = 0; i < 100; i++) new BodyCollector(tight, 1 << 20).push(Buffer.from('x'));
    large.release();
    large.release();
    expect(tight.largeBytes).toBe(0);
    const grown = new BodyCollector(tight, 0);
    for (let i = 0; i < 3000; i++) grown.push(Buffer.alloc(1000, i));
    expect(grown.bytes()).toHaveLength(3_000_000);
    expect(grown.bytes()[2_999_999]).toBe(2999 % 256);
  });
});

describe('oauth2', () => {
  interface TokenServer {
    readonly url: string;
    /** Of each request: Authorization and body. */
    readonly asked: { readonly authorization: string | undefined; readonly form: URLSearchParams }[];
  }

  async function tokenServer(answer: (secretIsInBody: boolean) => [number, object]): Promise<TokenServer> {
    const asked: TokenServer['asked'] = [];
    const { url } = await serve((req, res) => {
      let body = '';
      req.on('data', (chunk: Buffer) => (body += chunk.toString()));
      req.on('end', () => {
        const form = new URLSearchParams(body);
        asked.push({ authorization: req.headers.authorization, form });
        const [status, json] = answer(form.has('client_secret'));
        res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
      });
    });
    return { url: `${url}/token`, asked };
  }

  function oauth2(tokenUrl: string): Job['auth'] {
    return {
      oauth2: {
        clientId: { value: 'scraper' },
        clientSecret: { secret: { kind: 'Secret', namespace: 'n', name: 's', key: 'known' } },
        tokenUrl,
        scopes: ['read', 'metrics'],
        endpointParams: { audience: 'all' },
      },
    };
  }

  async function authorizationOf(client: TargetClient): Promise<unknown> {
    return (JSON.parse(await fetchText(client)) as IncomingMessage['headers']).authorization;
  }

  test('a token is asked for once and sent with every scrape', async () => {
    const tokens = await tokenServer(() => [
      200,
      { access_token: 'abc', token_type: 'bearer', expires_in: 3600 },
    ]);
    const target = await serve(echo);
    const client = clientOf(target.url, { auth: oauth2(tokens.url) });
    expect(await authorizationOf(client)).toBe('Bearer abc');
    expect(await authorizationOf(client)).toBe('Bearer abc');
    const [asked, ...again] = tokens.asked;
    expect(again).toEqual([]);
    expect(asked?.authorization).toBe(`Basic ${Buffer.from('scraper:from-operator').toString('base64')}`);
    expect(Object.fromEntries(asked!.form)).toEqual({
      grant_type: 'client_credentials',
      scope: 'read metrics',
      audience: 'all',
    });
  });

  test('one that is about to expire is asked for again', async () => {
    let count = 0;
    const tokens = await tokenServer(() => [200, { access_token: `t${++count}`, expires_in: 9 }]);
    const client = clientOf((await serve(echo)).url, { auth: oauth2(tokens.url) });
    expect([await authorizationOf(client), await authorizationOf(client)]).toEqual([
      'Bearer t1',
      'Bearer t2',
    ]);
  });

  test('a server that wants the secret in the body gets it there', async () => {
    const tokens = await tokenServer((inBody) => (inBody ? [200, { access_token: 'abc' }] : [401, {}]));
    const client = clientOf((await serve(echo)).url, { auth: oauth2(tokens.url) });
    expect(await authorizationOf(client)).toBe('Bearer abc');
    expect(tokens.asked[1]?.form.get('client_id')).toBe('scraper');
  });

  test('a refusal is the reason of the failed scrape, without the secret; the deadline holds for the token, too', async () => {
    const refused = await tokenServer(() => [
      401,
      { error: 'invalid_client', error_description: 'no such client', echoed: 'from-operator' },
    ]);
    const target = await serve(echo);
    await expect(fetchText(clientOf(target.url, { auth: oauth2(refused.url) }))).rejects.toThrow(
      /^oauth2: cannot fetch token: status 401: invalid_client: no such client$/,
    );
    const silent = await serve(() => undefined);
    await expect(fetchText(clientOf(target.url, { auth: oauth2(silent.url) }), 300)).rejects.toThrow(
      /context deadline exceeded/,
    );
    await expect(
      fetchText(clientOf(target.url, { auth: oauth2('http://127.0.0.1:1/token') })),
    ).rejects.toThrow(/oauth2: cannot fetch token: .*connection refused/);
  });
});

describe('a URL that is none', () => {
  async function check(url: string, want: string): Promise<void> {
    await expect(fetchText(clientOf(url), 1000)).rejects.toThrow(want);
  }

  test('fails the scrape and says so, without a password', async () => {
    await check('http://fd00:1::204/metrics', 'parse "http://fd00:1::204/metrics": not a URL');
    await check('http://user:secret@a:b:c/metrics', 'parse "http://xxxxx@a:b:c/metrics": not a URL');
    await check('http://a:99999/metrics', 'not a URL');
    await check('ftp://a/metrics', 'Get "ftp://a/metrics": unsupported protocol scheme "ftp"');
  });
});

describe('a proxy', () => {
  /** Forwards requests of http as they are, and tunnels CONNECT; counts both. */
  async function proxyServer() {
    const seen = { forwarded: [] as string[], tunnelled: [] as string[], headers: [] as unknown[] };
    const server = createServer((req, res) => {
      seen.forwarded.push(req.url!);
      res.end('through the proxy\n');
    });
    server.on('connect', (req, socket) => {
      seen.tunnelled.push(req.url!);
      seen.headers.push(req.headers['x-token']);
      const [host, port] = req.url!.split(':');
      const upstream = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.pipe(socket).pipe(upstream);
      });
      const end = (): void => void (upstream.destroy(), socket.destroy());
      upstream.on('error', end);
      socket.on('error', end);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => server.close());
    return { seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  test('is told the whole URL of plain targets, and is left out for exceptions', async () => {
    const { seen, url } = await proxyServer();
    const job = { auth: { proxy: { url } } };
    expect(await fetchText(clientOf('http://target.example:81/metrics', job))).toBe('through the proxy\n');
    expect(seen.forwarded).toEqual(['http://target.example:81/metrics']);
    const server = await serve((_, res) => res.end('direct\n'));
    const excepted = { auth: { proxy: { url, noProxy: '127.0.0.0/8' } } };
    expect(await fetchText(clientOf(server.url, excepted))).toBe('direct\n');
  });

  test('is shown its headers with CONNECT for TLS targets, the target is not', async () => {
    const { seen, url } = await proxyServer();
    const target = createSecureServer({ cert: testCertificate, key: testKey }, (req, res) =>
      res.end(JSON.stringify(req.headers)),
    );
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
    closing.push(() => target.close());
    const { port } = target.address() as AddressInfo;
    const secret = { kind: 'Secret', namespace: 'n', name: 's', key: 'known' } as const;
    const proxy = { url, connectHeaders: [{ name: 'X-Token', values: [{ secret }] }] };
    const auth = { proxy, tls: { insecureSkipVerify: true } };
    const headers = await fetchText(clientOf(`https://127.0.0.1:${port}/metrics`, { auth }));
    expect(JSON.parse(headers)).not.toHaveProperty('x-token');
    expect([seen.tunnelled, seen.headers]).toEqual([[`127.0.0.1:${port}`], ['from-operator']]);
  });
});
