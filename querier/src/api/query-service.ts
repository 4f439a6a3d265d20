// What every data endpoint shares: stores, engine, gate and metrics, and the view of one request on them.

import type { Response } from '@flotilla/chassis';
import { ColumnArena } from '@flotilla/promql';
import type { Engine, ParserOptions } from '@flotilla/promql';
import type { Completeness } from '@flotilla/wire';
import { CompletenessRecorder } from '../stores/completeness-recorder.ts';
import { FanOut } from '../stores/fan-out.ts';
import type { ReplicaChoice } from '../stores/replica-choice.ts';
import type { StoreClient } from '../stores/store-client.ts';
import type { TopologyFile } from '../stores/topology-file.ts';
import type { ActiveQueryLog } from './active-query-log.ts';
import { completenessNotes } from './answer.ts';
import type { Notes } from './answer.ts';
import type { Params } from './params.ts';
import type { QueryGate } from './query-gate.ts';
import type { QueryLog } from './query-log.ts';
import type { QueryMetrics } from './query-metrics.ts';

export interface QueryService {
  readonly topology: TopologyFile;
  readonly client: StoreClient;
  readonly choice: ReplicaChoice;
  readonly engine: Engine;
  /** What queries may use beyond the stable language. */
  readonly parser: ParserOptions;
  readonly lookbackMs: number;
  readonly gate: QueryGate;
  readonly metrics: QueryMetrics;
  readonly timeoutMs: number;
  readonly log: QueryLog;
  readonly active: ActiveQueryLog | undefined;
}

/** The stores as one request sees them, and what it has heard of them. */
export class RequestView {
  readonly fanOut: FanOut;
  readonly #recorder = new CompletenessRecorder();
  readonly #arena = new ColumnArena();
  readonly #metrics: QueryMetrics;
  readonly #allowPartial: boolean;

  constructor({ topology, client, choice, metrics }: QueryService, params: Params, signal: AbortSignal) {
    this.#allowPartial = params.boolean('partial_response', true);
    this.#metrics = metrics;
    this.fanOut = new FanOut({
      topology: topology.current(),
      client,
      choice,
      signal,
      recorder: this.#recorder,
      arena: this.#arena,
    });
  }

  completeness(): Completeness {
    return this.#recorder.record();
  }

  /** The series that were read are not needed any more. */
  release(): void {
    this.#arena.release();
  }

  cut(what: string): void {
    this.#recorder.cut(what);
  }

  /** Header, metric, warnings; throws 503 for a hole that the caller does not take. */
  notes(response: Response): Notes {
    const completeness = this.completeness();
    this.#metrics.answered(completeness);
    return completenessNotes(response, completeness, this.#allowPartial);
  }
}
