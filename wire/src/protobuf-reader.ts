// Protobuf from strangers: every length is checked before it is believed. Throws BadRequest.

import { BadRequest } from '@flotilla/model';

const utf8 = new TextDecoder('utf-8', { fatal: true });

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;

/** Fields of a message: its name and wire type by number; a list of numbers may also be packed. */
export type FieldTypes = Readonly<Record<number, readonly [name: string, wireType: number, list?: 'list']>>;

export class ProtobufReader {
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly end: number;
  private at: number;

  constructor(bytes: Uint8Array, from = 0, to: number = bytes.length) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.at = from;
    this.end = to;
  }

  /** Calls `onField` for each field of `types`, which reads its value. A wrong wire type is refused in the words of Go's generated code. */
  fields(types: FieldTypes, onField: (field: number, wireType: number) => void): void {
    while (this.at < this.end) {
      const tag = this.varint();
      const [field, wireType] = [Math.floor(tag / 8), tag % 8];
      if (field <= 0) throw new BadRequest(`proto: illegal tag ${field} (wire type ${tag})`);
      const type = types[field];
      if (type === undefined) this.skip(wireType);
      else {
        const [name, want, list] = type;
        if (wireType !== want && (list === undefined || wireType !== BYTES))
          throw new BadRequest(`proto: wrong wireType = ${wireType} for field ${name}`);
        onField(field, wireType);
      }
    }
  }

  private skip(wireType: number): void {
    switch (wireType) {
      case 0:
        this.varint();
        break;
      case 1:
        this.take(8);
        break;
      case 2:
        this.take(this.varint());
        break;
      case 5:
        this.take(4);
        break;
      default:
        throw new BadRequest(`protobuf: wire type ${wireType} at ${this.at}`);
    }
  }

  private take(length: number): number {
    const from = this.at;
    if (length > this.end - from)
      throw new BadRequest(`protobuf: ${length} bytes at ${from}, want at most ${this.end - from}`);
    this.at += length;
    return from;
  }

  message(): ProtobufReader {
    const length = this.varint();
    const from = this.take(length);
    return new ProtobufReader(this.bytes, from, from + length);
  }

  text(): string {
    const length = this.varint();
    const from = this.take(length);
    try {
      return utf8.decode(this.bytes.subarray(from, from + length));
    } catch (cause) {
      throw new BadRequest(`protobuf: text at ${from} is no UTF-8`, { cause });
    }
  }

  double(): number {
    return this.view.getFloat64(this.take(8), true);
  }

  /** The words of a double, low and high, into `to`. */
  words(to: Uint32Array, index: number): void {
    const from = this.take(8);
    to[index] = this.view.getUint32(from, true);
    to[index + 1] = this.view.getUint32(from + 4, true);
  }

  /** An int64 or uint64; what is beyond 2^53 loses its last bits. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const byte = this.bytes[this.take(1)]!;
      if (i === 9) return this.negative();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    return value;
  }

  /** The int64 of the ten bytes before: only a negative one takes so many. */
  private negative(): number {
    let value = 0n;
    for (let i = 0; i < 10; i++) value |= BigInt(this.bytes[this.at - 10 + i]! & 0x7f) << BigInt(7 * i);
    return Number(BigInt.asIntN(64, value));
  }

  /** A sint32 or sint64. */
  signed(): number {
    const zigzag = this.varint();
    return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
  }

  /** The numbers of a repeated field, packed or one by one, added to a list. */
  repeated(wireType: number, list: number[], read: (reader: ProtobufReader) => number): void {
    if (wireType !== 2) {
      list.push(read(this));
      return;
    }
    const packed = this.message();
    while (packed.at < packed.end) list.push(read(packed));
  }
}
