// A reader for messages of strangers, and the check of those in which it passed something over: a field that nobody knows is
// none of ours, a known one of a wrong type is damage. protobufjs passes both over. Messages without either cost nothing more.

import { BadRequest } from '@flotilla/model';
import protobuf from 'protobufjs';

const GROUP_START = 3;
const GROUP_END = 4;
const BYTES = 2;

/** What 64-bit fields are, here numbers. */
type Integer = ReturnType<protobuf.Reader['sint64']>;

/** A varint of so many bytes is an integer of 31 bits. */
const SHORT_BYTES = 4;

export class CheckedReader extends protobuf.Reader {
  hasSkipped = false;

  /** The bucket counts of a native histogram are short varints, by the dozen; protobufjs makes an object for each. */
  override sint64(): Integer {
    const value = this.#shortVarint();
    if (value < 0) return super.sint64();
    return ((value >>> 1) ^ -(value & 1)) as unknown as Integer;
  }

  override uint64(): Integer {
    const value = this.#shortVarint();
    return value < 0 ? super.uint64() : (value as unknown as Integer);
  }

  /** −1 if it is longer, or near the end. */
  #shortVarint(): number {
    const { buf, pos, len } = this;
    if (len - pos < SHORT_BYTES) return -1;
    let value = 0;
    for (let i = 0; i < SHORT_BYTES; i++) {
      const byte = buf[pos + i]!;
      value |= (byte & 0x7f) << (7 * i);
      if (byte >= 0x80) continue;
      this.pos = pos + i + 1;
      return value;
    }
    return -1;
  }

  override skipType(wireType: number, depth?: number, fieldNumber?: number): protobuf.Reader {
    this.hasSkipped = true;
    if (wireType === GROUP_START && fieldNumber !== 0) return this.#skipGroup();
    return super.skipType(wireType, depth, fieldNumber);
  }

  /** To its end, whatever the field numbers in it are, as Go's generated code has it. */
  #skipGroup(): protobuf.Reader {
    for (let depth = 1; depth > 0;) {
      const wireType = this.buf[this.pos]! & 7;
      this.skip();
      if (wireType === GROUP_START) depth++;
      else if (wireType === GROUP_END) depth--;
      else super.skipType(wireType);
    }
    return this;
  }
}

/** Throws BadRequest for a known field of a wrong type, in the words of Go's generated code. */
export function checkWireTypes(type: protobuf.Type, bytes: Uint8Array): void {
  checkMessage(type, new CheckedReader(bytes), bytes.length);
}

function checkMessage(type: protobuf.Type, reader: protobuf.Reader, end: number): void {
  while (reader.pos < end) {
    const tag = reader.tag();
    const [number, wireType] = [tag >>> 3, tag & 7];
    if (wireType === GROUP_END) throw new BadRequest(`proto: ${type.name}: wiretype end group for non-group`);
    const field = type.fieldsById[number];
    if (field !== undefined) checkField(field, wireType);
    if (field?.resolvedType instanceof protobuf.Type) {
      const length = reader.uint32();
      checkMessage(field.resolvedType, reader, reader.pos + length);
    } else reader.skipType(wireType, 0, number);
  }
}

function checkField(field: protobuf.Field, wireType: number): void {
  const want = protobuf.types.basic[field.type as keyof typeof protobuf.types.basic] ?? BYTES;
  const isPacked = field.repeated && wireType === BYTES;
  if (wireType === want || isPacked) return;
  const name = `${field.name.charAt(0).toUpperCase()}${field.name.slice(1)}`;
  throw new BadRequest(`proto: wrong wireType = ${wireType} for field ${name}`);
}
