// Gives every target of all pools its id and slot. Deterministic: equal pools give equal ids on any operator.

import { murmur3, slotOf } from '@flotilla/model';
import type { Target } from '@flotilla/wire';
import type { PoolTarget, ScrapePool } from '../discovery/findings.ts';
import { regionSlots } from '../topology/slot-table.ts';

export interface IdentifiedTarget {
  readonly target: Target;
  readonly source: PoolTarget;
}

/** Targets in the order of pools, `zones` those that have shards of their own. Ids are unique, never 0; equal ones of a job are one target. */
export function identifyTargets(pools: readonly ScrapePool[], zones: readonly string[]): IdentifiedTarget[] {
  const taken = new Map<number, string>();
  return pools.flatMap(({ job, targets }) =>
    targets.flatMap((source) => {
      const socket = source.unixSocket === undefined ? [] : [source.unixSocket];
      const identity = JSON.stringify([job.name, source.url, source.labels.flat, ...socket]);
      const id = freeId(identity, taken);
      return id === undefined ? [] : [{ target: toTarget(id, job.name, source, zones), source }];
    }),
  );
}

/** undefined when this very target has its id already. */
function freeId(identity: string, taken: Map<number, string>): number | undefined {
  for (let attempt = 0; ; attempt++) {
    const id = murmur3(attempt === 0 ? identity : `${identity}#${attempt}`);
    const holder = taken.get(id);
    if (holder === identity) return undefined;
    if (id === 0 || holder !== undefined) continue;
    taken.set(id, identity);
    return id;
  }
}

function toTarget(id: number, job: string, source: PoolTarget, zones: readonly string[]): Target {
  const { url, labels, intervalMs, timeoutMs, everyShard, unixSocket, histograms } = source;
  const slot = everyShard ? -1 : slotIn(source, zones);
  return {
    ...{ id, job, url, labels: [...labels], intervalMs, timeoutMs, slot },
    ...(unixSocket !== undefined && { unixSocket }),
    ...(histograms !== undefined && { histograms }),
  };
}

/** With zones, a slot of the region of the target's zone; a target of no zone that is known may have any slot. */
function slotIn({ key, zone }: PoolTarget, zones: readonly string[]): number {
  const index = zones.indexOf(zone);
  if (index < 0) return slotOf(key);
  const size = regionSlots(zones.length);
  return index * size + (murmur3(key) % size);
}
