// Prometheus's remote read with responses of samples: requests from bytes, responses to bytes; both without snappy.

import { BadRequest, type Labels, Matcher } from '@flotilla/model';
import type { MatchType } from '@flotilla/model';
import { ProtobufWriter } from './protobuf-writer.ts';
import { MessageType } from './schema.ts';

export interface RemoteReadQuery {
  readonly startMs: number;
  readonly endMs: number;
  readonly matchers: readonly Matcher[];
}

export interface RemoteReadRequest {
  readonly queries: readonly RemoteReadQuery[];
  /** In the reader's order of preference; 0: samples. Empty means samples. */
  readonly acceptedResponseTypes: readonly number[];
}

/** One series of an answer. The columns are of one length; values keep every NaN bit. */
export interface RemoteReadSeries {
  readonly labels: Labels;
  readonly timestampsMs: Float64Array;
  readonly values: Float64Array;
}

interface RequestMessage {
  readonly queries: readonly {
    readonly startTimestampMs: number;
    readonly endTimestampMs: number;
    readonly matchers: readonly { readonly type: number; readonly name: string; readonly value: string }[];
  }[];
  readonly acceptedResponseTypes: readonly number[];
}

const requestType = new MessageType<RequestMessage>('RemoteReadRequest');
const matchTypes: readonly MatchType[] = ['=', '!=', '=~', '!~'];
const queriesMax = 1000;
const matchersMax = 100;

/** Throws BadRequest for bytes that are no request, and for matchers that are none. */
export function decodeRemoteReadRequest(bytes: Uint8Array): RemoteReadRequest {
  const { queries, acceptedResponseTypes } = requestType.decode(bytes);
  if (queries.length > queriesMax)
    throw new BadRequest(`remote read: ${queries.length} queries, want at most ${queriesMax}`);
  return {
    queries: queries.map(({ startTimestampMs, endTimestampMs, matchers }) => ({
      startMs: startTimestampMs,
      endMs: endTimestampMs,
      matchers: matchersOf(matchers),
    })),
    acceptedResponseTypes,
  };
}

function matchersOf(messages: RequestMessage['queries'][number]['matchers']): Matcher[] {
  if (messages.length > matchersMax)
    throw new BadRequest(`remote read: ${messages.length} matchers, want at most ${matchersMax}`);
  return messages.map(({ type, name, value }) => {
    const matchType = matchTypes[type];
    if (matchType === undefined) throw new BadRequest(`remote read: matcher type ${type}, want 0 to 3`);
    try {
      return new Matcher(matchType, name, value);
    } catch (cause) {
      throw new BadRequest(`remote read: matcher of ${name}: ${(cause as Error).message}`, { cause });
    }
  });
}

/** The series of each query, in order. */
export function encodeRemoteReadResponse(results: readonly (readonly RemoteReadSeries[])[]): Uint8Array {
  const writer = new ProtobufWriter();
  for (const series of results) writer.message(1, () => series.forEach((one) => writeSeries(writer, one)));
  return writer.finish();
}

function writeSeries(writer: ProtobufWriter, { labels, timestampsMs, values }: RemoteReadSeries): void {
  writer.message(1, () => {
    writer.labels(1, labels);
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
    for (let i = 0; i < values.length; i++)
      writer.sample(2, timestampsMs[i]!, bits[2 * i]!, bits[2 * i + 1]!);
  });
}
