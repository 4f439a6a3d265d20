// /api/v1/targets and scrape_pools: each target once, with its owner shard and how both replicas fare with it.

import { ApiError, Router, sendData } from '@flotilla/chassis';
import { compareUtf8, formatDuration, goQuote } from '@flotilla/model';
import { STORE_PATHS } from '@flotilla/wire';
import type { TargetStatus, TargetsResponse } from '@flotilla/wire';
import { askEveryStore } from './fleet-view.ts';
import type { StoreReport } from './fleet-view.ts';
import { Params } from './params.ts';
import type { QueryService } from './query-service.ts';

export function targetsRoutes(service: QueryService): Router {
  const router = Router();
  router.get('/targets', async (request, response) => {
    const params = new Params(request);
    const { state, scrapePool } = { state: params.get('state'), scrapePool: params.get('scrapePool') };
    const { targets, warnings } = await currentTargets(service);
    const wanted = targets.filter(({ scrapePool: pool }) => scrapePool === '' || pool === scrapePool);
    const activeTargets = state === 'dropped' ? [] : wanted;
    sendData(request, response, { activeTargets, droppedTargets: [], droppedTargetCounts: {} }, { warnings });
  });
  router.get('/scrape_pools', async (request, response) => {
    const { targets, warnings } = await currentTargets(service);
    const scrapePools = [...new Set(targets.map(({ scrapePool }) => scrapePool))].toSorted(compareUtf8);
    sendData(request, response, { scrapePools }, { warnings });
  });
  router.get('/scrape_pools/config', async (request) => refusePool(service, poolOf(new Params(request))));
  router.get('/targets/relabel_steps', async (request) => {
    const params = new Params(request);
    const scrapePool = poolOf(params);
    checkLabels(params.get('labels'));
    await refusePool(service, scrapePool);
  });
  return router;
}

function poolOf(params: Params): string {
  const scrapePool = params.get('scrapePool');
  if (scrapePool === '') throw new ApiError('bad_data', 'no scrapePool parameter provided');
  return scrapePool;
}

/** Throws unless the text is a JSON object of strings. */
function checkLabels(text: string): void {
  if (text === '') throw new ApiError('bad_data', 'no labels parameter provided');
  try {
    const labels = Object.values(JSON.parse(text) as object);
    if (labels.every((value) => typeof value === 'string')) return;
  } catch (cause) {
    throw new ApiError('bad_data', `error parsing labels: ${(cause as Error).message}`, undefined, { cause });
  }
  throw new ApiError('bad_data', 'error parsing labels: want an object of strings');
}

/** Only the operator knows how a pool is configured; it explains each target. */
async function refusePool(service: QueryService, scrapePool: string): Promise<never> {
  const { targets } = await currentTargets(service);
  const where = `error retrieving scrape config: scrape pool ${goQuote(scrapePool)}`;
  if (!targets.some((target) => target.scrapePool === scrapePool))
    throw new ApiError('bad_data', `${where} not found`);
  throw new ApiError('not_found', `${where} is known to the operator alone, see /api/v1/explain?q=<target>`);
}

async function currentTargets({ topology, client }: QueryService) {
  const reports = await askEveryStore<TargetsResponse>(
    topology.current(),
    client,
    'scraper',
    STORE_PATHS.targets,
  );
  const warnings = reports.flatMap(({ store, error }) =>
    error === undefined ? [] : [`${store.name}: ${error}`],
  );
  return { targets: mergeTargets(reports), warnings };
}

/**
 * Joins the replicas of each target. While a target is handed over, two shards scrape it: the one whose shard comes first in
 * the reports is the owner, the other's replicas are listed with it.
 */
export function mergeTargets(reports: readonly StoreReport<TargetsResponse>[]) {
  const byKey = new Map<string, TargetStatus[]>();
  for (const { value } of reports) {
    for (const target of value?.targets ?? []) {
      const key = `${target.id} ${target.shard}`;
      const known = byKey.get(key);
      if (known === undefined) byKey.set(key, [target]);
      else known.push(target);
    }
  }
  return [...byKey.values()]
    .map(mergeReplicas)
    .toSorted(
      (a, b) =>
        compareUtf8(a.scrapePool, b.scrapePool) || compareUtf8(a.scrapeUrl, b.scrapeUrl) || a.shard - b.shard,
    );
}

function mergeReplicas(replicas: readonly TargetStatus[]) {
  const best = replicas.find(({ health }) => health === 'up') ?? replicas[0]!;
  // By text: a target's URL need not be one that can be parsed.
  const [, scheme = '', address = '', path = ''] = /^([^:]*):\/\/([^/?]*)([^?]*)/.exec(best.url) ?? [];
  return {
    discoveredLabels: {
      __address__: address,
      __metrics_path__: path,
      __scheme__: scheme,
      __scrape_interval__: formatDuration(best.intervalMs),
      __scrape_timeout__: formatDuration(best.timeoutMs),
      job: best.job,
    },
    labels: best.labels,
    scrapePool: best.job,
    scrapeUrl: best.url,
    globalUrl: best.url,
    lastError: best.lastError,
    lastScrape: timeText(best.lastScrapeMs),
    lastScrapeDuration: best.lastScrapeDurationMs / 1000,
    health: best.health,
    scrapeInterval: formatDuration(best.intervalMs),
    scrapeTimeout: formatDuration(best.timeoutMs),
    shard: best.shard,
    slot: best.slot,
    replicas: replicas.map(replicaView),
  };
}

function replicaView({ replica, health, lastError, lastScrapeMs, lastScrapeDurationMs }: TargetStatus) {
  return {
    replica,
    health,
    lastError,
    lastScrape: timeText(lastScrapeMs),
    lastScrapeDuration: lastScrapeDurationMs / 1000,
  };
}

/** Go's zero time for a target that was not scraped yet. */
function timeText(timeMs: number): string {
  return timeMs === 0 ? '0001-01-01T00:00:00Z' : new Date(timeMs).toISOString();
}
