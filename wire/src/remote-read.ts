// Prometheus's remote read with responses of samples: requests from bytes, responses to bytes; both without snappy.

import { BadRequest, type Labels, Matcher } from '@flotilla/model';
import type { MatchType } from '@flotilla/model';
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
  const writer = new Writer();
  for (const series of results) writer.message(1, () => series.forEach((one) => writeSeries(writer, one)));
  return writer.finish();
}

function writeSeries(writer: Writer, { labels, timestampsMs, values }: RemoteReadSeries): void {
  writer.message(1, () => {
    for (const [name, value] of labels) {
      writer.message(1, () => {
        writer.text(1, name);
        writer.text(2, value);
      });
    }
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
    for (let i = 0; i < values.length; i++) {
      writer.message(2, () => {
        writer.fixed64(1, bits[2 * i]!, bits[2 * i + 1]!);
        writer.varintField(2, timestampsMs[i]!);
      });
    }
  });
}

const LENGTH_BYTES = 5;

/** Protobuf into one growing buffer. A message's length takes five bytes, so that it can be filled in behind. */
class Writer {
  private bytes = new Uint8Array(1 << 16);
  private view = new DataView(this.bytes.buffer);
  private at = 0;

  finish(): Uint8Array {
    return this.bytes.subarray(0, this.at);
  }

  message(field: number, write: () => void): void {
    this.reserve(1 + LENGTH_BYTES);
    this.bytes[this.at++] = (field << 3) | 2;
    const lengthAt = this.at;
    this.at += LENGTH_BYTES;
    write();
    let length = this.at - lengthAt - LENGTH_BYTES;
    for (let i = 0; i < LENGTH_BYTES; i++, length >>>= 7)
      this.bytes[lengthAt + i] = (length & 0x7f) | (i < LENGTH_BYTES - 1 ? 0x80 : 0);
  }

  text(field: number, text: string): void {
    const data = Buffer.from(text, 'utf8');
    this.reserve(1 + LENGTH_BYTES + data.length);
    this.bytes[this.at++] = (field << 3) | 2;
    this.varint(data.length);
    this.bytes.set(data, this.at);
    this.at += data.length;
  }

  fixed64(field: number, low: number, high: number): void {
    this.reserve(9);
    this.bytes[this.at++] = (field << 3) | 1;
    this.view.setUint32(this.at, low, true);
    this.view.setUint32(this.at + 4, high, true);
    this.at += 8;
  }

  /** A whole number, which may be negative. */
  varintField(field: number, value: number): void {
    this.reserve(11);
    this.bytes[this.at++] = field << 3;
    if (value >= 0) this.varint(value);
    else
      for (let rest = BigInt.asUintN(64, BigInt(value)), i = 0; i < 10; i++, rest >>= 7n)
        this.bytes[this.at++] = Number(rest & 0x7fn) | (i < 9 ? 0x80 : 0);
  }

  private varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.at++] = rest;
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.at + bytes));
    grown.set(this.bytes.subarray(0, this.at));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}
