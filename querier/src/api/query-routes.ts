// /api/v1/query, query_range, format_query, parse_query, query_exemplars.

import { ApiError, Router, sendData } from '@flotilla/chassis';
import type { Request, RequestHandler, Response } from '@flotilla/chassis';
import { exprToJson, prettyExpr, QueryError } from '@flotilla/promql';
import type { QueryControl, QueryResult } from '@flotilla/promql';
import { MergedStorage } from '../stores/merged-storage.ts';
import { requestSignal, sendPieces } from './answer.ts';
import { invalid, Params } from './params.ts';
import { queryDataJson } from './query-json.ts';
import { RequestView } from './query-service.ts';
import type { QueryService } from './query-service.ts';

const pointsMax = 11_000;

export function queryRoutes(service: QueryService): Router {
  const router = Router();
  both(router, '/query', (request, response) => instantQuery(service, request, response));
  both(router, '/query_range', (request, response) => rangeQuery(service, request, response));
  both(router, '/format_query', (request, response) => {
    sendData(request, response, prettyExpr(new Params(request).expr().expr));
  });
  both(router, '/parse_query', (request, response) => {
    sendData(request, response, exprToJson(new Params(request).expr().expr));
  });
  both(router, '/query_exemplars', (request, response) => {
    new Params(request).expr();
    sendData(request, response, []);
  });
  return router;
}

/** GET and POST, as Prometheus serves its read endpoints. */
export function both(router: Router, path: string, handler: RequestHandler): void {
  router.get(path, handler);
  router.post(path, handler);
}

async function instantQuery(service: QueryService, request: Request, response: Response): Promise<void> {
  const params = new Params(request);
  const timeMs = params.time('time', Date.now());
  await answerQuery(service, params, request, response, (storage, control) => {
    const { expr } = params.expr();
    return service.engine.instant({ expr, timeMs }, storage, control);
  });
}

async function rangeQuery(service: QueryService, request: Request, response: Response): Promise<void> {
  const params = new Params(request);
  const window = rangeWindow(params);
  await answerQuery(service, params, request, response, (storage, control) => {
    const { expr } = params.expr();
    return service.engine.range({ expr, ...window }, storage, control);
  });
}

function rangeWindow(params: Params): { startMs: number; endMs: number; stepMs: number } {
  const startMs = requiredTime(params, 'start');
  const endMs = requiredTime(params, 'end');
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

function requiredTime(params: Params, name: string): number {
  const timeMs = params.time(name, Number.NaN);
  if (Number.isNaN(timeMs)) throw invalid(name, 'cannot parse "" to a valid timestamp');
  return timeMs;
}

type Evaluate = (storage: MergedStorage, control: QueryControl) => Promise<QueryResult>;

async function answerQuery(
  service: QueryService,
  params: Params,
  request: Request,
  response: Response,
  evaluate: Evaluate,
): Promise<void> {
  const timeoutMs = Math.min(params.duration('timeout') ?? service.timeoutMs, service.timeoutMs);
  const lookbackMs = params.duration('lookback_delta');
  const limit = params.limit();
  const signal = requestSignal(response, timeoutMs);
  const view = new RequestView(service, params, signal);
  const storage = new MergedStorage(view.fanOut, { dedup: params.boolean('dedup', true) });
  const control = { signal, timeoutMs, ...(lookbackMs !== undefined && { lookbackMs }) };
  const result = await service.gate.run(signal, () => evaluate(storage, control)).catch(toApi);
  service.metrics.evaluated(result.stats.evalMs / 1000);
  const notes = view.notes(response);
  const limited = limitSeries(result, limit);
  const warnings = [
    ...notes.warnings,
    ...result.warnings,
    ...(limited === result ? [] : ['results truncated due to limit']),
  ];
  await sendPieces(request, response, queryDataJson(limited), {
    warnings,
    infos: [...notes.infos, ...result.infos],
  });
}

/** The result itself when the limit leaves it whole. */
function limitSeries(result: QueryResult, limit: number): QueryResult {
  if (limit === 0) return result;
  if (result.type === 'vector' && result.series.length > limit)
    return { ...result, series: result.series.slice(0, limit) };
  if (result.type === 'matrix' && result.series.length > limit)
    return { ...result, series: result.series.slice(0, limit) };
  return result;
}

function toApi(error: unknown): never {
  if (error instanceof QueryError) throw new ApiError(error.kind, error.message, undefined, { cause: error });
  if ((error as Error | undefined)?.name === 'TimeoutError') {
    throw new ApiError('timeout', 'query timed out in expression evaluation', undefined, { cause: error });
  }
  throw error;
}
