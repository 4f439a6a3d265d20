// Prometheus's remote read, with responses of samples or of streamed chunks; in a worker.

import { ApiError } from '@flotilla/chassis/thread';
import type { FloatHistogram } from '@flotilla/model';
import { makeBudget } from '@flotilla/promql';
import type { Series } from '@flotilla/promql';
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
import type { AnswerSink, JobContext } from './job-context.ts';
import type { ReadJob } from './jobs.ts';

/** Of a request that is not compressed any more. */
const requestBytesMax = 1 << 20;
/** Prometheus's storage.remote.read-sample-limit. */
const samplesMax = 50_000_000;
const bytesMax = 1 << 30;
/** As in Prometheus's head. */
const chunkSamples = 120;
const chunksContentType = 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse';
const noFunction = { stepMs: 0, rangeMs: 0, func: '', grouping: [], by: false } as const;

const samplesType = 0;
const chunksType = 1;

export async function readSeries({ body }: ReadJob, context: JobContext): Promise<void> {
  const { view, signal, sink } = context;
  const { queries, acceptedResponseTypes } = decodeRemoteReadRequest(uncompressed(body));
  const type = negotiate(acceptedResponseTypes);
  const storage = new MergedStorage(view.fanOut, { dedup: true });
  const select = { signal, budget: makeBudget('remote read', bytesMax) };
  const results: (readonly Series[])[] = [];
  for (const { startMs, endMs, matchers } of queries) {
    const { series } = await storage.select(matchers, { startMs, endMs, ...noFunction }, select);
    results.push(series);
    if (type === samplesType) checkSamples(results);
  }
  context.notes();
  await (type === chunksType ? sendChunks(sink, results) : sendSamples(sink, results));
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

function sendSamples(sink: AnswerSink, results: readonly (readonly Series[])[]): void {
  const all = results.map((series) =>
    series.map(({ histograms, ...floats }) => ({
      ...floats,
      ...(histograms !== undefined && {
        histograms: Array.from(floats.values, (_, i) => storedHistogram(histograms.at(i))),
      }),
    })),
  );
  sink.begin({ headers: { 'Content-Type': 'application/x-protobuf', 'Content-Encoding': 'snappy' } });
  sink.end(compressSnappy(encodeRemoteReadResponse(all)));
}

/** What shards sent as integers is the same in floats. */
function storedHistogram(histogram: FloatHistogram | undefined): NativeHistogram | undefined {
  return histogram === undefined ? undefined : nativeOf(histogram, true);
}

/** One series at a time is encoded, and no more than the client takes. */
async function sendChunks(sink: AnswerSink, results: readonly (readonly Series[])[]): Promise<void> {
  sink.begin({ headers: { 'Content-Type': chunksContentType } });
  for (const [queryIndex, series] of results.entries()) {
    for (const one of series) {
      for (const frame of chunkedReadFrames(one.labels, chunksOf(one), queryIndex)) {
        await sink.write(frame);
      }
    }
  }
  sink.end(new Uint8Array());
}

function chunksOf({ timestampsMs: times, values, histograms }: Series): RawChunk[] {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  if (histograms === undefined) return encodeFloats({ times, words, count: times.length }, chunkSamples);
  const samples: AnySample[] = Array.from(times, (timeMs, i) => ({
    timeMs,
    low: words[2 * i]!,
    high: words[2 * i + 1]!,
    histogram: storedHistogram(histograms.at(i)),
  }));
  return encodeSamples(samples);
}

function uncompressed(body: Uint8Array): Uint8Array {
  try {
    return uncompressSnappy(body, requestBytesMax);
  } catch (cause) {
    throw new ApiError('bad_data', `remote read: ${(cause as Error).message}`, 400, { cause });
  }
}

function checkSamples(results: readonly (readonly Series[])[]): void {
  const total = results.flat().reduce((sum, { values }) => sum + values.length, 0);
  if (total > samplesMax) throw new ApiError('bad_data', `exceeded sample limit (${samplesMax})`);
}
