// For tests: targets that are real HTTP servers, and a shard that scrapes them into a real database, on a clock that the
// test moves.

import { createServer, type RequestListener, type Server } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LineScanner } from '@flotilla/kernel';
import type { Logger } from '@flotilla/chassis';
import { isStale, Matcher } from '@flotilla/model';
import { decodeChunk, type Io, Tsdb } from '@flotilla/tsdb';
import {
  canonicalAssignment,
  encodeMetricFamily,
  type ExposedFamily,
  type ExposedMetric,
  type Job,
  type RemovalReason,
  type Target,
  type TargetHealth,
} from '@flotilla/wire';
import { BodyMemory } from './fetch/body-memory.ts';
import { Credentials } from './fetch/credentials.ts';
import { MetadataStore } from './ingest/metadata-store.ts';
import { ScrapeCounters } from './ingest/scrape-counters.ts';
import { SeriesGuard } from './ingest/series-guard.ts';
import { Scheduler } from './schedule/scheduler.ts';
import { TestClock } from './schedule/test-clock.ts';
import type { LoopContext } from './targets/target-loop.ts';
import { TargetSet } from './targets/target-set.ts';

export const intervalMs = 10_000;

const scanner = new LineScanner();

export const silentLog: Logger = {
  level: 'error',
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};

export function testJob(change: Partial<Job> = {}): Job {
  return {
    name: 'job',
    intervalMs,
    timeoutMs: 5000,
    honorLabels: false,
    honorTimestamps: true,
    trackTimestampsStaleness: false,
    enableCompression: true,
    followRedirects: true,
    scrapeProtocols: [],
    fallbackScrapeProtocol: '',
    scrapeNativeHistograms: false,
    alwaysScrapeClassicHistograms: false,
    convertClassicHistogramsToNhcb: false,
    nativeHistogramMinBucketFactor: 0,
    nameValidationScheme: '',
    nameEscapingScheme: '',
    metricRelabelings: [],
    auth: {},
    ...change,
    limits: {
      bodySizeBytes: 0,
      samples: 0,
      targets: 0,
      labels: 0,
      labelNameLength: 0,
      labelValueLength: 0,
      histogramBuckets: 0,
      series: 0,
      shardSeries: 0,
      ...change.limits,
    },
  };
}

export function testTarget(url: string, change: Partial<Target> = {}): Target {
  const id = change.id ?? 1;
  return {
    id,
    job: 'job',
    url,
    labels: [
      ['instance', `target-${id}`],
      ['job', 'job'],
    ],
    intervalMs,
    timeoutMs: 5000,
    slot: 0,
    ...change,
  };
}

/** Waits for what other events bring about. */
export async function until(condition: () => boolean): Promise<void> {
  const endMs = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > endMs) throw new Error('until: not true in 20 s');
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

