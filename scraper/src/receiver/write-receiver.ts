// Takes what is pushed to any scraper of a fleet, and spreads it over the shards: each series goes to all replicas of the shard
// that its labels hash to. A shard has it when one of its replicas has.

import {
  ApiError,
  type InternalClient,
  limitInFlight,
  protobufBody,
  type Request,
  type RequestHandler,
  requireToken,
  type Response,
  Router,
} from '@flotilla/chassis';
import { uncompressSnappy } from '@flotilla/kernel';
import { BadRequest } from '@flotilla/model';
import type { Tsdb } from '@flotilla/tsdb';
import {
  decodeRemoteWrite,
  type ReceivedWrite,
  type Receiver,
  type RemoteWriteVersion,
} from '@flotilla/wire';
import { type AppendResult, appendWrite, labelsOf, type PushedSeries, type Written } from './append-write.ts';
import { APPEND_PATH, forwardWrite, type ReplicaAnswer } from './forward-write.ts';
import type { PushedMetadata } from './pushed-metadata.ts';
import { splitWrite } from './split-write.ts';

export interface WriteReceiverOptions {
  readonly tsdb: Tsdb;
  readonly shard: number;
  readonly replica: number;
  readonly client: InternalClient;
  readonly metadata: PushedMetadata;
  /** undefined: open, which --internal.insecure asks for. */
  readonly tokenFile: string | undefined;
}

export const WRITE_PATH = '/api/v1/write';

/** Prometheus's bound of a request, without and with snappy. */
const BODY_BYTES_MAX = 32 << 20;
const REQUESTS_MAX = 20;

export class WriteReceiver {
  readonly router: RequestHandler;
  readonly #options: WriteReceiverOptions;
  #places: Receiver | undefined;
  /** Of all that was pushed here. */
  readonly received: Written = { samples: 0, histograms: 0, exemplars: 0 };
  refusedRequests = 0;
  invalidSamples = 0;
  failedReplicas = 0;

  constructor(options: WriteReceiverOptions) {
    this.#options = options;
    const router = Router();
    const guard = requireToken(options.tokenFile);
    // Apart, so that requests that wait for other replicas never keep these from answering.
    const parts = limitInFlight(4 * REQUESTS_MAX, 'parts of write requests');
    const body = protobufBody(BODY_BYTES_MAX);
    router.post(WRITE_PATH, guard, limitInFlight(REQUESTS_MAX, 'write requests'), body, (request, response) =>
      this.#write(request, response),
    );
    router.post(APPEND_PATH, guard, parts, body, (request, response) => this.#append(request, response));
    this.router = router;
  }

  /** undefined: nothing is taken. */
  apply(places: Receiver | undefined): void {
    this.#places = places;
  }

  async #write(request: Request, response: Response): Promise<void> {
    const places = this.#places;
    if (places === undefined)
      throw new ApiError('not_found', 'remote write receiver: not enabled, want spec.receiver of the Fleet');
    const version = versionOf(request);
    const write = decode(request, version);
    const { pushed, invalid } = this.#validated(write);
    const parts = splitWrite(pushed, places);
    const answers = await Promise.all(
      [...parts].map(([shard, some]) => this.#toShard(shard, some, version === '1.0', places)),
    );
    this.#options.metadata.note(write);
    const refused = [...(version === '2.0' ? invalid : []), ...answers.flatMap((answer) => answer.refused)];
    const written = version === '2.0' || refused.length === 0 ? writtenOf(pushed, parts, answers) : nothing();
    this.#answer(response, written, refused);
  }

  #answer(response: Response, written: Written, refused: readonly string[]): void {
    this.received.samples += written.samples;
    this.received.histograms += written.histograms;
    this.received.exemplars += written.exemplars;
    response.setHeader('X-Prometheus-Remote-Write-Samples-Written', written.samples);
    response.setHeader('X-Prometheus-Remote-Write-Histograms-Written', written.histograms);
    response.setHeader('X-Prometheus-Remote-Write-Exemplars-Written', written.exemplars);
    if (refused.length === 0) {
      response.status(204).end();
      return;
    }
    this.refusedRequests++;
    response
      .status(400)
      .type('text/plain')
      .send(`${refused.slice(0, 10).join('\n')}\n`);
  }

