// Our side: a database's store and a querier in one process, so that all that a query costs is in its CPU time.
// Prints its address; ends when its input does.

import { createHttpServer, createLogger, createMetrics, parseFlags, standardFlags } from '@flotilla/chassis';
import { mountQuerier } from '@flotilla/querier';
import { createStoreRouter, UptimeLog } from '@flotilla/store';
import { Tsdb } from '@flotilla/tsdb';
import { serializeTopology } from '@flotilla/wire';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv, exit, stdin, stdout } from 'node:process';

const [folder = '', dir = '', maxSamples = '50000000'] = argv.slice(2);
const config = parseFlags(standardFlags, ['--internal.insecure']);
const log = createLogger({ name: 'bench', write: () => undefined });
const tsdb = await Tsdb.open({ dir, retentionMs: 1e9, log });
const uptime = await UptimeLog.open(join(folder, 'uptime'), Date.now() - 86_400_000);
const name = 'scraper-main-0-0';
const metrics = createMetrics('store');
const store = createHttpServer({ name, config, log, metrics });
const state = (): 'ready' => 'ready';
store.app.use(
  createStoreRouter({ tsdb, name, kind: 'scraper', uptime, state, tokenFile: undefined, log, metrics }),
);
const { url } = await store.listen();
const topologyFile = join(folder, 'topology.json');
writeFileSync(
  topologyFile,
  serializeTopology({
    version: 1,
    fleet: 'main',
    replicas: 1,
    epochs: [{ id: 1, sinceMs: 0, shards: 1, table: Array.from({ length: 1024 }, () => 0) }],
    stores: [{ name, kind: 'scraper', shard: 0, replica: 0, url }],
    operatorUrl: '',
  }),
);
const querier = createHttpServer({ name: 'Querier', config, log, metrics: createMetrics('querier') });
mountQuerier({
  server: querier,
  log,
  metrics: createMetrics('queries'),
  tokenFile: undefined,
  operatorTokenFile: undefined,
  topologyFile,
  lookbackMs: 300_000,
  timeoutMs: 300_000,
  maxConcurrency: 4,
  maxSamples: Number(maxSamples),
  maxBytes: 2 ** 31,
  maxSearchLimit: 10_000,
  defaultIntervalMs: 60_000,
  storeTimeoutMs: 300_000,
  corsOrigin: '',
  enableFeature: 'promql-experimental-functions',
  flags: {},
});
stdout.write(`${(await querier.listen()).url}\n`);
stdin.resume().once('end', () => exit(0));
