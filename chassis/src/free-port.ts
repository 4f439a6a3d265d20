import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the ports that systems give to outgoing connections (Linux from 32768, others from 49152), which would take ours. */
const range = { first: 10_240, end: 32_768 };
const attempts = 1000;

/** Ports are free until somebody listens on them, which takes a while: none is given twice by one process. */
const given = new Set<number>();

/** A TCP port of 127.0.0.1 that was free a moment ago, and none of `taken`. Throws when it finds none. */
export async function freePort(taken: Iterable<number> = []): Promise<number> {
  const refused = new Set(taken);
  for (let i = 0; i < attempts; i++) {
    const port = randomInt(range.first, range.end);
    if (refused.has(port) || given.has(port) || !(await isFree('127.0.0.1', port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(
    `no free port of 127.0.0.1 found in ${range.first}-${range.end - 1}, ${attempts} were tried`,
  );
}

/** Whether one could listen there. */
export async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, host, () => resolve(true));
  });
  if (free) await new Promise((resolve) => server.close(resolve));
  return free;
}
