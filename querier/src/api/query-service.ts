// What every data endpoint shares: stores, workers, gate and metrics.

import type { ParserOptions } from '@flotilla/promql';
import type { ReplicaChoice } from '../stores/replica-choice.ts';
import type { StoreClient } from '../stores/store-client.ts';
import type { TopologyFile } from '../stores/topology-file.ts';
import type { QueryWorkers } from '../workers/query-workers.ts';
import type { ActiveQueryLog } from './active-query-log.ts';
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
