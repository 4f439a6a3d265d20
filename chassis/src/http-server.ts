// The HTTP(S) listener of a binary: limits, TLS and auth, health, metrics and errors, around an express app.
//
// Order: web-config headers and auth, request metrics, form bodies, the routes of the owner, 404, errors.
// Routes are added to `app` before listen(). Everything but the listening socket is ready after creation.

import { createServer, type Server, type ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express, type RequestHandler } from 'express';
import type { Registry } from 'prom-client';
import { basicAuth } from './basic-auth.ts';
import { errorHandler, notFound } from './error-handler.ts';
import { httpMetrics } from './http-metrics.ts';
import { hasToken } from './internal-auth.ts';
import { listenUrl, parseListenAddress } from './listen-address.ts';
import type { Logger } from './logger.ts';
import { formBody } from './request-body.ts';
import type { StandardConfig } from './standard-flags.ts';
import { createTlsServer } from './tls-server.ts';
import { openWebConfig, type TlsConfig, type WebConfig } from './web-config.ts';

type ServerFlag = 'web.listen-address' | 'web.config.file' | 'web.max-connections' | 'web.read-timeout';

export interface HttpServerOptions {
  /** As in `<Name> is Ready.`: `querier`. */
  readonly name: string;
  readonly config: Pick<StandardConfig, ServerFlag | 'internal.token-file'>;
  readonly log: Logger;
  readonly metrics: Registry;
}

export interface Listening {
  /** Without a trailing slash. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
}

export interface HttpServer {
  readonly app: Express;
  /** Aborts when close() begins: long streams end on it. */
  readonly closing: AbortSignal;
  /** What /-/ready answers; false at first. */
  readonly setReady: (ready: boolean) => void;
  /** A middleware: 503 until setReady(true). */
  readonly whenReady: RequestHandler;
  readonly listen: () => Promise<Listening>;
  /** Accepts no more, lets requests in progress end for `graceMs`, then cuts them. */
  readonly close: (graceMs?: number) => Promise<void>;
}

/** Throws when the web configuration file is wrong. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { name, config, log, metrics } = options;
  const app = express().disable('x-powered-by').disable('etag');
  const closing = new AbortController();
  let ready = false;
  const web = webConfigSource(config['web.config.file'], log);
  const server = createNodeServer(config, web, app);

  app.use(webRules(web, config['internal.token-file']), httpMetrics(metrics));
  app.use((_req, res, next) => {
    if (closing.signal.aborted) res.setHeader('Connection', 'close');
    next();
  });
  const whenReady: RequestHandler = (_req, res, next) => {
    if (ready && !closing.signal.aborted) next();
    else res.status(503).type('text/plain').send('Service Unavailable');
  };
  addHealth(app, name.charAt(0).toUpperCase() + name.slice(1), whenReady);
  addMetrics(app, metrics);
  app.use(formBody);

  return {
    app,
    closing: closing.signal,
    whenReady,
    setReady: (value) => void (ready = value),
    listen: async () => {
      app.use(notFound, errorHandler(log));
      const listening = await listen(server, config['web.listen-address'], web().tls !== undefined);
      log.info('Listening', { url: listening.url });
      return listening;
    },
    close: async (graceMs = 5000) => {
      closing.abort();
      await closeServer(server, graceMs);
    },
  };
}

function webConfigSource(path: string, log: Logger): () => WebConfig {
  const none: WebConfig = { tls: undefined, headers: new Map(), users: new Map() };
  if (path === '') return () => none;
  const file = openWebConfig(path, (err) => log.error('Web configuration not reloaded', { err }));
  return () => file.get();
}

function createNodeServer(config: HttpServerOptions['config'], web: () => WebConfig, app: Express): Server {
  const limits: ServerOptions = {
    maxHeaderSize: 1 << 20,
    headersTimeout: Math.min(30_000, config['web.read-timeout']),
    requestTimeout: config['web.read-timeout'],
    keepAliveTimeout: 65_000,
  };
  const tls = (): TlsConfig => web().tls!; // openWebConfig refuses that TLS comes or goes.
  const server = web().tls === undefined ? createServer(limits, app) : createTlsServer(limits, tls, app);
  server.maxConnections = config['web.max-connections'];
  return server;
}

function webRules(web: () => WebConfig, tokenFile: string): RequestHandler[] {
  const headers: RequestHandler = (_req, res, next) => {
    for (const [name, value] of web().headers) res.setHeader(name, value);
    next();
  };
  const auth = basicAuth(
    () => web().users,
    (req) => tokenFile !== '' && hasToken(req, tokenFile),
  );
  return [headers, auth];
}

function addHealth(app: Express, name: string, whenReady: RequestHandler): void {
  app.get('/-/healthy', (_req, res) => void res.type('text/plain').send(`${name} is Healthy.\n`));
  app.get('/-/ready', whenReady, (_req, res) => void res.type('text/plain').send(`${name} is Ready.\n`));
}

function addMetrics(app: Express, metrics: Registry): void {
  app.get('/metrics', async (_req, res) => {
    const text = await metrics.metrics();
    res.setHeader('Content-Type', metrics.contentType);
    res.end(text);
  });
}

async function listen(server: Server, address: string, isTls: boolean): Promise<Listening> {
  const { host, port } = parseListenAddress(address);
  await new Promise<void>((resolve, reject) => {
    const failed = (err: Error): void => reject(new Error(`listen on ${address}`, { cause: err }));
    server.once('error', failed);
    server.listen({ port, ...(host !== undefined && { host }) }, () => {
      server.off('error', failed);
      resolve();
    });
  });
  const bound = server.address() as AddressInfo;
  return {
    url: listenUrl(isTls ? 'https' : 'http', bound.address, bound.port),
    host: bound.address,
    port: bound.port,
  };
}

async function closeServer(server: Server, graceMs: number): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise((resolve) => server.close(resolve));
  // A connection that is busy now becomes idle later, and would stay for its keep-alive time.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(cut);
}
