// Topology: from and to its file, and the questions that readers ask of it. All pure. Format: docs/format/topology.md.

import { JsonField } from '@flotilla/model';
import { TOPOLOGY_SLOTS } from './topology.ts';
import type { Epoch, StoreAddress, StoreGroup, Topology } from './topology.ts';

const SHARD_MAX = 100_000;

/** Parses and checks topology.json; throws an Error that names the field. */
export function parseTopology(text: string): Topology {
  const file = new JsonField(JSON.parse(text));
  file.at('version').integer(1, 1);
  const epochs = file.at('epochs').items().map(epochOf);
  if (epochs.length === 0) file.at('epochs').fail('want at least one');
  return {
    version: 1,
    fleet: file.at('fleet').name(),
    replicas: file.at('replicas').integer(1),
    epochs: epochs.toSorted((a, b) => a.sinceMs - b.sinceMs || a.id - b.id),
    stores: file.at('stores').items().map(storeOf),
    operatorUrl: file.at('operatorUrl').text(),
  };
}

function epochOf(epoch: JsonField): Epoch {
  const table = epoch.at('table').items();
  if (table.length !== TOPOLOGY_SLOTS) epoch.at('table').fail(`want ${TOPOLOGY_SLOTS} shards`);
  return {
    id: epoch.at('id').integer(1),
    sinceMs: epoch.at('sinceMs').number(),
    shards: epoch.at('shards').integer(1),
    table: table.map((shard) => shard.integer(0, SHARD_MAX)),
  };
}

function storeOf(store: JsonField): StoreAddress {
  const url = store.at('url');
  if (!URL.canParse(url.text()) || !/^https?:/.test(url.text())) url.fail('want an http or https URL');
  return {
    name: store.at('name').name(),
    kind: store.at('kind').oneOf('scraper', 'ruler'),
    shard: store.at('shard').integer(0, SHARD_MAX),
    replica: store.at('replica').integer(0),
    url: url.text(),
  };
}

/** Equal topologies give equal text. */
export function serializeTopology(topology: Topology): string {
  return `${JSON.stringify(topology)}\n`;
}

/** The epoch in force at a time; before the first one, the first. */
export function epochAt({ epochs }: Topology, timeMs: number): Epoch {
  return epochs.findLast(({ sinceMs }) => sinceMs <= timeMs) ?? epochs[0]!;
}

export function shardOfSlot(topology: Topology, slot: number, timeMs: number): number {
  return epochAt(topology, timeMs).table[slot]!;
}

/** Numbers of the shards that should have data in [minTimeMs, maxTimeMs], ascending. */
export function shardsBetween({ epochs }: Topology, minTimeMs: number, maxTimeMs: number): number[] {
  const shards = new Set<number>();
  epochs.forEach(({ sinceMs, table }, index) => {
    const untilMs = epochs[index + 1]?.sinceMs ?? Infinity;
    const since = index === 0 ? -Infinity : sinceMs;
    if (since <= maxTimeMs && untilMs >= minTimeMs) for (const shard of table) shards.add(shard);
  });
  return [...shards].toSorted((a, b) => a - b);
}

/**
 * Who must be heard for [minTimeMs, maxTimeMs]: the shards that epochs name, with or without a known store, and the rulers
 * if there are any. The order is stable, replicas ascending.
 */
export function storeGroups(topology: Topology, minTimeMs: number, maxTimeMs: number): StoreGroup[] {
  const replicasOf = (stores: readonly StoreAddress[]): StoreAddress[] =>
    stores.toSorted((a, b) => a.replica - b.replica);
  const scrapers = topology.stores.filter(({ kind }) => kind === 'scraper');
  const groups: StoreGroup[] = shardsBetween(topology, minTimeMs, maxTimeMs).map((shard) => ({
    shard: `${shard}`,
    stores: replicasOf(scrapers.filter((store) => store.shard === shard)),
  }));
  const rulers = topology.stores.filter(({ kind }) => kind === 'ruler');
  return rulers.length === 0 ? groups : [...groups, { shard: 'ruler', stores: replicasOf(rulers) }];
}
