// The view of one request on the stores, for what the event loop asks of them itself: metadata.

import type { Response } from '@flotilla/chassis';
import { notesOf, StoreView } from '../evaluation/store-view.ts';
import type { Notes } from '../evaluation/store-view.ts';
import { setCompleteness } from './answer.ts';
import type { Params } from './params.ts';
import type { QueryMetrics } from './query-metrics.ts';
import type { QueryService } from './query-service.ts';

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
