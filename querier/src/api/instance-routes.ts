// What the API says of this process: runtime, flags, own metrics, and Prometheus's lists that are empty in a querier, which has no
// database, no WAL and no notices of its own.

import { ApiError, buildInfo, Router, sendData } from '@flotilla/chassis';
import type { Registry, RequestHandler } from '@flotilla/chassis';
import { AnchoredRegexp } from '@flotilla/model';
import { availableParallelism, hostname } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { describeApi } from '../openapi/describe-api.ts';
import { Params } from './params.ts';

export interface InstanceOptions {
  readonly flags: Readonly<Record<string, string>>;
  readonly features: Readonly<Record<string, unknown>>;
  readonly metrics: Registry;
  readonly startedMs: number;
}

export function instanceRoutes({ flags, features, metrics, startedMs }: InstanceOptions): Router {
  const router = Router();
  const get = (path: string, data: () => unknown): void => {
    router.get(path, (request, response) => sendData(request, response, data()));
  };
  get('/status/buildinfo', buildInfo);
  get('/status/flags', () => flags);
  // The configuration is in flags, and in the topology that the operator writes.
  get('/status/config', () => ({ yaml: '' }));
  get('/status/runtimeinfo', () => runtimeInfo(startedMs));
  get('/status/walreplay', () => ({ min: 0, max: 0, current: 0 }));
  get('/status/tsdb/blocks', () => ({ blocks: [] }));
  get('/features', () => features);
  get('/notifications', () => []);
  router.get('/notifications/live', liveNotifications);
  router.get('/openapi.yaml', (request, response) => {
    const base = request.originalUrl.replace(/\/openapi\.yaml.*$/, '');
    response.setHeader('Content-Type', 'application/yaml; charset=utf-8').send(describeApi(base));
  });
  router.get('/status/self_metrics', async (request, response) => {
    const pattern = new Params(request).get('metric_name_pattern');
    sendData(request, response, await selfMetrics(metrics, pattern));
  });
  return router;
}

function runtimeInfo(startedMs: number): Readonly<Record<string, unknown>> {
  const started = new Date(startedMs).toISOString();
  return {
    startTime: started,
    CWD: process.cwd(),
    hostname: hostname(),
    serverTime: new Date().toISOString(),
    reloadConfigSuccess: true,
    lastConfigTime: started,
    corruptionCount: 0,
    goroutineCount: 0,
    GOMAXPROCS: availableParallelism(),
    GOMEMLIMIT: getHeapStatistics().heap_size_limit,
    GOGC: '',
    GODEBUG: '',
    storageRetention: '',
  };
}

/** There are none, so that a stream of them stays open and silent. */
const liveNotifications: RequestHandler = (_request, response) => {
  response.setHeader('Content-Type', 'text/event-stream').setHeader('Cache-Control', 'no-cache');
  response.flushHeaders();
};

interface MetricOf {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly {
    readonly value: number;
    readonly metricName?: string;
    readonly labels: Readonly<Record<string, string | number>>;
  }[];
}

/** The families of /metrics, in the shape of the client model's JSON. */
async function selfMetrics(metrics: Registry, pattern: string): Promise<unknown[]> {
  const wanted = pattern === '' ? undefined : nameRegexp(pattern);
  const families = (await metrics.getMetricsAsJSON()) as unknown as readonly MetricOf[];
  return families.filter(({ name }) => wanted?.test(name) ?? true).map(familyJson);
}

function nameRegexp(pattern: string): AnchoredRegexp {
  try {
    return new AnchoredRegexp(pattern);
  } catch (cause) {
    const reason = `invalid parameter "metric_name_pattern": ${(cause as Error).message}`;
    throw new ApiError('bad_data', reason, undefined, { cause });
  }
}

function familyJson({ name, help, type, values }: MetricOf): unknown {
  const field = type === 'counter' ? 'counter' : type === 'gauge' ? 'gauge' : 'untyped';
  const isPlain = type === 'counter' || type === 'gauge';
  // Parts of a histogram or summary are told by their names, one untyped sample each.
  return {
    name,
    help,
    type: isPlain ? type.toUpperCase() : 'UNTYPED',
    metric: values.map(({ value, labels, metricName }) => {
      const own =
        metricName === undefined || metricName === name ? labels : { ...labels, __name__: metricName };
      const label = Object.entries(own).map(([key, text]) => ({ name: key, value: String(text) }));
      return { ...(label.length > 0 && { label }), [field]: { value } };
    }),
  };
}
