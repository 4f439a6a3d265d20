// The series stream, written: sorted series in frames, with backpressure, and a trailer that says what is missing here.

import type { Response } from '@flotilla/chassis';
import type { SeriesSet, Tsdb } from '@flotilla/tsdb';
import { encodeFrame, encodeSeriesFrame, fromMatcherMessage } from '@flotilla/wire';
import type { Gap, SeriesMessage, SeriesRequest, SeriesTrailer } from '@flotilla/wire';
import { once } from 'node:events';
import { missedTargets } from './missed-targets.ts';
import { isCovered } from './slot-coverage.ts';

export interface SeriesSource {
  readonly tsdb: Tsdb;
  readonly kind: 'scraper' | 'ruler';
  readonly gaps: (minTimeMs: number, maxTimeMs: number) => readonly Gap[];
}

const frameSeriesMax = 64;
const frameBytesMax = 256 * 1024;

/** Answers a series request. Resolves when all is handed to the socket, or the client has gone. */
export async function sendSeries(
  source: SeriesSource,
  request: SeriesRequest,
  response: Response,
): Promise<void> {
  const { minTimeMs, maxTimeMs, limit, skipChunks } = request;
  const nowMs = Date.now();
  const wanted = new Set(request.targetIds);
  const filterLimit = wanted.size === 0 && limit > 0 ? limit + 1 : 0;
  const set = await source.tsdb.select(request.matchers.map(fromMatcherMessage), minTimeMs, maxTimeMs, {
    limit: filterLimit,
    skipChunks,
  });
  response.status(200).setHeader('Content-Type', 'application/x-flotilla-series; version=1');
  const writer = new FrameWriter(response);
  let truncated = false;
  try {
    while (set.next()) {
      if (response.destroyed) return;
      if (wanted.size > 0 && !wanted.has(set.schedule?.targetId ?? 0)) continue;
      truncated = limit > 0 && writer.series >= limit;
      if (truncated) break;
      if (!writer.add(toMessage(set, request, nowMs))) await writer.drained();
    }
  } finally {
    set.close();
  }
  const missedTargetIds =
    source.kind === 'scraper' ? await missedTargets(source.tsdb, minTimeMs, maxTimeMs, nowMs, wanted) : [];
  writer.end({
    series: writer.series,
    gaps: source.gaps(minTimeMs, Math.min(maxTimeMs, nowMs)),
    missedTargetIds,
    truncated,
  });
}

function toMessage(
  { labels, schedule, chunks }: SeriesSet,
  { minTimeMs, maxTimeMs, skipChunks }: SeriesRequest,
  nowMs: number,
): SeriesMessage {
  return {
    labels: [...labels],
    targetId: schedule?.targetId ?? 0,
    intervalMs: schedule?.intervalMs ?? 0,
    phaseMs: schedule?.phaseMs ?? 0,
    incomplete: !skipChunks && !isCovered(schedule, chunks, minTimeMs, maxTimeMs, nowMs),
    chunks,
  };
}

class FrameWriter {
  series = 0;
  readonly #response: Response;
  #batch: SeriesMessage[] = [];
  #bytes = 0;

  constructor(response: Response) {
    this.#response = response;
  }

  /** False when the reader is behind: wait for drained(). */
  add(message: SeriesMessage): boolean {
    this.series++;
    this.#batch.push(message);
    for (const { data } of message.chunks) this.#bytes += data.length;
    return this.#batch.length < frameSeriesMax && this.#bytes < frameBytesMax ? true : this.#flush();
  }

  async drained(): Promise<void> {
    if (this.#response.destroyed) return;
    const over = new AbortController();
    const { signal } = over;
    await Promise.race([
      once(this.#response, 'drain', { signal }),
      once(this.#response, 'close', { signal }),
    ]);
    over.abort(); // Takes the other listener away.
  }

  end(trailer: SeriesTrailer): void {
    if (this.#batch.length > 0) this.#flush();
    this.#response.end(encodeFrame(encodeSeriesFrame({ kind: 'trailer', trailer })));
  }

  #flush(): boolean {
    const frame = encodeFrame(encodeSeriesFrame({ kind: 'series', series: this.#batch }));
    this.#batch = [];
    this.#bytes = 0;
    return this.#response.write(frame);
  }
}
