// /api/v1/explain_query: the plan of an instant query, or with `start`, `end` and `step` of a range query, in `data.stats.plan`.
// With `analyze=true` the query is run and answered as ever, and each part of its plan says what it cost.

import { Router, sendData } from '@flotilla/chassis';
import type { Request, Response } from '@flotilla/chassis';
import type { Engine } from '@flotilla/promql';
import { Params } from './params.ts';
import { both, instantQuery, rangeQuery, rangeWindow } from './query-routes.ts';
import type { QueryService } from './query-service.ts';

/** `engine` only plans here. */
export function explainQueryRoute(service: QueryService, engine: Engine): Router {
  const router = Router();
  both(router, '/explain_query', async (request, response) => {
    const params = new Params(request);
    const isRange = params.get('start') !== '' || params.get('end') !== '';
    if (params.boolean('analyze', false)) return analyze(service, isRange, request, response);
    const timeMs = params.time('time', Date.now());
    const window = isRange ? rangeWindow(params) : { startMs: timeMs, endMs: timeMs, stepMs: 0 };
    const plan = engine.explain(params.expr(service.parser), window);
    sendData(request, response, { stats: { plan } });
  });
  return router;
}

/** The same request to another endpoint, with the statistics that have the plan. */
async function analyze(
  service: QueryService,
  isRange: boolean,
  request: Request,
  response: Response,
): Promise<void> {
  const mark = request.originalUrl.includes('?') ? '&' : '?';
  const measured = Object.create(request, {
    originalUrl: { value: `${request.originalUrl}${mark}stats=all` },
    body: { value: { ...(request.body as object | undefined), stats: 'all' } },
  }) as Request;
  await (isRange ? rangeQuery : instantQuery)(service, measured, response);
}
