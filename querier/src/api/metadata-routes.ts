// /api/v1/series, labels, label/:name/values, metadata: what exists, over all shards.

import { ApiError, Router, sendData } from '@flotilla/chassis';
import type { Request, Response } from '@flotilla/chassis';
import { isValidUtf8Name } from '@flotilla/model';
import { STORE_PATHS } from '@flotilla/wire';
import type { MetadataResponse, MetricMetadata } from '@flotilla/wire';
import type { LabelsJob, SeriesJob } from '../evaluation/jobs.ts';
import { acceptsGzip, answerUngated, requestSignal } from './answer.ts';
import { Params } from './params.ts';
import { both } from './query-routes.ts';
import { RequestView } from './request-view.ts';
import type { QueryService } from './query-service.ts';

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
  if (params.all('match').length === 0) throw new ApiError('bad_data', 'no match[] parameter provided');
  await list(service, request, response, { kind: 'series' }, params);
}

/** Label names, or the values of one label. */
async function labels(
  service: QueryService,
  name: string | undefined,
  request: Request,
  response: Response,
): Promise<void> {
  await list(service, request, response, { kind: 'labels', name }, new Params(request));
}

async function list(
  service: QueryService,
  request: Request,
  response: Response,
  what: Pick<SeriesJob, 'kind'> | Pick<LabelsJob, 'kind' | 'name'>,
  params: Params,
): Promise<void> {
  const limit = params.limit();
  const { minTimeMs, maxTimeMs } = params.range();
  const job = { limit, minTimeMs, maxTimeMs, selectors: params.all('match'), gzip: acceptsGzip(request) };
  const allowPartial = params.boolean('partial_response', true);
  response.vary('Accept-Encoding');
  await answerUngated(service, response, { ...what, ...job, allowPartial });
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
