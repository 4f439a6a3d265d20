// Topology: from and to its file, and the questions that readers ask of it. All pure. Format: docs/format/topology.md.

import { z } from 'zod';
import { TOPOLOGY_SLOTS } from './topology.ts';
import type { Epoch, StoreAddress, StoreGroup, Topology } from './topology.ts';

const shardNumber = z.int().min(0).max(100_000);

const epochSchema = z.object({
  id: z.int().min(1),
  sinceMs: z.number(),
  shards: z.int().min(1),
  table: z.array(shardNumber).length(TOPOLOGY_SLOTS),
});

const storeSchema = z.object({
  name: z.string().min(1),
  kind: z.enum(['scraper', 'ruler']),
  shard: shardNumber,
  replica: z.int().min(0),
  url: z.url({ protocol: /^https?$/ }),
});

const topologySchema = z.object({
  version: z.literal(1),
  fleet: z.string().min(1),
  replicas: z.int().min(1),
  epochs: z.array(epochSchema).min(1),
  stores: z.array(storeSchema),
  operatorUrl: z.string(),
});

/** Parses and checks topology.json; throws an Error that names the field. */
export function parseTopology(text: string): Topology {
  const parsed = topologySchema.safeParse(JSON.parse(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Error(`${issue?.path.join('.') || 'document'}: ${issue?.message}`);
  }
  return {
    ...parsed.data,
    epochs: parsed.data.epochs.toSorted((a, b) => a.sinceMs - b.sinceMs || a.id - b.id),
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
