// Gives every target of all pools its id and slot. Deterministic: equal pools give equal ids on any operator.

import { murmur3, slotOf } from '@flotilla/model';
import type { Target } from '@flotilla/wire';
import type { PoolTarget, ScrapePool } from '../discovery/discovery.ts';

export interface IdentifiedTarget {
  readonly target: Target;
  readonly source: PoolTarget;
}

/** Targets in the order of pools. Ids are unique, never 0; equal ones of a job are one target. */
export function identifyTargets(pools: readonly ScrapePool[]): IdentifiedTarget[] {
  const taken = new Map<number, string>();
  return pools.flatMap(({ job, targets }) =>
    targets.flatMap((source) => {
      const identity = JSON.stringify([job.name, source.url, source.labels.flat]);
      const id = freeId(identity, taken);
      return id === undefined ? [] : [{ target: toTarget(id, job.name, source), source }];
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

function toTarget(
  id: number,
  job: string,
  { url, labels, intervalMs, timeoutMs, key, everyShard }: PoolTarget,
): Target {
  return { id, job, url, labels: [...labels], intervalMs, timeoutMs, slot: everyShard ? -1 : slotOf(key) };
}
