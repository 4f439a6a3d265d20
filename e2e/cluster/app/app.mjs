// An exporter of many targets: one listener per port, the same metrics on each. It runs in pods and on this machine.
//   PORT (8080), TARGETS (1): listens on PORT, PORT + 1, …   ADDRESS: on this address only
//   TLS_DIR: https, with tls.crt and tls.key read again at each handshake
//   TOKENS_FILE: wants a bearer token that is a line of this file; BASIC_FILE: wants basic auth `user:password`; both read at each request
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { hostname } from 'node:os';
import { join } from 'node:path';

const { PORT = '8080', TARGETS = '1', ADDRESS, TLS_DIR, TOKENS_FILE, BASIC_FILE } = process.env;
const buckets = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];
const scrapes = new Map();

/** What every reader sees alike: `load_seconds_total` grows by 1 a second, so that each slot has a value of its own. */
function body(port) {
  const seconds = Math.floor(Date.now() / 1000);
  const count = (scrapes.get(port) ?? 0) + 1;
  scrapes.set(port, count);
  const lines = [
    '# HELP load_seconds_total Seconds since 1970.',
    '# TYPE load_seconds_total counter',
    `load_seconds_total ${seconds}`,
    '# TYPE load_scrapes_total counter',
    `load_scrapes_total{pod="${hostname()}"} ${count}`,
    '# TYPE load_temperature gauge',
    ...['a', 'b'].map(
      (room, index) => `load_temperature{room="${room}"} ${20 + Math.sin(seconds / 30 + index)}`,
    ),
    '# HELP load_request_duration_seconds Requests that nobody made.',
    '# TYPE load_request_duration_seconds histogram',
    ...['/', '/cart'].flatMap((path) => histogram(path, seconds)),
    '# TYPE load_queue_length gauge',
    ...Array.from(
      { length: 22 },
      (_, queue) => `load_queue_length{queue="${queue}"} ${(seconds + queue) % 40}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function histogram(path, seconds) {
  const counts = buckets.map(
    (le, index) => `load_request_duration_seconds_bucket{path="${path}",le="${le}"} ${seconds * (index + 1)}`,
  );
  return [
    ...counts,
    `load_request_duration_seconds_bucket{path="${path}",le="+Inf"} ${seconds * 8}`,
    `load_request_duration_seconds_sum{path="${path}"} ${seconds * 2}`,
    `load_request_duration_seconds_count{path="${path}"} ${seconds * 8}`,
  ];
}

function isAllowed(authorization = '') {
  if (TOKENS_FILE !== undefined)
    return linesOf(TOKENS_FILE).some((token) => authorization === `Bearer ${token}`);
  if (BASIC_FILE !== undefined)
    return linesOf(BASIC_FILE).some(
      (pair) => authorization === `Basic ${Buffer.from(pair).toString('base64')}`,
    );
  return true;
}

function linesOf(file) {
  return existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    : [];
}

function answer(port, request, response) {
  if (request.url === '/ready') return response.end('ready\n');
  if (!isAllowed(request.headers.authorization)) return response.writeHead(401).end('unauthorized\n');
  if (!request.url.startsWith('/metrics')) return response.writeHead(404).end('not found\n');
  // With TLS a connection per scrape, and so a handshake with what is mounted now.
  const connection = TLS_DIR === undefined ? 'keep-alive' : 'close';
  response.writeHead(200, { connection, 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
  response.end(body(port));
}

function keyPair() {
  return { cert: readFileSync(join(TLS_DIR, 'tls.crt')), key: readFileSync(join(TLS_DIR, 'tls.key')) };
}

function listen(port) {
  const onRequest = (request, response) => answer(port, request, response);
  const server = TLS_DIR === undefined ? createServer(onRequest) : createTlsServer(keyPair(), onRequest);
  if (TLS_DIR !== undefined) server.prependListener('connection', () => server.setSecureContext(keyPair()));
  server.listen(port, ADDRESS);
  return server;
}

const servers = Array.from({ length: Number(TARGETS) }, (_, index) => listen(Number(PORT) + index));
process.on('SIGTERM', () => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
});
