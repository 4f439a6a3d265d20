import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { HttpConnection } from './http-connection.ts';

let closing: (() => void)[];
let connections: number;

beforeEach(() => {
  closing = [];
  connections = 0;
});

afterEach(() => {
  for (const close of closing) close();
});

async function listening(server: ReturnType<typeof createServer>): Promise<HttpConnection> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections++;
    sockets.add(socket.on('error', () => undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const connection = new HttpConnection(new URL(`http://127.0.0.1:${port}`), undefined);
  closing.push(() => {
    connection.destroy();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return connection;
}

/** A server of bytes: `answer` is called with each request's text. */
async function raw(answer: (socket: Socket, request: string) => void): Promise<HttpConnection> {
  return listening(createServer((socket) => socket.on('data', (data) => answer(socket, data.toString()))));
}

/** 'status body', or the error's text. */
function get(connection: HttpConnection, path = '/', abortAfterMs = 5000): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const timer = setTimeout(() => connection.abort(new Error('aborted')), abortAfterMs);
    const end = (result: string): void => {
      clearTimeout(timer);
      resolve(result);
    };
    connection.get(
      path,
      { accept: '*/*' },
      {
        onRequestStart: () => undefined,
        onResponseStart: (_controller, status) => void (text += `${status} `),
        onResponseData: (_controller, bytes) => void (text += bytes.toString('latin1')),
        onResponseEnd: () => end(text),
        onResponseError: (_controller, err) => end((err as { code?: string }).code ?? err.message),
      },
    );
  });
}

describe("with node's server", () => {
  const bodyOf = (path: string): string => path.repeat(Number(path.slice(1)));

  /** Chunked, with a length, or until the end, by the number in the path. */
  const listener: RequestListener = (req, res) => {
    const path = req.url!;
    const body = bodyOf(path);
    const kind = Number(path.slice(1)) % 3;
    if (kind === 0) res.setHeader('content-length', body.length);
    if (kind === 2) res.setHeader('connection', 'close');
    for (let at = 0; at < body.length; at += 70_001) res.write(body.slice(at, at + 70_001));
    res.end();
  };

  test('every kind of body arrives as it was sent', async () => {
    const connection = await listening(createHttpServer(listener));
    for (const path of ['/0', '/1', '/2', '/3', '/30000', '/30001', '/30002', '/300000', '/299999', '/4']) {
      expect(await get(connection, path)).toBe(`200 ${bodyOf(path)}`);
    }
    expect(connections).toBe(4);
  });
});

describe('with a hostile server', () => {
  test('a reset in the middle is an error, and the next request works', async () => {
    const connection = await raw((socket) => {
      if (connections > 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine');
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', () => socket.resetAndDestroy());
    });
    expect(await get(connection)).toBe('ECONNRESET');
    expect(await get(connection)).toBe('200 fine');
  });

  test('a close without an answer, or in the middle of one', async () => {
    const closes = await raw((socket) => socket.end());
    expect(await get(closes)).toBe('CONNECTION_CLOSED');
    const cut = await raw((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'));
    expect(await get(cut)).toBe('CONNECTION_CLOSED');
  });

  test('an endless head', async () => {
    const connection = await raw((socket) => {
      const write = (): void => {
        while (!socket.destroyed && socket.write('x: y\r\n'.repeat(1000)));
      };
      socket.write('HTTP/1.1 200 OK\r\n');
      socket.on('drain', write);
      write();
    });
    expect(await get(connection)).toBe('MALFORMED_RESPONSE');
  });

  test('what comes unasked is not taken for the next answer', async () => {
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n';
    const connection = await raw((socket) => {
      socket.write(`${answer}first${answer}wrong`);
    });
    expect(await get(connection)).toBe('200 first');
    expect(await get(connection)).toBe('200 first');
    expect(connections).toBe(2);
  });

  test('what comes unasked later ends the connection', async () => {
    const connection = await raw((socket) => {
      const answer = `HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${connections}`;
      socket.write(answer, () => setTimeout(() => socket.write(answer), 20));
    });
    expect(await get(connection)).toBe('200 1');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await get(connection)).toBe('200 2');
  });

  test('a byte at a time', async () => {
    const text = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
    const connection = await raw((socket) => {
      let at = 0;
      const timer = setInterval(() => {
        if (at === text.length || !socket.write(text[at++]!)) clearInterval(timer);
      }, 1);
    });
    expect(await get(connection)).toBe('200 abc');
  });

  test('one that never goes on is waited for until the caller aborts', async () => {
    const connection = await raw((socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Le'));
    expect(await get(connection, '/', 100)).toBe('aborted');
  });

  test('random bytes', async () => {
    let seed = 1;
    const connection = await raw((socket) => {
      const bytes = Buffer.alloc(300, 'HTTP/1.1 200 OK\r\nContent-Length: 260\r\n\r\n');
      for (let k = 0; k < 4; k++) bytes[(seed = (seed * 48_271) % 2_147_483_647) % 300] = seed % 256;
      socket.end(bytes);
    });
    for (let round = 0; round < 100; round++) {
      expect(await get(connection)).toMatch(/^(\d{3} |MALFORMED_RESPONSE$|CONNECTION_CLOSED$)/);
    }
  });
});

test('a header with a line of its own is refused', async () => {
  const connection = await raw(() => undefined);
  const handler = { onRequestStart: () => undefined } as unknown as Parameters<HttpConnection['get']>[2];
  expect(() => connection.get('/', { authorization: 'x\r\ny: z' }, handler)).toThrow(
    'header authorization: a character that no header may have',
  );
});