  /** 1.0 leaves invalid series out and counts them; 2.0 names them, too. */
  #validated({ series: all }: ReceivedWrite): { pushed: PushedSeries[]; invalid: string[] } {
    const pushed: PushedSeries[] = [];
    const invalid: string[] = [];
    for (const series of all) {
      const labels = labelsOf(series);
      if (typeof labels === 'string') {
        invalid.push(`invalid labels: ${labels}`);
        this.invalidSamples += series.timesMs.length + series.histograms.length;
      } else pushed.push({ labels, series });
    }
    return { pushed, invalid };
  }

  /** Throws ApiError 503 when no replica took it and one may take it later. */
  async #toShard(
    shard: number,
    pushed: readonly PushedSeries[],
    isAtomic: boolean,
    { shards }: Receiver,
  ): Promise<AppendResult> {
    const { tsdb, client, replica, shard: own } = this.#options;
    const { urls } = shards.find((one) => one.shard === shard)!;
    const answers = await Promise.all(
      urls.map(async (url, i): Promise<ReplicaAnswer> =>
        shard === own && i === replica
          ? appendWrite(tsdb, pushed, isAtomic)
          : forwardWrite(client, url, pushed, isAtomic),
      ),
    );
    const results = answers.filter((answer) => 'refused' in answer);
    const failures = answers.flatMap((answer) => ('unavailable' in answer ? [answer.unavailable] : []));
    this.failedReplicas += failures.length;
    const best = results.toSorted((a, b) => a.refused.length - b.refused.length)[0];
    // What one replica refuses another may have lost: only those that are away can tell.
    if (best === undefined || (best.refused.length > 0 && failures.length > 0))
      throw new ApiError('unavailable', `remote write receiver: shard ${shard}: ${failures.join('; ')}`);
    return best;
  }

  /** A part of a request, from the scraper that took it. */
  #append(request: Request, response: Response): void {
    const write = decode(request, '2.0');
    const { pushed } = this.#validated(write);
    this.#options.metadata.note(write);
    const isAtomic = (request.query as Readonly<Record<string, string>>)['atomic'] === '1';
    const { written, refused } = appendWrite(this.#options.tsdb, pushed, isAtomic);
    response.json({ written, refused });
  }
}

function nothing(): Written {
  return { samples: 0, histograms: 0, exemplars: 0 };
}

/** While slots move, what went to two shards counts once. */
function writtenOf(
  pushed: readonly PushedSeries[],
  parts: ReadonlyMap<number, readonly PushedSeries[]>,
  answers: readonly AppendResult[],
): Written {
  const sum = nothing();
  for (const { written } of answers) {
    sum.samples += written.samples;
    sum.histograms += written.histograms;
    sum.exemplars += written.exemplars;
  }
  const sent = [...parts.values()].reduce((count, some) => count + some.length, 0);
  if (sent === pushed.length) return sum;
  const most = (count: (one: PushedSeries) => number): number =>
    pushed.reduce((total, one) => total + count(one), 0);
  return {
    samples: Math.min(
      sum.samples,
      most(({ series }) => series.timesMs.length),
    ),
    histograms: Math.min(
      sum.histograms,
      most(({ series }) => series.histograms.length),
    ),
    exemplars: Math.min(
      sum.exemplars,
      most(({ series }) => series.exemplars.length),
    ),
  };
}

/** Throws ApiError 415 for what is neither. */
function versionOf(request: Request): RemoteWriteVersion {
  const [type = '', ...parameters] = (request.headers['content-type'] ?? '')
    .split(';')
    .map((part) => part.trim());
  const proto = parameters.find((part) => part.startsWith('proto='))?.slice('proto='.length) ?? '';
  if (type !== '' && type !== 'application/x-protobuf')
    throw unsupported(`content type ${type}, want application/x-protobuf`);
  if (proto === '' || proto === 'prometheus.WriteRequest') return '1.0';
  if (proto === 'io.prometheus.write.v2.Request') return '2.0';
  throw unsupported(`message ${proto}, want prometheus.WriteRequest or io.prometheus.write.v2.Request`);
}

function unsupported(text: string): ApiError {
  return new ApiError('bad_data', `remote write receiver: ${text}`, 415);
}

function decode(request: Request, version: RemoteWriteVersion): ReceivedWrite {
  const encoding = request.headers['content-encoding'] ?? '';
  if (encoding !== '' && encoding !== 'snappy')
    throw unsupported(`content encoding ${encoding}, want snappy`);
  const bytes = uncompressSnappy(request.body as Uint8Array, BODY_BYTES_MAX);
  if (bytes === undefined)
    throw new BadRequest(`remote write receiver: no snappy block of at most ${BODY_BYTES_MAX} bytes`);
  return decodeRemoteWrite(version, bytes.slice());
}
