// POST /api/v1/read: Prometheus's remote read, with responses of samples or of streamed chunks.

import { ApiError, drained, protobufBody, Router } from '@flotilla/chassis';
import type { Request, Response } from '@flotilla/chassis';
import type { FloatHistogram } from '@flotilla/model';
import type { MemoryBudget, Series } from '@flotilla/promql';
import { encodeFloats, encodeSamples, nativeOf } from '@flotilla/tsdb';
import type { AnySample, NativeHistogram, RawChunk } from '@flotilla/tsdb';
import {
  chunkedReadFrames,
  compressSnappy,
  decodeRemoteReadRequest,
  encodeRemoteReadResponse,
  uncompressSnappy,
} from '@flotilla/wire';
import { MergedStorage } from '../stores/merged-storage.ts';
import { requestSignal, STALL_MS } from './answer.ts';
import { Params } from './params.ts';
import { RequestView } from './query-service.ts';
import type { QueryService } from './query-service.ts';

const requestBytesMax = 1 << 20;
/** Prometheus's storage.remote.read-sample-limit. */
const samplesMax = 50_000_000;
const bytesMax = 1 << 30;
/** As in Prometheus's head. */
const chunkSamples = 120;
const chunksContentType = 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse';
const noFunction = { stepMs: 0, rangeMs: 0, func: '', grouping: [], by: false } as const;

export function remoteReadRoute(service: QueryService): Router {
  const router = Router();
  router.post('/read', protobufBody(requestBytesMax), (request, response) =>
    read(service, request, response),
  );
  return router;
}

const samplesType = 0;
const chunksType = 1;

async function read(service: QueryService, request: Request, response: Response): Promise<void> {
  const { queries, acceptedResponseTypes } = decodeRemoteReadRequest(uncompressed(request));
  const type = negotiate(acceptedResponseTypes);
  const signal = requestSignal(response, service.timeoutMs);
  const view = new RequestView(service, new Params(request), signal);
  const storage = new MergedStorage(view.fanOut, { dedup: true });
  const context = { signal, budget: makeBudget() };
  const results: (readonly Series[])[] = [];
  await service.gate.run(signal, async () => {
    for (const { startMs, endMs, matchers } of queries) {
      const { series } = await storage.select(matchers, { startMs, endMs, ...noFunction }, context);
      results.push(series);
      if (type === samplesType) checkSamples(results);
    }
  });
  view.notes(response);
  await (type === chunksType ? sendChunks(response, results) : sendSamples(response, results));
}

/** The first of the reader's types that we know. */
function negotiate(types: readonly number[]): number {
  const type =
    types.length === 0 ? samplesType : types.find((one) => one === samplesType || one === chunksType);
  if (type !== undefined) return type;
  throw new ApiError(
    'bad_data',
    `server does not support any of the requested response types: [${types.join(' ')}]`,
  );
}

function sendSamples(response: Response, results: readonly (readonly Series[])[]): void {
  const all = results.map((series) =>
    series.map(({ histograms, ...floats }) => ({
      ...floats,
      ...(histograms !== undefined && { histograms: histograms.map(storedHistogram) }),
    })),
  );
  response.setHeader('Content-Type', 'application/x-protobuf').setHeader('Content-Encoding', 'snappy');
  response.end(compressSnappy(encodeRemoteReadResponse(all)));
}

/** What shards sent as integers is the same in floats. */
function storedHistogram(histogram: FloatHistogram | undefined): NativeHistogram | undefined {
  return histogram === undefined ? undefined : nativeOf(histogram, true);
}

/** One series at a time is encoded, and no more than the client takes. */
async function sendChunks(response: Response, results: readonly (readonly Series[])[]): Promise<void> {
  response.setHeader('Content-Type', chunksContentType);
  for (const [queryIndex, series] of results.entries()) {
    for (const one of series) {
      for (const frame of chunkedReadFrames(one.labels, chunksOf(one), queryIndex)) {
        if (response.destroyed) return;
        if (!response.write(frame)) await drained(response, STALL_MS);
      }
    }
  }
  response.end();
}

function chunksOf({ timestampsMs: times, values, histograms }: Series): RawChunk[] {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  if (histograms === undefined) return encodeFloats({ times, words, count: times.length }, chunkSamples);
  const samples: AnySample[] = Array.from(times, (timeMs, i) => ({
    timeMs,
    low: words[2 * i]!,
    high: words[2 * i + 1]!,
    histogram: storedHistogram(histograms[i]),
  }));
  return encodeSamples(samples);
}

function uncompressed(request: Request): Uint8Array {
  try {
    return uncompressSnappy(request.body as Uint8Array, requestBytesMax);
  } catch (cause) {
    throw new ApiError('bad_data', `remote read: ${(cause as Error).message}`, 400, { cause });
  }
}

function checkSamples(results: readonly (readonly Series[])[]): void {
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
