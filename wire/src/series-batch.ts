// Hot: a batch of series to bytes and back, once per series of an answer. Format: docs/format/series-stream.md.
//
// A symbol stands before the first series that names it, so that both sides go through a batch once.

import { type ProtoReader, ProtoWriter } from './proto-cursor.ts';
import { seriesChecksum, type SeriesMessage } from './series-stream.ts';

/** Field numbers and wire types of series_stream.proto. */
export const tags = {
  batch: 0x0a,
  trailer: 0x12,
  symbol: 0x0a,
  series: 0x12,
  labels: 0x0a,
  label: 0x08,
  targetId: 0x15,
  intervalMs: 0x18,
  phaseMs: 0x20,
  incomplete: 0x28,
  chunkList: 0x3a,
} as const;

/** A frame's length (uvarint) and checksum, and the head of the batch. */
const headBytesMax = 5 + 4 + 5;
/** What a series takes at most, without labels and chunks. */
const fieldBytesMax = 64;

const bufferBytesMin = 1 << 16;
const bufferBytesMax = 1 << 20;
const idleMax = 16;
/** Buffers of frames that have been sent: what they take would otherwise be the garbage collector's to find. */
const idle: Buffer<ArrayBuffer>[] = [];

/** Takes back a frame of finish() that nobody reads any more. */
export function recycleFrame(frame: Uint8Array): void {
  const { buffer } = frame;
  if (idle.length < idleMax && buffer.byteLength <= bufferBytesMax && buffer instanceof ArrayBuffer)
    idle.push(Buffer.from(buffer));
}

/** Collects series into one frame at a time. */
export class SeriesFrameWriter {
  /** In the frame that is being written. */
  count = 0;
  readonly #writer = new ProtoWriter(idle.pop() ?? Buffer.allocUnsafeSlow(bufferBytesMin));
  readonly #symbols = new Map<string, number>();

  constructor() {
    this.#writer.at = headBytesMax;
  }

  get sizeBytes(): number {
    return this.#writer.at - headBytesMax;
  }

  add({ labels, targetId, intervalMs, phaseMs, incomplete, chunkList }: SeriesMessage): void {
    const writer = this.#writer;
    this.#addSymbols(labels);
    writer.reserve(fieldBytesMax + 5 * labels.length);
    writer.bytes[writer.at++] = tags.series;
    const start = writer.beginMessage();
    writer.bytes[writer.at++] = tags.labels;
    const labelsAt = writer.beginMessage();
    for (const text of labels) writer.varint(this.#symbols.get(text)!);
    writer.endMessage(labelsAt);
    writer.bytes[writer.at++] = tags.targetId;
    writer.fixed32(targetId);
    writer.bytes[writer.at++] = tags.intervalMs;
    writer.varint(intervalMs);
    writer.bytes[writer.at++] = tags.phaseMs;
    writer.varint(phaseMs);
    writer.bytes[writer.at++] = tags.incomplete;
    writer.bytes[writer.at++] = incomplete ? 1 : 0;
    writer.bytes[writer.at++] = tags.chunkList;
    writer.data(chunkList);
    writer.endMessage(start);
    this.count++;
  }

  /** The frame, to be sent and then given to recycleFrame(); the next one begins. */
  finish(): Uint8Array {
    const { bytes, at: end } = this.#writer;
    const batchBytes = end - headBytesMax;
    const batchAt = headBytesMax - 1 - varintBytes(batchBytes);
    const payloadBytes = end - batchAt;
    const start = batchAt - 4 - varintBytes(payloadBytes);
    this.#writer.at = start;
    this.#writer.varint(payloadBytes);
    this.#writer.at = batchAt;
    bytes[this.#writer.at++] = tags.batch;
    this.#writer.varint(batchBytes);
    bytes.writeUInt32BE(seriesChecksum(bytes.subarray(batchAt, end)), batchAt - 4);
    this.count = 0;
    this.#symbols.clear();
    this.#writer.at = headBytesMax;
    this.#writer.bytes = idle.pop() ?? Buffer.allocUnsafeSlow(bufferBytesMin);
    return bytes.subarray(start, end);
  }

  #addSymbols(labels: readonly string[]): void {
    const writer = this.#writer;
    for (const text of labels) {
      if (this.#symbols.has(text)) continue;
      this.#symbols.set(text, this.#symbols.size);
      writer.reserve(1);
      writer.bytes[writer.at++] = tags.symbol;
      writer.text(text);
    }
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest >>>= 7) bytes++;
  return bytes;
}

/** The series of a batch that ends at `end`. Chunk lists are views of the reader's bytes. */
export function decodeBatch(reader: ProtoReader, end: number): SeriesMessage[] {
  const symbols: string[] = [];
  const series: SeriesMessage[] = [];
  while (reader.at < end) {
    const tag = reader.varint(end);
    if (tag === tags.symbol) symbols.push(reader.text(end));
    else if (tag === tags.series) {
      const to = reader.endOf(end);
      series.push(decodeSeries(reader, to, symbols));
      reader.at = to;
    } else reader.skip(tag, end);
  }
  return series;
}

interface Draft {
  labels: string[];
  targetId: number;
  intervalMs: number;
  phaseMs: number;
  incomplete: boolean;
  chunkList: Uint8Array;
}

const noChunks = new Uint8Array(0);

function decodeSeries(reader: ProtoReader, end: number, symbols: readonly string[]): SeriesMessage {
  const series: Draft = {
    labels: [],
    targetId: 0,
    intervalMs: 0,
    phaseMs: 0,
    incomplete: false,
    chunkList: noChunks,
  };
  while (reader.at < end) {
    const tag = reader.varint(end);
    if (tag === tags.chunkList) series.chunkList = reader.data(end);
    else if (tag === tags.labels) readLabels(reader, reader.endOf(end), symbols, series.labels);
    else if (tag === tags.label) series.labels.push(symbolAt(reader, symbols, reader.varint(end)));
    else if (tag === tags.targetId) series.targetId = reader.fixed32(end);
    else if (tag === tags.intervalMs) series.intervalMs = reader.varint(end);
    else if (tag === tags.phaseMs) series.phaseMs = reader.varint(end);
    else if (tag === tags.incomplete) series.incomplete = reader.varint(end) !== 0;
    else reader.skip(tag, end);
  }
  if (series.labels.length % 2 !== 0) throw reader.damage('a label without a value');
  return series;
}

function readLabels(reader: ProtoReader, end: number, symbols: readonly string[], labels: string[]): void {
  while (reader.at < end) labels.push(symbolAt(reader, symbols, reader.varint(end)));
}

function symbolAt(reader: ProtoReader, symbols: readonly string[], ref: number): string {
  const text = symbols[ref];
  if (text === undefined) throw reader.damage(`symbol ${ref} of ${symbols.length}`);
  return text;
}
