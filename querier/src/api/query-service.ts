// What every data endpoint shares: stores, workers, gate and metrics, and the view of one request on the stores.

import type { Response } from '@flotilla/chassis';
import type { ParserOptions } from '@flotilla/promql';
import { notesOf, StoreView } from '../evaluation/store-view.ts';
import type { Notes } from '../evaluation/store-view.ts';
import type { ReplicaChoice } from '../stores/replica-choice.ts';
import type { StoreClient } from '../stores/store-client.ts';
import type { TopologyFile } from '../stores/topology-file.ts';
import type { QueryWorkers } from '../workers/query-workers.ts';
import type { ActiveQueryLog } from './active-query-log.ts';
import { setCompleteness } from './answer.ts';
import type { Params } from './params.ts';
import type { QueryGate } from './query-gate.ts';
import type { QueryLog } from './query-log.ts';
import type { QueryMetrics } from './query-metrics.ts';

export interface QueryService {
  readonly topology: TopologyFile;
  readonly client: StoreClient;
  readonly choice: ReplicaChoice;
  readonly workers: QueryWorkers;
  /** What queries may use beyond the stable language. */
  readonly parser: ParserOptions;
  readonly gate: QueryGate;
  readonly metrics: QueryMetrics;
  readonly timeoutMs: number;
  readonly log: QueryLog;
  readonly active: ActiveQueryLog | undefined;
}

/** For what the event loop asks of the stores itself: lists, not samples. */
export class RequestView extends StoreView {
  readonly #metrics: QueryMetrics;
  readonly #allowPartial: boolean;

  constructor({ topology, client, choice, metrics }: QueryService, params: Params, signal: AbortSignal) {
    super({ topology: topology.current(), client, choice }, signal);
    this.#allowPartial = params.boolean('partial_response', true);
    this.#metrics = metrics;
  }

  /** Header, metric, warnings; throws 503 for a hole that the caller does not take. */
  notes(response: Response): Notes {
    const completeness = this.completeness();
    this.#metrics.answered(completeness);
    setCompleteness(response, completeness);
    return notesOf(completeness, this.#allowPartial);
  }
}
