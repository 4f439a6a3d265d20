// The workloads that a fleet needs, and the interface to whatever runs them: processes here, StatefulSets on Kubernetes.

import type { StoreKind } from '@flotilla/wire';
import type { FleetSpec } from '../discovery/fleet-spec.ts';
import type { Reader } from '../topology/readers.ts';

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

export interface Readiness {
  readonly ready: boolean;
  /** Why not, in words: `Unschedulable: 0/3 nodes are available`, `ImagePullBackOff`. */
  readonly reason: string;
}

export interface Workloads {
  /** Makes these run, and no others. Resolves to their addresses; level-based, so calling it again changes nothing. */
  apply(fleet: FleetSpec, specs: readonly WorkloadSpec[]): Promise<readonly WorkloadAddress[]>;
  /** Where these are or will be reached, without making them run; '' for what nobody knows yet. */
  addresses(fleet: FleetSpec, specs: readonly WorkloadSpec[]): readonly WorkloadAddress[];
  /** The queriers that run: they read the topology. On Kubernetes the ready pods, by their IP. */
  readers(): readonly Reader[];
  /** Has the readers look at the topology now: `version` names what they should find. */
  tellReaders(version: string): Promise<void>;
  /** By workload name; empty where nobody can tell. */
  readiness(): ReadonlyMap<string, Readiness>;
  stop(): Promise<void>;
}

export function storeKindOf(binary: WorkloadSpec['binary']): StoreKind | undefined {
  return binary === 'querier' ? undefined : binary;
}
