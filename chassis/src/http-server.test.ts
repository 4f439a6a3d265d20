import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { BadRequest, Unavailable } from '@flotilla/model';
import { afterEach, describe, expect, test } from '@jest/globals';
import { ApiError } from './api-error.ts';
import { limitInFlight } from './limit-in-flight.ts';
import { jsonBody, protobufBody } from './request-body.ts';
import { sendData, sendJson } from './send-json.ts';
import { createGate, startServer, stopServers } from './test-server.ts';

afterEach(stopServers);

async function answerOf(url: string, init?: RequestInit): Promise<[number, string]> {
  const response = await fetch(url, init);
  return [response.status, await response.text()];
}

function errorOf(text: string): { errorType: string; error: string } {
  return JSON.parse(text) as { errorType: string; error: string };
}

describe('health', () => {
  test('is healthy at once, and ready when told so', async () => {
    const { url, server } = await startServer((app, self) =>
      app.get('/work', self.whenReady, (_req, res) => void res.send('done')),
    );
    expect(await answerOf(`${url}/-/healthy`)).toEqual([200, 'Demo is Healthy.\n']);
    expect(await answerOf(`${url}/-/ready`)).toEqual([503, 'Service Unavailable']);
    expect(await answerOf(`${url}/work`)).toEqual([503, 'Service Unavailable']);
    server.setReady(true);
    expect(await answerOf(`${url}/-/ready`)).toEqual([200, 'Demo is Ready.\n']);
    expect(await answerOf(`${url}/work`)).toEqual([200, 'done']);
  });

  test('sends no header that tells what it runs on', async () => {
    const { url } = await startServer();
    const { headers } = await fetch(`${url}/-/healthy`);
    expect([headers.get('x-powered-by'), headers.get('etag')]).toEqual([null, null]);
  });
});

describe('errors', () => {
  const httpError = Object.assign(new Error('bad thing'), { status: 418, expose: true });
  const upstream = Object.assign(new Error('store said no'), { status: 401 });
  const thrown: Record<string, unknown> = {
    bad: new BadRequest('parameter "step": got 0'),
    away: new Unavailable('shard "1"', { cause: new Error('no replica answered') }),
    bug: new TypeError('x is undefined'),
    exec: new ApiError('execution', 'query: too many samples'),
    canceled: new ApiError('canceled', 'gone'),
    http: httpError,
    upstream,
    text: 'a string',
  };

  test('become an envelope with type and code', async () => {
    const { url, lines } = await startServer((app) =>
      app.get('/api/v1/:what', (req) => {
        throw thrown[req.params.what];
      }),
    );
    const check = async (what: string, status: number, errorType: string, error: string): Promise<void> => {
      const [gotStatus, body] = await answerOf(`${url}/api/v1/${what}`);
      expect([gotStatus, JSON.parse(body)]).toEqual([status, { status: 'error', errorType, error }]);
    };
    await check('bad', 400, 'bad_data', 'parameter "step": got 0');
    await check('away', 503, 'unavailable', 'shard "1": no replica answered');
    await check('exec', 422, 'execution', 'query: too many samples');
    await check('canceled', 499, 'canceled', 'gone');
    await check('http', 418, 'bad_data', 'bad thing');
    expect(lines.filter((line) => line.includes('level=ERROR'))).toEqual([]);
    await check('bug', 500, 'internal', 'x is undefined');
    await check('upstream', 500, 'internal', 'store said no');
    await check('text', 500, 'internal', 'a string');
    await check('%ff', 400, 'bad_data', "Failed to decode param '%ff'");
    expect(lines.filter((line) => line.includes('level=ERROR'))).toHaveLength(3);
  });

  test('of async handlers are caught too', async () => {
    const { url } = await startServer((app) =>
      app.get('/x', async () => {
        await Promise.reject(new BadRequest('late'));
      }),
    );
    expect((await answerOf(`${url}/x`))[0]).toBe(400);
  });

  test('after the first byte cut the connection', async () => {
    const { url } = await startServer((app) =>
      app.get('/x', async (_req, res) => {
        await new Promise((resolve) => res.write('half an ans', resolve));
        throw new Error('disk');
      }),
    );
    const response = await fetch(`${url}/x`);
    await expect(response.text()).rejects.toBeDefined();
  });

  test('for unknown paths are JSON below /api/', async () => {
    const { url } = await startServer();
    expect(await answerOf(`${url}/nothing`)).toEqual([404, '404 page not found\n']);
    const [status, body] = await answerOf(`${url}/api/v1/nothing`);
    expect([status, JSON.parse(body)]).toMatchObject([404, { errorType: 'not_found' }]);
  });
});

