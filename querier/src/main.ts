// The binary `querier`.

import { createHttpServer, internalTokenFile, operatorTokenFile, runMain } from '@flotilla/chassis';
import { setFlagsFromString } from 'node:v8';
import { querierFlags } from './config.ts';
import { mountQuerier } from './querier.ts';

// What queries leave behind would otherwise double the heap of each thread before it is looked at.
setFlagsFromString('--heap-growing-percent=50');
// What one query holds until its end, the next one drops at once: V8 would make both in the old heap.
setFlagsFromString('--no-allocation-site-pretenuring');

await runMain('querier', querierFlags, async ({ config, log, metrics, onShutdown }) => {
  const server = createHttpServer({ name: 'Querier', config, log, metrics });
  const close = mountQuerier({
    server,
    log,
    metrics,
    tokenFile: internalTokenFile(config),
    operatorTokenFile: operatorTokenFile(config),
    topologyFile: config['topology.file'],
    enableFeature: config['enable-feature'],
    lookbackMs: config['query.lookback-delta'],
    timeoutMs: config['query.timeout'],
    maxConcurrency: config['query.max-concurrency'],
    maxWorkers: config['query.workers'],
    maxSamples: config['query.max-samples'],
    maxBytes: config['query.max-bytes'],
    maxSearchLimit: config['web.search.max-limit'],
    defaultIntervalMs: config['query.default-interval'],
    storeTimeoutMs: config['store.timeout'],
    corsOrigin: config['web.cors.origin'],
    externalUrl: config['web.external-url'],
    routePrefix: config['web.route-prefix'],
    queryLogFile: config['query.log-file'],
    slowQueryMs: config['query.slow-threshold'],
    activeQueryFile: config['query.active-file'],
    flags: Object.fromEntries(Object.entries(config).map(([name, value]) => [name, String(value ?? '')])),
  });
  onShutdown('stores', close);
  onShutdown('http server', () => server.close());
  const { url } = await server.listen();
  log.info('listening', { url });
});
