import { describe, expect, test } from '@jest/globals';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Labels } from '@flotilla/model';
import { nativeOf, Tsdb } from '@flotilla/tsdb';
import { parseHistogram } from '@flotilla/model';
import type { RemoteWrite } from '@flotilla/wire';
import { Credentials } from '../fetch/credentials.ts';
import { MetadataStore } from '../ingest/metadata-store.ts';
import { silentLog, until } from '../testing.ts';
import { RemoteWriters } from './remote-writers.ts';
import { linesOf, testDestination, TestReceiver } from './test-receiver.ts';

const epochMs = 1_700_006_400_000;

/** A database with its writers, which can be stopped and started, and a receiver. */
class Bench {
  readonly metadata = new MetadataStore();
  tsdb!: Tsdb;
  writers!: RemoteWriters;
  readonly receiver: TestReceiver;
  readonly #dir: string;

  private constructor(dir: string, receiver: TestReceiver) {
    this.#dir = dir;
    this.receiver = receiver;
  }

  static async run(run: (bench: Bench) => Promise<void>): Promise<void> {
    const bench = new Bench(await mkdtemp(join(tmpdir(), 'flotilla-rw-')), await TestReceiver.open());
    try {
      await bench.start();
      await run(bench);
    } finally {
      await bench.stop();
      await bench.receiver.close();
      await rm(bench.#dir, { recursive: true });
    }
  }

  async start(): Promise<void> {
    this.tsdb = await Tsdb.open({
      dir: join(this.#dir, 'tsdb'),
      retentionMs: 1e12,
      log: silentLog,
      clock: () => epochMs + 1e9,
    });
    this.writers = new RemoteWriters({
      tsdb: this.tsdb,
      replica: 0,
      credentials: new Credentials({ get: () => undefined }),
      metadata: this.metadata,
      folder: this.folder,
      holdBytesMax: 1 << 30,
      log: silentLog,
      observe: () => undefined,
    });
  }

  async stop(): Promise<void> {
    await this.writers.stop();
    await this.tsdb.close();
  }

  get folder(): string {
    return join(this.#dir, 'remote-write');
  }

  /** One transaction at second `second` of `series` series; returns their lines. */
  put(second: number, series: number, suffix = ''): string[] {
    const appender = this.tsdb.appender();
    const timeMs = epochMs + second * 1000;
    const lines = Array.from({ length: series }, (_, i) => {
      const ref = appender.series(Labels.fromRecord({ __name__: `s${i}` }));
      appender.append(ref, timeMs, second + i);
      return `s${i}${suffix} ${timeMs} ${second + i}`;
    });
    appender.commit();
    return lines;
  }

  /** What the receiver took, once it is as much as this. */
  async taken(count: number): Promise<string[]> {
    await until(() => this.receiver.lines().length >= count);
    return this.receiver.lines().toSorted();
  }

  config(change: Partial<RemoteWrite> = {}): RemoteWrite {
    return testDestination(this.receiver.url, change);
  }

  get stats() {
    return this.writers.all[0]!.stats;
  }
}

describe('remote write', () => {
  test.each(['1.0', '2.0'] as const)(
    '%s sends what is committed, once, in the order of each series',
    (messageVersion) =>
      Bench.run(async (bench) => {
        bench.put(0, 10); // From before remote write was wanted.
        await bench.writers.apply([bench.config({ messageVersion })]);
        const want = [bench.put(1, 130), bench.put(2, 130), bench.put(3, 7)].flat();
        expect(await bench.taken(want.length)).toEqual(want.toSorted());
        const times = bench.receiver
          .lines()
          .filter((line) => line.startsWith('s5 '))
          .map((line) => line.split(' ')[1]);
        expect(times).toEqual(times.toSorted());
        const { headers } = bench.receiver.requests[0]!;
        expect(headers['content-encoding']).toBe('snappy');
        expect(headers['x-prometheus-remote-write-version']).toBe(
          messageVersion === '1.0' ? '0.1.0' : '2.0.0',
        );
        expect(Math.max(...bench.receiver.taken.map(({ write }) => linesOf(write).length))).toBe(50);
      }),
  );

  test('adds external labels where there are none, relabels, and tells replicas apart', () =>
    Bench.run(async (bench) => {
      const config = bench.config({
        externalLabels: [
          ['__name__', 'never'],
          ['cluster', 'c'],
        ],
        replicaLabel: '__replica__',
        relabelings: [
          { action: 'drop', sourceLabels: ['__name__'], regex: 's1' },
          { action: 'labeldrop', regex: 'cluster' },
        ],
      });
      await bench.writers.apply([config]);
      bench.put(1, 3);
      expect(await bench.taken(2)).toEqual([
        `s0{__replica__="0"} ${epochMs + 1000} 1`,
        `s2{__replica__="0"} ${epochMs + 1000} 3`,
      ]);
      expect(bench.stats.dropped.dropped_series).toBe(1);
    }));

  test('sends native histograms, or says that it does not', () =>
    Bench.run(async (bench) => {
      await bench.writers.apply([
        bench.config({ name: 'all' }),
        bench.config({ name: 'floats', sendNativeHistograms: false }),
      ]);
      const appender = bench.tsdb.appender();
      const histogram = nativeOf(parseHistogram('schema:1 count:4 sum:5 buckets:[1 2 1]').histogram, false);
      appender.appendHistogram(appender.series(Labels.fromRecord({ __name__: 'h' })), epochMs, histogram);
      appender.commit();
      expect(await bench.taken(1)).toEqual([`h ${epochMs} count 4`]);
      await until(() => bench.writers.all[1]!.stats.dropped.native_histograms_off === 1);
      expect(bench.receiver.lines().length).toBe(1);
    }));

  test.each(['1.0', '2.0'] as const)(
    '%s sends exemplars with the series that they belong to',
    (messageVersion) =>
      Bench.run(async (bench) => {
        await bench.writers.apply([
          bench.config({ messageVersion }),
          bench.config({ name: 'none', sendExemplars: false }),
        ]);
        const appender = bench.tsdb.appender();
        const ref = appender.series(Labels.fromRecord({ __name__: 'a_total' }));
        appender.append(ref, epochMs, 1);
        const labels = Labels.fromRecord({ trace_id: 'x' });
        appender.appendExemplar(ref, { labels, value: 0.5, timeMs: epochMs - 1, hasTimestamp: true });
        appender.commit();
        await bench.taken(2);
        const series = bench.receiver.taken.flatMap(({ write }) => write.series);
        const exemplar = { labels: ['trace_id', 'x'], value: 0.5, timeMs: epochMs - 1 };
        expect(series.map(({ exemplars }) => exemplars).toSorted((a, b) => a.length - b.length)).toEqual([
          [],
          [exemplar],
        ]);
        await until(() => bench.stats.sent.exemplars === 1);
        await until(() => bench.writers.all[1]!.stats.dropped.exemplars === 1);
      }),
  );

  test('tries again what may succeed, and waits as long as it is asked to', () =>
    Bench.run(async (bench) => {
      const times: number[] = [];
      const answers = [{ status: 500 }, { status: 429, headers: { 'retry-after': '1' } }, { status: 503 }];
      bench.receiver.answer = () => {
        times.push(performance.now());
        return answers[times.length - 1] ?? { status: 204 };
      };
      await bench.writers.apply([bench.config()]);
      const want = bench.put(1, 20);
      expect(await bench.taken(20)).toEqual(want.toSorted());
      expect(bench.receiver.requests.map(({ headers }) => headers['retry-attempt'])).toEqual([
        undefined,
        '1',
        '2',
        '3',
      ]);
      expect(times[2]! - times[1]!).toBeGreaterThan(900);
      expect(bench.stats.retried.samples).toBe(60);
    }));

  test('gives up what is refused for good, and that alone, and counts it', () =>
    Bench.run(async (bench) => {
      bench.receiver.answer = ({ write }) => ({
        status: linesOf(write).some((line) => line.startsWith('s60 ')) ? 400 : 204,
        text: 'out of order sample',
      });
      await bench.writers.apply([bench.config({ queue: { ...bench.config().queue, maxShards: 1 } })]);
      bench.put(1, 120);
      const got = await bench.taken(119);
      expect(got.length).toBe(119);
      await until(() => bench.stats.failed.samples === 1);
    }));

  test('with 2.0 counts what the receiver says that it wrote', () =>
    Bench.run(async (bench) => {
      const headers = { 'x-prometheus-remote-write-samples-written': '15' };
      bench.receiver.answer = () => ({ status: 400, headers });
      await bench.writers.apply([bench.config({ messageVersion: '2.0' })]);
      bench.put(1, 20);
      await until(() => bench.stats.sent.samples === 20);
      expect(bench.stats.failed.samples).toBe(5);
    }));

  test('goes on after a restart where it was: nothing is lost, and what may have been sent comes in the same requests', () =>
    Bench.run(async (bench) => {
      const config = bench.config();
      await bench.writers.apply([config]);
      const want = bench.put(1, 40);
      await bench.taken(40);
      bench.receiver.answer = () => undefined; // Takes requests, and never says so.
      const before = bench.receiver.requests.length;
      want.push(...bench.put(2, 170), ...bench.put(3, 170));
      await until(() => bench.receiver.requests.length > before);
      await bench.stop();
      const asked = bench.receiver.requests.slice(before).map(({ write }) => linesOf(write).join());
      await bench.start();
      want.push(...bench.put(4, 10)); // Before it is asked to go on.
      bench.receiver.answer = () => ({ status: 204 });
      const again = bench.receiver.requests.length;
      await bench.writers.apply([config]);
      expect(await bench.taken(want.length)).toEqual(want.toSorted());
      const answered = bench.receiver.requests.slice(again).map(({ write }) => linesOf(write).join());
      for (const request of asked) expect(answered).toContain(request);
    }));

  test('a destination that is taken away is forgotten, with its place', () =>
    Bench.run(async (bench) => {
      await bench.writers.apply([bench.config()]);
      expect(await readdir(bench.folder)).toHaveLength(1);
      await bench.writers.apply([]);
      expect(await readdir(bench.folder)).toEqual([]);
      expect(bench.writers.all).toEqual([]);
    }));

  test('sends metadata now and then', () =>
    Bench.run(async (bench) => {
      bench.metadata.acquire('s0', { type: 'counter', help: 'Some.', unit: '' });
      await bench.writers.apply([
        bench.config({ sendMetadata: true, metadataIntervalMs: 20 }),
        bench.config({ name: 'two', sendMetadata: true, messageVersion: '2.0' }),
      ]);
      bench.put(1, 1);
      const about = { type: 'counter', help: 'Some.', unit: '' };
      const { taken } = bench.receiver;
      await until(() => taken.some(({ write }) => write.metadata.length > 0));
      expect(taken.flatMap(({ write }) => write.metadata)[0]).toEqual({ metric: 's0', ...about });
      await until(() => taken.some(({ write }) => write.series[0]?.metadata !== undefined));
    }));
});
