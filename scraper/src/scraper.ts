// A scraper: one replica of one shard, put together from its parts.
//
// Order of the start: listen (so that probes see a process), replay, go on with the saved assignment, follow the
// operator. Order of the end: the reverse, with nothing written about targets, since the next start or the other
// replica goes on with them.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createHttpServer,
  createInternalClient,
  type HttpServer,
  type InternalClient,
  internalTokenFile,
  type MainContext,
  operatorTokenFile,
  type RequestHandler,
} from '@flotilla/chassis';
import { createStoreRouter, UptimeLog } from '@flotilla/store';
import { Tsdb } from '@flotilla/tsdb';
import { type Heartbeat, HeartbeatWriter, type ScraperState } from '@flotilla/wire';
import { collectAfterBursts } from './collect-after-bursts.ts';
import { HeartbeatSender } from './assignment/heartbeat-sender.ts';
import type { ScraperConfig, scraperFlags } from './config.ts';
import { exposeScrapeMetrics, exposeTsdbMetrics } from './self-metrics.ts';
import { APPEND_PATH } from './receiver/forward-write.ts';
import { WRITE_PATH } from './receiver/write-receiver.ts';
import { Shard } from './shard.ts';

export type ScraperContext = MainContext<typeof scraperFlags>;

/** What there is so far; filled in while the process starts. */
interface Running {
  readonly startedMs: number;
  tsdb: Tsdb | undefined;
  shard: Shard | undefined;
  store: RequestHandler | undefined;
}

/** Starts everything; returns when targets are scraped. What it started, ctx.onShutdown ends. */
export async function startScraper(ctx: ScraperContext): Promise<void> {
  const { config } = ctx;
  const running: Running = { startedMs: Date.now(), tsdb: undefined, shard: undefined, store: undefined };
  await mkdir(config['storage.path'], { recursive: true });
  const client = openClient(ctx, operatorTokenFile(ctx.config));
  const peers = openClient(ctx, internalTokenFile(ctx.config));
  const server = await listen(ctx, running);
  const heartbeats = beginHeartbeats(ctx, client, running);
  const tsdb = await openTsdb(ctx);
  running.tsdb = tsdb;
  const shard = new Shard({ ...ctx, tsdb, client, peers, onNews: () => heartbeats.soon() });
  running.shard = shard;
  running.store = await openStore(ctx, running, tsdb, shard);
  // Added after the database: requests end before it does.
  ctx.onShutdown('http server', () => server.close(1000));
  ctx.onShutdown('shard', () => shard.stop());
  ctx.onShutdown('heartbeats', () => heartbeats.stop());
  exposeScrapeMetrics(ctx.metrics, { ...shardSources(shard), heartbeats });
  ctx.onShutdown(
    'collections',
    collectAfterBursts(() => createdSeries(tsdb)),
  );
  await shard.start();
  server.setReady(true);
  heartbeats.soon();
}

function openClient(ctx: ScraperContext, tokenFile: string | undefined): InternalClient {
  const { config } = ctx;
  const client = createInternalClient({
    tokenFile,
    timeoutMs: 5000,
    caFile: config['internal.ca-file'],
    certFile: config['internal.cert-file'],
    keyFile: config['internal.key-file'],
  });
  ctx.onShutdown('client', () => client.close());
  return client;
}

/** Routes must be there before the port is: those of the store begin to answer when there is one. */
async function listen({ config, log, metrics }: ScraperContext, running: Running): Promise<HttpServer> {
  const server = createHttpServer({ name: 'scraper', config, log, metrics });
  server.app.use((req, res, next) => {
    const { store, shard } = running;
    if (store !== undefined && shard !== undefined && isPush(req.path))
      return shard.receiver.router(req, res, next);
    if (store !== undefined) return store(req, res, next);
    return isOfStores(req.path) ? server.whenReady(req, res, next) : next();
  });
  await server.listen();
  return server;
}

