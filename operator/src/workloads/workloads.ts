// The workloads that a fleet needs, and the interface to whatever runs them: processes here, StatefulSets on Kubernetes.

import type { StoreKind } from '@flotilla/wire';

export interface WorkloadSpec {
  /** scraper-main-0-0, querier-main-0, ruler-main-1 */
  readonly name: string;
  readonly binary: 'scraper' | 'querier' | 'ruler';
  readonly shard: number;
  readonly replica: number;
  /** Flags that do not depend on where it runs. */
  readonly flags: Readonly<Record<string, string | readonly string[]>>;
}

/** Where a workload can be reached. Stable over its restarts. */
export interface WorkloadAddress {
  readonly name: string;
  readonly url: string;
}

export interface Workloads {
  /** Makes these run, and no others. Resolves to their addresses; level-based, so calling it again changes nothing. */
  apply(specs: readonly WorkloadSpec[]): Promise<readonly WorkloadAddress[]>;
}

export function storeKindOf(binary: WorkloadSpec['binary']): StoreKind | undefined {
  return binary === 'querier' ? undefined : binary;
}
