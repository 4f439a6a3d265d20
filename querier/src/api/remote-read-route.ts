// POST /api/v1/read: Prometheus's remote read.

import { protobufBody, Router } from '@flotilla/chassis';
import type { Request, Response } from '@flotilla/chassis';
import { answerJob } from './answer.ts';
import { Params } from './params.ts';
import type { QueryService } from './query-service.ts';

/** Of a request as it comes, compressed. */
const requestBytesMax = 1 << 20;

export function remoteReadRoute(service: QueryService): Router {
  const router = Router();
  router.post('/read', protobufBody(requestBytesMax), (request, response) =>
    read(service, request, response),
  );
  return router;
}

async function read(service: QueryService, request: Request, response: Response): Promise<void> {
  await answerJob(service, response, service.timeoutMs, {
    kind: 'read',
    body: request.body as Uint8Array,
    allowPartial: new Params(request).boolean('partial_response', true),
  });
}
