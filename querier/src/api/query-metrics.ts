// The querier's own metrics, under Prometheus's names where its dashboards and alerts look for them.

import { collectFrom, Summary } from '@flotilla/chassis';
import type { Registry } from '@flotilla/chassis';
import type { Completeness } from '@flotilla/wire';
import type { QueryGate } from './query-gate.ts';

export class QueryMetrics {
  readonly #duration: Summary<'slice'>;
  readonly #storeRequests = new Map<string, { good: number; bad: number }>();
  #answers = 0;
  #incomplete = 0;
  #last: Completeness | undefined;

  constructor(registry: Registry, gate: QueryGate) {
    this.#duration = new Summary({
      name: 'prometheus_engine_query_duration_seconds',
      help: 'Query timings.',
      labelNames: ['slice'],
      percentiles: [0.5, 0.9, 0.99],
      maxAgeSeconds: 600,
      ageBuckets: 5,
      registers: [registry],
    });
    collectFrom(registry, 'prometheus_engine_queries', 'Queries being evaluated.', 'gauge', [], (emit) =>
      emit(gate.running),
    );
    collectFrom(
      registry,
      'prometheus_engine_queries_concurrent_max',
      'Most queries at once.',
      'gauge',
      [],
      (emit) => emit(gate.max),
    );
    this.#collectAnswers(registry);
  }

  evaluated(seconds: number): void {
    this.#duration.observe({ slice: 'inner_eval' }, seconds);
  }

  answered(completeness: Completeness): void {
    this.#answers++;
    if (completeness.heard < completeness.expected) this.#incomplete++;
    this.#last = completeness;
  }

  stored(name: string, good: boolean): void {
    const counts = this.#storeRequests.get(name) ?? { good: 0, bad: 0 };
    if (good) counts.good++;
    else counts.bad++;
    this.#storeRequests.set(name, counts);
  }

  #collectAnswers(registry: Registry): void {
    collectFrom(
      registry,
      'flotilla_querier_answers_total',
      'Answers that depended on stores.',
      'counter',
      [],
      (emit) => emit(this.#answers),
    );
    collectFrom(
      registry,
      'flotilla_querier_incomplete_answers_total',
      'Answers that missed a shard.',
      'counter',
      [],
      (emit) => emit(this.#incomplete),
    );
    collectFrom(
      registry,
      'flotilla_querier_completeness_ratio',
      'Shards heard of those expected, last answer.',
      'gauge',
      [],
      (emit) =>
        emit(
          this.#last === undefined || this.#last.expected === 0 ? 1 : this.#last.heard / this.#last.expected,
        ),
    );
    collectFrom(
      registry,
      'flotilla_querier_store_requests_total',
      'Requests to stores.',
      'counter',
      ['store', 'result'],
      (emit) => {
        for (const [store, { good, bad }] of this.#storeRequests) {
          emit(good, store, 'success');
          emit(bad, store, 'error');
        }
      },
    );
  }
}
