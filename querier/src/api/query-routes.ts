// /api/v1/query, query_range, format_query, parse_query, query_exemplars.

import { ApiError, Router, sendData } from '@flotilla/chassis';
import type { Request, RequestHandler, Response } from '@flotilla/chassis';
import { exprToJson, prettyExpr } from '@flotilla/promql';
import { HISTOGRAMS_EXACT, HISTOGRAMS_PARAM } from '@flotilla/wire';
import type { QueryJob, Span } from '../evaluation/jobs.ts';
import { invalid } from '../evaluation/query-texts.ts';
import type { WorkerAnswer } from '../workers/worker-thread.ts';
import { acceptsGzip, answerJob, requestSignal, sendAnswer, startJob } from './answer.ts';
import { Params, tryParseDuration } from './params.ts';
import type { QueryService } from './query-service.ts';

const pointsMax = 11_000;

export function queryRoutes(service: QueryService): Router {
  const router = Router();
  both(router, '/query', (request, response) => instantQuery(service, request, response));
  both(router, '/query_range', (request, response) => rangeQuery(service, request, response));
  both(router, '/format_query', (request, response) => {
    sendData(request, response, prettyExpr(new Params(request).expr(service.parser).expr));
  });
  both(router, '/parse_query', (request, response) => {
    sendData(request, response, exprToJson(new Params(request).expr(service.parser).expr));
  });
  both(router, '/query_exemplars', (request, response) => queryExemplars(service, request, response));
  return router;
}

/** GET and POST, as Prometheus serves its read endpoints. */
export function both(router: Router, path: string, handler: RequestHandler): void {
  router.get(path, handler);
  router.post(path, handler);
}

async function instantQuery(service: QueryService, request: Request, response: Response): Promise<void> {
  const params = new Params(request);
  await answerQuery(service, request, response, queryJob(service, request, params, instantSpan(params)));
}

async function rangeQuery(service: QueryService, request: Request, response: Response): Promise<void> {
  const params = new Params(request);
  await answerQuery(service, request, response, queryJob(service, request, params, rangeSpan(params)));
}

/** Of several bad parameters, Prometheus names the limit first. */
export function instantSpan(params: Params): Span {
  params.limit();
  const timeMs = params.time('time', Date.now());
  return { startMs: timeMs, endMs: timeMs, stepMs: 0 };
}

export function rangeSpan(params: Params): Span {
  params.limit();
  const startMs = params.requiredTime('start');
  const endMs = params.requiredTime('end');
  if (endMs < startMs) throw invalid('end', 'end timestamp must not be before start time');
  const stepMs = params.duration('step');
  if (stepMs === undefined) throw invalid('step', 'cannot parse "" to a valid duration');
  if (stepMs <= 0) {
    throw invalid(
      'step',
      'zero or negative query resolution step widths are not accepted. Try a positive integer',
    );
  }
  if ((endMs - startMs) / stepMs > pointsMax) {
    throw new ApiError(
      'bad_data',
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    );
  }
  return { startMs, endMs, stepMs };
}

export function queryJob(service: QueryService, request: Request, params: Params, span: Span): QueryJob {
  return {
    kind: 'query',
    query: params.get('query'),
    ...span,
    isRange: span.stepMs > 0,
    timeoutMs: Math.min(params.duration('timeout') ?? service.timeoutMs, service.timeoutMs),
    lookbackMs: lookback(params),
    limit: params.limit(),
    allowPartial: params.boolean('partial_response', true),
    dedup: params.boolean('dedup', true),
    stats: params.get('stats'),
    withExactHistograms: params.get(HISTOGRAMS_PARAM) === HISTOGRAMS_EXACT,
    gzip: acceptsGzip(request),
  };
}

export async function answerQuery(
  service: QueryService,
  request: Request,
  response: Response,
  job: QueryJob,
): Promise<void> {
  const signal = requestSignal(response, job.timeoutMs);
  const answer = await startLogged(service, request, job, signal, () =>
    startJob(service, response, signal, job),
  );
  response.vary('Accept-Encoding');
  await sendAnswer(response, answer);
}

/** Through the gate, with the query in the logs. Throws ApiError. */
async function startLogged(
  { gate, log, active, metrics }: QueryService,
  request: Request,
  job: QueryJob,
  signal: AbortSignal,
  start: () => Promise<WorkerAnswer>,
): Promise<WorkerAnswer> {
  const beganMs = performance.now();
  const tookMs = (): number => performance.now() - beganMs;
  try {
    const answer = await gate.run(signal, async () => {
      const end = active?.begin(job.query);
      return start().finally(end);
    });
    const { stats } = answer.head;
    if (stats !== undefined) metrics.evaluated(stats.evalMs / 1000);
    log.ended(request, job, tookMs(), stats, '');
    return answer;
  } catch (error) {
    log.ended(request, job, tookMs(), undefined, (error as Error).message);
    throw error;
  }
}

async function queryExemplars(service: QueryService, request: Request, response: Response): Promise<void> {
  const params = new Params(request);
  response.vary('Accept-Encoding');
  await answerJob(service, response, service.timeoutMs, {
    kind: 'exemplars',
    query: params.get('query'),
    ...params.range(),
    gzip: acceptsGzip(request),
    allowPartial: params.boolean('partial_response', true),
  });
}

function lookback(params: Params): number | undefined {
  const text = params.get('lookback_delta');
  if (text === '') return undefined;
  const lookbackMs = tryParseDuration(text);
  if (lookbackMs !== undefined) return lookbackMs;
  const reason = `cannot parse "${text}" to a valid duration`;
  throw new ApiError('bad_data', `error parsing lookback delta duration: ${reason}`);
}
