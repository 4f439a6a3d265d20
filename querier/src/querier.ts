// The querier's HTTP service, put together.

import { createInternalClient, Router } from '@flotilla/chassis';
import type { HttpServer, Logger, Registry, RequestHandler } from '@flotilla/chassis';
import { Engine } from '@flotilla/promql';
import { uiContentSecurityPolicy, uiFolder, uiRoutes } from '@flotilla/ui';
import { join } from 'node:path';
import { COMPLETENESS_HEADER } from '@flotilla/wire';
import { metadataRoutes } from './api/metadata-routes.ts';
import { federateRoute } from './api/federate-route.ts';
import { queryFeatures } from './api/query-features.ts';
import { QueryGate } from './api/query-gate.ts';
import { QueryMetrics } from './api/query-metrics.ts';
import { queryRoutes } from './api/query-routes.ts';
import type { QueryService } from './api/query-service.ts';
import { remoteReadRoute } from './api/remote-read-route.ts';
import { rulesRoutes } from './api/rules-routes.ts';
import { statusRoutes } from './api/status-routes.ts';
import { targetsRoutes } from './api/targets-routes.ts';
import { ReplicaChoice } from './stores/replica-choice.ts';
import { StoreClient } from './stores/store-client.ts';
import { TopologyFile } from './stores/topology-file.ts';

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
  readonly maxSamples: number;
  readonly maxBytes: number;
  readonly defaultIntervalMs: number;
  readonly storeTimeoutMs: number;
  readonly corsOrigin: string;
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
  const service: QueryService = {
    topology,
    client: new StoreClient(http),
    choice: new ReplicaChoice((store, good) => queryMetrics.stored(store, good)),
    engine: new Engine({ ...options, ...features.engine, parser: features.parser }),
    parser: features.parser,
    lookbackMs: options.lookbackMs,
    gate,
    metrics: queryMetrics,
    timeoutMs,
  };
  const api = Router();
  api.use(cors(options.corsOrigin));
  api.use(
    queryRoutes(service),
    metadataRoutes(service),
    targetsRoutes(service, operator),
    rulesRoutes(service),
  );
  api.use(statusRoutes(service, { operator, flags: options.flags, startedMs: Date.now() }));
  api.use(remoteReadRoute(service));
  server.app.use('/api/v1', api);
  server.app.use(federateRoute(service));
  mountUi(server);
  return async () => {
    topology.close();
    await Promise.all([http.close(), operator.close()]);
  };
}

function cors(origin: string): RequestHandler {
  return (request, response, next) => {
    if (origin !== '' && request.headers.origin !== undefined) {
      response.setHeader('Access-Control-Allow-Origin', origin);
      response.setHeader('Access-Control-Allow-Headers', 'Accept, Authorization, Content-Type, Origin');
      response.setHeader('Access-Control-Allow-Methods', 'GET, POST, OPTIONS');
      response.setHeader('Access-Control-Expose-Headers', `Date, ${COMPLETENESS_HEADER}`);
    }
    if (request.method === 'OPTIONS') response.status(204).end();
    else next();
  };
}

function mountUi({ app }: HttpServer): void {
  const folder = uiFolder();
  const headers: RequestHandler = (_, response, next) => {
    response.setHeader('Content-Security-Policy', uiContentSecurityPolicy);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Referrer-Policy', 'no-referrer');
    next();
  };
  app.get([...uiRoutes, '/graph'], headers, (_, response) =>
    response.sendFile(join(folder, 'index.html'), { dotfiles: 'allow' }),
  );
  app.get('/assets/{*path}', headers, (request, response, next) => {
    const path = request.path.slice('/assets/'.length);
    response.sendFile(path, { root: join(folder, 'assets'), immutable: true, maxAge: '1y' }, (error) => {
      if (error !== undefined && !response.headersSent) next();
    });
  });
}
