import { describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInternalClient, toApiError } from '@flotilla/chassis';
import { Labels, Matcher, SLOTS } from '@flotilla/model';
import { decodeChunk, Tsdb } from '@flotilla/tsdb';
import {
  compressSnappy,
  createRemoteWriteEncoder,
  type Receiver,
  remoteWriteContentTypes,
  type RemoteWriteVersion,
} from '@flotilla/wire';
import express from 'express';
import { MetadataStore } from '../ingest/metadata-store.ts';
import { silentLog } from '../testing.ts';
import { PushedMetadata } from './pushed-metadata.ts';
import { WriteReceiver } from './write-receiver.ts';

const nowMs = Date.now();
const token = 'a-token-of-this-test';

/** One replica: a database and its receiver behind a real server. */
class Replica {
  readonly metadata = new MetadataStore();
  readonly receiver: WriteReceiver;
  readonly #tsdb: Tsdb;
  readonly #server: Server;
  readonly #client;

  private constructor(tsdb: Tsdb, shard: number, replica: number, tokenFile: string) {
    this.#tsdb = tsdb;
    this.#client = createInternalClient({ tokenFile, timeoutMs: 5000 });
    const metadata = new PushedMetadata(this.metadata);
    this.receiver = new WriteReceiver({ tsdb, shard, replica, client: this.#client, metadata, tokenFile });
    const app = express();
    app.use(this.receiver.router);
    app.use((err: unknown, _req: express.Request, res: express.Response, _next: express.NextFunction) => {
      const { status, message } = toApiError(err);
      res.status(status).send(message);
    });
    this.#server = createServer(app);
  }

  static async open(dir: string, shard: number, replica: number): Promise<Replica> {
    const tsdb = await Tsdb.open({
      dir: join(dir, `${shard}-${replica}`),
      retentionMs: 1e12,
      log: silentLog,
    });
    const one = new Replica(tsdb, shard, replica, join(dir, 'token'));
    await new Promise<void>((resolve) => {
      one.#server.listen(0, '127.0.0.1', resolve);
    });
    return one;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** `name time value` of everything. */
  async lines(): Promise<string[]> {
    const set = await this.#tsdb.select([new Matcher('=~', '__name__', '.+')], -1e15, 1e15);
    const lines: string[] = [];
    while (set.next())
      for (const chunk of set.chunks) {
        const times = new Float64Array(chunk.samples);
        const values = new Float64Array(chunk.samples);
        decodeChunk(chunk, times, values);
        for (const [i, time] of times.entries())
          lines.push(`${set.labels.toMetric()} ${time - nowMs} ${values[i]}`);
      }
    return lines;
  }

  async stopListening(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  async close(): Promise<void> {
    await this.stopListening();
    await this.#client.close();
    await this.#tsdb.close();
  }
}

/** Two shards of two replicas. */
async function withFleet(run: (replicas: Replica[]) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'flotilla-receiver-'));
  await writeFile(join(dir, 'token'), token);
  const replicas: Replica[] = [];
  try {
    for (const [shard, replica] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ] as const)
      replicas.push(await Replica.open(dir, shard, replica));
    const [a, b, c, d] = replicas.map(({ url }) => url);
    const places: Receiver = {
      shards: [
        { shard: 0, urls: [a!, b!] },
        { shard: 1, urls: [c!, d!] },
      ],
      table: Array.from({ length: SLOTS }, (_, slot) => slot % 2),
      nextTable: [],
    };
    for (const { receiver } of replicas) receiver.apply(places);
    await run(replicas);
  } finally {
    for (const replica of replicas) await replica.close();
    await rm(dir, { recursive: true });
  }
}

type Samples = readonly (readonly [
  labels: Readonly<Record<string, string>>,
  ...samples: [number, number][],
])[];

async function push(to: Replica, version: RemoteWriteVersion, samples: Samples): Promise<Response> {
  const encoder = createRemoteWriteEncoder(version);
  for (const [labels, ...points] of samples) {
    encoder.beginSeries({ labels: Labels.fromRecord(labels) }, { type: 'gauge', help: 'Pushed.', unit: '' });
    for (const [offsetMs, value] of points) {
      const words = new Uint32Array(Float64Array.of(value).buffer);
      encoder.sample(nowMs + offsetMs, words[0]!, words[1]!);
    }
    encoder.endSeries();
  }
  return post(to, compressSnappy(encoder.finish()), remoteWriteContentTypes[version]);
}

function post(
  to: Replica,
  body: Uint8Array,
  type: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${to.url}/api/v1/write`, {
    method: 'POST',
    headers: {
      'content-type': type,
      authorization: `Bearer ${token}`,
      'content-encoding': 'snappy',
      ...headers,
    },
    body: Buffer.from(body),
  });
}

const many: Samples = Array.from({ length: 20 }, (_, i) => [{ __name__: `m${i}` }, [0, i]] as const);
const written = (answer: Response): string | null =>
  answer.headers.get('x-prometheus-remote-write-samples-written');

describe('the receiver', () => {
  test.each(['1.0', '2.0'] as const)('%s: each series goes to both replicas of its shard', (version) =>
    withFleet(async (replicas) => {
      const answer = await push(replicas[3]!, version, many);
      expect([answer.status, written(answer)]).toEqual([204, '20']);
      const lines = await Promise.all(replicas.map((replica) => replica.lines()));
      expect(lines[0]).toEqual(lines[1]);
      expect(lines[2]).toEqual(lines[3]);
      expect(lines[0]!.length).toBeGreaterThan(2);
      expect([...lines[0]!, ...lines[2]!].toSorted()).toEqual(
        many.map(([, point], i) => `m${i} 0 ${point![1]}`).toSorted(),
      );
      if (version === '2.0')
        expect(replicas[0]!.metadata.size + replicas[2]!.metadata.size).toBeGreaterThanOrEqual(20);
    }),
  );

  test('one replica of a shard is enough, none is not', () =>
    withFleet(async (replicas) => {
      await replicas[1]!.stopListening();
      expect((await push(replicas[2]!, '1.0', many)).status).toBe(204);
      expect(replicas[2]!.receiver.failedReplicas).toBe(1);
      await replicas[0]!.stopListening();
      const answer = await push(replicas[2]!, '1.0', many);
      expect([answer.status, (await answer.text()).includes('shard 0')]).toEqual([503, true]);
    }));

  test("1.0 takes a shard's part whole or not, 2.0 what is good of it; both say why", () =>
    withFleet(async ([replica]) => {
      const series = { __name__: 'a' };
      await push(replica!, '1.0', [[series, [0, 1]]]);
      const whole = await push(replica!, '1.0', [[series, [1000, 2], [-1000, 3]]]);
      expect([whole.status, await whole.text()]).toEqual([
        400,
        expect.stringContaining('out of order sample'),
      ]);
      const good = await push(replica!, '2.0', [[series, [2000, 2], [-1000, 3]]]);
      expect([good.status, written(good)]).toEqual([400, '1']);
      const again = await push(replica!, '2.0', [[series, [2000, 2]]]);
      expect(again.status).toBe(204); // The same sample is no other one.
      const other = await push(replica!, '2.0', [[series, [2000, 7]]]);
      expect([other.status, await other.text()]).toEqual([400, expect.stringContaining('duplicate sample')]);
      const ahead = await push(replica!, '2.0', [[series, [3_600_000, 7]]]);
      expect([ahead.status, await ahead.text()]).toEqual([400, expect.stringContaining('out of bounds')]);
    }));

  test('leaves out series whose labels are none', () =>
    withFleet(async ([replica]) => {
      const nameless = [{ a: 'b' }, [0, 1]] as const;
      const fine = [{ __name__: 'a' }, [0, 1]] as const;
      const one = await push(replica!, '1.0', [
        nameless as unknown as Samples[number],
        fine as unknown as Samples[number],
      ]);
      expect([one.status, written(one)]).toEqual([204, '1']);
      const two = await push(replica!, '2.0', [nameless as unknown as Samples[number]]);
      expect([two.status, await two.text()]).toEqual([400, expect.stringContaining('no __name__')]);
      expect(replica!.receiver.invalidSamples).toBe(2);
    }));

  test('refuses what it does not understand, strangers, and everything unless it is wanted', () =>
    withFleet(async ([replica]) => {
      const check = async (answer: Promise<Response>, status: number, text: string): Promise<void> => {
        const got = await answer;
        expect([got.status, await got.text()]).toEqual([status, expect.stringContaining(text)]);
      };
      const type = remoteWriteContentTypes['1.0'];
      await check(
        post(replica!, Buffer.from('{}'), 'application/json'),
        415,
        'content type application/json',
      );
      await check(
        post(replica!, Buffer.from(''), `${type};proto=other.Message`),
        415,
        'message other.Message',
      );
      await check(
        post(replica!, Buffer.from(''), type, { 'content-encoding': 'gzip' }),
        415,
        'encoding gzip',
      );
      await check(post(replica!, Buffer.from('hm'), type), 400, 'no snappy block');
      await check(post(replica!, compressSnappy(Buffer.from('0aff', 'hex')), type), 400, 'bytes at');
      await check(post(replica!, Buffer.alloc(33 << 20), type), 413, 'too large');
      await check(
        post(replica!, compressSnappy(new Uint8Array()), type, { authorization: '' }),
        401,
        'Unauthorized',
      );
      replica!.receiver.apply(undefined);
      await check(post(replica!, compressSnappy(new Uint8Array()), type), 404, 'want spec.receiver');
    }));
});
