// /api/v1/targets with metadata and relabel_steps, and scrape_pools: scrapers say how targets fare, the operator how they came to be.

import { ApiError, errorText, Router, sendData } from '@flotilla/chassis';
import type { InternalClient, Request, Response } from '@flotilla/chassis';
import { compareUtf8, goQuote } from '@flotilla/model';
import { parseSelector } from '@flotilla/promql';
import { OPERATOR_PATHS, STORE_PATHS, toMatcherMessage } from '@flotilla/wire';
import type {
  DiscoveredResponse,
  RelabelStepsResponse,
  ScrapeConfigResponse,
  TargetMetadataResponse,
  TargetsResponse,
} from '@flotilla/wire';
import { requestSignal } from './answer.ts';
import { askEveryStore } from './fleet-view.ts';
import { mergeTargets } from './merged-targets.ts';
import { askOperator } from './operator-view.ts';
import { invalid } from '../evaluation/query-texts.ts';
import { Params } from './params.ts';
import { RequestView } from './request-view.ts';
import type { QueryService } from './query-service.ts';

export function targetsRoutes(service: QueryService, operator: InternalClient): Router {
  const router = Router();
  router.get('/targets', (request, response) => targets(service, operator, request, response));
  router.get('/targets/metadata', (request, response) => targetMetadata(service, request, response));
  router.get('/targets/relabel_steps', async (request, response) => {
    sendData(request, response, await relabelSteps(service, operator, new Params(request)));
  });
  router.get('/scrape_pools', async (request, response) => {
    const [{ reports, warnings }, asked] = await Promise.all([
      askScrapers(service),
      askDiscovered(service, operator, {}, 'jobs without targets are not listed'),
    ]);
    const used = reports.flatMap(({ value }) => value?.targets ?? []).map(({ job }) => job);
    const pools = new Set([...used, ...(asked.value?.scrapePools ?? [])]);
    const scrapePools = [...pools].toSorted(compareUtf8);
    sendData(request, response, { scrapePools }, { warnings: [...warnings, ...asked.warnings] });
  });
  router.get('/scrape_pools/config', async (request, response) => {
    sendData(request, response, await scrapeConfig(service, operator, new Params(request)));
  });
  return router;
}

/** As Prometheus's, with owner shard, slot and replicas. `discovered=false` leaves the operator alone. */
async function targets(
  service: QueryService,
  operator: InternalClient,
  request: Request,
  response: Response,
): Promise<void> {
  const params = new Params(request);
  const [state, scrapePool] = [params.get('state').toLowerCase(), params.get('scrapePool')];
  const active = ['', 'any', 'active'].includes(state);
  const dropped = ['', 'any', 'dropped'].includes(state);
  const isAsked = params.boolean('discovered', true) && (active || dropped);
  const [scrapers, asked] = await Promise.all([
    active ? askScrapers(service) : { reports: [], warnings: [] },
    isAsked
      ? askDiscovered(
          service,
          operator,
          { scrapePool, active: `${active}`, dropped: `${dropped}` },
          'discovered labels and dropped targets are not shown',
        )
      : { value: undefined, warnings: [] },
  ]);
  const discovered = asked.value;
  const warnings = [...scrapers.warnings, ...asked.warnings];
  if (discovered?.isCut)
    warnings.push('operator: too many targets to show all as discovered, want a scrapePool');
  const data = {
    activeTargets: mergeTargets(scrapers.reports, discovered?.active ?? []).filter(
      ({ scrapePool: pool }) => scrapePool === '' || pool === scrapePool,
    ),
    droppedTargets: discovered?.dropped ?? [],
    droppedTargetCounts: dropped ? (discovered?.droppedCounts ?? {}) : null,
  };
  sendData(request, response, data, { warnings });
}

async function askScrapers({ topology, client }: QueryService) {
  const reports = await askEveryStore<TargetsResponse>(
    topology.current(),
    client,
    'scraper',
    STORE_PATHS.targets,
  );
  const warnings = reports.flatMap(({ store, error }) =>
    error === undefined ? [] : [`${store.name}: ${error}`],
  );
  return { reports, warnings };
}

