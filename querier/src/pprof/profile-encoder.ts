// V8's profiles as pprof's `Profile` messages, compressed: what `go tool pprof` and `promtool debug` read.

import { ProtobufWriter } from '@flotilla/wire';
import { gzipSync } from 'node:zlib';

export interface ValueType {
  readonly type: string;
  readonly unit: string;
}

/** A place in the code; the same object for the same place. */
export interface Frame {
  readonly name: string;
  readonly file: string;
  readonly line: number;
}

export interface StackSample {
  /** The innermost frame first. */
  readonly stack: readonly Frame[];
  /** One for each value type. */
  readonly values: readonly number[];
}

export interface StackProfile {
  readonly types: readonly ValueType[];
  readonly samples: readonly StackSample[];
  readonly timeMs: number;
  readonly durationMs: number;
}

export function encodeProfile({ types, samples, timeMs, durationMs }: StackProfile): Buffer {
  const writer = new ProtobufWriter();
  const strings = new Table<string>();
  strings.idOf('');
  const frames = new Table<string>();
  const places: Frame[] = [];
  const frameId = (frame: Frame): number => {
    const id = frames.idOf(`${frame.file}\n${frame.line}\n${frame.name}`);
    places[id] = frame;
    return id + 1;
  };
  for (const { type, unit } of types) {
    writer.message(1, () => {
      writer.varintField(1, strings.idOf(type));
      writer.varintField(2, strings.idOf(unit));
    });
  }
  for (const { stack, values } of samples) {
    const ids = stack.map(frameId);
    writer.message(2, () => {
      packed(writer, 1, ids);
      packed(writer, 2, values);
    });
  }
  places.forEach((frame, i) => writeFrame(writer, i + 1, frame, strings));
  for (const text of strings.items) writer.text(6, text);
  writer.varintField(9, Math.round(timeMs * 1e6));
  writer.varintField(10, Math.round(durationMs * 1e6));
  return gzipSync(writer.finish());
}

/** A location and its function, of one id. */
function writeFrame(writer: ProtobufWriter, id: number, frame: Frame, strings: Table<string>): void {
  writer.message(4, () => {
    writer.varintField(1, id);
    writer.message(4, () => {
      writer.varintField(1, id);
      writer.varintField(2, Math.max(0, frame.line));
    });
  });
  writer.message(5, () => {
    writer.varintField(1, id);
    writer.varintField(2, strings.idOf(frame.name));
    writer.varintField(4, strings.idOf(frame.file));
  });
}

function packed(writer: ProtobufWriter, field: number, values: readonly number[]): void {
  writer.message(field, () => {
    for (const value of values) writer.packed(Math.max(0, Math.round(value)));
  });
}

/** Items in the order in which they came. */
class Table<T> {
  readonly items: T[] = [];
  readonly #ids = new Map<T, number>();

  idOf(item: T): number {
    let id = this.#ids.get(item);
    if (id === undefined) {
      id = this.items.push(item) - 1;
      this.#ids.set(item, id);
    }
    return id;
  }
}
