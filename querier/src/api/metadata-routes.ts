// /api/v1/series, labels, label/:name/values, metadata: what exists, over all shards.

import { ApiError, Router, sendData } from '@flotilla/chassis';
import type { Request, Response } from '@flotilla/chassis';
import { compareLabels, compareUtf8, isValidUtf8Name, Labels } from '@flotilla/model';
import type { Matcher } from '@flotilla/model';
import { STORE_PATHS, toMatcherMessage } from '@flotilla/wire';
import type { LabelsRequest, MetadataResponse, MetricMetadata } from '@flotilla/wire';
import { requestSignal } from './answer.ts';
import { Params } from './params.ts';
import { both } from './query-routes.ts';
import { RequestView } from './query-service.ts';
import type { QueryService } from './query-service.ts';

const truncatedWarning = 'results truncated due to limit';
/** Bytes of one /series answer that the querier takes from all stores. */
const seriesBytesMax = 512 << 20;

export function metadataRoutes(service: QueryService): Router {
  const router = Router();
  both(router, '/series', (request, response) => series(service, request, response));
  both(router, '/labels', (request, response) => labels(service, undefined, request, response));
  router.get('/label/:name/values', (request, response) => {
    const name = unescapeName(request.params['name']);
    if (!isValidUtf8Name(name)) throw new ApiError('bad_data', `invalid label name: ${JSON.stringify(name)}`);
    return labels(service, name, request, response);
  });
  router.get('/metadata', (request, response) => metadata(service, request, response));
  return router;
}

async function series(service: QueryService, request: Request, response: Response): Promise<void> {
  const params = new Params(request);
  const sets = params.matcherSets(true);
  if (sets.length === 0) throw new ApiError('bad_data', 'no match[] parameter provided');
  const limit = params.limit();
  const view = new RequestView(service, params, requestSignal(response, service.timeoutMs));
  const found = new Map<string, Labels>();
  const take = byteCounter(seriesBytesMax, 'series');
  for (const matchers of sets) {
    const answers = await view.fanOut.series(
      {
        ...params.range(),
        matchers: matchers.map(toMatcherMessage),
        skipChunks: true,
        limit: limit && limit + 1,
        targetIds: [],
      },
      take,
      false,
    );
    for (const { series: read } of answers) for (const { labels: one } of read) found.set(one.key, one);
  }
  const sorted = [...found.values()].toSorted(compareLabels).map((one) => one.toRecord());
  sendLimited(request, response, view, sorted, limit);
}

/** Label names, or the values of one label. */
async function labels(
  service: QueryService,
  name: string | undefined,
  request: Request,
  response: Response,
): Promise<void> {
  const params = new Params(request);
  const sets = params.matcherSets();
  const limit = params.limit();
  const view = new RequestView(service, params, requestSignal(response, service.timeoutMs));
  const values = new Set<string>();
  for (const matchers of sets.length === 0 ? [[]] : sets) {
    const answers = await view.fanOut.labels(labelsRequest(name, matchers, params, limit));
    for (const answer of answers) for (const value of answer.values) values.add(value);
  }
  sendLimited(request, response, view, [...values].toSorted(compareUtf8), limit);
}

function labelsRequest(
  name: string | undefined,
  matchers: readonly Matcher[],
  params: Params,
  limit: number,
): LabelsRequest {
  const common = { ...params.range(), matchers: matchers.map(toMatcherMessage), limit: limit && limit + 1 };
  return name === undefined ? common : { name, ...common };
}

function sendLimited(
  request: Request,
  response: Response,
  view: RequestView,
  items: readonly unknown[],
  limit: number,
): void {
  const { warnings, infos } = view.notes(response);
  const cut = limit > 0 && items.length > limit;
  sendData(request, response, cut ? items.slice(0, limit) : items, {
    warnings: cut ? [...warnings, truncatedWarning] : warnings,
    infos,
  });
}

async function metadata(service: QueryService, request: Request, response: Response): Promise<void> {
  const params = new Params(request);
  const [limit, perMetric] = [params.limit(), params.limit('limit_per_metric')];
  const query = new URLSearchParams({ metric: params.get('metric'), limit: `${limit}` });
  const view = new RequestView(service, params, requestSignal(response, service.timeoutMs));
  const answers = await view.fanOut.now<MetadataResponse>(`${STORE_PATHS.metadata}?${query}`);
  const merged = new Map<string, MetricMetadata[]>();
  for (const answer of answers) {
    for (const [metric, entries] of Object.entries(answer.metadata))
      merged.set(metric, mergeEntries(merged.get(metric), entries));
  }
  const shown = [...merged]
    .slice(0, limit || undefined)
    .map(([metric, entries]) => [metric, entries.slice(0, perMetric || undefined)]);
  const { warnings, infos } = view.notes(response);
  sendData(request, response, Object.fromEntries(shown), { warnings, infos });
}

function mergeEntries(
  known: readonly MetricMetadata[] = [],
  more: readonly MetricMetadata[],
): MetricMetadata[] {
  const fresh = more.filter(
    (entry) =>
      !known.some(
        ({ type, help, unit }) => type === entry.type && help === entry.help && unit === entry.unit,
      ),
  );
  return [...known, ...fresh];
}

/** Prometheus's `U__` escaping of names in paths: `__` is `_`, `_HEX_` a code point. */
export function unescapeName(name: string): string {
  if (!name.startsWith('U__')) return name;
  return name.slice(3).replaceAll(/__|_([0-9a-fA-F]{1,6})_/g, (whole, hex: string | undefined) => {
    if (hex === undefined) return '_';
    const point = Number.parseInt(hex, 16);
    return point > 0x10ffff ? whole : String.fromCodePoint(point);
  });
}

function byteCounter(bytesMax: number, what: string): (bytes: number) => void {
  let total = 0;
  return (bytes) => {
    total += bytes;
    if (total > bytesMax)
      throw new ApiError(
        'execution',
        `${what}: more than ${bytesMax} bytes from stores, want a narrower selector`,
      );
  };
}
