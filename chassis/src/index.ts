// What each binary stands on: config and flags, HTTP server, TLS and auth, logs, own metrics, shutdown.

export { defineFlags, type Flag, type FlagSpec, type FlagType, type FlagValues } from './flag-spec.ts';
export { parseFlags } from './flags.ts';
export { ProgramExit } from './usage.ts';
export {
  internalTokenFile,
  operatorClientFlags,
  operatorTokenFile,
  standardFlags,
  type StandardConfig,
} from './standard-flags.ts';
export { buildInfo, PROMETHEUS_VERSION, VERSION, type BuildInfo } from './version.ts';

export { createHttpServer, type HttpServer, type HttpServerOptions, type Listening } from './http-server.ts';
export { ApiError, toApiError, type ErrorType } from './api-error.ts';
export { sendData, sendJson, sendJsonText } from './send-json.ts';
export { formBody, jsonBody, protobufBody } from './request-body.ts';
export { limitInFlight } from './limit-in-flight.ts';
export { listenUrl, parseListenAddress, type ListenAddress } from './listen-address.ts';
export { Router, type Express, type Request, type RequestHandler, type Response } from 'express';

export { internalFetchHeaders, readToken, requireToken } from './internal-auth.ts';
export {
  createInternalClient,
  UpstreamError,
  type CallOptions,
  type InternalClient,
  type InternalClientOptions,
} from './internal-client.ts';
export { type StreamResponse } from './http-call.ts';

export { createLogger, type LogFields, type Logger, type LoggerOptions, type LogLevel } from './logger.ts';
export { errorCode, errorText } from './error-text.ts';
export { collectFrom, createMetrics, type Emit } from './metrics.ts';
export { Counter, Gauge, Histogram, Summary, type Registry } from 'prom-client';

export { runMain, type MainContext } from './run-main.ts';
export { writeFileAtomic } from './atomic-file.ts';
export { FreshFiles, type ReadFile } from './fresh-files.ts';
export { watchFile, watchFolder, type OnChange, type WatchOptions } from './watch-files.ts';
export { nearestName } from './nearest.ts';
export { freePort, isFree } from './free-port.ts';
export { proxyUrlFor, type ProxyChoice } from './proxy-url.ts';
export { pause } from './pause.ts';
export { processSettings, type ProcessSettings } from './process-settings.ts';
export { drained } from './drained.ts';
export { collectGarbage, collectGarbageAfter } from './collect-garbage.ts';
