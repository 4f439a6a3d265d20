// Slot tables: which shard owns which slot of the shard key space. All pure and deterministic.

import { TOPOLOGY_SLOTS } from '@flotilla/wire';

/** The table of a fleet's first epoch: slot mod shards, so that for a power of two it is plain hash modulo. */
export function firstTable(shards: number): number[] {
  return Array.from({ length: TOPOLOGY_SLOTS }, (_, slot) => slot % shards);
}

/**
 * The table for `shards` shards that moves the fewest slots from `table` and leaves every shard with floor or ceil of
 * slots/shards. Shards numbered `shards` and above lose all. The fullest shards keep the larger shares.
 */
export function planTable(table: readonly number[], shards: number): number[] {
  const owned = Array.from({ length: shards }, (): number[] => []);
  const homeless: number[] = [];
  table.forEach((shard, slot) => (owned[shard] ?? homeless).push(slot));
  const quotas = quotasFor(
    owned.map(({ length }) => length),
    table.length,
  );
  const next = [...table];
  owned.forEach((slots, shard) => homeless.push(...slots.slice(quotas[shard])));
  homeless.sort((a, b) => a - b);
  owned.forEach((slots, shard) => {
    for (let have = Math.min(slots.length, quotas[shard]!); have < quotas[shard]!; have++)
      next[homeless.shift()!] = shard;
  });
  return next;
}

/** floor(slots/shards) each, and one more for those that own the most. */
function quotasFor(counts: readonly number[], slots: number): number[] {
  const base = Math.floor(slots / counts.length);
  const quotas = counts.map(() => base);
  const fullestFirst = counts
    .map((count, shard) => ({ count, shard }))
    .toSorted((a, b) => b.count - a.count || a.shard - b.shard);
  for (const { shard } of fullestFirst.slice(0, slots % counts.length)) quotas[shard]!++;
  return quotas;
}

/** Slots whose owner differs. */
export function movedSlots(from: readonly number[], to: readonly number[]): number[] {
  return from.flatMap((shard, slot) => (shard === to[slot] ? [] : [slot]));
}

export function shardsOf(table: readonly number[]): number[] {
  return [...new Set(table)].toSorted((a, b) => a - b);
}
