// GET /api/v1/status and /api/v1/explain, for the querier, the page and the command line.

import { Router, sendData } from '@flotilla/chassis';
import type { RequestHandler } from '@flotilla/chassis';
import { BadRequest, Labels } from '@flotilla/model';
import type { Discovery } from '../discovery/discovery.ts';
import type { ExplainedTarget } from '../discovery/findings.ts';
import type { Operator } from '../operator.ts';

const queryLengthMax = 2048;

export function statusRoutes(operator: Operator, discovery: Discovery, authenticate: RequestHandler): Router {
  const router = Router();
  router.use(authenticate);
  router.get('/status', (request, response) => sendData(request, response, operator.status()));
  router.get('/explain', (request, response) => {
    const { q = '' } = request.query as Readonly<Record<string, string>>;
    const query = q.trim();
    if (query === '' || query.length > queryLengthMax)
      throw new BadRequest('explain: want q=<address, URL, instance, Service or Pod name>');
    const { targets, nearMisses } = discovery.explain(query);
    sendData(request, response, {
      matches: targets.map((target) => explainMatch(operator, target)),
      nearMisses,
    });
  });
  router.get('/targets/discovered', (request, response) => {
    const { scrapePool = '', active, dropped } = request.query as Readonly<Record<string, string>>;
    const query = { scrapePool, active: active === 'true', dropped: dropped === 'true' };
    sendData(request, response, discovery.discovered(query));
  });
  router.get('/targets/relabel_steps', (request, response) => {
    const { scrapePool = '', labels = '' } = request.query as Readonly<Record<string, string>>;
    const steps = discovery.relabelSteps(scrapePool, labelsOf(labels));
    sendData(request, response, steps === undefined ? null : { steps });
  });
  router.get('/scrape_pools/config', (request, response) => {
    const { scrapePool = '' } = request.query as Readonly<Record<string, string>>;
    const yaml = discovery.scrapeConfig(scrapePool);
    sendData(request, response, yaml === undefined ? null : { yaml });
  });
  router.get('/scrape_pools', (request, response) =>
    sendData(request, response, scrapePools(operator, discovery)),
  );
  return router;
}

function labelsOf(text: string): Labels {
  try {
    const record = JSON.parse(text) as Readonly<Record<string, unknown>>;
    return Labels.fromPairs(Object.entries(record).map(([name, value]) => [name, String(value)]));
  } catch (cause) {
    throw new BadRequest('labels: want a JSON object of label names and values', { cause });
  }
}

/** Every job with its targets and their owners, for tests and for those who want all of it. */
function scrapePools(operator: Operator, discovery: Discovery): object {
  const pools = discovery.pools().map(({ job, monitor, targets, droppedCount }) => ({
    job,
    monitor,
    droppedCount,
    targets: targets.map(({ url, labels, intervalMs, timeoutMs, key }) => {
      const place = operator.placeOf(url, labels.key);
      return {
        url,
        labels: labels.toRecord(),
        intervalMs,
        timeoutMs,
        key,
        slot: place?.target.slot ?? -1,
        shards: place?.shards ?? [],
      };
    }),
  }));
  const problems = discovery.problems();
  return {
    pools,
    refused: problems.filter(({ isOfTargets }) => !isOfTargets),
    broken: problems.filter(({ isOfTargets }) => isOfTargets),
  };
}

function explainMatch(operator: Operator, { target, ...explained }: ExplainedTarget): object {
  if (target === undefined) return explained;
  const place = operator.placeOf(target.url, target.labels.key);
  const view = {
    labels: target.labels.toRecord(),
    url: target.url,
    key: target.key,
    id: place?.target.id ?? 0,
  };
  const [shard = -1] = place?.shards ?? [];
  const replicas = (place?.shards ?? []).flatMap((owner) =>
    replicaReports(operator, owner, place!.target.id),
  );
  return { ...explained, target: { ...view, slot: place?.target.slot ?? -1, shard }, replicas };
}

function replicaReports(operator: Operator, shard: number, targetId: number): object[] {
  return Array.from({ length: operator.replicas }, (_, replica) => {
    const health = operator.heartbeats.get(shard, replica)?.health.get(targetId);
    return {
      store: `scraper-${operator.fleetName}-${shard}-${replica}`,
      health: health === undefined || health.lastScrapeMs === 0 ? 'unknown' : health.up ? 'up' : 'down',
      lastScrapeMs: health?.lastScrapeMs ?? 0,
      lastError: health?.error ?? '',
    };
  });
}
