// /api/v1/status/tsdb and topology, fleet and explain: what the system says of itself.

import { errorText, Router, sendData } from '@flotilla/chassis';
import type { InternalClient } from '@flotilla/chassis';
import { Unavailable } from '@flotilla/model';
import { STORE_PATHS } from '@flotilla/wire';
import type { NameValue, StoreStatus, Topology, TopologyStatus } from '@flotilla/wire';
import { askEveryStore } from './fleet-view.ts';
import { Params } from './params.ts';
import type { QueryService } from './query-service.ts';

export interface StatusOptions {
  /** To call the operator with. */
  readonly operator: InternalClient;
}

const listLimitDefault = 10;
const listLimitMax = 10_000;

export function statusRoutes(service: QueryService, options: StatusOptions): Router {
  const router = Router();
  router.get('/status/topology', (request, response) =>
    sendData(request, response, topologyStatus(service.topology.current())),
  );
  router.get('/status/tsdb', async (request, response) => {
    const limit = Math.min(new Params(request).limit() || listLimitDefault, listLimitMax);
    const { data, warnings } = await tsdbStatus(service, limit);
    sendData(request, response, data, { warnings });
  });
  router.get('/fleet', async (request, response) =>
    sendData(request, response, await fleet(service, options.operator)),
  );
  router.get('/explain', async (request, response) => {
    const query = new URLSearchParams({ q: new Params(request).get('q') });
    sendData(request, response, await askOperator(service, options.operator, `/api/v1/explain?${query}`));
  });
  return router;
}

/** The last epoch that was read: the operator lets no owner leave a slot while a querier still asks it. */
function topologyStatus({ fleet: name, epochs }: Topology): TopologyStatus {
  const { id, sinceMs, shards } = epochs.at(-1)!;
  return { fleet: name, epoch: id, sinceMs, shards };
}

/** Sums over shards of what one replica of each says; series of replicas are the same series. */
async function tsdbStatus({ topology, client }: QueryService, limit: number) {
  const reports = await askEveryStore<StoreStatus>(
    topology.current(),
    client,
    'scraper',
    `${STORE_PATHS.status}?limit=${limit}`,
  );
  const warnings = reports.flatMap(({ store, error }) =>
    error === undefined ? [] : [`${store.name}: ${error}`],
  );
  const perShard = new Map<number, StoreStatus>();
  for (const { store, value } of reports) {
    const known = perShard.get(store.shard);
    if (value !== undefined && (known === undefined || value.headStats.numSeries > known.headStats.numSeries))
      perShard.set(store.shard, value);
  }
  const statuses = [...perShard.values()];
  const heads = statuses.map(({ headStats }) => headStats);
  const sum = (field: 'numSeries' | 'numLabelPairs' | 'chunkCount'): number =>
    heads.reduce((total, head) => total + head[field], 0);
  const data = {
    headStats: {
      numSeries: sum('numSeries'),
      numLabelPairs: sum('numLabelPairs'),
      chunkCount: sum('chunkCount'),
      minTime: Math.min(...heads.map(({ minTimeMs }) => minTimeMs)),
      maxTime: Math.max(...heads.map(({ maxTimeMs }) => maxTimeMs)),
    },
    seriesCountByMetricName: addUp(
      statuses.map((status) => status.seriesCountByMetricName),
      limit,
    ),
    labelValueCountByLabelName: addUp(
      statuses.map((status) => status.labelValueCountByLabelName),
      limit,
    ),
    memoryInBytesByLabelName: addUp(
      statuses.map((status) => status.memoryInBytesByLabelName),
      limit,
    ),
    seriesCountByLabelValuePair: addUp(
      statuses.map((status) => status.seriesCountByLabelValuePair),
      limit,
    ),
  };
  return { data, warnings };
}

function addUp(lists: readonly (readonly NameValue[])[], limit: number): NameValue[] {
  const totals = new Map<string, number>();
  for (const { name, value } of lists.flat()) totals.set(name, (totals.get(name) ?? 0) + value);
  return [...totals]
    .map(([name, value]) => ({ name, value }))
    .toSorted((a, b) => b.value - a.value)
    .slice(0, limit);
}

/** Topology from the file, the operator's status if it can be reached, and every store's. */
async function fleet(service: QueryService, client: InternalClient) {
  const topology = service.topology.current();
  const [operator, stores] = await Promise.all([
    askOperator(service, client, '/api/v1/status').then(
      (value) => ({ operator: value }),
      (error: unknown) => ({ operatorError: errorText(error) }),
    ),
    askEveryStore<StoreStatus>(topology, service.client, undefined, STORE_PATHS.status),
  ]);
  return {
    topology,
    ...operator,
    stores: stores.map(({ store, value, error }) => ({ store, status: value, error })),
  };
}

async function askOperator(
  { topology }: QueryService,
  client: InternalClient,
  path: string,
): Promise<unknown> {
  const { operatorUrl } = topology.current();
  if (operatorUrl === '') throw new Unavailable('operator: its address is not in the topology');
  const answer = await client.getJson(operatorUrl + path, { timeoutMs: 5000 });
  const envelope = answer as { status?: unknown; data?: unknown };
  return envelope.status === 'success' ? envelope.data : answer;
}
