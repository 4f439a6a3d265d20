// GET /federate: the latest sample of each series that match[] names.

import { ApiError, Router } from '@flotilla/chassis';
import type { Request, Response } from '@flotilla/chassis';
import { answerJob } from './answer.ts';
import { Params } from './params.ts';
import type { QueryService } from './query-service.ts';

export function federateRoute(service: QueryService): Router {
  const router = Router();
  router.get('/federate', (request, response) => federate(service, request, response));
  return router;
}

/** Answers a bad match[] as Prometheus does here: with plain text. */
async function federate(service: QueryService, request: Request, response: Response): Promise<void> {
  const params = new Params(request);
  try {
    await answerJob(service, response, service.timeoutMs, {
      kind: 'federate',
      selectors: params.all('match'),
      utf8: /escaping=allow-utf-8/.test(request.get('accept') ?? ''),
      allowPartial: params.boolean('partial_response', true),
    });
  } catch (error) {
    if (!(error instanceof ApiError) || error.errorType !== 'bad_data') throw error;
    response.status(400).type('text/plain').send(`${error.message}\n`);
  }
}
