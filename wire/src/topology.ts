// The topology document: who should have which data, when. Written by the operator alone, atomically;
// read by queriers, rulers and the command line, which work on while no operator runs. Format: docs/format/topology.md.

/** Number of slots of the shard key space: `slot = murmur3_x86_32(utf8(key), 0) mod SLOTS`. */
export const TOPOLOGY_SLOTS = 1024;

/** A slot → shard table that holds from `sinceMs` until the next epoch's. */
export interface Epoch {
  readonly id: number;
  readonly sinceMs: number;
  readonly shards: number;
  /** TOPOLOGY_SLOTS shard numbers. */
  readonly table: readonly number[];
}

export type StoreKind = 'scraper' | 'ruler';

/** One replica that keeps data. `name` is stable over restarts; `url` is where it listens. */
export interface StoreAddress {
  readonly name: string;
  readonly kind: StoreKind;
  /** Shard number of a scraper, 0 for rulers. */
  readonly shard: number;
  readonly replica: number;
  readonly url: string;
}

/** What a querier says of the topology that it has read: GET /api/v1/status/topology. */
export interface TopologyStatus {
  readonly fleet: string;
  /** Id of the last epoch. */
  readonly epoch: number;
  readonly sinceMs: number;
  readonly shards: number;
}

export interface Topology {
  readonly version: 1;
  /** Name of the Fleet. */
  readonly fleet: string;
  /** Replicas of each shard. */
  readonly replicas: number;
  /** Ascending by `sinceMs`; the last one is in force. */
  readonly epochs: readonly Epoch[];
  /** Every store that may hold data, draining ones included. */
  readonly stores: readonly StoreAddress[];
  /** Where the operator serves explain and status; '' when unknown. */
  readonly operatorUrl: string;
}

/**
 * A group of stores that hold the same data: the replicas of a shard, or the rulers.
 * `shard` is how it is named in warnings, headers and metrics: `"0"`, `"1"`, … or `"ruler"`.
 */
export interface StoreGroup {
  readonly shard: string;
  readonly stores: readonly StoreAddress[];
}
