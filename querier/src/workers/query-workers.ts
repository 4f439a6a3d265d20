// The threads that evaluate, as the event loop sees them. The first is there from the start; more come when all are busy, up to a
// maximum, and go when they have had nothing to do for a while. One that dies fails the jobs in it, and no others.

import { collectFrom, errorText } from '@flotilla/chassis';
import type { Logger, Registry } from '@flotilla/chassis';
import type { Topology } from '@flotilla/wire';
import type { ResourceLimits } from 'node:worker_threads';
import type { Job } from '../evaluation/jobs.ts';
import type { StackProfile } from '../pprof/profile-encoder.ts';
import type { ProfileKind } from '../pprof/thread-profiles.ts';
import type { Heard, WorkerSetup } from './messages.ts';
import { WorkerThread } from './worker-thread.ts';
import type { WorkerAnswer } from './worker-thread.ts';

export interface QueryWorkersOptions {
  readonly setup: WorkerSetup;
  readonly max: number;
  readonly limits?: ResourceLimits;
  readonly topology: () => Topology;
  readonly log: Logger;
  readonly metrics: Registry;
}

const idleMs = 300_000;
/** A worker that cannot start would be started again and again. */
const restartAfterMs = 1000;

export class QueryWorkers {
  readonly #options: QueryWorkersOptions;
  readonly #workers = new Set<WorkerThread>();
  readonly #sweep: NodeJS.Timeout;
  #made = 0;
  #deaths = 0;
  #isClosed = false;

  constructor(options: QueryWorkersOptions) {
    this.#options = options;
    this.#start();
    this.#sweep = setInterval(() => this.#endIdle(), idleMs).unref();
    this.#collect(options.metrics);
  }

  /** Resolves when the answer begins; what was heard of the stores is told before, also when it rejects with an ApiError. */
  async run(job: Job, signal: AbortSignal, onHeard: (heard: Heard) => void): Promise<WorkerAnswer> {
    const topology = this.#options.topology();
    const worker = this.#leastBusy() ?? this.#start();
    if (worker.evaluating > 0 && this.#workers.size < this.#options.max) this.#start();
    return worker.run(job, topology, signal, onHeard);
  }

  /** Of every worker, as long as it lives. */
  async profiles(kind: ProfileKind, seconds: number): Promise<StackProfile[]> {
    const taken = await Promise.all([...this.#workers].map((worker) => worker.profile(kind, seconds)));
    return taken.filter((profile) => profile !== undefined);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#sweep);
    await Promise.all([...this.#workers].map((worker) => worker.end('the querier ends')));
  }

  /** Those that are still starting would make their first job wait. */
  #leastBusy(): WorkerThread | undefined {
    return [...this.#workers].toSorted(
      (a, b) => Number(b.isReady) - Number(a.isReady) || a.evaluating - b.evaluating || a.open - b.open,
    )[0];
  }

  #start(): WorkerThread {
    const { setup, limits } = this.#options;
    const worker: WorkerThread = new WorkerThread(++this.#made, setup, limits, (error) =>
      this.#ended(worker, error),
    );
    this.#workers.add(worker);
    return worker;
  }

  #ended(worker: WorkerThread, error: Error | undefined): void {
    this.#workers.delete(worker);
    if (error === undefined) return;
    this.#deaths++;
    this.#options.log.error('query worker ended', { worker: worker.name, err: errorText(error) });
    setTimeout(() => {
      if (this.#workers.size === 0 && !this.#isClosed) this.#start();
    }, restartAfterMs).unref();
  }

  #endIdle(): void {
    const idle = [...this.#workers].filter(({ idleSinceMs }) => performance.now() - idleSinceMs >= idleMs);
    for (const worker of idle.slice(0, this.#workers.size - 1)) {
      this.#workers.delete(worker);
      void worker.end('it has nothing to do');
    }
  }

  #collect(metrics: Registry): void {
    const of = (name: string): string => `flotilla_querier_worker${name}`;
    collectFrom(metrics, of('s'), 'Threads that evaluate queries.', 'gauge', [], (emit) =>
      emit(this.#workers.size),
    );
    collectFrom(metrics, of('_deaths_total'), 'Workers that ended by an error.', 'counter', [], (emit) =>
      emit(this.#deaths),
    );
    collectFrom(
      metrics,
      of('_busy_seconds_total'),
      'Time in which a worker did not wait.',
      'counter',
      ['worker'],
      (emit) => {
        for (const { name, busySeconds } of this.#workers) emit(busySeconds, name);
      },
    );
  }
}
