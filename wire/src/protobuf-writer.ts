// Hot: protobuf into one growing buffer, which is used again. A message's length takes five bytes, so that it can be
// filled in behind; 64-bit values are given as words, so that the payload of a NaN survives.

import type { Labels } from '@flotilla/model';

const LENGTH_BYTES = 5;
const float = new Float64Array(1);
const floatWords = new Uint32Array(float.buffer);

export class ProtobufWriter {
  private bytes: Uint8Array;
  private view: DataView;
  private at = 0;

  constructor(capacity = 1 << 16) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  get length(): number {
    return this.at;
  }

  /** What was written, as a view: valid until the next write. */
  finish(): Uint8Array {
    return this.bytes.subarray(0, this.at);
  }

  clear(): void {
    this.at = 0;
  }

  message(field: number, write: () => void): void {
    const lengthAt = this.begin(field);
    write();
    this.end(lengthAt);
  }

  /** Begins a message; end() takes what it returns. */
  begin(field: number): number {
    this.reserve(2 + LENGTH_BYTES);
    this.tag(field, 2);
    const lengthAt = this.at;
    this.at += LENGTH_BYTES;
    return lengthAt;
  }

  end(lengthAt: number): void {
    let length = this.at - lengthAt - LENGTH_BYTES;
    for (let i = 0; i < LENGTH_BYTES; i++, length >>>= 7)
      this.bytes[lengthAt + i] = (length & 0x7f) | (i < LENGTH_BYTES - 1 ? 0x80 : 0);
  }

  text(field: number, text: string): void {
    this.block(field, Buffer.from(text, 'utf8'));
  }

  /** A field of bytes, or a message that is encoded already. */
  block(field: number, data: Uint8Array): void {
    this.reserve(2 + LENGTH_BYTES + data.length);
    this.tag(field, 2);
    this.varint(data.length);
    this.bytes.set(data, this.at);
    this.at += data.length;
  }

  /** Fields that are encoded already. */
  raw(data: Uint8Array): void {
    this.reserve(data.length);
    this.bytes.set(data, this.at);
    this.at += data.length;
  }

  /** `message Label { string name = 1; string value = 2; }`, for each. */
  labels(field: number, labels: Labels): void {
    for (const [nameText, valueText] of labels) {
      const name = Buffer.from(nameText, 'utf8');
      const value = Buffer.from(valueText, 'utf8');
      const { length: nameBytes } = name;
      const { length: valueBytes } = value;
      this.reserve(2 + LENGTH_BYTES);
      this.tag(field, 2);
      this.varint(2 + varintBytes(nameBytes) + nameBytes + varintBytes(valueBytes) + valueBytes);
      this.block(1, name);
      this.block(2, value);
    }
  }

  double(field: number, value: number): void {
    float[0] = value;
    this.fixed64(field, floatWords[0]!, floatWords[1]!);
  }

  /** `message Sample { double value = 1; int64 timestamp = 2; }`. */
  sample(field: number, timeMs: number, low: number, high: number): void {
    if (timeMs < 0) {
      const lengthAt = this.begin(field);
      this.fixed64(1, low, high);
      this.varintField(2, timeMs);
      this.end(lengthAt);
      return;
    }
    this.reserve(32);
    this.tag(field, 2);
    const lengthAt = this.at++;
    this.fixed64(1, low, high);
    this.bytes[this.at++] = 2 << 3;
    this.varint(timeMs);
    this.bytes[lengthAt] = this.at - lengthAt - 1;
  }

  /** A number of a packed field. */
  packed(value: number): void {
    this.reserve(10);
    this.varint(value);
  }

  packedSigned(value: number): void {
    this.packed(value >= 0 ? 2 * value : -2 * value - 1);
  }

  packedDouble(value: number): void {
    float[0] = value;
    this.reserve(8);
    this.view.setUint32(this.at, floatWords[0]!, true);
    this.view.setUint32(this.at + 4, floatWords[1]!, true);
    this.at += 8;
  }

  /** A field of type sint32 or sint64. */
  signedField(field: number, value: number): void {
    this.varintField(field, value >= 0 ? 2 * value : -2 * value - 1);
  }

  fixed64(field: number, low: number, high: number): void {
    this.reserve(10);
    this.tag(field, 1);
    this.view.setUint32(this.at, low, true);
    this.view.setUint32(this.at + 4, high, true);
    this.at += 8;
  }

  fixed32(field: number, value: number): void {
    this.reserve(6);
    this.tag(field, 5);
    this.view.setUint32(this.at, value, true);
    this.at += 4;
  }

  /** A whole number, which may be negative. */
  varintField(field: number, value: number): void {
    this.reserve(12);
    this.tag(field, 0);
    if (value >= 0) this.varint(value);
    else
      for (let rest = BigInt.asUintN(64, BigInt(value)), i = 0; i < 10; i++, rest >>= 7n)
        this.bytes[this.at++] = Number(rest & 0x7fn) | (i < 9 ? 0x80 : 0);
  }

  private tag(field: number, wireType: number): void {
    this.varint((field << 3) | wireType);
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

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}