describe('bodies', () => {
  test('of forms are parsed, with repeated parameters', async () => {
    const { url } = await startServer((app) =>
      app.post('/x', (req, res) => sendJson(req, res, 200, req.body)),
    );
    const body = new URLSearchParams([
      ['query', 'up'],
      ['match[]', 'a'],
      ['match[]', 'b'],
    ]);
    expect(await answerOf(`${url}/x`, { method: 'POST', body })).toEqual([
      200,
      '{"query":"up","match[]":["a","b"]}',
    ]);
  });

  test('that are too large or broken are refused with 4xx', async () => {
    const { url } = await startServer((app) => {
      app.post('/form', (_req, res) => void res.send('ok'));
      app.post('/json', jsonBody(100), (_req, res) => void res.send('ok'));
    });
    const form = new URLSearchParams({ a: 'x'.repeat(11 << 20) });
    const check = async (path: string, body: string | URLSearchParams, want: number): Promise<void> => {
      const [status, text] = await answerOf(url + path, { method: 'POST', body });
      expect([status, errorOf(text).errorType]).toEqual([want, 'bad_data']);
    };
    await check('/form', form, 413);
    await check('/form', new URLSearchParams('a=&'.repeat(100_002)), 413);
    await check('/json', 'x'.repeat(101), 413);
    await check('/json', '{', 400);
  });

  test('protobufBody gives the bytes as they came, whatever their encoding', async () => {
    const { url } = await startServer((app) =>
      app.post('/x', protobufBody(1000), (req, res) => void res.send((req.body as Buffer).toString('hex'))),
    );
    const send = (body: Uint8Array<ArrayBuffer> | null, encoding: string): Promise<[number, string]> =>
      answerOf(`${url}/x`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/x-protobuf', 'content-encoding': encoding },
      });
    expect(await send(new Uint8Array([1, 2, 255]), 'snappy')).toEqual([200, '0102ff']);
    expect(await send(null, 'identity')).toEqual([200, '']);
    expect((await send(new Uint8Array(gzipSync('a')), 'gzip'))[1]).toMatch(/^1f8b/);
    expect((await send(new Uint8Array(1001), 'snappy'))[0]).toBe(413);
  });

  test('protobufBody counts a body of unknown length', async () => {
    const { host, port } = await startServer((app) =>
      app.post('/x', protobufBody(10), (_req, res) => void res.send('ok')),
    );
    const socket = connect(port, host);
    socket.write('POST /x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nb\r\n01234567890\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
  });
});

describe('limits', () => {
  test('limitInFlight refuses the next one, and frees the place after', async () => {
    const started = createGate();
    const release = createGate();
    const { url } = await startServer((app) =>
      app.get('/x', limitInFlight(1, 'remote read requests'), async (_req, res) => {
        started.open();
        await release.opened;
        res.send('done');
      }),
    );
    const first = answerOf(`${url}/x`);
    await started.opened;
    const [status, body] = await answerOf(`${url}/x`);
    expect([status, errorOf(body).error]).toEqual([503, 'remote read requests: 1 in flight, want at most 1']);
    release.open();
    expect(await first).toEqual([200, 'done']);
    expect(await answerOf(`${url}/x`)).toEqual([200, 'done']);
  });

  test('a request line of half a megabyte is read', async () => {
    const { url } = await startServer((app) =>
      app.get('/x', (req, res) => void res.send(String(req.url.length))),
    );
    expect(await answerOf(`${url}/x?query=${'a'.repeat(500_000)}`)).toEqual([200, '500009']);
  });
});

describe('sendJson', () => {
  test('compresses what is large, when accepted', async () => {
    const data = 'y'.repeat(2000);
    const { url } = await startServer((app) => {
      app.get('/large', (req, res) => sendData(req, res, data, { warnings: ['w'] }));
      app.get('/small', (req, res) => sendData(req, res, 1));
    });
    const check = async (path: string, accept: string, want: string | null): Promise<void> => {
      const response = await fetch(url + path, { headers: { 'accept-encoding': accept } });
      expect([response.headers.get('content-encoding'), response.headers.get('vary')]).toEqual([
        want,
        'Accept-Encoding',
      ]);
      expect(response.headers.get('content-type')).toBe('application/json');
      const want200 =
        path === '/small' ? { status: 'success', data: 1 } : { status: 'success', data, warnings: ['w'] };
      expect(await response.json()).toEqual(want200);
    };
    await check('/large', 'gzip, deflate', 'gzip');
    await check('/large', 'identity', null);
    await check('/large', 'gzip;q=0', null);
    await check('/small', 'gzip', null);
  });
});

describe('metrics', () => {
  test('count requests by route pattern and code', async () => {
    const { url } = await startServer((app) =>
      app.get('/api/v1/label/:name/values', (_req, res) => void res.send('ok')),
    );
    for (const path of ['/api/v1/label/a/values', '/api/v1/label/b/values', '/secret-path'])
      await answerOf(url + path);
    const [status, text] = await answerOf(`${url}/metrics`);
    expect(status).toBe(200);
    expect(text).toContain(
      'prometheus_http_requests_total{handler="/api/v1/label/:name/values",code="200"} 2',
    );
    expect(text).toContain('prometheus_http_requests_total{handler="unmatched",code="404"} 1');
    expect(text).toContain(
      'prometheus_http_request_duration_seconds_count{handler="/api/v1/label/:name/values"} 2',
    );
    expect(text).not.toContain('secret-path');
    for (const name of ['process_start_time_seconds', 'prometheus_build_info', 'flotilla_build_info']) {
      expect(text).toMatch(new RegExp(`^${name}`, 'm'));
    }
  });
});

describe('close', () => {
  test('lets requests in progress end, and does not wait for idle connections', async () => {
    const started = createGate();
    const release = createGate();
    const { url, server } = await startServer((app, self) =>
      app.get('/x', async (_req, res) => {
        started.open();
        await release.opened;
        res.send(String(self.closing.aborted));
      }),
    );
    await answerOf(`${url}/-/healthy`);
    const running = answerOf(`${url}/x`);
    await started.opened;
    const closed = server.close(60_000);
    release.open();
    expect(await running).toEqual([200, 'true']);
    await closed;
  });

  test('cuts what does not end in time', async () => {
    const { url, server } = await startServer((app) => app.get('/x', (_req, res) => void res.write('never')));
    const response = await fetch(`${url}/x`);
    await server.close(10);
    await expect(response.text()).rejects.toBeDefined();
  });

  test('says on which address it could not listen', async () => {
    const { port } = await startServer();
    await expect(startServer(undefined, [`--web.listen-address=127.0.0.1:${port}`])).rejects.toThrow(
      `listen on 127.0.0.1:${port}`,
    );
  });
});
