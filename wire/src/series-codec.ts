// The series stream to bytes and back. Format: docs/format/series-stream.md.

import { BadRequest, Matcher } from '@flotilla/model';
import type { MatchType } from '@flotilla/model';
import { MessageType } from './schema.ts';
import { ProtoReader } from './proto-cursor.ts';
import { SeriesCursor, tags } from './series-batch.ts';
import type { Gap, MatcherMessage, SeriesRequest, SeriesTrailer } from './series-stream.ts';

interface RequestMessage extends Omit<SeriesRequest, 'matchers'> {
  readonly matchers: readonly { readonly type: number; readonly name: string; readonly value: string }[];
}

const requestType = new MessageType<RequestMessage>('SeriesRequest');
const trailerType = new MessageType<SeriesTrailer>('SeriesTrailer');
const frameType = new MessageType<{ readonly trailer: SeriesTrailer }>('SeriesFrame');
const matchTypes: readonly MatchType[] = ['=', '!=', '=~', '!~'];
/** A request with more is refused: each costs a pass over an index. */
const matchersMax = 100;
const targetIdsMax = 1_000_000;

export function encodeSeriesRequest(request: SeriesRequest): Uint8Array {
  const matchers = request.matchers.map(({ type, name, value }) => ({
    type: matchTypes.indexOf(type),
    name,
    value,
  }));
  return requestType.encode({ ...request, matchers });
}

export function decodeSeriesRequest(bytes: Uint8Array): SeriesRequest {
  const { minTimeMs, maxTimeMs, matchers, skipChunks, latestOnly, limit, targetIds } =
    requestType.decode(bytes);
  if (matchers.length > matchersMax)
    throw new BadRequest(`SeriesRequest: ${matchers.length} matchers, want at most ${matchersMax}`);
  if (targetIds.length > targetIdsMax)
    throw new BadRequest(`SeriesRequest: ${targetIds.length} targets, want at most ${targetIdsMax}`);
  return {
    minTimeMs,
    maxTimeMs,
    skipChunks,
    latestOnly,
    limit,
    targetIds: [...targetIds],
    matchers: matchers.map(fromWireMatcher),
  };
}

function fromWireMatcher({ type, name, value }: RequestMessage['matchers'][number]): MatcherMessage {
  const matchType = matchTypes[type];
  if (matchType === undefined)
    throw new BadRequest(`Matcher: type ${type}, want 0 to ${matchTypes.length - 1}`);
  return { type: matchType, name, value };
}

/** The last frame's payload. */
export function encodeSeriesTrailer(trailer: SeriesTrailer): Uint8Array {
  return frameType.encode({ trailer });
}

export type SeriesFrame =
  | { readonly kind: 'series'; readonly series: SeriesCursor }
  | { readonly kind: 'trailer'; readonly trailer: SeriesTrailer };

export function decodeSeriesFrame(payload: Uint8Array): SeriesFrame {
  const reader = new ProtoReader(payload);
  const end = payload.length;
  while (reader.at < end) {
    const tag = reader.varint(end);
    if (tag === tags.batch) return { kind: 'series', series: new SeriesCursor(reader, reader.endOf(end)) };
    if (tag === tags.trailer) {
      const trailer = fromWireTrailer(trailerType.decode(reader.data(end)));
      return { kind: 'trailer', trailer };
    }
    reader.skip(tag, end);
  }
  throw new BadRequest('SeriesFrame: neither batch nor trailer is set');
}

function fromWireTrailer({ series, gaps, missedTargetIds, truncated }: SeriesTrailer): SeriesTrailer {
  const plainGaps = gaps.map(({ fromMs, toMs }: Gap) => ({ fromMs, toMs }));
  return { series, gaps: plainGaps, missedTargetIds: [...missedTargetIds], truncated };
}

export function toMatcherMessage({ type, name, value }: Matcher): MatcherMessage {
  return { type, name, value };
}

/** Throws PatternError on a regular expression that does not compile. */
export function fromMatcherMessage({ type, name, value }: MatcherMessage): Matcher {
  return new Matcher(type, name, value);
}
