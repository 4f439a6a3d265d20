// /api/v1/status/tsdb and topology, fleet and explain: what the system says of itself.

import { errorText, Router, sendData } from '@flotilla/chassis';
import type { InternalClient } from '@flotilla/chassis';
import { STORE_PATHS } from '@flotilla/wire';
import type { StoreStatus, Topology, TopologyStatus } from '@flotilla/wire';
import { askEveryStore } from './fleet-view.ts';
import { mergedCardinality } from './merged-cardinality.ts';
import { askOperator } from './operator-view.ts';
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
    const { data, warnings } = await mergedCardinality(service, limit);
    sendData(request, response, data, { warnings });
  });
  router.get('/fleet', async (request, response) =>
    sendData(request, response, await fleet(service, options.operator)),
  );
  router.get('/explain', async (request, response) => {
    const query = new URLSearchParams({ q: new Params(request).get('q') });
    sendData(
      request,
      response,
      await askOperator(service.topology.current(), options.operator, `/api/v1/explain?${query}`),
    );
  });
  return router;
}

/** The last epoch that was read: the operator lets no owner leave a slot while a querier still asks it. */
function topologyStatus({ fleet: name, epochs }: Topology): TopologyStatus {
  const { id, sinceMs, shards } = epochs.at(-1)!;
  return { fleet: name, epoch: id, sinceMs, shards };
}

/** Topology from the file, the operator's status if it can be reached, and every store's. */
async function fleet(service: QueryService, client: InternalClient) {
  const topology = service.topology.current();
  const [operator, stores] = await Promise.all([
    askOperator(topology, client, '/api/v1/status').then(
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
