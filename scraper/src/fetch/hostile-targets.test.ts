// Fault injection: targets that misbehave in every way. Each is down and says why; the good one beside it never notices.

import { createServer as createTcpServer, type Server as TcpServer, type Socket } from 'node:net';
import { randomBytes } from 'node:crypto';
import type { RequestListener, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Job } from '@flotilla/wire';
import { testJob, TestServer, TestShard, testTarget } from '../testing.ts';

let shard: TestShard;
let good: TestServer;
let servers: TestServer[];
let hostileId = 666;

beforeEach(async () => {
  shard = await TestShard.start({ bodyBytesMax: 4 << 20 });
  good = await TestServer.page(() => 'good 1\n');
  servers = [good];
});

afterEach(async () => {
  await shard.stop();
  for (const server of servers) await server.stop();
});

/** The error of a target, after one tick beside the good target. */
async function errorOf(url: string, job: Partial<Job> = {}, timeoutMs = 5000): Promise<string> {
  const jobs = [testJob(), testJob({ name: 'hostile', ...job })];
  const id = hostileId++;
  const hostile = testTarget(url, { id, job: 'hostile', labels: [['id', `${id}`]], timeoutMs });
  await shard.apply(jobs, [testTarget(good.url), hostile]);
  const health = await shard.tick();
  expect(health.get(1)).toMatchObject({ up: true, error: '', samples: 1 });
  const { up, error, samples } = health.get(id)!;
  expect(up).toBe(error === '');
  expect(up || samples === 0).toBe(true);
  const reports = await shard.series('up');
  expect(reports[`up{id="${id}"}`]!.at(-1)![1]).toBe(error === '' ? 1 : 0);
  return error;
}

async function check(
  listener: RequestListener,
  want: string | RegExp,
  job?: Partial<Job>,
  timeoutMs?: number,
): Promise<void> {
  const server = await TestServer.start(listener);
  servers.push(server);
  const error = await errorOf(`${server.url}/metrics`, job, timeoutMs);
  expect(error).toMatch(typeof want === 'string' ? exactly(want.replaceAll('URL', server.url)) : want);
}

