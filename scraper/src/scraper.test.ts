// The process itself: started, killed, started again, against a small operator and a target.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createInternalClient, freePort, type InternalClient } from '@flotilla/chassis';
import {
  canonicalAssignment,
  decodeHeartbeat,
  encodeAssignmentFrame,
  encodeFrame,
  type Heartbeat,
  STORE_PATHS,
  type StoreStatus,
  type TargetsResponse,
} from '@flotilla/wire';
import { testJob, TestServer, testTarget } from './testing.ts';

const token = 'a-token-of-this-test';

let dir: string;
let operator: TestServer;
let target: TestServer;
let client: InternalClient;
let heartbeats: Heartbeat[];
let children: ChildProcess[];
let scrapes: number;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'flotilla-scraper-'));
  await writeFile(join(dir, 'token'), token);
  client = createInternalClient({ tokenFile: join(dir, 'token'), timeoutMs: 5000 });
  heartbeats = [];
  children = [];
  scrapes = 0;
  target = await TestServer.page(() => `a ${++scrapes}\n`);
  const job = testJob({ intervalMs: 200, timeoutMs: 200 });
  const assignment = canonicalAssignment(
    0,
    [job],
    [testTarget(target.url, { intervalMs: 200, timeoutMs: 200 })],
  );
  operator = await TestServer.start((req, res) => {
    if (req.headers.authorization !== `Bearer ${token}`) res.writeHead(401).end();
    else if (req.url!.startsWith('/assignment/v1/stream')) {
      res.write(encodeFrame(encodeAssignmentFrame({ kind: 'snapshot', assignment, handedOff: [] })));
    } else void takeHeartbeat(req, res);
  });
});

async function takeHeartbeat(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  heartbeats.push(decodeHeartbeat(Buffer.concat(chunks)));
  res.writeHead(204).end();
}

afterEach(async () => {
  for (const child of children) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
  await client.close();
  await operator.stop();
  await target.stop();
  await rm(dir, { recursive: true, force: true });
});

async function start(operatorUrl = operator.url): Promise<{ child: ChildProcess; url: string }> {
  const port = await freePort();
  const args = [
    `--web.listen-address=127.0.0.1:${port}`,
    `--operator.url=${operatorUrl}`,
    `--storage.path=${join(dir, 'data')}`,
    `--internal.token-file=${join(dir, 'token')}`,
  ];
  const main = fileURLToPath(new URL(`main${extname(import.meta.url)}`, import.meta.url));
  const child = spawn(process.execPath, ['--no-warnings', main, ...args], { stdio: 'ignore' });
  children.push(child);
  return { child, url: `http://127.0.0.1:${port}` };
}

/** Asks until the answer satisfies. */
async function eventually<T>(ask: () => T | Promise<T>, isFine: (answer: T) => boolean): Promise<T> {
  const endMs = Date.now() + 30_000;
  for (;;) {
    const answer = await Promise.resolve(ask()).catch(() => undefined);
    if (answer !== undefined && isFine(answer)) return answer;
    if (Date.now() > endMs) throw new Error(`not in 30 s; last answer ${JSON.stringify(answer)}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

const targetsOf = (url: string): Promise<TargetsResponse> => client.getJson(url + STORE_PATHS.targets);

test('it scrapes, reports, answers, ends in order, and goes on after kill -9 without an operator', async () => {
  const { child, url } = await start();
  const { targets } = await eventually(
    () => targetsOf(url),
    (answer) => answer.targets[0]?.health === 'up',
  );
  expect(targets[0]).toMatchObject({
    id: 1,
    job: 'job',
    url: target.url,
    shard: 0,
    replica: 0,
    lastError: '',
  });
  await eventually(
    () => heartbeats,
    (all) => all.some(({ state, targets: [first] }) => state === 'ready' && first?.up === true),
  );
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toContain('prometheus_target_scrape_pool_targets{scrape_job="job"} 1');
  expect(metrics).toMatch(/^prometheus_tsdb_head_series 6$/m);
  expect(metrics).toMatch(/^flotilla_scraper_assignment_version_info\{version="[0-9a-f]{16}"\} 1$/m);
  expect((await fetch(url + STORE_PATHS.targets)).status).toBe(401);

  child.kill('SIGKILL');
  await once(child, 'exit');
  const again = await start('http://127.0.0.1:1');
  const before = scrapes;
  await eventually(
    () => scrapes,
    (count) => count > before + 2,
  );
  const status = await eventually(
    () => client.getJson<StoreStatus>(again.url + STORE_PATHS.status),
    ({ state }) => state === 'ready',
  );
  expect(status.headStats.numSeries).toBe(6);
  again.child.kill('SIGTERM');
  expect(await once(again.child, 'exit')).toEqual([0, null]);
}, 90_000);

test('it ends when asked to while it cannot reach anything', async () => {
  await target.stop();
  const { child, url } = await start('http://127.0.0.1:1');
  await eventually(
    async () => (await fetch(`${url}/-/ready`)).status,
    (status) => status === 200,
  );
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
}, 60_000);
