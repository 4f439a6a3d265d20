// Hot: a batch of series to bytes and back, once per series of an answer. Format: docs/format/series-stream.md.

import { type ProtoReader, ProtoWriter } from './proto-cursor.ts';
import { seriesChecksum, type SeriesMessage } from './series-stream.ts';

/** Field numbers and wire types of series_stream.proto. */
export const tags = {
  batch: 0x0a,
  trailer: 0x12,
  series: 0x12,
  targetId: 0x15,
  intervalMs: 0x18,
  phaseMs: 0x20,
  incomplete: 0x28,
  chunkList: 0x3a,
  labelSet: 0x42,
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

  constructor() {
    this.#writer.at = headBytesMax;
  }

  get sizeBytes(): number {
    return this.#writer.at - headBytesMax;
  }

  add({ labelSet, targetId, intervalMs, phaseMs, incomplete, chunkList }: SeriesMessage): void {
    const writer = this.#writer;
    writer.reserve(fieldBytesMax);
    writer.bytes[writer.at++] = tags.series;
    const start = writer.beginMessage();
    writer.bytes[writer.at++] = tags.labelSet;
    writer.data(labelSet);
    writer.reserve(fieldBytesMax);
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
    this.#writer.at = headBytesMax;
    this.#writer.bytes = idle.pop() ?? Buffer.allocUnsafeSlow(bufferBytesMin);
    return bytes.subarray(start, end);
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest >>>= 7) bytes++;
  return bytes;
}

/**
 * Goes through the series of a batch, which have no objects of their own: the fields are those of the series that next() came
 * to, and places are those in `payload`.
 */
export class SeriesCursor {
  readonly payload: Uint8Array;
  /** The same bytes. */
  readonly view: DataView;
  labelsFrom = 0;
  labelsTo = 0;
  targetId = 0;
  intervalMs = 0;
  phaseMs = 0;
  incomplete = false;
  chunksFrom = 0;
  chunksTo = 0;
  readonly #reader: ProtoReader;
  readonly #end: number;

  /** The batch is where the reader is, and ends at `end`. */
  constructor(reader: ProtoReader, end: number) {
    const { bytes } = reader;
    this.payload = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#reader = reader;
    this.#end = end;
  }

  /** False at the end. Throws BadRequest on damage. */
  next(): boolean {
    const reader = this.#reader;
    while (reader.at < this.#end) {
      const tag = reader.varint(this.#end);
      if (tag === tags.series) {
        this.#read(reader.endOf(this.#end));
        return true;
      }
      reader.skip(tag, this.#end);
    }
    return false;
  }

  #read(end: number): void {
    const reader = this.#reader;
    this.labelsFrom = this.labelsTo = this.chunksFrom = this.chunksTo = 0;
    this.targetId = this.intervalMs = this.phaseMs = 0;
    this.incomplete = false;
    while (reader.at < end) {
      const tag = reader.varint(end);
      if (tag === tags.chunkList) {
        this.chunksTo = reader.endOf(end);
        this.chunksFrom = reader.at;
        reader.at = this.chunksTo;
      } else if (tag === tags.labelSet) {
        this.labelsTo = reader.endOf(end);
        this.labelsFrom = reader.at;
        reader.at = this.labelsTo;
      } else if (tag === tags.targetId) this.targetId = reader.fixed32(end);
      else if (tag === tags.intervalMs) this.intervalMs = reader.varint(end);
      else if (tag === tags.phaseMs) this.phaseMs = reader.varint(end);
      else if (tag === tags.incomplete) this.incomplete = reader.varint(end) !== 0;
      else reader.skip(tag, end);
    }
  }
}