/** Paths that are answered when there is a database. */
function isOfStores(path: string): boolean {
  return path.startsWith('/store/') || isPush(path);
}

function isPush(path: string): boolean {
  return path === WRITE_PATH || path === APPEND_PATH;
}

function beginHeartbeats(ctx: ScraperContext, client: InternalClient, running: Running): HeartbeatSender {
  const { config, stopping } = ctx;
  const writer = new HeartbeatWriter();
  const heartbeats = new HeartbeatSender({
    client,
    operatorUrl: config['operator.url'].replace(/\/+$/, ''),
    encode: () => {
      writer.begin(heartbeatOf(config, running, stateOf(running, stopping)));
      running.shard?.targets.writeHealth(writer);
      return writer.finish();
    },
  });
  heartbeats.start();
  return heartbeats;
}

async function openTsdb(ctx: ScraperContext): Promise<Tsdb> {
  const { config, log, metrics } = ctx;
  const tsdb = await Tsdb.open({
    dir: join(config['storage.path'], 'tsdb'),
    retentionMs: config['storage.retention'],
    blockDurationMs: config['storage.block-duration'],
    exemplarsMax: config['storage.exemplars.max-exemplars'],
    metadataRecords: config['storage.metadata-wal-records'],
    log,
  });
  ctx.onShutdown('database', () => tsdb.close(), 8000);
  tsdb.startMaintenance();
  exposeTsdbMetrics(metrics, tsdb);
  return tsdb;
}

async function openStore(
  ctx: ScraperContext,
  running: Running,
  tsdb: Tsdb,
  shard: Shard,
): Promise<RequestHandler> {
  const { config, log, metrics, stopping } = ctx;
  const uptime = await UptimeLog.open(join(config['storage.path'], 'uptime'));
  uptime.startTimer();
  ctx.onShutdown('uptime', () => uptime.close());
  return createStoreRouter({
    tsdb,
    name: `scraper-${config.fleet}-${config.shard}-${config.replica}`,
    kind: 'scraper',
    uptime,
    targets: () => shard.statuses(),
    metadata: (metric, limit) => shard.metadata.get(metric, limit),
    targetMetadata: ({ metric, matchers, limit }) => shard.targets.metadata(metric, matchers, limit),
    seriesByTarget: (limit) => shard.seriesByTarget(limit),
    state: () => stateOf(running, stopping),
    version: () => shard.version,
    tokenFile: internalTokenFile(config),
    log,
    metrics,
  });
}

function shardSources(shard: Shard): Omit<Parameters<typeof exposeScrapeMetrics>[1], 'heartbeats'> {
  const { counters, metadata, scheduler, targets, memory, assignment } = shard;
  return { counters, metadata, scheduler, targets, memory, assignment, isConnected: () => shard.isConnected };
}

/** A shard that has data and is assigned nothing drains: it stays to be asked, until its data has expired. */
function stateOf({ tsdb, shard }: Running, stopping: AbortSignal): ScraperState {
  if (stopping.aborted) return 'stopping';
  if (tsdb === undefined) return 'replaying';
  if (shard?.current === undefined) return 'ready';
  return shard.current.targets.length === 0 && headSeries(tsdb) > 0 ? 'draining' : 'ready';
}

function heartbeatOf(
  config: ScraperConfig,
  { startedMs, tsdb, shard }: Running,
  state: ScraperState,
): Omit<Heartbeat, 'targets'> {
  return {
    fleet: config.fleet,
    shard: config.shard,
    replica: config.replica,
    version: shard?.version ?? '',
    state,
    headSeries: tsdb === undefined ? 0 : headSeries(tsdb),
    startedMs,
    sentMs: Date.now(),
  };
}

function headSeries(tsdb: Tsdb): number {
  return tsdb.collect()['prometheus_tsdb_head_series'] ?? 0;
}

function createdSeries(tsdb: Tsdb): number {
  return tsdb.collect()['prometheus_tsdb_head_series_created_total'] ?? 0;
}
