// POST /api/v1/read: Prometheus's remote read, with responses of samples.

import { ApiError, protobufBody, Router } from '@flotilla/chassis';
import type { Request, Response } from '@flotilla/chassis';
import type { MemoryBudget, Series } from '@flotilla/promql';
import {
  compressSnappy,
  decodeRemoteReadRequest,
  encodeRemoteReadResponse,
  uncompressSnappy,
} from '@flotilla/wire';
import type { RemoteReadSeries } from '@flotilla/wire';
import { MergedStorage } from '../stores/merged-storage.ts';
import { requestSignal } from './answer.ts';
import { Params } from './params.ts';
import { RequestView } from './query-service.ts';
import type { QueryService } from './query-service.ts';

const requestBytesMax = 1 << 20;
/** Prometheus's storage.remote.read-sample-limit. */
const samplesMax = 50_000_000;
const bytesMax = 1 << 30;
const noFunction = { stepMs: 0, rangeMs: 0, func: '', grouping: [], by: false } as const;

export function remoteReadRoute(service: QueryService): Router {
  const router = Router();
  router.post('/read', protobufBody(requestBytesMax), (request, response) =>
    read(service, request, response),
  );
  return router;
}

async function read(service: QueryService, request: Request, response: Response): Promise<void> {
  const { queries, acceptedResponseTypes: types } = decodeRemoteReadRequest(uncompressed(request));
  if (types.length > 0 && !types.includes(0)) {
    const names = types.map((type) => (type === 1 ? 'STREAMED_XOR_CHUNKS' : String(type))).join(' ');
    throw new ApiError('bad_data', `server does not support any of the requested response types: [${names}]`);
  }
  const signal = requestSignal(response, service.timeoutMs);
  const view = new RequestView(service, new Params(request), signal);
  const storage = new MergedStorage(view.fanOut, { dedup: true });
  const budget = makeBudget();
  const results: (readonly RemoteReadSeries[])[] = [];
  for (const { startMs, endMs, matchers } of queries) {
    const { series } = await storage.select(matchers, { startMs, endMs, ...noFunction }, { signal, budget });
    const floats = series.map(floatsOf).filter(({ values }) => values.length > 0);
    checkSamples([...results, floats]);
    results.push(floats);
  }
  view.notes(response);
  response.setHeader('Content-Type', 'application/x-protobuf').setHeader('Content-Encoding', 'snappy');
  response.end(compressSnappy(encodeRemoteReadResponse(results)));
}

function uncompressed(request: Request): Uint8Array {
  try {
    return uncompressSnappy(request.body as Uint8Array, requestBytesMax);
  } catch (cause) {
    throw new ApiError('bad_data', `remote read: ${(cause as Error).message}`, 400, { cause });
  }
}

/** A series without its native histograms, which are not in these answers. */
function floatsOf({ labels, timestampsMs, values, histograms }: Series): RemoteReadSeries {
  if (histograms === undefined) return { labels, timestampsMs, values };
  const isFloat = (_: unknown, i: number): boolean => histograms[i] === undefined;
  return { labels, timestampsMs: timestampsMs.filter(isFloat), values: values.filter(isFloat) };
}

function checkSamples(results: readonly (readonly RemoteReadSeries[])[]): void {
  const total = results.flat().reduce((sum, { values }) => sum + values.length, 0);
  if (total > samplesMax) throw new ApiError('bad_data', `exceeded sample limit (${samplesMax})`);
}

function makeBudget(): MemoryBudget {
  let held = 0;
  return {
    take(bytes, where) {
      held += bytes;
      if (held > bytesMax)
        throw new ApiError('execution', `remote read: ${where}: ${held} bytes, want at most ${bytesMax}`);
    },
    give(bytes) {
      held -= bytes;
    },
  };
}
