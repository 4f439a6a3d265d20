// Frames of every stream between processes: `uvarint length of payload | checksum of payload, 4 bytes big-endian | payload`.
// With crc32c the same framing as Prometheus's streamed remote read. Series have crc32, for which processors have instructions
// that JavaScript can reach.

import { CorruptionError } from '@flotilla/model';
import { crc32c } from './crc32c.ts';

/** A frame larger than this is refused before it is buffered. */
export const FRAME_BYTES_MAX = 64 << 20;
const checksumBytes = 4;
const lengthBytesMax = 5;

/** Of bytes, unsigned. */
export type Checksum = (bytes: Uint8Array) => number;

export function encodeFrame(payload: Uint8Array, checksum: Checksum = crc32c): Uint8Array {
  const length: number[] = [];
  let rest = payload.length;
  for (; rest >= 0x80; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  length.push(rest);
  const frame = Buffer.allocUnsafe(length.length + checksumBytes + payload.length);
  frame.set(length);
  frame.writeUInt32BE(checksum(payload), length.length);
  frame.set(payload, length.length + checksumBytes);
  return frame;
}

/** Stores of decoders that are done, for the next ones. */
const idle: Buffer[] = [];
const idleMax = 4;
const idleBytesMax = 1 << 20;
const noBytes = Buffer.alloc(0);

/** Cuts a stream of bytes, split anywhere, into checked payloads. Throws CorruptionError; after that it must not be used. */
export class FrameDecoder {
  /** Where frames that come in pieces are put together: bytes [start, end). */
  #store = idle.pop() ?? Buffer.alloc(0);
  #start = 0;
  #end = 0;
  #offsetBytes = 0;
  readonly #checksum: Checksum;
  readonly #frameBytesMax: number;

  constructor(checksum: Checksum = crc32c, frameBytesMax = FRAME_BYTES_MAX) {
    this.#checksum = checksum;
    this.#frameBytesMax = frameBytesMax;
  }

  /** Payloads completed by `bytes`. They are views: copy what outlives the next call. */
  push(bytes: Uint8Array): Uint8Array[] {
    const isWhole = this.#start === this.#end;
    if (!isWhole) this.#keep(bytes);
    const source = isWhole ? bytes : this.#store.subarray(this.#start, this.#end);
    const payloads: Uint8Array[] = [];
    let start = 0;
    for (;;) {
      const header = this.#readHeader(source, start);
      if (header === undefined || header.end > source.length) break;
      payloads.push(this.#checked(source, header.payload, header.end));
      this.#offsetBytes += header.end - start;
      start = header.end;
    }
    if (!isWhole) this.#start += start;
    else if (start < bytes.length) this.#keep(bytes.subarray(start));
    return payloads;
  }

  /** Throws if the stream ended within a frame. Payloads are not valid any more. */
  end(): void {
    const rest = this.#end - this.#start;
    if (rest > 0) throw this.#damage(`the stream ended within a frame, after ${rest} bytes of it`);
    if (idle.length < idleMax && this.#store.length <= idleBytesMax) idle.push(this.#store);
    this.#store = noBytes;
  }

  /** Adds to the store. */
  #keep(bytes: Uint8Array): void {
    const kept = this.#end - this.#start;
    const wanted = kept + bytes.length;
    const before = this.#store;
    if (wanted > before.length) this.#store = Buffer.allocUnsafeSlow(Math.max(wanted, 2 * before.length));
    if (this.#start > 0 || this.#store !== before) before.copy(this.#store, 0, this.#start, this.#end);
    this.#store.set(bytes, kept);
    this.#start = 0;
    this.#end = wanted;
  }

  #readHeader(source: Uint8Array, start: number): { payload: number; end: number } | undefined {
    let length = 0;
    for (let index = 0; index < lengthBytesMax; index++) {
      const byte = source[start + index];
      if (byte === undefined) return undefined;
      length += (byte & 0x7f) * 2 ** (7 * index);
      if (byte >= 0x80) continue;
      if (length > this.#frameBytesMax)
        throw this.#damage(`frame of ${length} bytes, want at most ${this.#frameBytesMax}`);
      const payload = start + index + 1 + checksumBytes;
      return { payload, end: payload + length };
    }
    throw this.#damage(`frame length of more than ${lengthBytesMax} bytes`);
  }

  #checked(source: Uint8Array, from: number, to: number): Uint8Array {
    const payload = source.subarray(from, to);
    const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
    const want = view.getUint32(from - checksumBytes);
    const got = this.#checksum(payload);
    if (got !== want) throw this.#damage(`checksum ${got.toString(16)}, want ${want.toString(16)}`);
    return payload;
  }

  #damage(reason: string): CorruptionError {
    return new CorruptionError('stream', this.#offsetBytes, reason);
  }
}
