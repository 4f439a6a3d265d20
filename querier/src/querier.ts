// The querier's HTTP service, put together.

import { createInternalClient, Router } from '@flotilla/chassis';
import type { HttpServer, Logger, Registry, RequestHandler } from '@flotilla/chassis';
import { Engine } from '@flotilla/promql';
import type { EngineOptions, ParserOptions } from '@flotilla/promql';
import { uiContentSecurityPolicy, uiFolder, uiRoutes } from '@flotilla/ui';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { ActiveQueryLog } from './api/active-query-log.ts';
import { cors } from './api/cors.ts';
import { featureList } from './api/feature-list.ts';
import { instanceRoutes } from './api/instance-routes.ts';
import { metadataRoutes } from './api/metadata-routes.ts';
import { federateRoute } from './api/federate-route.ts';
import { queryFeatures } from './api/query-features.ts';
import type { QueryFeatures } from './api/query-features.ts';
import { QueryGate } from './api/query-gate.ts';
import { QueryLog } from './api/query-log.ts';
import { QueryMetrics } from './api/query-metrics.ts';
import { explainQueryRoute } from './api/explain-query-route.ts';
import { queryRoutes } from './api/query-routes.ts';
import type { QueryService } from './api/query-service.ts';
import { remoteReadRoute } from './api/remote-read-route.ts';
import { rulesRoutes } from './api/rules-routes.ts';
import { searchRoutes } from './api/search-routes.ts';
import { statusRoutes } from './api/status-routes.ts';
import { targetsRoutes } from './api/targets-routes.ts';
import { pprofRoutes } from './pprof/pprof-routes.ts';
import { routePrefix, servePrefix } from './route-prefix.ts';
import { ReplicaChoice } from './stores/replica-choice.ts';
import { StoreClient } from './stores/store-client.ts';
import { TopologyFile } from './stores/topology-file.ts';
import { QueryWorkers } from './workers/query-workers.ts';

export interface QuerierOptions {
  readonly server: HttpServer;
  readonly log: Logger;
  readonly metrics: Registry;
  readonly tokenFile: string | undefined;
  readonly operatorTokenFile: string | undefined;
  readonly topologyFile: string;
  /** Names of query features, with commas between. */
  readonly enableFeature?: string;
  readonly lookbackMs: number;
  readonly timeoutMs: number;
  readonly maxConcurrency: number;
  /** Threads that evaluate, at most; 0 or absent: as many as there are CPUs but one. */
  readonly maxWorkers?: number;
  readonly maxSamples: number;
  readonly maxBytes: number;
  /** Names that one answer of the search API may have, at most; 0: no limit. */
  readonly maxSearchLimit: number;
  readonly defaultIntervalMs: number;
  readonly storeTimeoutMs: number;
  /** A regular expression of whole origins; '' allows none. */
  readonly corsOrigin: string;
  readonly externalUrl?: string;
  readonly routePrefix?: string;
  /** Every query is written there; '' for nowhere. */
  readonly queryLogFile?: string;
  /** From which time on a query is told in the log; 0: never. */
  readonly slowQueryMs?: number;
  /** The queries that run are written there; '' for nowhere. */
  readonly activeQueryFile?: string;
  readonly flags: Readonly<Record<string, string>>;
}

/** A store in the same cluster takes a connection in milliseconds, however busy it is; one that is gone must not use up the slot of a rule. */
const storeConnectTimeoutMs = 500;

