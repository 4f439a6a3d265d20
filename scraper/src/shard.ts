// Everything that scrapes: the targets of the shard, what they share, and the assignment that says which they are.

import { join, resolve } from 'node:path';
import { LineScanner } from '@flotilla/kernel';
import { type InternalClient, internalTokenFile, type Logger, type Registry } from '@flotilla/chassis';
import type { Tsdb } from '@flotilla/tsdb';
import type { Assignment, NameValue, TargetStatus } from '@flotilla/wire';
import { AssignmentClient } from './assignment/assignment-client.ts';
import { AssignmentFile } from './assignment/assignment-file.ts';
import { AssignmentStream } from './assignment/assignment-stream.ts';
import { SecretStore } from './assignment/secret-store.ts';
import type { ScraperConfig } from './config.ts';
import { BodyMemory } from './fetch/body-memory.ts';
import { Credentials } from './fetch/credentials.ts';
import { MetadataStore } from './ingest/metadata-store.ts';
import { ScrapeCounters } from './ingest/scrape-counters.ts';
import { SeriesGuard } from './ingest/series-guard.ts';
import { IntervalSummary } from './interval-summary.ts';
import { PushedMetadata } from './receiver/pushed-metadata.ts';
import { exposeReceiver } from './receiver/receiver-metrics.ts';
import { WriteReceiver } from './receiver/write-receiver.ts';
import { createSendSummary, exposeRemoteWrite } from './remote-write/remote-write-metrics.ts';
import { RemoteWriters } from './remote-write/remote-writers.ts';
import { wallClock } from './schedule/clock.ts';
import { Scheduler } from './schedule/scheduler.ts';
import { FailureLog } from './targets/failure-log.ts';
import { TargetSet } from './targets/target-set.ts';

export interface ShardOptions {
  readonly config: ScraperConfig;
  readonly log: Logger;
  readonly metrics: Registry;
  readonly tsdb: Tsdb;
  readonly client: InternalClient;
  /** To the other scrapers. */
  readonly peers: InternalClient;
  /** Something happened that the operator waits for. */
  readonly onNews: () => void;
}

export class Shard {
  readonly counters = new ScrapeCounters();
  readonly metadata = new MetadataStore();
  readonly scheduler = new Scheduler(wallClock);
  readonly memory: BodyMemory;
  readonly guard: SeriesGuard;
  readonly targets: TargetSet;
  readonly assignment: AssignmentClient;
  readonly remoteWriters: RemoteWriters;
  readonly receiver: WriteReceiver;
  readonly #options: ShardOptions;
  readonly #secrets: SecretStore;
  readonly #failureLog: FailureLog | undefined;
  readonly #credentials: Credentials;
  readonly #stream: AssignmentStream;
  readonly #ending = new AbortController();
  #following: Promise<void> | undefined;

  constructor(options: ShardOptions) {
    const { config, log, client, onNews } = options;
    const file = (name: string): string => join(config['storage.path'], name);
    const operatorUrl = config['operator.url'].replace(/\/+$/, '');
    this.#options = options;
    this.memory = new BodyMemory(config['scrape.body-memory-max']);
    this.#secrets = new SecretStore({ path: file('secrets.json'), client, operatorUrl, log });
    const failureLog = config['scrape.failure-log-file'];
    if (failureLog !== '') {
      const path = resolve(config['storage.path'], failureLog);
      this.#failureLog = new FailureLog(path, log);
    }
    this.guard = new SeriesGuard(options.tsdb, this.counters);
    this.#credentials = new Credentials(this.#secrets);
    this.targets = this.#createTargets();
    this.remoteWriters = this.#createRemoteWriters(file('remote-write'));
    this.receiver = this.#createReceiver();
    this.assignment = new AssignmentClient({
      file: new AssignmentFile(file('assignment'), log),
      secrets: this.#secrets,
      targets: this.targets,
      shard: config.shard,
      log,
      applySettings: async ({ remoteWrite, receiver }) => {
        this.receiver.apply(receiver);
        await this.remoteWriters.apply(remoteWrite);
      },
      onApplied: onNews,
    });
    this.#stream = new AssignmentStream({
      client,
      operatorUrl,
      fleet: config.fleet,
      shard: config.shard,
      replica: config.replica,
      log,
      version: () => this.version,
      onFrame: (frame) => this.assignment.takeFrame(frame),
    });
  }

  /** Scrapes what was saved, and follows the operator. */
  async start(): Promise<void> {
    await this.assignment.restore();
    this.#following = this.#stream.run(this.#ending.signal);
  }

  /** Leaves no trace in the data: the other replica, or the next start, goes on. */
  async stop(): Promise<void> {
    this.scheduler.stop();
    this.#secrets.stop();
    this.#ending.abort();
    await this.#following;
    await Promise.all([this.targets.stop(), this.remoteWriters.stop()]);
    await this.#failureLog?.stop();
  }

  get current(): Assignment | undefined {
    return this.assignment.current;
  }

  /** '' before the first assignment. */
  get version(): string {
    return this.current?.version ?? '';
  }

  get isConnected(): boolean {
    return this.#stream.connected;
  }

  statuses(): TargetStatus[] {
    const { shard, replica } = this.#options.config;
    return this.targets.statuses(shard, replica);
  }

  /** The targets with the most series in the head. */
  seriesByTarget(limit: number): NameValue[] {
    const byCount = [...this.guard.census()].toSorted(([, a], [, b]) => b - a).slice(0, limit);
    return byCount.map(([id, value]) => ({ name: this.targets.nameOf(id), value }));
  }

  #createRemoteWriters(folder: string): RemoteWriters {
    const { config, log, metrics, tsdb } = this.#options;
    const writers = new RemoteWriters({
      tsdb,
      replica: config.replica,
      credentials: this.#credentials,
      metadata: this.metadata,
      folder,
      holdBytesMax: config['remote-write.wal-size-max'],
      log,
      observe: createSendSummary(metrics),
    });
    exposeRemoteWrite(metrics, () => writers.all);
    return writers;
  }

  #createReceiver(): WriteReceiver {
    const { config, metrics, tsdb, peers } = this.#options;
    const receiver = new WriteReceiver({
      tsdb,
      shard: config.shard,
      replica: config.replica,
      client: peers,
      metadata: new PushedMetadata(this.metadata),
      tokenFile: internalTokenFile(config),
    });
    exposeReceiver(metrics, receiver);
    return receiver;
  }

  #createTargets(): TargetSet {
    const { config, log, metrics, tsdb, onNews } = this.#options;
    const intervals = new IntervalSummary(metrics);
    return new TargetSet({
      clock: wallClock,
      scheduler: this.scheduler,
      fetch: {
        credentials: this.#credentials,
        memory: this.memory,
        bodyBytesMax: config['scrape.body-size-max'],
      },
      ingest: {
        tsdb,
        counters: this.counters,
        metadata: this.metadata,
        guard: this.guard,
        scanner: new LineScanner(),
      },
      bounds: { samplesMax: config['scrape.samples-max'], lineBytesMax: config['scrape.line-size-max'] },
      replica: config.replica,
      replicaOffsetMs: config['scrape.replica-offset'],
      toleranceMs: config['scrape.timestamp-tolerance'],
      log,
      hasExtraMetrics: config['scrape.extra-metrics'],
      failureLog: this.#failureLog,
      onFirstScrape: onNews,
      onInterval: (intervalMs, actualMs) => intervals.add(intervalMs, actualMs),
    });
  }
}
