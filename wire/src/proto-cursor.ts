// Hot: protobuf by hand, for the messages of which an answer has thousands. The rest goes through schema.ts.
//
// Integers are numbers below 2^53. A reader is told where its message ends and never looks beyond; damage throws BadRequest.

import { BadRequest } from '@flotilla/model';

const LOW = 2 ** 28;

export class ProtoReader {
  readonly bytes: Buffer;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  varint(end: number): number {
    const { bytes } = this;
    let value = 0;
    let unit = 1;
    for (let count = 0; count < 10; count++) {
      if (this.at >= end) throw this.damage('a number goes on beyond the end');
      const byte = bytes[this.at++]!;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
      unit *= 128;
    }
    throw this.damage('a number of more than 10 bytes');
  }

  /** A zigzag number. */
  signed(end: number): number {
    const value = this.varint(end);
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  fixed32(end: number): number {
    if (end - this.at < 4) throw this.damage('4 bytes go on beyond the end');
    this.at += 4;
    return this.bytes.readUInt32LE(this.at - 4);
  }

  /** Reads a length; returns where what it is of ends. */
  endOf(end: number): number {
    const length = this.varint(end);
    if (length > end - this.at) throw this.damage(`${length} bytes go on beyond the end`);
    return this.at + length;
  }

  text(end: number): string {
    const to = this.endOf(end);
    const text = this.bytes.toString('utf8', this.at, to);
    this.at = to;
    return text;
  }

  /** A view. */
  data(end: number): Uint8Array {
    const to = this.endOf(end);
    const { buffer, byteOffset } = this.bytes;
    const data = new Uint8Array(buffer, byteOffset + this.at, to - this.at);
    this.at = to;
    return data;
  }

  /** Passes a field that nobody knows. */
  skip(tag: number, end: number): void {
    const type = tag & 7;
    if (type === 0) this.varint(end);
    else if (type === 2) this.at = this.endOf(end);
    else if (type === 5) this.fixed32(end);
    else if (type === 1) {
      this.fixed32(end);
      this.fixed32(end);
    } else throw this.damage(`wire type ${type}, want 0, 1, 2 or 5`);
  }

  damage(reason: string): BadRequest {
    return new BadRequest(`protobuf: byte ${this.at} of ${this.bytes.length}: ${reason}`);
  }
}

/** Grows as it is written. Numbers are whole and not negative, but for signed(). */
export class ProtoWriter {
  bytes: Buffer<ArrayBuffer>;
  at = 0;

  constructor(bytes: Buffer<ArrayBuffer>) {
    this.bytes = bytes;
  }

  reserve(count: number): void {
    if (this.at + count <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, this.at + count));
    this.bytes.copy(grown, 0, 0, this.at);
    this.bytes = grown;
  }

  /** At most 10 bytes, which the caller has reserved; so it is with all that have no length. */
  varint(value: number): void {
    let rest = value;
    if (rest >= LOW) {
      const low = rest % LOW;
      for (let shift = 0; shift < 28; shift += 7) this.bytes[this.at++] = ((low >>> shift) & 0x7f) | 0x80;
      rest = Math.floor(rest / LOW);
      if (rest >= LOW) return this.varint(rest);
    }
    for (; rest >= 0x80; rest >>>= 7) this.bytes[this.at++] = (rest & 0x7f) | 0x80;
    this.bytes[this.at++] = rest;
  }

  /** As zigzag. */
  signed(value: number): void {
    const size = value < 0 ? -value - 1 : value;
    const low = (size % 64) * 2 + (value < 0 ? 1 : 0);
    const rest = Math.floor(size / 64);
    this.bytes[this.at++] = rest > 0 ? low | 0x80 : low;
    if (rest > 0) this.varint(rest);
  }

  fixed32(value: number): void {
    this.at = this.bytes.writeUInt32LE(value, this.at);
  }

  text(text: string): void {
    const length = Buffer.byteLength(text);
    this.reserve(length + 10);
    this.varint(length);
    this.at += this.bytes.write(text, this.at);
  }

  data(data: Uint8Array): void {
    this.reserve(data.length + 10);
    this.varint(data.length);
    this.bytes.set(data, this.at);
    this.at += data.length;
  }

  /** Room for the length of a message that is not written yet, for endMessage(). */
  beginMessage(): number {
    this.at += 4;
    return this.at;
  }

  /** `start` is what beginMessage() gave. A length takes four bytes, whatever it is. */
  endMessage(start: number): void {
    const length = this.at - start;
    if (length >= LOW) throw new RangeError(`protobuf: message of ${length} bytes, want less than ${LOW}`);
    for (let i = 0; i < 3; i++) this.bytes[start - 4 + i] = ((length >>> (7 * i)) & 0x7f) | 0x80;
    this.bytes[start - 1] = length >>> 21;
  }
}