/** Mounts everything on the server; ready once a topology has been read. Returns close(). */
export function mountQuerier(options: QuerierOptions): () => Promise<void> {
  const { server, log, metrics, timeoutMs } = options;
  const http = createInternalClient({
    tokenFile: options.tokenFile,
    timeoutMs: options.storeTimeoutMs,
    connectTimeoutMs: storeConnectTimeoutMs,
  });
  const operator = createInternalClient({ tokenFile: options.operatorTokenFile, timeoutMs: 5000 });
  const topology = new TopologyFile(options.topologyFile, log, (ready) => server.setReady(ready));
  const gate = new QueryGate(options.maxConcurrency);
  const queryMetrics = new QueryMetrics(metrics, gate);
  const features = queryFeatures(options.enableFeature ?? '');
  const queryLog = new QueryLog({ file: options.queryLogFile ?? '', slowMs: options.slowQueryMs ?? 0, log });
  const active = openActiveQueryLog(options);
  const prefix = routePrefix(options.routePrefix ?? '', options.externalUrl ?? '');
  const engine = engineOptions(options, features);
  const workers = openWorkers(options, engine, features.parser, topology);
  const service: QueryService = {
    topology,
    client: new StoreClient(http),
    choice: new ReplicaChoice(({ name }, good) => queryMetrics.stored(name, good)),
    workers,
    parser: features.parser,
    gate,
    metrics: queryMetrics,
    timeoutMs,
    log: queryLog,
    active,
  };
  servePrefix(server, prefix);
  const api = Router();
  api.use(cors(options.corsOrigin));
  api.use(
    queryRoutes(service),
    explainQueryRoute(service, new Engine({ ...engine, parser: features.parser })),
    metadataRoutes(service),
    searchRoutes(service, features.hasSearch, options.maxSearchLimit),
    targetsRoutes(service, operator),
    rulesRoutes(service),
  );
  api.use(statusRoutes(service, { operator }));
  const { flags } = options;
  api.use(instanceRoutes({ flags, features: featureList(features), metrics, startedMs: Date.now() }));
  api.use(remoteReadRoute(service));
  server.app.use('/api/v1', api);
  server.app.use(federateRoute(service));
  server.app.use('/debug/pprof', pprofRoutes(workers));
  mountUi(server, prefix);
  return async () => {
    topology.close();
    active?.close();
    await Promise.all([workers.close(), http.close(), operator.close(), queryLog.close()]);
  };
}

/** But for the parser's. */
function engineOptions(options: QuerierOptions, features: QueryFeatures): EngineOptions {
  const { lookbackMs, timeoutMs, maxSamples, maxBytes, defaultIntervalMs } = options;
  return { lookbackMs, timeoutMs, maxSamples, maxBytes, defaultIntervalMs, ...features.engine };
}

function openWorkers(
  options: QuerierOptions,
  engine: EngineOptions,
  parser: ParserOptions,
  topology: TopologyFile,
): QueryWorkers {
  const { lookbackMs, tokenFile, storeTimeoutMs, maxConcurrency, maxWorkers = 0, log, metrics } = options;
  const wanted = maxWorkers > 0 ? maxWorkers : availableParallelism() - 1;
  return new QueryWorkers({
    setup: {
      engine,
      parser,
      lookbackMs,
      tokenFile,
      storeTimeoutMs,
      storeConnectTimeoutMs,
    },
    max: Math.max(1, Math.min(wanted, maxConcurrency)),
    topology: () => topology.current(),
    log,
    metrics,
  });
}

function openActiveQueryLog(options: QuerierOptions): ActiveQueryLog | undefined {
  const { activeQueryFile = '', maxConcurrency, log } = options;
  return activeQueryFile === '' ? undefined : new ActiveQueryLog(activeQueryFile, maxConcurrency, log);
}

/** The page finds its files and the API below the prefix. */
function mountUi({ app }: HttpServer, prefix: string): void {
  const folder = uiFolder();
  const index = readFileSync(join(folder, 'index.html'), 'utf8').replaceAll(
    /(href|src)="\//g,
    (_, name: string) => `${name}="${prefix}/`,
  );
  const headers: RequestHandler = (_, response, next) => {
    response.setHeader('Content-Security-Policy', uiContentSecurityPolicy);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Referrer-Policy', 'no-referrer');
    next();
  };
  app.get([...uiRoutes, '/graph'], headers, (_, response) => response.type('html').send(index));
  app.get('/assets/{*path}', headers, (request, response, next) => {
    const path = request.path.slice('/assets/'.length);
    response.sendFile(path, { root: join(folder, 'assets'), immutable: true, maxAge: '1y' }, (error) => {
      if (error !== undefined && !response.headersSent) next();
    });
  });
}
