// /api/v1/status/tsdb: what the series in the heads of all shards are made of.

import { STORE_PATHS } from '@flotilla/wire';
import type { NameValue, StoreStatus } from '@flotilla/wire';
import { askEveryStore } from './fleet-view.ts';
import type { QueryService } from './query-service.ts';

/** Shards are asked for more than is shown: what is big in all may be first in none. */
const askedPerShown = 10;
const askedMax = 10_000;

/**
 * Sums over shards of what one replica of each says; series of replicas are the same series. Values of a label may be
 * the same in several shards: their number is at most the sum.
 */
export async function mergedCardinality({ topology, client }: QueryService, limit: number) {
  const asked = Math.min(askedPerShown * limit, askedMax);
  const path = `${STORE_PATHS.status}?limit=${asked}`;
  const reports = await askEveryStore<StoreStatus>(topology.current(), client, 'scraper', path);
  const warnings = reports.flatMap(({ store, error }) =>
    error === undefined ? [] : [`${store.name}: ${error}`],
  );
  const perShard = new Map<number, StoreStatus>();
  for (const { store, value } of reports) {
    const known = perShard.get(store.shard);
    if (value !== undefined && (known === undefined || value.headStats.numSeries > known.headStats.numSeries))
      perShard.set(store.shard, value);
  }
  return { data: addedUp([...perShard.values()], limit), warnings };
}

function addedUp(statuses: readonly StoreStatus[], limit: number) {
  const heads = statuses.map(({ headStats }) => headStats);
  const sum = (field: 'numSeries' | 'numLabelPairs' | 'chunkCount'): number =>
    heads.reduce((total, head) => total + head[field], 0);
  const top = (listOf: (status: StoreStatus) => readonly NameValue[]): NameValue[] =>
    biggest(statuses.flatMap(listOf), limit);
  return {
    headStats: {
      numSeries: sum('numSeries'),
      numLabelPairs: sum('numLabelPairs'),
      chunkCount: sum('chunkCount'),
      minTime: Math.min(...heads.map(({ minTimeMs }) => minTimeMs)),
      maxTime: Math.max(...heads.map(({ maxTimeMs }) => maxTimeMs)),
    },
    seriesCountByMetricName: top((status) => status.seriesCountByMetricName),
    labelValueCountByLabelName: top((status) => status.labelValueCountByLabelName),
    memoryInBytesByLabelName: top((status) => status.memoryInBytesByLabelName),
    seriesCountByLabelValuePair: top((status) => status.seriesCountByLabelValuePair),
    seriesCountByTarget: top((status) => status.seriesCountByTarget ?? []),
  };
}

function biggest(counts: readonly NameValue[], limit: number): NameValue[] {
  const totals = new Map<string, number>();
  for (const { name, value } of counts) totals.set(name, (totals.get(name) ?? 0) + value);
  return [...totals]
    .map(([name, value]) => ({ name, value }))
    .toSorted((a, b) => b.value - a.value)
    .slice(0, limit);
}