/** Without the operator, a warning says what is not known. */
async function askDiscovered(
  { topology }: QueryService,
  operator: InternalClient,
  params: Readonly<Record<string, string>>,
  unknown: string,
): Promise<{ readonly value: DiscoveredResponse | undefined; readonly warnings: readonly string[] }> {
  const path = `${OPERATOR_PATHS.discovered}?${new URLSearchParams(params)}`;
  try {
    const value = await askOperator<DiscoveredResponse>(topology.current(), operator, path);
    return { value, warnings: [] };
  } catch (error) {
    return { value: undefined, warnings: [`operator: ${errorText(error)}: ${unknown}`] };
  }
}

function poolOf(params: Params): string {
  const scrapePool = params.get('scrapePool');
  if (scrapePool === '') throw new ApiError('bad_data', 'no scrapePool parameter provided');
  return scrapePool;
}

async function scrapeConfig(
  { topology }: QueryService,
  operator: InternalClient,
  params: Params,
): Promise<ScrapeConfigResponse> {
  const scrapePool = poolOf(params);
  const path = `${OPERATOR_PATHS.scrapeConfig}?${new URLSearchParams({ scrapePool })}`;
  const config = await askOperator<ScrapeConfigResponse>(topology.current(), operator, path);
  if (config === null) throw unknownPool(scrapePool);
  return config;
}

function unknownPool(scrapePool: string): ApiError {
  return new ApiError(
    'bad_data',
    `error retrieving scrape config: scrape pool ${goQuote(scrapePool)} not found`,
  );
}

async function relabelSteps(
  { topology }: QueryService,
  operator: InternalClient,
  params: Params,
): Promise<RelabelStepsResponse> {
  const [scrapePool, labels] = [poolOf(params), params.get('labels')];
  if (labels === '') throw new ApiError('bad_data', 'no labels parameter provided');
  checkLabels(labels);
  const path = `${OPERATOR_PATHS.relabelSteps}?${new URLSearchParams({ scrapePool, labels })}`;
  const steps = await askOperator<RelabelStepsResponse>(topology.current(), operator, path);
  if (steps === null) throw unknownPool(scrapePool);
  return steps;
}

function checkLabels(text: string): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ApiError('bad_data', `error parsing labels: ${(cause as Error).message}`, 400, { cause });
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject || Object.values(value as object).some((one) => typeof one !== 'string'))
    throw new ApiError('bad_data', 'error parsing labels: want an object of strings');
}

/** Per target what it says of its metrics. From `limit` entries on no more targets are looked at, as in Prometheus. */
async function targetMetadata(service: QueryService, request: Request, response: Response): Promise<void> {
  const params = new Params(request);
  const [metric, limit] = [params.get('metric'), metadataLimit(params.get('limit'))];
  const matchers = targetMatchers(params.get('match_target')).map(toMatcherMessage);
  const view = new RequestView(service, params, requestSignal(response, service.timeoutMs));
  const asked = { metric, matchers, limit: Math.max(limit, 0) };
  const answers =
    limit === 0 ? [] : await view.fanOut.post<TargetMetadataResponse>(STORE_PATHS.targetMetadata, asked);
  if (answers.some(({ isCut }) => isCut)) view.cut('metadata of targets: want a metric or a match_target');
  const all = new Map(
    answers.flatMap((answer) => answer.targets).map((one) => [JSON.stringify(one.target), one]),
  );
  const data: object[] = [];
  for (const { target, metadata } of all.values()) {
    if (limit >= 0 && data.length >= limit) break;
    for (const { metric: name, type, help, unit } of metadata)
      data.push(metric === '' ? { target, metric: name, type, help, unit } : { target, type, help, unit });
  }
  const { warnings, infos } = view.notes(response);
  sendData(request, response, data, { warnings, infos });
}

function metadataLimit(text: string): number {
  if (text === '') return -1;
  if (/^[+-]?\d+$/.test(text)) return Number(text);
  throw new ApiError('bad_data', 'limit must be a number');
}

function targetMatchers(text: string) {
  if (text === '') return [];
  try {
    return parseSelector(text);
  } catch (cause) {
    throw invalid('match_target', (cause as Error).message, cause);
  }
}