function exactly(text: string): RegExp {
  return new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}$`);
}

function page(body: string | Buffer, headers: Record<string, string> = {}): RequestListener {
  return (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/plain', ...headers });
    res.end(body);
  };
}

/** Writes for as long as the other side takes it. */
function endless(res: ServerResponse, chunk: string | Buffer): void {
  const write = (): void => {
    while (!res.destroyed && res.write(chunk));
  };
  res.on('drain', write);
  write();
}

test('garbage', () => check(page(randomBytes(100_000)), /while parsing|invalid|too long/));
test('html', () =>
  check(page('<html>', { 'content-type': 'text/html' }), /^received unsupported Content-Type "text\/html"/));

test('no content type', async () => {
  const listener: RequestListener = (_req, res) => res.end('a 1\n');
  await check(listener, /^non-compliant scrape target sending blank Content-Type/);
  await check(listener, '', { fallbackScrapeProtocol: 'PrometheusText0.0.4' });
});

test('status 500', () =>
  check(
    (_req, res) => res.writeHead(500).end('x'.repeat(1 << 20)),
    'server returned HTTP status 500 Internal Server Error',
  ));
test('status 204', () =>
  check((_req, res) => res.writeHead(204).end(), 'server returned HTTP status 204 No Content'));

test('a redirect loop', () =>
  check(
    (_req, res) => res.writeHead(302, { location: '/metrics' }).end(),
    'Get "URL/metrics": stopped after 10 redirects',
  ));

test('redirects that are not followed, or go nowhere', async () => {
  const to =
    (location: string): RequestListener =>
    (_req, res) =>
      res.writeHead(301, { location }).end();
  await check(to('/x'), 'server returned HTTP status 301 Moved Permanently', { followRedirects: false });
  await check(to('ftp://x/'), 'Get "URL/metrics": unsupported redirect to "ftp://x/"');
});

test('an endless body', () =>
  check((_req, res) => {
    res.writeHead(200, { 'content-type': 'text/plain' });
    endless(res, '# this goes on\n'.repeat(1000));
  }, 'body size limit exceeded'));

test('an endless body of an error', () =>
  check((_req, res) => {
    res.writeHead(503);
    endless(res, 'x'.repeat(10_000));
  }, 'server returned HTTP status 503 Service Unavailable'));

test('a body that says it is too large', () =>
  check(
    (_req, res) =>
      res.writeHead(200, { 'content-type': 'text/plain', 'content-length': 2 ** 40 }).write('a 1\n'),
    'body size limit exceeded',
  ));

test('a body that never ends', () =>
  check(
    (_req, res) => res.writeHead(200, { 'content-type': 'text/plain' }).write('a 1\n'),
    'context deadline exceeded',
    {},
    300,
  ));

test('an answer that never comes', () =>
  check(() => undefined, 'Get "URL/metrics": context deadline exceeded', {}, 300));

test('a body that is cut', () =>
  check((_req, res) => {
    res.writeHead(200, { 'content-type': 'text/plain', 'content-length': 1000 });
    res.write('a 1\n', () => res.destroy());
  }, 'Get "URL/metrics": EOF'));

test('a label of 3 MB', () =>
  check(page(`a{b="${'x'.repeat(3 << 20)}"} 1\n`), 'line too long: 3145737 bytes, want at most 1048576'));

test('a gzip bomb', async () => {
  await check(
    page(gzipSync(Buffer.alloc(100 << 20, '\n')), { 'content-encoding': 'gzip' }),
    'body size limit exceeded',
  );
  const small = gzipSync(Buffer.alloc(8 << 20, '\n'));
  expect(small.length).toBeLessThan(16 << 10);
  await check(page(small, { 'content-encoding': 'gzip' }), 'body size limit exceeded');
});

test('gzip that is none, or is cut', async () => {
  await check(page('a 1\nb 2\nc 3\n', { 'content-encoding': 'gzip' }), 'gzip: invalid header');
  await check(page('a 1\n', { 'content-encoding': 'gzip' }), 'unexpected EOF');
  const cut = gzipSync(randomBytes(1000)).subarray(0, 500);
  await check(page(cut, { 'content-encoding': 'gzip' }), 'unexpected EOF');
  const damaged = gzipSync('a 1\n');
  damaged[damaged.length - 1]! ^= 1;
  await check(page(damaged, { 'content-encoding': 'gzip' }), 'gzip: invalid checksum');
  await check(page('a 1\n', { 'content-encoding': 'br' }), 'unexpected content encoding "br", want gzip');
});

test('gzip that is fine', async () => {
  const lines = Array.from({ length: 5000 }, (_, i) => `a{i="${i}"} ${i}\n`).join('');
  await check(page(gzipSync(lines), { 'content-encoding': 'gzip' }), '');
  expect(Object.keys(await shard.series('a'))).toHaveLength(5000);
});

test('nobody there', async () => {
  const server = await TestServer.page(() => '');
  const { url } = server;
  await server.stop();
  const port = new URL(url).port;
  expect(await errorOf(`${url}/metrics`)).toBe(
    `Get "${url}/metrics": dial tcp 127.0.0.1:${port}: connect: connection refused`,
  );
});

test('an unknown host', async () => {
  expect(await errorOf('http://no-such-host.invalid/metrics')).toMatch(
    /^Get "http:\/\/no-such-host\.invalid\/metrics": dial tcp: lookup no-such-host\.invalid: (no such host|server misbehaving)$/,
  );
});

test('a credential that nobody knows', async () => {
  const secret = { kind: 'Secret', namespace: 'ns', name: 'auth', key: 'absent' } as const;
  const auth = { authorization: { type: 'Bearer', credentials: { secret } } };
  await check(page('a 1\n'), 'credentials: no value for key "absent" of Secret ns/auth', { auth });
});

test('bytes that are no HTTP', async () => {
  const sockets = new Set<Socket>();
  const server: TcpServer = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).write('SSH-2.0-nothing\r\n');
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  expect(await errorOf(`http://127.0.0.1:${port}/`)).toMatch(/^Get "http:.*": .*(HTTP|Parse|parse)/);
  for (const socket of sockets) socket.destroy();
  server.close();
});

test('a target that hangs does not hold up the end', async () => {
  const server = await TestServer.start(() => undefined);
  servers.push(server);
  await shard.apply([testJob()], [testTarget(server.url, { timeoutMs: 600_000 })]);
  shard.clock.advance(10_000);
  await shard.targets.stop();
  expect(await shard.series('up')).toEqual({});
});