/** An HTTP server on a port of its own. */
export class TestServer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(listener: RequestListener): Promise<TestServer> {
    const server = createServer(listener);
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return new TestServer(server);
  }

  /** One that answers with a metrics page, which may change. */
  static page(body: () => string | Buffer): Promise<TestServer> {
    return TestServer.start((_req, res) => {
      res.setHeader('content-type', 'text/plain; version=0.0.4');
      res.end(body());
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  onConnection(listener: () => void): void {
    this.#server.on('connection', listener);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }
}

/** A sample as [time, value]; a stale marker's value is 'stale'. */
export type TestSample = readonly [number, number | 'stale'];

/** Samples of all series with this metric name (and value of the label `target`), by their labels in text. */
export async function readSeries(
  tsdb: Tsdb,
  metric: string,
  target?: string,
): Promise<Record<string, TestSample[]>> {
  const found: Record<string, TestSample[]> = {};
  const matchers = [new Matcher('=~', '__name__', metric)];
  if (target !== undefined) matchers.push(new Matcher('=', 'target', target));
  const set = await tsdb.select(matchers, 0, 2 ** 50);
  const times = new Float64Array(1000);
  const values = new Float64Array(1000);
  while (set.next()) {
    const samples: TestSample[] = [];
    for (const chunk of set.chunks) {
      const count = decodeChunk(chunk, times, values);
      for (let i = 0; i < count; i++) samples.push([times[i]!, isStale(values, i) ? 'stale' : values[i]!]);
    }
    found[set.labels.toMetric()] = samples;
  }
  set.close();
  return found;
}

export interface TestShardOptions extends Partial<
  Pick<LoopContext, 'replica' | 'toleranceMs' | 'hasExtraMetrics' | 'failureLog'>
> {
  readonly bodyBytesMax?: number;
  readonly samplesMax?: number;
  readonly blockDurationMs?: number;
  readonly headBytesMax?: number;
  readonly io?: Io;
  readonly metadataRecords?: boolean;
}

/** The targets of a shard, their database, and the clock that makes slots pass. */
export class TestShard {
  readonly clock: TestClock;
  readonly tsdb: Tsdb;
  readonly counters = new ScrapeCounters();
  readonly metadata = new MetadataStore();
  readonly targets: TargetSet;
  readonly dir: string;
  readonly #scheduler: Scheduler;

  private constructor(dir: string, clock: TestClock, tsdb: Tsdb, options: TestShardOptions) {
    this.dir = dir;
    this.clock = clock;
    this.tsdb = tsdb;
    this.#scheduler = new Scheduler(clock);
    this.targets = new TargetSet({
      clock,
      scheduler: this.#scheduler,
      fetch: {
        credentials: new Credentials({ get: ({ key }) => (key === 'known' ? 'secret-value' : undefined) }),
        memory: new BodyMemory(256 << 20),
        bodyBytesMax: options.bodyBytesMax ?? 64 << 20,
      },
      ingest: {
        tsdb,
        counters: this.counters,
        metadata: this.metadata,
        guard: new SeriesGuard(tsdb, this.counters),
        scanner,
      },
      bounds: { samplesMax: options.samplesMax ?? 1_000_000, lineBytesMax: 1 << 20 },
      replica: options.replica ?? 0,
      replicaOffsetMs: 100,
      toleranceMs: options.toleranceMs ?? 0,
      log: silentLog,
      hasExtraMetrics: options.hasExtraMetrics ?? false,
      failureLog: options.failureLog,
      onFirstScrape: () => undefined,
      onInterval: () => undefined,
    });
  }

  static async start(options: TestShardOptions = {}): Promise<TestShard> {
    const dir = await mkdtemp(join(tmpdir(), 'flotilla-scraper-'));
    const clock = new TestClock(Math.floor(Date.now() / intervalMs) * intervalMs);
    const tsdb = await Tsdb.open({
      dir: join(dir, 'tsdb'),
      retentionMs: 86_400_000,
      log: silentLog,
      clock: () => clock.nowMs(),
      ...(options.blockDurationMs !== undefined && { blockDurationMs: options.blockDurationMs }),
      ...(options.headBytesMax !== undefined && { headBytesMax: options.headBytesMax }),
      ...(options.io && { io: options.io }),
      metadataRecords: options.metadataRecords ?? false,
    });
    return new TestShard(dir, clock, tsdb, options);
  }

  async apply(
    jobs: readonly Job[],
    targets: readonly Target[],
    reasons: Readonly<Record<number, RemovalReason>> = {},
  ): Promise<void> {
    const entries = Object.entries(reasons).map(([id, reason]) => [Number(id), reason] as const);
    await this.targets.apply(canonicalAssignment(0, jobs, targets), new Map(entries));
  }

  /** One interval passes: every target is scraped once. Returns their health by id. */
  async tick(): Promise<Map<number, TargetHealth>> {
    const before = new Map(this.targets.health().map((health) => [health.id, health.lastScrapeMs]));
    this.clock.advance(intervalMs);
    await until(() =>
      this.targets.health().every(({ id, lastScrapeMs }) => lastScrapeMs > (before.get(id) ?? 0)),
    );
    return new Map(this.targets.health().map((health) => [health.id, health]));
  }

  /** Slot of the last tick of target `id`. */
  slot(id: number): number {
    const phaseMs = id % intervalMs;
    return Math.floor((this.clock.now - phaseMs) / intervalMs) * intervalMs + phaseMs;
  }

  series(metric: string): Promise<Record<string, TestSample[]>> {
    return readSeries(this.tsdb, metric);
  }

  async stop(): Promise<void> {
    this.#scheduler.stop();
    await this.targets.stop();
    await this.tsdb.close();
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** A metric family with text for bytes. */
export type TestFamily = Omit<Partial<ExposedFamily>, 'name' | 'help' | 'unit' | 'metric'> & {
  readonly name: string | Buffer;
  readonly help?: string;
  readonly unit?: string;
  readonly metric: readonly (Omit<Partial<ExposedMetric>, 'label' | 'histogram' | 'summary'> & {
    readonly label?: Readonly<Record<string, string>>;
    readonly histogram?: object;
    readonly summary?: object;
  })[];
};

/** A body of delimited protobuf. */
export function delimitedFamilies(families: readonly TestFamily[]): Buffer {
  return Buffer.concat(families.map(delimitedFamily));
}

function delimitedFamily({ name, help = '', unit = '', metric, ...rest }: TestFamily): Buffer {
  const pairs = (label: Readonly<Record<string, string>>) =>
    Object.entries(label).map(([key, text]) => ({ name: Buffer.from(key), value: Buffer.from(text) }));
  const labelled = metric.map(({ label = {}, ...value }) => ({ ...value, label: pairs(label) }));
  const message = encodeMetricFamily({
    ...rest,
    name: Buffer.from(name),
    help: Buffer.from(help),
    unit: Buffer.from(unit),
    metric: labelled as unknown as readonly ExposedMetric[],
  });
  const length: number[] = [];
  let left = message.length;
  for (; left >= 0x80; left >>>= 7) length.push((left & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([...length, left]), message]);
}
