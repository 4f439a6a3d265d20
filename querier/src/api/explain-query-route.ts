// /api/v1/explain_query: the plan of an instant query, or with `start`, `end` and `step` of a range query, in `data.stats.plan`.
// With `analyze=true` the query is run and answered as ever, and each part of its plan says what it cost.

import { Router, sendData } from '@flotilla/chassis';
import type { Engine } from '@flotilla/promql';
import { Params } from './params.ts';
import { answerQuery, both, instantSpan, queryJob, rangeSpan } from './query-routes.ts';
import type { QueryService } from './query-service.ts';

/** `engine` only plans here. */
export function explainQueryRoute(service: QueryService, engine: Engine): Router {
  const router = Router();
  both(router, '/explain_query', async (request, response) => {
    const params = new Params(request);
    const isRange = params.get('start') !== '' || params.get('end') !== '';
    const span = isRange ? rangeSpan(params) : instantSpan(params);
    if (params.boolean('analyze', false)) {
      const job = queryJob(service, request, params, span);
      return answerQuery(service, request, response, { ...job, stats: 'all' });
    }
    const plan = engine.explain(params.expr(service.parser), span);
    sendData(request, response, { stats: { plan } });
  });
  return router;
}
