// All destinations of this replica: those of the assignment, each with a writer of its own.

import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, type Logger } from '@flotilla/chassis';
import type { Tsdb } from '@flotilla/tsdb';
import type { MetricMetadata, RemoteWrite } from '@flotilla/wire';
import type { Credentials } from '../fetch/credentials.ts';
import type { MetadataStore } from '../ingest/metadata-store.ts';
import { RemoteWriter } from './remote-writer.ts';

export interface RemoteWritersOptions {
  readonly tsdb: Tsdb;
  readonly replica: number;
  readonly credentials: Credentials;
  readonly metadata: MetadataStore;
  /** Made when absent. */
  readonly folder: string;
  readonly holdBytesMax: number;
  readonly log: Logger;
  readonly observe: (config: RemoteWrite, durationMs: number) => void;
}

export class RemoteWriters {
  readonly #options: RemoteWritersOptions;
  #writers = new Map<string, { readonly settings: string; readonly writer: RemoteWriter }>();
  #applying: Promise<void> = Promise.resolve();

  constructor(options: RemoteWritersOptions) {
    this.#options = options;
  }

  get all(): readonly RemoteWriter[] {
    return [...this.#writers.values()].map(({ writer }) => writer);
  }

  /** Starts, stops and restarts what differs. A destination that is gone is forgotten, with its place in the WAL. Never rejects. */
  apply(configs: readonly RemoteWrite[]): Promise<void> {
    const wanted = configs.filter(({ replicaLabel }) => replicaLabel !== '' || this.#options.replica === 0);
    this.#applying = this.#applying.then(() => this.#apply(wanted));
    return this.#applying;
  }

  async #apply(configs: readonly RemoteWrite[]): Promise<void> {
    const { log } = this.#options;
    for (const [name, { settings, writer }] of this.#writers) {
      const config = configs.find((one) => one.name === name);
      if (config !== undefined && JSON.stringify(config) === settings) continue;
      await writer.stop();
      this.#writers.delete(name);
      if (config === undefined) await rm(this.#pathOf(name), { force: true });
    }
    for (const config of configs) {
      if (this.#writers.has(config.name)) continue;
      try {
        await this.#start(config);
      } catch (err) {
        log.error('Remote write does not start', { name: config.name, reason: errorText(err) });
      }
    }
  }

  async #start(config: RemoteWrite): Promise<void> {
    const { folder, metadata, log, observe, ...rest } = this.#options;
    await mkdir(folder, { recursive: true });
    const writer = new RemoteWriter({
      ...rest,
      config,
      positionPath: this.#pathOf(config.name),
      metadataOf: (metric) => metadataOf(metadata, metric),
      allMetadata: () => metadata.get('', 0).metadata,
      log: log.child({ remoteWrite: config.name }),
      observe: (durationMs) => observe(config, durationMs),
    });
    await writer.start();
    this.#writers.set(config.name, { settings: JSON.stringify(config), writer });
  }

  /** Names are users', and not every one is a file's. */
  #pathOf(name: string): string {
    return join(
      this.#options.folder,
      `${createHash('sha256').update(name).digest('hex').slice(0, 16)}.position`,
    );
  }

  /** Places in the WAL stay: the next start goes on. */
  async stop(): Promise<void> {
    await this.#applying;
    await Promise.all(this.all.map((writer) => writer.stop()));
    this.#writers.clear();
  }
}

const partSuffix = /_(?:bucket|sum|count|total|created|info)$/;

/** Of the metric, or of the family that it is a part of. */
function metadataOf(store: MetadataStore, metric: string): MetricMetadata | undefined {
  return store.get(metric, 1).metadata[metric]?.[0] ?? ofFamily(store, metric.replace(partSuffix, ''));
}

function ofFamily(store: MetadataStore, family: string): MetricMetadata | undefined {
  return store.get(family, 1).metadata[family]?.[0];
}
