// The targets: one cheap HTTP server process, a listener per target. Prints its addresses as JSON and serves until stdin closes.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { makeBodies } from './bodies.ts';

const [targets, series, rounds] = process.argv.slice(2).map(Number) as [number, number, number];
const plain = makeBodies(series, rounds).rounds;
const packed = plain.map((body) => gzipSync(body, { level: 6 }));
const addresses: string[] = [];

for (let target = 0; target < targets; target++) {
  let round = target;
  const server = createServer((request, response) => {
    round++;
    const isGzip = (request.headers['accept-encoding'] ?? '').includes('gzip');
    const body = (isGzip ? packed : plain)[round % rounds]!;
    response.writeHead(200, {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      'content-length': body.length,
      ...(isGzip && { 'content-encoding': 'gzip' }),
    });
    response.end(body);
  });
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  addresses.push(`127.0.0.1:${(server.address() as AddressInfo).port}`);
}
process.stdout.write(`${JSON.stringify(addresses)}\n`);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
