// The scraper's side of the assignment against a small operator that speaks real frames over real HTTP.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createInternalClient, type InternalClient } from '@flotilla/chassis';
import {
  type Assignment,
  type AssignmentFrame,
  canonicalAssignment,
  decodeHeartbeat,
  encodeAssignmentFrame,
  encodeFrame,
  type Heartbeat,
  encodeHeartbeat,
} from '@flotilla/wire';
import { silentLog, testJob, TestServer, TestShard, testTarget, until } from '../testing.ts';
import { AssignmentClient } from './assignment-client.ts';
import { AssignmentFile } from './assignment-file.ts';
import { AssignmentStream } from './assignment-stream.ts';
import { HeartbeatSender } from './heartbeat-sender.ts';
import { SecretStore } from './secret-store.ts';

/** Keeps what was asked, and the open streams to send frames to. */
class TestOperator {
  readonly versions: string[] = [];
  readonly heartbeats: Heartbeat[] = [];
  readonly secretRequests: unknown[] = [];
  secrets: Record<string, string> = {};
  status = 200;
  streams: ServerResponse[] = [];
  greeting: Uint8Array[] = [];
  server!: TestServer;

  static async start(): Promise<TestOperator> {
    const operator = new TestOperator();
    operator.server = await TestServer.start((req, res) => void operator.answer(req, res));
    return operator;
  }

  send(frame: AssignmentFrame): void {
    for (const stream of this.streams) stream.write(encodeFrame(encodeAssignmentFrame(frame)));
  }

  greet(frame: AssignmentFrame): void {
    this.greeting = [encodeFrame(encodeAssignmentFrame(frame))];
  }

  async answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url!, 'http://operator');
    if (this.status !== 200) {
      res.writeHead(this.status).end('not synced');
    } else if (url.pathname === '/assignment/v1/stream') {
      this.versions.push(`${url.searchParams.get('fleet')}/${url.searchParams.get('version')}`);
      res.writeHead(200).flushHeaders();
      this.streams.push(res);
      for (const bytes of this.greeting) res.write(bytes);
    } else if (url.pathname === '/assignment/v1/heartbeat') {
      this.heartbeats.push(decodeHeartbeat(await readAll(req)));
      res.writeHead(204).end();
    } else {
      this.secretRequests.push(JSON.parse((await readAll(req)).toString()));
      res.setHeader('content-type', 'application/json');
      res.end(JSON.stringify({ values: this.secrets }));
    }
  }
}

