// One worker and the jobs that are in it.

import { ApiError, errorText } from '@flotilla/chassis';
import type { Topology } from '@flotilla/wire';
import { Worker } from 'node:worker_threads';
import type { ResourceLimits } from 'node:worker_threads';
import type { AnswerHead } from '../evaluation/job-context.ts';
import type { Job } from '../evaluation/jobs.ts';
import type { StackProfile } from '../pprof/profile-encoder.ts';
import type { ProfileKind } from '../pprof/thread-profiles.ts';
import type { Failure, FromWorker, Heard, ToWorker, WorkerSetup } from './messages.ts';

/** Bundled or not, the script has this path. */
const script = new URL('../../dist/workers/query-worker.js', import.meta.url);
/**
 * Three semispaces. Most of what a query makes lives as long as the query, or is a column outside of the heap: a larger one costs
 * memory and saves little. With less, what small queries make is moved to the old heap before it is garbage.
 */
const nurseryMb = 12;
/** A worker that does not let go of a job for so long after it was told to is stuck. */
const stuckMs = 60_000;

export interface WorkerAnswer {
  readonly head: AnswerHead;
  /** Whoever stops reading before the end cancels the job. Rejects if the job fails or its worker dies. */
  readonly pieces: AsyncIterable<Piece>;
}

export interface Piece {
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

export class WorkerThread {
  readonly name: string;
  readonly #worker: Worker;
  readonly #jobs = new Map<number, JobInWorker>();
  readonly #profiles = new Map<number, (profile: StackProfile | undefined) => void>();
  #lastId = 0;
  #topology: Topology | undefined;
  #isReady = false;
  #lastEndMs = performance.now();
  #death: Error | undefined;
  /** Set when it was told to end. */
  #reason = '';

  /** `onEnd` is called once, with an error unless end() was called. */
  constructor(
    number: number,
    setup: WorkerSetup,
    limits: ResourceLimits | undefined,
    onEnd: (error: Error | undefined) => void,
  ) {
    this.name = `${number}`;
    this.#worker = new Worker(script, {
      name: `queries ${number}`,
      workerData: setup,
      resourceLimits: { maxYoungGenerationSizeMb: nurseryMb, ...limits },
    });
    this.#worker
      .on('message', (message: FromWorker) => this.#receive(message))
      .on('error', (error: Error) => {
        this.#death = error;
      })
      .on('exit', (code) => {
        this.#failAll(code);
        onEnd(this.#reason === '' ? (this.#death ?? new Error(`exit code ${code}`)) : undefined);
      })
      .unref();
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Jobs whose answer has not begun. */
  get evaluating(): number {
    let count = 0;
    for (const { hasBegun } of this.#jobs.values()) if (!hasBegun) count++;
    return count;
  }

  get open(): number {
    return this.#jobs.size;
  }

  /** Infinity while it has jobs. */
  get idleSinceMs(): number {
    return this.#jobs.size > 0 ? Infinity : this.#lastEndMs;
  }

  get busySeconds(): number {
    return this.#worker.performance.eventLoopUtilization().active / 1000;
  }

  async run(
    job: Job,
    topology: Topology,
    signal: AbortSignal,
    onHeard: (heard: Heard) => void,
  ): Promise<WorkerAnswer> {
    if (topology !== this.#topology) this.#post({ kind: 'topology', topology });
    this.#topology = topology;
    const id = ++this.#lastId;
    const running = new JobInWorker({
      onHeard,
      taken: () => this.#post({ kind: 'taken', id }),
      cancel: (isLate) => this.#cancel(id, isLate),
      ended: () => this.#forget(id),
    });
    this.#jobs.set(id, running);
    this.#post({ kind: 'begin', id, job });
    return running.answer(signal);
  }

  /** undefined if it ends meanwhile. */
  profile(kind: ProfileKind, seconds: number): Promise<StackProfile | undefined> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#profiles.set(id, resolve);
      this.#post({ kind: 'profile', id, profile: kind, seconds });
    });
  }

  async end(reason: string): Promise<void> {
    this.#reason = reason;
    await this.#worker.terminate();
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    switch (message.kind) {
      case 'ready':
        this.#isReady = true;
        break;
      case 'profile':
        this.#profiles.get(message.id)?.(message.profile);
        this.#profiles.delete(message.id);
        break;
      default:
        this.#jobs.get(message.id)?.receive(message);
    }
  }

  #cancel(id: number, isLate: boolean): void {
    this.#post({ kind: 'cancel', id, isLate });
    const stuck = (): void => {
      if (!this.#jobs.has(id)) return;
      this.#death = new Error(`a job did not end in ${stuckMs} ms`);
      void this.#worker.terminate();
    };
    setTimeout(stuck, stuckMs).unref();
  }

  #forget(id: number): void {
    this.#jobs.delete(id);
    this.#lastEndMs = performance.now();
  }

  #failAll(code: number): void {
    const reason = this.#reason || (this.#death === undefined ? `exit code ${code}` : errorText(this.#death));
    const message = `query worker ${this.name} ended with the query in it: ${reason}`;
    for (const resolve of this.#profiles.values()) resolve(undefined);
    for (const job of this.#jobs.values()) job.fail(new ApiError('unavailable', message));
  }
}

type JobMessage = Exclude<FromWorker, { readonly kind: 'ready' | 'profile' }>;

interface JobEvents {
  readonly onHeard: (heard: Heard) => void;
  readonly taken: () => void;
  readonly cancel: (isLate: boolean) => void;
  readonly ended: () => void;
}

class JobInWorker {
  readonly #events: JobEvents;
  readonly #head = Promise.withResolvers<AnswerHead>();
  readonly #pieces: Piece[] = [];
  #wake: (() => void) | undefined;
  #error: ApiError | undefined;
  #isOver = false;
  hasBegun = false;

  constructor(events: JobEvents) {
    this.#events = events;
  }

  async answer(signal: AbortSignal): Promise<WorkerAnswer> {
    const cancel = (): void =>
      this.#events.cancel((signal.reason as Error | undefined)?.name === 'TimeoutError');
    if (signal.aborted) cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return { head: await this.#head.promise, pieces: this.#read() };
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  receive(message: JobMessage): void {
    switch (message.kind) {
      case 'head':
        this.hasBegun = true;
        this.#events.onHeard(message);
        this.#head.resolve(message.head);
        break;
      case 'piece':
        this.#pieces.push(message);
        if (message.isLast) this.#over();
        break;
      case 'failed':
        this.#events.onHeard(message);
        this.fail(errorOf(message.failure));
    }
    this.#wake?.();
  }

  fail(error: ApiError): void {
    this.#error = error;
    this.#over();
    this.#head.reject(error);
    this.#wake?.();
  }

  #over(): void {
    this.#isOver = true;
    this.#events.ended();
  }

  async *#read(): AsyncGenerator<Piece> {
    try {
      for (;;) {
        const piece = this.#pieces.shift();
        if (piece !== undefined) {
          yield piece;
          if (piece.isLast) return;
          if (!this.#isOver) this.#events.taken();
        } else if (this.#error !== undefined) throw this.#error;
        else await this.#more();
      }
    } finally {
      if (!this.#isOver) this.#events.cancel(false);
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function errorOf({ errorType, message, status, stack }: Failure): ApiError {
  return new ApiError(errorType, message, status, { cause: stack });
}
