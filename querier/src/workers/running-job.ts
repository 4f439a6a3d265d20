// One job in a worker, from its message to the last piece of its answer.

import { ApiError, errorText, toApiError } from '@flotilla/chassis/thread';
import { QueryError } from '@flotilla/promql';
import type { Engine, ParserOptions } from '@flotilla/promql';
import type { Completeness, Topology } from '@flotilla/wire';
import { evaluateQuery } from '../evaluation/evaluate-query.ts';
import { federate } from '../evaluation/federate.ts';
import type { AnswerHead, AnswerSink, JobContext } from '../evaluation/job-context.ts';
import type { Job } from '../evaluation/jobs.ts';
import { listLabels, listSeries } from '../evaluation/list-series.ts';
import { invalid } from '../evaluation/query-texts.ts';
import { readExemplars } from '../evaluation/read-exemplars.ts';
import { searchLabels } from '../evaluation/search-labels.ts';
import { notesOf, StoreView } from '../evaluation/store-view.ts';
import type { Stores } from '../evaluation/store-view.ts';
import { PIECES_MAX } from './messages.ts';
import type { Failure, FromWorker, Heard, StoreResults } from './messages.ts';

export interface WorkerParts extends Omit<Stores, 'topology'> {
  readonly engine: Engine;
  readonly parser: ParserOptions;
  readonly lookbackMs: number;
  takeStoreResults(): StoreResults;
  post(message: FromWorker, transfer?: readonly ArrayBuffer[]): void;
}

export class RunningJob implements AnswerSink {
  readonly #id: number;
  readonly #parts: WorkerParts;
  readonly #abort = new AbortController();
  readonly #view: StoreView;
  #completeness: Completeness | undefined;
  /** Pieces that the client has not taken. */
  #waiting = 0;
  #wake: (() => void) | undefined;

  constructor(id: number, parts: WorkerParts, topology: Topology) {
    this.#id = id;
    this.#parts = parts;
    const { client, choice } = parts;
    this.#view = new StoreView({ client, choice, topology }, this.#abort.signal);
  }

  /** Never rejects: what goes wrong is the answer. */
  async run(job: Job): Promise<void> {
    try {
      await runJob(job, this.#context(job.allowPartial));
    } catch (error) {
      const failure = failureOf(error, this.#abort.signal);
      this.#parts.post({ kind: 'failed', id: this.#id, failure, ...this.#heard() });
    } finally {
      this.#view.release();
    }
  }

  #context(allowPartial: boolean): JobContext {
    const { engine, parser, lookbackMs } = this.#parts;
    const notes: JobContext['notes'] = () => {
      this.#completeness = this.#view.completeness();
      return notesOf(this.#completeness, allowPartial);
    };
    return { view: this.#view, engine, parser, lookbackMs, signal: this.#abort.signal, sink: this, notes };
  }

  /** What has not been told yet. */
  #heard(): Heard {
    const completeness = this.#completeness;
    this.#completeness = undefined;
    return { completeness, storeResults: this.#parts.takeStoreResults() };
  }

  begin(head: AnswerHead): void {
    this.#parts.post({ kind: 'head', id: this.#id, head, ...this.#heard() });
  }

  async write(bytes: Uint8Array): Promise<void> {
    const { signal } = this.#abort;
    while (this.#waiting >= PIECES_MAX && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    signal.throwIfAborted();
    this.#waiting++;
    this.#post(bytes, false);
  }

  end(bytes: Uint8Array): void {
    this.#post(bytes, true);
  }

  #post(given: Uint8Array, isLast: boolean): void {
    // What shares its memory with other things cannot be given away.
    const isWhole =
      given.byteLength === given.buffer.byteLength && !(given.buffer instanceof SharedArrayBuffer);
    const bytes = isWhole ? given : new Uint8Array(given);
    this.#parts.post({ kind: 'piece', id: this.#id, bytes, isLast }, [bytes.buffer as ArrayBuffer]);
  }

  taken(): void {
    this.#waiting--;
    this.#wake?.();
  }

  cancel(isLate: boolean): void {
    this.#abort.abort(
      isLate
        ? new DOMException('the query is out of time', 'TimeoutError')
        : new ApiError('canceled', 'query was canceled in query execution'),
    );
    this.#wake?.();
  }
}

async function runJob(job: Job, context: JobContext): Promise<void> {
  switch (job.kind) {
    case 'query':
      return evaluateQuery(job, context);
    case 'exemplars':
      return readExemplars(job, context);
    case 'federate':
      return federate(job, context);
    case 'series':
      return listSeries(job, context);
    case 'labels':
      return listLabels(job, context);
    case 'search':
      return searchLabels(job, context);
    case 'read': {
      // Few ask for it, and it brings the database's encoders with it.
      const { readSeries } = await import('../evaluation/read-series.ts');
      return readSeries(job, context);
    }
  }
}

function failureOf(error: unknown, signal: AbortSignal): Failure {
  const { errorType, message, status } = apiErrorOf(error, signal);
  return { errorType, message, status, stack: (error as Error | undefined)?.stack ?? errorText(error) };
}

/** A job that is aborted because its time is up has timed out, wherever it was. */
function apiErrorOf(error: unknown, { reason }: AbortSignal): ApiError {
  const isLate = [error, reason].some((one) => (one as Error | undefined)?.name === 'TimeoutError');
  if (isLate && !(error instanceof ApiError))
    return new ApiError('timeout', 'query timed out in expression evaluation');
  if (!(error instanceof QueryError)) return toApiError(error);
  return error.kind === 'bad_data'
    ? invalid('query', error.message)
    : new ApiError(error.kind, error.message);
}
