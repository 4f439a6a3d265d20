// From a request to a worker and back: the client's patience, the completeness header and metric, pieces with backpressure.

import { ApiError, drained } from '@flotilla/chassis';
import type { Request, Response } from '@flotilla/chassis';
import { freeMemory } from '@flotilla/model';
import { COMPLETENESS_HEADER } from '@flotilla/wire';
import type { Completeness } from '@flotilla/wire';
import type { Job } from '../evaluation/jobs.ts';
import type { Heard } from '../workers/messages.ts';
import type { WorkerAnswer } from '../workers/worker-thread.ts';
import type { QueryService } from './query-service.ts';

/** A client that takes nothing for so long is cut off. */
const stallMs = 60_000;
/** The longest time of a timer. */
const timerMaxMs = 2 ** 31 - 1;

export function setCompleteness(response: Response, completeness: Completeness): void {
  response.setHeader(COMPLETENESS_HEADER, JSON.stringify(completeness).replaceAll(/[^\x20-\x7e]/g, '?'));
}

export function acceptsGzip(request: Request): boolean {
  return request.acceptsEncodings('gzip', 'identity') === 'gzip';
}

/** A job that reads no samples. */
export async function answerUngated(service: QueryService, response: Response, job: Job): Promise<void> {
  const signal = requestSignal(response, service.timeoutMs);
  await sendAnswer(response, await startJob(service, response, signal, job));
}

/** A job that stands for no query of a log: in a worker, when its turn has come. */
export async function answerJob(
  service: QueryService,
  response: Response,
  timeoutMs: number,
  job: Job,
): Promise<void> {
  const signal = requestSignal(response, timeoutMs);
  await sendAnswer(response, await service.gate.run(signal, () => startJob(service, response, signal, job)));
}

/** Resolves when the answer begins. Throws ApiError; what is known of the stores is in the header and the metrics then, too. */
export function startJob(
  { workers, metrics }: QueryService,
  response: Response,
  signal: AbortSignal,
  job: Job,
): Promise<WorkerAnswer> {
  return workers.run(job, signal, ({ completeness, storeResults }: Heard) => {
    for (const [store, good] of storeResults) metrics.stored(store, good);
    if (completeness === undefined) return;
    metrics.answered(completeness);
    setCompleteness(response, completeness);
  });
}

/** Resolves when all is handed over, or the client has gone. */
export async function sendAnswer(response: Response, { head, pieces }: WorkerAnswer): Promise<void> {
  response.status(200);
  for (const [name, value] of Object.entries(head.headers)) response.setHeader(name, value);
  for await (const { bytes, isLast } of pieces) {
    if (response.destroyed) return;
    const sent = (): void => freeMemory(bytes);
    if (isLast) response.end(bytes, sent);
    else if (!response.write(bytes, sent)) await drained(response, stallMs);
  }
}

/** An abort signal that fires when the client goes before the answer is finished, or after `timeoutMs`. */
export function requestSignal(response: Response, timeoutMs: number): AbortSignal {
  const ends = new AbortController();
  const late = (): void => ends.abort(new DOMException('the query is out of time', 'TimeoutError'));
  const timer = setTimeout(late, Math.min(timeoutMs, timerMaxMs)).unref();
  response.once('close', () => {
    clearTimeout(timer);
    if (!response.writableFinished)
      ends.abort(new ApiError('canceled', 'query was canceled in query execution'));
  });
  return ends.signal;
}
