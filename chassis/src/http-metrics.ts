// prometheus_http_requests_total and prometheus_http_request_duration_seconds, under the names that dashboards know.

import type { Request, RequestHandler } from 'express';
import { Counter, Histogram, type Registry } from 'prom-client';

/** Routers mounted below a path with parameters would leak those into the label: beyond this many handlers all are one. */
const handlersMax = 200;

/** Counts and times every request. `handler` is the route's pattern (`/api/v1/label/:name/values`), never a raw path. */
export function httpMetrics(registry: Registry): RequestHandler {
  const requests = new Counter({
    name: 'prometheus_http_requests_total',
    help: 'Counter of HTTP requests.',
    labelNames: ['handler', 'code'],
    registers: [registry],
  });
  const durations = new Histogram({
    name: 'prometheus_http_request_duration_seconds',
    help: 'Histogram of latencies for HTTP requests.',
    labelNames: ['handler'],
    buckets: [0.1, 0.2, 0.4, 1, 3, 8, 20, 60, 120],
    registers: [registry],
  });
  const handlers = new Set<string>();
  return (req, res, next) => {
    const startMs = performance.now();
    res.once('close', () => {
      const handler = boundedHandler(handlers, handlerOf(req));
      requests.inc({ handler, code: String(res.writableFinished ? res.statusCode : 499) });
      durations.observe({ handler }, (performance.now() - startMs) / 1000);
    });
    next();
  };
}

function handlerOf(req: Request): string {
  const route = req.route as { path: unknown } | undefined;
  return route === undefined ? 'unmatched' : req.baseUrl + String(route.path);
}

function boundedHandler(handlers: Set<string>, handler: string): string {
  if (handlers.size < handlersMax) handlers.add(handler);
  return handlers.has(handler) ? handler : 'other';
}
