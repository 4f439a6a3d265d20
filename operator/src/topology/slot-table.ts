// Slot tables: which shard owns which slot of the shard key space. All pure and deterministic.

import { TOPOLOGY_SLOTS } from '@flotilla/wire';

/**
 * The table of a fleet's first epoch: slot mod shards, so that for a power of two it is plain hash modulo.
 *
 * With zones, the slots are cut into one region a zone, and shard N, of zone N mod zones, has slots of its own region only. A zone
 * that has no shard is served by all.
 */
export function firstTable(shards: number, zones = 1): number[] {
  const table = Array.from({ length: TOPOLOGY_SLOTS }, () => 0);
  for (const { slots, owners } of regions(shards, zones))
    slots.forEach((slot, index) => (table[slot] = owners[index % owners.length]!));
  return table;
}

/**
 * The table for `shards` shards that moves the fewest slots from `table` and leaves every shard with floor or ceil of its region's
 * slots/shards. Shards numbered `shards` and above lose all. The fullest shards keep the larger shares.
 */
export function planTable(table: readonly number[], shards: number, zones = 1): number[] {
  const next = [...table];
  for (const { slots, owners } of regions(shards, zones)) planRegion(table, next, slots, owners);
  return next;
}

interface Region {
  readonly slots: readonly number[];
  /** Shards that may own them. */
  readonly owners: readonly number[];
}

/** Number of slots that the region of a zone has; the last one has the rest too. */
export function regionSlots(zones: number): number {
  return Math.floor(TOPOLOGY_SLOTS / zones);
}

function regions(shards: number, zones: number): Region[] {
  const all = range(0, shards);
  return range(0, zones).map((zone) => {
    const size = regionSlots(zones);
    const end = zone === zones - 1 ? TOPOLOGY_SLOTS : (zone + 1) * size;
    const own = all.filter((shard) => shard % zones === zone);
    return { slots: range(zone * size, end), owners: own.length === 0 ? all : own };
  });
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}

function planRegion(
  table: readonly number[],
  next: number[],
  slots: readonly number[],
  owners: readonly number[],
): void {
  const owned = new Map<number, number[]>(owners.map((shard) => [shard, []]));
  const homeless: number[] = [];
  for (const slot of slots) (owned.get(table[slot]!) ?? homeless).push(slot);
  const quotas = quotasFor(
    owners.map((shard) => owned.get(shard)!.length),
    slots.length,
  );
  owners.forEach((shard, index) => homeless.push(...owned.get(shard)!.slice(quotas[index])));
  homeless.sort((a, b) => a - b);
  owners.forEach((shard, index) => {
    const kept = Math.min(owned.get(shard)!.length, quotas[index]!);
    for (let have = kept; have < quotas[index]!; have++) next[homeless.shift()!] = shard;
  });
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
