// Prometheus's remote read: requests from bytes, responses of samples or of chunks to bytes; all without snappy.

import { BadRequest, type Labels, Matcher } from '@flotilla/model';
import type { MatchType } from '@flotilla/model';
import { ProtobufWriter } from './protobuf-writer.ts';
import { crc32c } from './crc32c.ts';
import { createRemoteWriteEncoder } from './remote-write-encoder.ts';
import type { RemoteWriteEncoder } from './remote-write-encoder.ts';
import type { RemoteHistogram } from './remote-write.ts';
import { MessageType } from './schema.ts';

export interface RemoteReadQuery {
  readonly startMs: number;
  readonly endMs: number;
  readonly matchers: readonly Matcher[];
}

export interface RemoteReadRequest {
  readonly queries: readonly RemoteReadQuery[];
  /** In the reader's order of preference; 0: samples, 1: chunks. Empty means samples. */
  readonly acceptedResponseTypes: readonly number[];
}

/** One series of an answer. The columns are of one length; values keep every NaN bit. */
export interface RemoteReadSeries {
  readonly labels: Labels;
  readonly timestampsMs: Float64Array;
  readonly values: Float64Array;
  /** The native histograms among the samples, at their places; absent if all are floats. */
  readonly histograms?: readonly (RemoteHistogram | undefined)[];
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

/** The series of each query, in order. A result of a query has the fields of a write request of version 1.0. */
export function encodeRemoteReadResponse(results: readonly (readonly RemoteReadSeries[])[]): Uint8Array {
  const writer = new ProtobufWriter();
  const encoder = createRemoteWriteEncoder('1.0');
  for (const series of results) {
    for (const one of series) writeSeries(encoder, one);
    writer.block(1, encoder.finish());
  }
  return writer.finish();
}

function writeSeries(
  encoder: RemoteWriteEncoder,
  { labels, timestampsMs, values, histograms }: RemoteReadSeries,
): void {
  encoder.beginSeries({ labels });
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  for (let i = 0; i < values.length; i++) {
    const histogram = histograms?.[i];
    if (histogram !== undefined) encoder.histogram(timestampsMs[i]!, histogram);
    else encoder.sample(timestampsMs[i]!, bits[2 * i]!, bits[2 * i + 1]!);
  }
  encoder.endSeries();
}

/** A piece of a series as it is in a database: encoding 1 has floats, 2 and 3 have histograms. */
export interface RemoteReadChunk {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly encoding: number;
  readonly data: Uint8Array;
}

/** Prometheus's storage.remote.read-max-bytes-in-frame. */
const frameBytesMax = 1 << 20;

/** The frames of one series in an answer of streamed chunks: length, checksum, message; each of about a megabyte at most. */
export function* chunkedReadFrames(
  labels: Labels,
  chunks: readonly RemoteReadChunk[],
  queryIndex: number,
): Generator<Uint8Array> {
  for (let from = 0; from < chunks.length;) {
    let bytes = 0;
    let to = from;
    while (to < chunks.length && bytes < frameBytesMax) bytes += chunks[to++]!.data.length + 32;
    yield frameOf(labels, chunks.slice(from, to), queryIndex);
    from = to;
  }
}

function frameOf(labels: Labels, chunks: readonly RemoteReadChunk[], queryIndex: number): Uint8Array {
  const writer = new ProtobufWriter(1 << 12);
  writer.message(1, () => {
    writer.labels(1, labels);
    for (const { minTimeMs, maxTimeMs, encoding, data } of chunks) {
      writer.message(2, () => {
        writer.varintField(1, minTimeMs);
        writer.varintField(2, maxTimeMs);
        writer.varintField(3, encoding);
        writer.block(4, data);
      });
    }
  });
  writer.varintField(2, queryIndex);
  const message = writer.finish();
  const length = new ProtobufWriter(16);
  length.packed(message.length);
  const frame = Buffer.alloc(length.length + 4 + message.length);
  frame.set(length.finish());
  frame.writeUInt32BE(crc32c(message) >>> 0, length.length);
  frame.set(message, length.length + 4);
  return frame;
}
