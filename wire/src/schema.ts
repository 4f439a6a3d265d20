// The compiled .proto files. 64-bit integers are numbers: all of ours are milliseconds, counts or sizes below 2^53.

import { BadRequest } from '@flotilla/model';
import protobuf from 'protobufjs';
import { readFileSync } from 'node:fs';
import { CheckedReader, checkWireTypes } from './checked-reader.ts';

protobuf.util.Long = null as unknown as typeof protobuf.util.Long;
protobuf.configure();

const root = new protobuf.Root();
for (const file of ['assignment', 'series_stream', 'metric_family', 'remote_read']) {
  const text = readFileSync(new URL(`../proto/${file}.proto`, import.meta.url), 'utf8');
  protobuf.parse(text, root, { keepCase: false });
}

/** Absent bytes read as no bytes; protobufjs gives an empty array. */
function defaultToBytes(namespace: protobuf.NamespaceBase): void {
  for (const nested of namespace.nestedArray) {
    if (nested instanceof protobuf.Type) {
      const absent = nested.fieldsArray.filter(({ type, repeated }) => type === 'bytes' && !repeated);
      for (const { name } of absent) (nested.ctor.prototype as Record<string, unknown>)[name] = noBytes;
    }
    if (nested instanceof protobuf.Namespace) defaultToBytes(nested);
  }
}

const noBytes: Uint8Array = Buffer.alloc(0);
defaultToBytes(root.resolveAll());

/** One message type with plain objects on the outside. Decoding bad bytes throws BadRequest with the message's name. */
export class MessageType<T extends object> {
  readonly #type: protobuf.Type;
  readonly #name: string;

  constructor(name: string, namespace = 'flotilla.v1') {
    this.#name = name;
    this.#type = root.lookupType(`${namespace}.${name}`);
  }

  encode(message: T): Uint8Array {
    return this.#type.encode(message).finish();
  }

  /** Missing scalars read as their defaults, missing messages as undefined or null. */
  decode(bytes: Uint8Array): T {
    return this.#decode(bytes, () => this.#type.decode(bytes));
  }

  /** As decode(), and a known field of a wrong type is damage. */
  decodeChecked(bytes: Uint8Array): T {
    return this.#decode(bytes, () => {
      const reader = new CheckedReader(bytes);
      const message = this.#type.decode(reader);
      if (reader.hasSkipped) checkWireTypes(this.#type, bytes);
      return message;
    });
  }

  #decode(bytes: Uint8Array, decode: () => protobuf.Message): T {
    try {
      return decode() as unknown as T;
    } catch (cause) {
      throw new BadRequest(
        `${this.#name}: ${bytes.length} bytes do not decode: ${(cause as Error).message}`,
        { cause },
      );
    }
  }
}
