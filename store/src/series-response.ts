// The series stream, written: sorted series in frames, with backpressure, and a trailer that says what is missing here.

import { ApiError, drained } from '@flotilla/chassis';
import type { Response } from '@flotilla/chassis';
import { encodeLabels } from '@flotilla/model';
import { isTurnOver, nextTurn } from '@flotilla/tsdb';
import type { SeriesSet, Tsdb } from '@flotilla/tsdb';
import {
  acceptsSeries,
  encodeFrame,
  encodeSeriesTrailer,
  fromMatcherMessage,
  recycleFrame,
  SERIES_CONTENT_TYPE,
  seriesChecksum,
  SeriesFrameWriter,
} from '@flotilla/wire';
import type { Gap, SeriesMessage, SeriesRequest } from '@flotilla/wire';
import { missedTargets } from './missed-targets.ts';
import { isCovered, isNewest } from './slot-coverage.ts';

export interface SeriesSource {
  readonly tsdb: Tsdb;
  readonly kind: 'scraper' | 'ruler';
  readonly gaps: (minTimeMs: number, maxTimeMs: number) => readonly Gap[];
}

const frameBytesMax = 256 << 10;
/** A look at the clock takes as long as a tenth of a series of an instant query. */
const SERIES_PER_LOOK = 8;
const noChunks = new Uint8Array(0);

/** Answers a series request. Resolves when all is handed to the socket, or the client has gone. */
export async function sendSeries(
  source: SeriesSource,
  request: SeriesRequest,
  response: Response,
): Promise<void> {
  const { minTimeMs, maxTimeMs, limit, skipChunks, latestOnly } = request;
  const { accept } = response.req.headers;
  if (!acceptsSeries(accept))
    throw new ApiError('bad_data', `series: accept ${accept}, want ${SERIES_CONTENT_TYPE}`);
  const nowMs = Date.now();
  const wanted = new Set(request.targetIds);
  const filterLimit = wanted.size === 0 && limit > 0 ? limit + 1 : 0;
  const set = await source.tsdb.select(request.matchers.map(fromMatcherMessage), minTimeMs, maxTimeMs, {
    limit: filterLimit,
    skipChunks,
    latestOnly,
    packed: true,
  });
  response.status(200).setHeader('Content-Type', SERIES_CONTENT_TYPE);
  const frame = new SeriesFrameWriter();
  let series = 0;
  let truncated = false;
  try {
    for (let seen = 0; ; seen++) {
      if (seen % SERIES_PER_LOOK === 0 && isTurnOver()) await nextTurn();
      if (response.destroyed) return;
      if (!set.next()) break;
      if (wanted.size > 0 && !wanted.has(set.schedule?.targetId ?? 0)) continue;
      truncated = limit > 0 && series >= limit;
      if (truncated) break;
      frame.add(toMessage(set, request, nowMs));
      series++;
      if (frame.sizeBytes >= frameBytesMax && !writeFrame(frame, response)) {
        await drained(response);
        await nextTurn(); // A socket that takes all at once is no turn of the event loop.
      }
    }
  } finally {
    set.close();
  }
  const missedTargetIds =
    source.kind === 'scraper' ? await missedTargets(source.tsdb, minTimeMs, maxTimeMs, nowMs, wanted) : [];
  if (frame.count > 0) writeFrame(frame, response);
  const gaps = source.gaps(minTimeMs, Math.min(maxTimeMs, nowMs));
  response.end(
    encodeFrame(encodeSeriesTrailer({ series, gaps, missedTargetIds, truncated }), seriesChecksum),
  );
}

function toMessage(
  set: SeriesSet,
  { minTimeMs, maxTimeMs, skipChunks, latestOnly }: SeriesRequest,
  nowMs: number,
): SeriesMessage {
  const { schedule } = set;
  const chunkList = skipChunks ? noChunks : set.chunkList;
  const isWhole = latestOnly ? isNewest : isCovered;
  return {
    labelSet: set.labelSet ?? encodeLabels(set.labels),
    targetId: schedule?.targetId ?? 0,
    intervalMs: schedule?.intervalMs ?? 0,
    phaseMs: schedule?.phaseMs ?? 0,
    incomplete: !skipChunks && !isWhole(schedule, chunkList, minTimeMs, maxTimeMs, nowMs),
    chunkList,
  };
}

/** False when the reader is behind. */
function writeFrame(frame: SeriesFrameWriter, response: Response): boolean {
  const bytes = frame.finish();
  return response.write(bytes, (error) => {
    if (!error) recycleFrame(bytes);
  });
}
