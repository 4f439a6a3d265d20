// Servers that do to a scraper what they can, on real sockets, and good ones beside them. A process of its own, so that what they
// cost is not the test's: prints {"good": […], "silent": port, "hostile": {name: port}} when it listens, and ends with its input.

import { randomBytes } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { gzipSync } from 'node:zlib';

const ok = 'HTTP/1.1 200 OK\r\n';
const text = `${ok}Content-Type: text/plain; version=0.0.4\r\n`;
const goodServers = 10;

/** Writes a piece for as long as the other side takes it. */
function forever(socket: Socket, piece: string | Buffer): void {
  const write = (): void => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on('drain', write);
  write();
}

function drip(socket: Socket, pieces: string, everyMs: number): void {
  let at = 0;
  const timer = setInterval(() => socket.write(pieces[at++ % pieces.length]!), everyMs);
  socket.on('close', () => clearInterval(timer));
}

function body(content: string | Buffer, headers = ''): (socket: Socket) => void {
  return (socket) => {
    socket.write(`${text}${headers}Content-Length: ${content.length}\r\n\r\n`);
    socket.write(content);
  };
}

const gzip = 'Content-Encoding: gzip\r\n';
const bomb = gzipSync(Buffer.alloc(200 << 20, 'a 1\n'));
const redirect = (location: string) => (socket: Socket) => {
  socket.write(`HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`);
};
const raw = (answer: string | Buffer) => (socket: Socket) => {
  socket.write(answer);
};
const closing = (answer: string) => (socket: Socket) => {
  socket.end(answer);
};

/** What each does with a connection on which a request has come. */
const onRequest: Readonly<Record<string, (socket: Socket) => void>> = {
  'endless-status': (socket) => forever(socket, 'HTTP/1.1 200 '.padEnd(10_000, 'x')),
  'endless-header': (socket) => {
    socket.write(text);
    forever(socket, 'X-More: and more\r\n'.repeat(100));
  },
  'endless-header-value': (socket) => {
    socket.write(`${text}X-Long: `);
    forever(socket, 'x'.repeat(10_000));
  },
  'endless-continue': (socket) => forever(socket, 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(50)),
  'endless-body': (socket) => {
    socket.write(`${text}\r\n`);
    forever(socket, '# on and on\n'.repeat(1000));
  },
  'endless-chunks': (socket) => {
    socket.write(`${text}Transfer-Encoding: chunked\r\n\r\n`);
    forever(socket, '4\r\na 1\n\r\n'.repeat(1000));
  },
  'endless-error': (socket) => {
    socket.write('HTTP/1.1 500 Internal Server Error\r\n\r\n');
    forever(socket, 'sorry '.repeat(1000));
  },
  'gzip-bomb': body(bomb, gzip),
  'gzip-garbage': body(randomBytes(1000), gzip),
  'gzip-cut': body(gzipSync(randomBytes(1000)).subarray(0, 500), gzip),
  'slow-header': (socket) => drip(socket, `${text}X: ${'y'.repeat(100_000)}`, 100),
  'slow-body': (socket) => {
    socket.write(`${text}Content-Length: 1000000\r\n\r\n`);
    drip(socket, 'a 1\n', 100);
  },
  'length-too-long': closing(`${text}Content-Length: 1000\r\n\r\na 1\n`),
  'length-too-short': raw(`${text}Content-Length: 8\r\n\r\na{b="c"} 1\nd 2\n`),
  'length-twice': raw(`${text}Content-Length: 4\r\nContent-Length: 9\r\n\r\na 1\nbcdef`),
  'length-negative': raw(`${text}Content-Length: -4\r\n\r\na 1\n`),
  'length-huge': raw(`${text}Content-Length: 99999999999999999999\r\n\r\na 1\n`),
  'chunk-size-wrong': raw(`${text}Transfer-Encoding: chunked\r\n\r\nzz\r\na 1\n\r\n0\r\n\r\n`),
  'chunk-size-huge': raw(`${text}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\na 1\n`),
  'chunk-end-wrong': raw(`${text}Transfer-Encoding: chunked\r\n\r\n4\r\na 1\nXX0\r\n\r\n`),
  'chunks-cut': closing(`${text}Transfer-Encoding: chunked\r\n\r\n4\r\na 1\n\r\n`),
  'reset-mid-body': (socket) =>
    socket.write(`${text}Content-Length: 1000\r\n\r\na 1\n`, () => socket.resetAndDestroy()),
  'reset-at-once': (socket) => socket.resetAndDestroy(),
  'close-at-once': (socket) => socket.end(),
  'no-http': raw('SSH-2.0-OpenSSH_9.9\r\n'),
  'wrong-version': raw('HTTP/7.9 200 OK\r\nContent-Length: 4\r\n\r\na 1\n'),
  'redirect-to-file': redirect('file:///etc/passwd'),
  'redirect-loop': redirect('/metrics'),
  'redirect-nowhere': redirect('http://no-such-host.invalid/metrics'),
  'million-series': body(Array.from({ length: 1_000_000 }, (_, i) => `s{i="${i}"} 1\n`).join('')),
  'label-100mb': (socket) => {
    socket.write(`${text}\r\na{b="`);
    forever(socket, 'x'.repeat(1 << 20));
  },
  'label-3mb': body(`a{b="${'x'.repeat(3 << 20)}"} 1\n`),
  'nul-bytes': body('\0\0\0\0 1\n'),
  'bad-utf8': body(Buffer.from('a{b="\xff\xfe"} 1\n', 'latin1')),
  'html-page': raw(`${ok}Content-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>`),
  'no-content-type': raw(`${ok}Content-Length: 4\r\n\r\na 1\n`),
  'says-nothing': () => undefined,
};

/** Those that speak, or fail to speak, TLS; the test scrapes them by https. */
const onConnection: Readonly<Record<string, (socket: Socket) => void>> = {
  'tls-plain': (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
  'tls-silent': () => undefined,
  'tls-reset': (socket) => socket.resetAndDestroy(),
  'tls-garbage': (socket) => socket.write(randomBytes(1000)),
};

const sockets = new Set<Socket>();

function listen(server: Server): Promise<number> {
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  return new Promise((resolve) => {
    server.listen(0, () => resolve((server.address() as AddressInfo).port));
  });
}

/** One request after the other; what comes after the head is not looked at. */
function afterHead(answer: (socket: Socket) => void): Server {
  return createServer((socket) => {
    let head = '';
    socket.on('data', (data: Buffer) => {
      head += data.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      head = '';
      answer(socket);
    });
  });
}

function goodServer(): Server {
  const page = (): string => `# TYPE good_total counter\ngood_total ${Math.floor(Date.now() / 1000)}\n`;
  return createHttpServer((_, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(page());
  });
}

async function portsOf(servers: Readonly<Record<string, Server>>): Promise<Record<string, number>> {
  const ports = Object.entries(servers).map(async ([name, server]) => [name, await listen(server)] as const);
  return Object.fromEntries(await Promise.all(ports));
}

const hostile: Record<string, Server> = { 'tls-no-certificate': createTlsServer({}) };
for (const [name, answer] of Object.entries(onRequest)) hostile[name] = afterHead(answer);
for (const [name, answer] of Object.entries(onConnection)) hostile[name] = createServer(answer);
const good = await Promise.all(Array.from({ length: goodServers }, () => listen(goodServer())));
const silent = await listen(createServer(() => undefined));
process.stdout.write(`${JSON.stringify({ good, silent, hostile: await portsOf(hostile) })}\n`);
process.stdin.on('end', () => process.exit(0)).resume();
