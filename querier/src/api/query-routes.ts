// /api/v1/query, query_range, format_query, parse_query, query_exemplars.

import { ApiError, Router, sendData } from '@flotilla/chassis';
import type { Request, RequestHandler, Response } from '@flotilla/chassis';
import { goQuote } from '@flotilla/model';
import { exprToJson, prettyExpr, QueryError, valueType } from '@flotilla/promql';
import type { Expr, JsonWriter, QueryControl, QueryResult } from '@flotilla/promql';
import { HISTOGRAMS_EXACT, HISTOGRAMS_PARAM } from '@flotilla/wire';
import { MergedStorage } from '../stores/merged-storage.ts';
import { requestSignal, sendJson } from './answer.ts';
import { queryExemplars } from './exemplars-route.ts';
import { invalid, Params, tryParseDuration } from './params.ts';
import type { LoggedQuery } from './query-log.ts';
import { writeQueryData } from './query-json.ts';
import { RequestView } from './query-service.ts';
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

export async function instantQuery(
  service: QueryService,
  request: Request,
  response: Response,
): Promise<void> {
  const params = new Params(request);
  params.limit();
  const timeMs = params.time('time', Date.now());
  const span = { startMs: timeMs, endMs: timeMs, stepMs: 0 };
  await answerQuery(service, params, span, request, response, (storage, control) => {
    return service.engine.instant({ ...params.expr(service.parser), timeMs }, storage, control);
  });
}

export async function rangeQuery(service: QueryService, request: Request, response: Response): Promise<void> {
  const params = new Params(request);
  params.limit();
  const window = rangeWindow(params);
  await answerQuery(service, params, window, request, response, (storage, control) => {
    const query = params.expr(service.parser);
    checkRangeType(query.expr);
    return service.engine.range({ ...query, ...window }, storage, control);
  });
}

export function rangeWindow(params: Params): Span {
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

/** Throws unless an expression gives something at each step. */
function checkRangeType(expr: Expr): void {
  const type = valueType(expr);
  if (type === 'scalar' || type === 'vector') return;
  const name = type === 'matrix' ? 'range vector' : type;
  throw invalid(
    'query',
    `invalid expression type "${name}" for range query, must be Scalar or instant Vector`,
  );
}

type Span = Pick<LoggedQuery, 'startMs' | 'endMs' | 'stepMs'>;
type Evaluate = (storage: MergedStorage, control: QueryControl) => Promise<QueryResult>;

async function answerQuery(
  service: QueryService,
  params: Params,
  span: Span,
  request: Request,
  response: Response,
  evaluate: Evaluate,
): Promise<void> {
  const timeoutMs = Math.min(params.duration('timeout') ?? service.timeoutMs, service.timeoutMs);
  const lookbackMs = lookback(params);
  const limit = params.limit();
  const signal = requestSignal(response, timeoutMs);
  const view = new RequestView(service, params, signal);
  const storage = new MergedStorage(view.fanOut, { dedup: params.boolean('dedup', true) });
  const measure = params.get('stats') === 'all';
  const control = { signal, timeoutMs, measure, ...(lookbackMs !== undefined && { lookbackMs }) };
  const logged = { query: params.get('query'), ...span };
  const result = await runLogged(service, request, logged, signal, () => evaluate(storage, control));
  view.release();
  service.metrics.evaluated(result.stats.evalMs / 1000);
  const notes = view.notes(response);
  const limited = limitSeries(result, limit);
  const stats = params.get('stats');
  const warnings = [
    ...notes.warnings,
    ...result.warnings,
    ...(limited === result ? [] : ['results truncated due to limit']),
    ...(['', 'true', 'all'].includes(stats) ? [] : [statsWarning(stats)]),
  ];
  const withExact = params.get(HISTOGRAMS_PARAM) === HISTOGRAMS_EXACT;
  const write = (writer: JsonWriter) => writeQueryData(writer, limited, stats !== '', withExact);
  await sendJson(request, response, write, {
    warnings,
    infos: [...notes.infos, ...result.infos],
  });
}

/** Through the gate, with the query in the logs. Throws ApiError. */
async function runLogged(
  { gate, log, active }: QueryService,
  request: Request,
  query: LoggedQuery,
  signal: AbortSignal,
  evaluate: () => Promise<QueryResult>,
): Promise<QueryResult> {
  const beganMs = performance.now();
  const tookMs = (): number => performance.now() - beganMs;
  try {
    const result = await gate.run(signal, async () => {
      const end = active?.begin(query.query);
      return evaluate().finally(end);
    });
    log.ended(request, query, tookMs(), result.stats, '');
    return result;
  } catch (error) {
    const answer = apiErrorOf(error, signal);
    log.ended(request, query, tookMs(), undefined, (answer as Error).message);
    throw answer;
  }
}

function lookback(params: Params): number | undefined {
  const text = params.get('lookback_delta');
  const lookbackMs = tryParseDuration(text);
  if (text !== '' && lookbackMs === undefined) {
    const reason = `cannot parse "${text}" to a valid duration`;
    throw new ApiError('bad_data', `error parsing lookback delta duration: ${reason}`);
  }
  return lookbackMs;
}

function statsWarning(stats: string): string {
  const rule = 'is deprecated and will be rejected in the next major release, use "true" or "all"';
  return `value ${goQuote(stats)} for parameter "stats" ${rule}`;
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

/** A query that is aborted because its time is up has timed out, wherever it was. */
function apiErrorOf(error: unknown, { reason }: AbortSignal): unknown {
  const isLate = [error, reason].some((one) => (one as Error | undefined)?.name === 'TimeoutError');
  if (isLate && !(error instanceof ApiError))
    return new ApiError('timeout', 'query timed out in expression evaluation', undefined, { cause: error });
  if (error instanceof QueryError)
    return new ApiError(error.kind, error.message, undefined, { cause: error });
  return error;
}
