// Small real HTTP exporters for the tests: one listener per target, counters that follow the wall clock.

import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Exporter {
  /** host:port */
  readonly address: string;
  readonly port: number;
  readonly server: Server;
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** `test_seconds_total` grows by 1 a second whoever looks, so that its rate is 1 on every replica. */
export function countingBody(): string {
  const nowMs = Date.now();
  return [
    '# HELP test_seconds_total Seconds since 1970.',
    '# TYPE test_seconds_total counter',
    `test_seconds_total ${Math.floor(nowMs / 1000)}`,
    '# TYPE test_temperature gauge',
    `test_temperature{room="a"} ${20 + Math.sin(nowMs / 10_000)}`,
    `test_temperature{room="b"} 21.5`,
    '',
  ].join('\n');
}

export function sendText(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
  response.end(body);
}

export async function startExporter(
  handler: Handler = (_, response) => sendText(response, countingBody()),
): Promise<Exporter> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { address: `127.0.0.1:${port}`, port, server };
}

export function startExporters(count: number): Promise<Exporter[]> {
  return Promise.all(Array.from({ length: count }, () => startExporter()));
}

export async function stopExporters(exporters: readonly Exporter[]): Promise<void> {
  await Promise.all(
    exporters.map(({ server }) => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    }),
  );
}
