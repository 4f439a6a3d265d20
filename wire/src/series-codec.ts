// The series stream to bytes and back. Format: docs/format/series-stream.md.

import { BadRequest, Matcher } from '@flotilla/model';
import type { MatchType } from '@flotilla/model';
import { MessageType } from './schema.ts';
import type {
  ChunkMessage,
  Gap,
  MatcherMessage,
  SeriesFrame,
  SeriesMessage,
  SeriesRequest,
  SeriesTrailer,
} from './series-stream.ts';

interface RequestMessage extends Omit<SeriesRequest, 'matchers'> {
  readonly matchers: readonly { readonly type: number; readonly name: string; readonly value: string }[];
}

interface SeriesOnWire extends Omit<SeriesMessage, 'labels'> {
  readonly labels: readonly number[];
}

interface FrameMessage {
  readonly batch?: { readonly symbols: readonly string[]; readonly series: readonly SeriesOnWire[] } | null;
  readonly trailer?: SeriesTrailer | null;
}

const requestType = new MessageType<RequestMessage>('SeriesRequest');
const frameType = new MessageType<FrameMessage>('SeriesFrame');
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
  const { minTimeMs, maxTimeMs, matchers, skipChunks, limit, targetIds } = requestType.decode(bytes);
  if (matchers.length > matchersMax)
    throw new BadRequest(`SeriesRequest: ${matchers.length} matchers, want at most ${matchersMax}`);
  if (targetIds.length > targetIdsMax)
    throw new BadRequest(`SeriesRequest: ${targetIds.length} targets, want at most ${targetIdsMax}`);
  return {
    minTimeMs,
    maxTimeMs,
    skipChunks,
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

export function encodeSeriesFrame(frame: SeriesFrame): Uint8Array {
  if (frame.kind === 'trailer') return frameType.encode({ trailer: frame.trailer });
  const symbols = new Map<string, number>();
  const refOf = (text: string): number => {
    const known = symbols.get(text);
    if (known !== undefined) return known;
    symbols.set(text, symbols.size);
    return symbols.size - 1;
  };
  const series = frame.series.map((message) => ({
    ...message,
    labels: message.labels.flatMap((pair) => pair.map(refOf)),
  }));
  return frameType.encode({ batch: { symbols: [...symbols.keys()], series } });
}

/** Chunk data are views of `payload`. */
export function decodeSeriesFrame(payload: Uint8Array): SeriesFrame {
  const { batch, trailer } = frameType.decode(payload);
  if (batch)
    return { kind: 'series', series: batch.series.map((series) => fromWireSeries(series, batch.symbols)) };
  if (trailer) return { kind: 'trailer', trailer: fromWireTrailer(trailer) };
  throw new BadRequest('SeriesFrame: neither batch nor trailer is set');
}

function fromWireSeries(series: SeriesOnWire, symbols: readonly string[]): SeriesMessage {
  const { targetId, intervalMs, phaseMs, incomplete } = series;
  const labels: (readonly [string, string])[] = [];
  for (let index = 0; index < series.labels.length; index += 2) {
    const [name, value] = [symbols[series.labels[index]!], symbols[series.labels[index + 1] ?? -1]];
    if (name === undefined || value === undefined)
      throw new BadRequest(`Series: label ${index / 2} is not in the ${symbols.length} symbols`);
    labels.push([name, value]);
  }
  return { labels, targetId, intervalMs, phaseMs, incomplete, chunks: series.chunks.map(fromWireChunk) };
}

function fromWireChunk({ minTimeMs, maxTimeMs, samples, encoding, data }: ChunkMessage): ChunkMessage {
  return { minTimeMs, maxTimeMs, samples, encoding, data };
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
