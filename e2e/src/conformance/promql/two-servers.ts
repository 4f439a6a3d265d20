// The same database behind a real Prometheus and behind our querier, each with its HTTP API.

import {
  createHttpServer,
  createLogger,
  createMetrics,
  freePort,
  parseFlags,
  standardFlags,
} from '@flotilla/chassis';
import { parseSeriesLine } from '@flotilla/promql';
import type { SequenceItem } from '@flotilla/promql';
import { mountQuerier } from '@flotilla/querier';
import { createStoreRouter, UptimeLog } from '@flotilla/store';
import { nativeOf, staleHistogram, Tsdb } from '@flotilla/tsdb';
import type { Appender, SeriesRef } from '@flotilla/tsdb';
import { serializeTopology } from '@flotilla/wire';
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { INTERVAL_MS, SAMPLES } from './fuzz-data.ts';

export interface TwoServers {
  readonly ours: string;
  readonly theirs: string;
  /** A Prometheus without samples of its own, which reads ours by remote read. */
  readonly reader: string;
  /** Time of the first sample. */
  readonly startMs: number;
  close(): Promise<void>;
}

const features = [
  'search-api',
  'promql-experimental-functions',
  'promql-extended-range-selectors',
  'promql-binop-fill-modifiers',
].join(',');
const config = parseFlags(standardFlags, ['--internal.insecure']);
const log = createLogger({ name: 'conformance', write: () => undefined });

/** `load` is a `load` statement of the test language; its last sample was a minute ago. In blocks, or in the head and its WAL. */
export async function startTwoServers(load: string, inBlocks = false): Promise<TwoServers> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-two-servers-'));
  const startMs = Math.floor(Date.now() / 60_000) * 60_000 - (SAMPLES + 4) * INTERVAL_MS;
  const dir = join(folder, 'ours');
  const written = join(folder, 'written');
  await writeSamples(inBlocks ? written : dir, load, startMs, inBlocks ? dir : undefined);
  cpSync(dir, join(folder, 'theirs'), { recursive: true });
  const theirs = await startPrometheus(folder, 'theirs', 'global: {}\n');
  const ours = await startQuerier(folder, dir);
  const readConfig = `remote_read:\n  - url: ${ours.url}/api/v1/read\n    read_recent: true\n`;
  const reader = await startPrometheus(folder, 'reader', readConfig);
  return {
    ours: ours.url,
    theirs: theirs.url,
    reader: reader.url,
    startMs,
    async close() {
      theirs.kill();
      reader.kill();
      await ours.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function writeSamples(
  dir: string,
  load: string,
  startMs: number,
  snapshotDir: string | undefined,
): Promise<void> {
  const tsdb = await Tsdb.open({ dir, retentionMs: 1e9, log });
  const series = load
    .split('\n')
    .slice(1)
    .filter(Boolean)
    .map((line) => parseSeriesLine(line.trim()));
  for (let i = 0; i < SAMPLES; i++) {
    const appender = tsdb.appender();
    for (const { labels, items } of series) {
      const item = items[i];
      if (item === undefined || item.kind === 'omitted') continue;
      const ref = appender.series(labels, { targetId: 1, intervalMs: INTERVAL_MS, phaseMs: 0 });
      append(appender, ref, startMs + i * INTERVAL_MS, item, items[i - 1]);
    }
    appender.commit();
  }
  if (snapshotDir !== undefined) await tsdb.snapshot(snapshotDir);
  await tsdb.close();
}

function append(
  appender: Appender,
  ref: SeriesRef,
  timeMs: number,
  item: SequenceItem,
  before: SequenceItem | undefined,
): void {
  if (item.kind === 'value') appender.append(ref, timeMs, item.value);
  else if (item.kind === 'histogram') appender.appendHistogram(ref, timeMs, nativeOf(item.histogram, true));
  else if (before?.kind === 'histogram') appender.appendHistogram(ref, timeMs, staleHistogram(true));
  else appender.appendStale([ref], timeMs);
}

async function startPrometheus(
  folder: string,
  name: string,
  configText: string,
): Promise<{ url: string; kill(): void }> {
  const binary = process.env['FLOTILLA_PROMETHEUS'];
  if (binary === undefined) throw new Error('FLOTILLA_PROMETHEUS is not set: run `npm run conformance`');
  const configFile = join(folder, `${name}.yml`);
  writeFileSync(configFile, configText);
  const port = await freePort();
  const args = [
    `--config.file=${configFile}`,
    `--storage.tsdb.path=${join(folder, name)}`,
    `--web.listen-address=127.0.0.1:${port}`,
    `--enable-feature=${features}`,
    '--log.level=error',
  ];
  const child = spawn(binary, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 200; attempt++) {
    const ready = await fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) return { url, kill: () => child.kill('SIGKILL') };
    await sleep(50);
  }
  child.kill('SIGKILL');
  throw new Error('prometheus: not ready after 10 s');
}

async function startQuerier(folder: string, dir: string): Promise<{ url: string; close(): Promise<void> }> {
  const tsdb = await Tsdb.open({ dir, retentionMs: 1e9, log });
  const uptime = await UptimeLog.open(join(folder, 'uptime'), Date.now() - 7_200_000);
  const metrics = createMetrics('store');
  const name = 'scraper-main-0-0';
  const store = createHttpServer({ name, config, log, metrics });
  const state = (): 'ready' => 'ready';
  store.app.use(
    createStoreRouter({ tsdb, name, kind: 'scraper', uptime, state, tokenFile: undefined, log, metrics }),
  );
  const { url } = await store.listen();
  const topologyFile = join(folder, 'topology.json');
  writeFileSync(topologyFile, topologyOf(name, url));
  const querier = createHttpServer({ name: 'Querier', config, log, metrics: createMetrics('querier') });
  const close = mountQuerier({
    server: querier,
    log,
    metrics: createMetrics('queries'),
    tokenFile: undefined,
    operatorTokenFile: undefined,
    topologyFile,
    enableFeature: features,
    lookbackMs: 300_000,
    timeoutMs: 20_000,
    maxConcurrency: 4,
    maxSamples: 5e7,
    maxBytes: 1e9,
    maxSearchLimit: 10_000,
    defaultIntervalMs: 60_000,
    storeTimeoutMs: 5000,
    corsOrigin: '.*',
    flags: {},
  });
  return {
    url: (await querier.listen()).url,
    async close() {
      await querier.close(100);
      await close();
      await store.close(100);
      await tsdb.close();
    },
  };
}

function topologyOf(name: string, url: string): string {
  return serializeTopology({
    version: 1,
    fleet: 'main',
    replicas: 1,
    epochs: [{ id: 1, sinceMs: 0, shards: 1, table: Array.from({ length: 1024 }, () => 0) }],
    stores: [{ name, kind: 'scraper', shard: 0, replica: 0, url }],
    operatorUrl: '',
  });
}
