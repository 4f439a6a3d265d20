// The targets: one cheap HTTP server, an address of 127/8 per target. Sends its addresses to its parent, then, each time it is
// asked, how punctually the targets were scraped since it was asked before.

import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { bodyOf, makeBodies, seeded } from './bodies.ts';
import { certificate, key } from './certificate.ts';
import { makeNativeBodies } from './native-bodies.ts';
import { Punctuality } from './punctuality.ts';

export interface GeneratorOptions {
  readonly targets: number;
  readonly series: number;
  readonly intervalSeconds: number;
  readonly tls: boolean;
  readonly churnShare: number;
  readonly native: boolean;
}

const rounds = 12;
const options = JSON.parse(process.argv[2]!) as GeneratorOptions;
const bodies = options.native
  ? makeNativeBodies(options.series, rounds, seeded(7))
  : makeBodies(options.series, rounds, options.churnShare);
const contentType = options.native
  ? 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited'
  : 'text/plain; version=0.0.4; charset=utf-8';
const packed = bodies.rounds.map((body) => gzipSync(body, { level: 6 }));
const punctuality = new Punctuality(options.intervalSeconds * 1000);
const scrapes = new Map<string, number>();

const listener: RequestListener = (request, response) => {
  const address = request.socket.localAddress!;
  punctuality.note(address, performance.now());
  const scrape = (scrapes.get(address) ?? scrapes.size) + 1;
  scrapes.set(address, scrape);
  const isGzip = (request.headers['accept-encoding'] ?? '').includes('gzip');
  const body = isGzip ? packed[scrape % rounds]! : bodyOf(bodies, scrape);
  response.writeHead(200, {
    'content-type': contentType,
    'content-length': body.length,
    ...(isGzip && { 'content-encoding': 'gzip' }),
  });
  response.end(body);
};

const server = options.tls
  ? createSecureServer({ cert: certificate, key }, listener)
  : createServer(listener);
server.keepAliveTimeout = 600_000;
await new Promise<void>((resolve) => void server.listen(0, '0.0.0.0', 1024, resolve));
const { port } = server.address() as AddressInfo;
const addresses = Array.from({ length: options.targets }, (_, i) => `127.1.${i >> 8}.${i & 255}:${port}`);
process.send!(addresses);
process.on('message', () => process.send!(punctuality.take()));
process.on('disconnect', () => process.exit(0));
