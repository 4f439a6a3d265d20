// The Store API over HTTP: what every scraper and ruler serves to the queriers. Contract: wire's store-api.ts.

import { jsonBody, limitInFlight, protobufBody, requireToken, Router } from '@flotilla/chassis';
import type { Logger, Registry, Request, RequestHandler, Response } from '@flotilla/chassis';
import { BadRequest, PatternError } from '@flotilla/model';
import type { Matcher } from '@flotilla/model';
import type { Tsdb } from '@flotilla/tsdb';
import { decodeSeriesRequest, fromMatcherMessage, STORE_PATHS } from '@flotilla/wire';
import type {
  LabelsRequest,
  LabelsResponse,
  MetadataResponse,
  NameValue,
  RulesResponse,
  StoreKind,
  StoreStatus,
  TargetMetadataRequest,
  TargetMetadataResponse,
  TargetStatus,
} from '@flotilla/wire';
import { exemplarsResponse } from './exemplars-response.ts';
import { sendSeries } from './series-response.ts';
import type { UptimeLog } from './uptime-log.ts';

export interface StoreRouterOptions {
  readonly tsdb: Tsdb;
  /** As in the topology: scraper-main-0-1. */
  readonly name: string;
  readonly kind: StoreKind;
  readonly uptime: UptimeLog;
  readonly targets?: () => readonly TargetStatus[];
  readonly metadata?: (metric: string, limit: number) => MetadataResponse;
  readonly targetMetadata?: (
    request: Omit<TargetMetadataRequest, 'matchers'> & { readonly matchers: readonly Matcher[] },
  ) => TargetMetadataResponse;
  readonly seriesByTarget?: (limit: number) => readonly NameValue[];
  readonly rules?: () => RulesResponse;
  readonly state: () => string;
  readonly version?: () => string;
  /** undefined: open, which --internal.insecure asks for. */
  readonly tokenFile: string | undefined;
  readonly log: Logger;
  readonly metrics: Registry;
}

const requestsMax = 20;
const bodyBytesMax = 8 << 20;
const matchersMax = 100;
const topListDefault = 10;
const topListMax = 10_000;

export function createStoreRouter(options: StoreRouterOptions): RequestHandler {
  const { tsdb, kind, uptime } = options;
  const router = Router();
  const startedMs = Date.now();
  const guard: RequestHandler[] = [
    requireToken(options.tokenFile),
    limitInFlight(requestsMax, 'store requests'),
  ];
  const gaps = (minTimeMs: number, maxTimeMs: number) => uptime.gaps(minTimeMs, maxTimeMs);
  router.post(STORE_PATHS.series, ...guard, protobufBody(bodyBytesMax), (request, response) =>
    badPatternIs400(() =>
      sendSeries({ tsdb, kind, gaps }, decodeSeriesRequest(request.body as Uint8Array), response),
    ),
  );
  router.post(STORE_PATHS.labels, ...guard, jsonBody(bodyBytesMax), (request, response) =>
    sendLabels(tsdb, request, response),
  );
  router.post(STORE_PATHS.values, ...guard, jsonBody(bodyBytesMax), (request, response) =>
    sendLabels(tsdb, request, response),
  );
  router.post(STORE_PATHS.exemplars, ...guard, jsonBody(bodyBytesMax), (request, response) =>
    badPatternIs400(async () => void response.json(await exemplarsResponse(tsdb, request.body))),
  );
  router.get(STORE_PATHS.metadata, ...guard, (request, response) => {
    const { metric = '', limit = '' } = request.query as Readonly<Record<string, string>>;
    response.json(options.metadata?.(metric, Number(limit)) ?? { metadata: {} });
  });
  router.get(STORE_PATHS.targets, ...guard, (_, response) => {
    response.json({ targets: options.targets?.() ?? [] });
  });
  router.post(STORE_PATHS.targetMetadata, ...guard, jsonBody(bodyBytesMax), (request, response) =>
    badPatternIs400(async () => {
      const {
        metric = '',
        matchers = [],
        limit = 0,
      } = (request.body ?? {}) as Partial<TargetMetadataRequest>;
      const query = { metric, limit, matchers: checkedMatchers(matchers).map(fromMatcherMessage) };
      response.json(options.targetMetadata?.(query) ?? { targets: [], isCut: false });
    }),
  );
  router.get(STORE_PATHS.rules, ...guard, (_, response) => {
    response.json(options.rules?.() ?? { replica: 0, groups: [] });
  });
  router.get(STORE_PATHS.status, ...guard, (request, response) => {
    const limit = Number((request.query as Readonly<Record<string, string>>)['limit'] ?? topListDefault);
    response.json(
      storeStatus(options, startedMs, Math.min(Math.max(0, limit) || topListDefault, topListMax)),
    );
  });
  return router;
}

async function sendLabels(tsdb: Tsdb, request: Request, response: Response): Promise<void> {
  const { name, matchers, minTimeMs, maxTimeMs, limit } = labelsRequest(request.body);
  await badPatternIs400(async () => {
    const parsed = matchers.map(fromMatcherMessage);
    const more = limit > 0 ? limit + 1 : 0;
    const values =
      name === undefined
        ? await tsdb.labelNames(parsed, minTimeMs, maxTimeMs, more)
        : await tsdb.labelValues(name, parsed, minTimeMs, maxTimeMs, more);
    const truncated = limit > 0 && values.length > limit;
    const answer: LabelsResponse = { values: truncated ? values.slice(0, limit) : values, truncated };
    response.json(answer);
  });
}

function labelsRequest(body: unknown): LabelsRequest {
  const { name, matchers, minTimeMs, maxTimeMs, limit } = (body ?? {}) as Partial<LabelsRequest>;
  if (typeof minTimeMs !== 'number' || typeof maxTimeMs !== 'number')
    throw new BadRequest('minTimeMs, maxTimeMs: want numbers');
  if (name !== undefined && typeof name !== 'string') throw new BadRequest('name: want a string');
  return {
    matchers: checkedMatchers(matchers),
    minTimeMs,
    maxTimeMs,
    limit: typeof limit === 'number' ? limit : 0,
    ...(name !== undefined && { name }),
  };
}

function checkedMatchers(matchers: LabelsRequest['matchers'] | undefined): LabelsRequest['matchers'] {
  if (Array.isArray(matchers) && matchers.length <= matchersMax) return matchers;
  throw new BadRequest(`matchers: want a list of at most ${matchersMax}`);
}

async function badPatternIs400(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof PatternError) throw new BadRequest(error.message, { cause: error });
    throw error;
  }
}

function storeStatus(
  { tsdb, name, state, version, seriesByTarget }: StoreRouterOptions,
  startedMs: number,
  limit: number,
): StoreStatus {
  const status = tsdb.status(limit);
  return {
    name,
    state: state(),
    version: version?.() ?? '',
    startedMs,
    headStats: {
      numSeries: status.headSeries,
      numLabelPairs: status.headLabelPairs,
      chunkCount: status.headChunks,
      minTimeMs: status.headMinTimeMs,
      maxTimeMs: status.headMaxTimeMs,
    },
    ...status.cardinality,
    seriesCountByTarget: seriesByTarget?.(limit) ?? [],
    blocks: status.blocks.length,
    corruptions: status.corruptions.map(({ path, detail }) => `${path}: ${detail}`),
  };
}