async function readAll(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

let operator: TestOperator;
let shard: TestShard;
let target: TestServer;
let internal: InternalClient;
let ending: AbortController;
let running: Promise<void>[];
let secrets: SecretStore;
let assignment: AssignmentClient;
let applied: number;

beforeEach(async () => {
  operator = await TestOperator.start();
  shard = await TestShard.start();
  target = await TestServer.page(() => 'a 1\n');
  internal = createInternalClient({ timeoutMs: 2000 });
  ending = new AbortController();
  running = [];
  applied = 0;
  begin();
});

afterEach(async () => {
  ending.abort();
  secrets.stop();
  await Promise.all(running);
  await internal.close();
  await shard.stop();
  await operator.server.stop();
  await target.stop();
});

/** A new client on the same folder, as after a restart. */
function begin(): void {
  secrets = new SecretStore({
    path: join(shard.dir, 'secrets.json'),
    client: internal,
    operatorUrl: operator.server.url,
    log: silentLog,
  });
  assignment = new AssignmentClient({
    file: new AssignmentFile(join(shard.dir, 'assignment'), silentLog),
    secrets,
    targets: shard.targets,
    shard: 0,
    log: silentLog,
    onApplied: () => void applied++,
  });
}

function follow(): AssignmentStream {
  const stream = new AssignmentStream({
    client: internal,
    operatorUrl: operator.server.url,
    fleet: 'main',
    shard: 0,
    replica: 0,
    log: silentLog,
    version: () => assignment.current?.version ?? '',
    onFrame: (frame) => assignment.takeFrame(frame),
    backoffMinMs: 1,
    backoffMaxMs: 5,
  });
  running.push(stream.run(ending.signal));
  return stream;
}

function snapshot(state: Assignment, handedOff: number[] = []): AssignmentFrame {
  return { kind: 'snapshot', assignment: state, handedOff };
}

function assign(...ids: number[]): Assignment {
  const targets = ids.map((id) => testTarget(target.url, { id, labels: [['job', `j${id}`]] }));
  return canonicalAssignment(0, [testJob()], targets);
}

describe('the stream', () => {
  test('brings a snapshot, then diffs, and resumes with the version that is applied', async () => {
    operator.greet(snapshot(assign(1, 2)));
    const stream = follow();
    await until(() => applied === 1);
    expect(shard.targets.size).toBe(2);
    expect(stream.connected).toBe(true);
    const [before, after] = [assign(1, 2), assign(2, 3)];
    operator.send({
      kind: 'diff',
      diff: {
        fromVersion: before.version,
        toVersion: after.version,
        jobs: [],
        removedJobs: [],
        targets: after.targets.slice(1),
        removedTargets: [{ id: 1, reason: 'gone' }],
      },
    });
    await until(() => applied === 2);
    expect(
      shard.targets
        .health()
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual([2, 3]);
    operator.greet({ kind: 'keepalive', version: after.version });
    operator.streams.forEach((open) => open.destroy());
    await until(() => operator.versions.length === 2 && stream.connected);
    expect(operator.versions).toEqual(['main/', `main/${after.version}`]);
    expect(applied).toBe(2);
  });

  test('asks for a snapshot when a diff does not fit', async () => {
    operator.greet(snapshot(assign(1)));
    follow();
    await until(() => applied === 1);
    operator.greet(snapshot(assign(2)));
    operator.send({ kind: 'keepalive', version: 'another' });
    await until(() => applied === 2);
    expect(operator.versions).toEqual(['main/', 'main/']);
    expect(shard.targets.health().map(({ id }) => id)).toEqual([2]);
  });

  test('survives damage, wrong shards, and an operator that is not ready, and changes nothing then', async () => {
    operator.greet(snapshot(assign(1)));
    const stream = follow();
    await until(() => applied === 1);
    const damaged = Buffer.from(encodeFrame(encodeAssignmentFrame(snapshot(assign(2)))));
    damaged[damaged.length - 1]! ^= 1;
    operator.greeting = [damaged];
    operator.streams.forEach((open) => open.destroy());
    await until(() => operator.versions.length >= 3);
    operator.greet(snapshot({ ...assign(2), shard: 7 }));
    await until(() => operator.versions.length >= 6);
    operator.status = 503;
    operator.streams.forEach((open) => open.destroy());
    await until(() => !stream.connected);
    expect(shard.targets.health().map(({ id }) => id)).toEqual([1]);
    operator.status = 200;
    operator.greet(snapshot(assign(1, 2)));
    await until(() => applied === 2);
  });

  test('takes a snapshot after a hand-off without writing stale markers', async () => {
    operator.greet(snapshot(assign(1, 2, 3)));
    follow();
    await until(() => applied === 1);
    await shard.tick();
    operator.greet(snapshot(assign(3), [1]));
    operator.streams.forEach((open) => open.destroy());
    await until(() => applied === 2);
    await shard.tick();
    await until(() => shard.targets.health().every(({ scrapes }) => scrapes === 2));
    const series = await shard.series('a');
    const kinds = Object.fromEntries(
      Object.entries(series).map(([name, samples]) => [name, samples.map(([, value]) => value)]),
    );
    expect(kinds).toEqual({ 'a{job="j1"}': [1], 'a{job="j2"}': [1, 'stale'], 'a{job="j3"}': [1, 1] });
  });
});

describe('a restart', () => {
  test('goes on with what was applied, without an operator', async () => {
    operator.greet(snapshot(assign(1, 2)));
    follow();
    await until(() => applied === 1);
    ending.abort();
    await Promise.all(running);
    await shard.targets.apply(assign(), new Map());
    operator.status = 503;
    begin();
    await assignment.restore();
    expect(assignment.current).toEqual(assign(1, 2));
    const health = await shard.tick();
    expect([...health.values()].map(({ up }) => up)).toEqual([true, true]);
  });

  test('without or with a damaged file begins with nothing', async () => {
    await assignment.restore();
    expect(assignment.current).toBeUndefined();
    const path = join(shard.dir, 'assignment');
    await writeFile(path, 'not an assignment');
    await assignment.restore();
    expect(assignment.current).toBeUndefined();
    expect(await readFile(`${path}.corrupt`, 'utf8')).toBe('not an assignment');
  });
});

describe('secrets', () => {
  const ref = { kind: 'Secret', namespace: 'ns', name: 's', key: 'k' } as const;
  const job = testJob({ auth: { authorization: { type: 'Bearer', credentials: { secret: ref } } } });

  test('are fetched for the jobs, kept in a private file, and there after a restart', async () => {
    operator.secrets = { 'Secret/ns/s/k': Buffer.from('value').toString('base64') };
    operator.greet(snapshot(canonicalAssignment(0, [job], [])));
    follow();
    await until(() => applied === 1);
    expect(operator.secretRequests).toEqual([{ refs: [ref] }]);
    expect(secrets.get(ref)).toBe('value');
    expect((await stat(join(shard.dir, 'secrets.json'))).mode & 0o777).toBe(0o600);
    secrets.stop();
    operator.status = 503;
    begin();
    await assignment.restore();
    expect(secrets.get(ref)).toBe('value');
  });

  test('that cannot be had do not hold up the assignment', async () => {
    operator.greet(snapshot(canonicalAssignment(0, [job], [])));
    follow();
    await until(() => applied === 1);
    expect(secrets.get(ref)).toBeUndefined();
  });
});

describe('heartbeats', () => {
  const current = (): Heartbeat => ({
    fleet: 'main',
    shard: 1,
    replica: 0,
    version: 'v',
    state: 'ready',
    headSeries: 5,
    startedMs: 1,
    sentMs: 2,
    targets: shard.targets.health(),
  });

  test('come at once, soon after an event, regularly, and at the end', async () => {
    await shard.apply([testJob()], [testTarget(target.url)]);
    const sender = new HeartbeatSender({
      client: internal,
      operatorUrl: operator.server.url,
      encode: () => encodeHeartbeat(current()),
      intervalMs: 10_000,
    });
    sender.start();
    await until(() => operator.heartbeats.length === 1);
    await shard.tick();
    for (let i = 0; i < 5; i++) sender.soon();
    await until(() => operator.heartbeats.length === 2);
    expect(operator.heartbeats[1]).toEqual(current());
    await sender.stop();
    expect(operator.heartbeats).toHaveLength(3);
    const regular = new HeartbeatSender({
      client: internal,
      operatorUrl: operator.server.url,
      encode: () => encodeHeartbeat(current()),
      intervalMs: 5,
    });
    regular.start();
    await until(() => operator.heartbeats.length > 6);
    operator.status = 500;
    await until(() => regular.failures > 1);
    await regular.stop();
  });
});
