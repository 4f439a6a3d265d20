// One store over HTTP: the series stream with its trailer, and the JSON endpoints.

import type { InternalClient } from '@flotilla/chassis';
import { CorruptionError, Unavailable } from '@flotilla/model';
import type { ColumnArena } from '@flotilla/promql';
import {
  decodeSeriesFrame,
  encodeSeriesRequest,
  FrameDecoder,
  SERIES_CONTENT_TYPE,
  seriesChecksum,
  STORE_PATHS,
} from '@flotilla/wire';
import type {
  ExemplarsRequest,
  ExemplarsResponse,
  LabelsRequest,
  LabelsResponse,
  SeriesRequest,
  SeriesTrailer,
  StoreAddress,
} from '@flotilla/wire';
import { SeriesDecoder } from '../merge/decode-series.ts';
import { LabelCache } from '../merge/label-cache.ts';
import type { StoreSeries } from '../merge/decode-series.ts';

export interface SeriesAnswer {
  readonly store: StoreAddress;
  readonly series: readonly StoreSeries[];
  /** In the order of labels, no labels twice. */
  readonly isSorted: boolean;
  /** What all series are called, if no other label describes their metric; undefined says nothing. */
  readonly metric: string | undefined;
  readonly trailer: SeriesTrailer;
}

const errorBytesMax = 2000;

export class StoreClient {
  readonly #http: InternalClient;
  readonly #labels = new LabelCache();

  constructor(http: InternalClient) {
    this.#http = http;
  }

  /** Reads a whole stream. `take` is told the bytes that arrive and those of columns, less what of them is not held, and may throw. A stream without its trailer is Unavailable. */
  async series(
    store: StoreAddress,
    request: SeriesRequest,
    take: (bytes: number) => void,
    signal: AbortSignal,
    arena: ColumnArena,
  ): Promise<SeriesAnswer> {
    const url = store.url + STORE_PATHS.series;
    const response = await this.#http.postBytes(url, encodeSeriesRequest(request), {
      signal,
      headers: { accept: SERIES_CONTENT_TYPE },
      transient: true,
    });
    if (response.status !== 200)
      throw new Unavailable(`${url}: status ${response.status}${await errorBody(response.body)}`);
    const contentType = String(response.headers['content-type']);
    if (contentType !== SERIES_CONTENT_TYPE) {
      response.discard();
      throw new Unavailable(`${url}: an answer of type ${contentType}, want ${SERIES_CONTENT_TYPE}`);
    }
    const frames = new FrameDecoder(seriesChecksum);
    const { minTimeMs, maxTimeMs } = request;
    const labels = this.#labels;
    const decoder = new SeriesDecoder({ minTimeMs, maxTimeMs, take, store: store.name, arena, labels });
    const series: StoreSeries[] = [];
    let trailer: SeriesTrailer | undefined;
    for await (const bytes of response.body) {
      take(bytes.length);
      for (const payload of frames.push(bytes)) {
        const frame = decodeSeriesFrame(payload);
        if (trailer !== undefined) throw new CorruptionError(url, 0, 'a frame after the trailer');
        if (frame.kind === 'trailer') trailer = frame.trailer;
        else decoder.decode(frame.series, series);
      }
    }
    frames.end();
    if (trailer === undefined) throw new Unavailable(`${url}: the stream ended without a trailer`);
    if (trailer.series !== series.length)
      throw new Unavailable(`${url}: ${series.length} series, trailer says ${trailer.series}`);
    const { isSorted, metric } = decoder;
    return { store, series, isSorted, metric, trailer };
  }

  labels(store: StoreAddress, request: LabelsRequest, signal: AbortSignal): Promise<LabelsResponse> {
    return this.#http.postJson(
      store.url + (request.name === undefined ? STORE_PATHS.labels : STORE_PATHS.values),
      request,
      { signal },
    );
  }

  exemplars(store: StoreAddress, request: ExemplarsRequest, signal: AbortSignal): Promise<ExemplarsResponse> {
    return this.#http.postJson(store.url + STORE_PATHS.exemplars, request, { signal });
  }

  post<T>(store: StoreAddress, path: string, body: unknown, signal: AbortSignal): Promise<T> {
    return this.#http.postJson<T>(store.url + path, body, { signal });
  }

  get<T>(store: StoreAddress, path: string, signal: AbortSignal): Promise<T> {
    return this.#http.getJson<T>(store.url + path, { signal });
  }
}

async function errorBody(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const bytes of body) {
    text += Buffer.from(bytes).toString('utf8');
    if (text.length > errorBytesMax) break;
  }
  return text === '' ? '' : `: ${text.slice(0, errorBytesMax)}`;
}
