// The strings of a head's labels, each held once and known by a small number, counted by use.

import type { SnapshotReader } from '../head-snapshot/snapshot-reader.ts';
import { section, type SnapshotWriter } from '../head-snapshot/snapshot-writer.ts';

export class Symbols {
  private readonly ids = new Map<string, number>();
  private readonly strings: string[] = [];
  private readonly free: number[] = [];
  private uses = new Uint32Array(64);
  private bytes = 0;
  /** How many ids have been freed so far: a reader that knows strings by their ids compares it. */
  freed = 0;

  /** Bytes of all strings, as UTF-8. */
  get sizeBytes(): number {
    return this.bytes;
  }

  /** One more than the largest id in use: the size of an array by id. */
  get capacity(): number {
    return this.strings.length;
  }

  /** The id of `s`, with one use more. */
  acquire(s: string): number {
    const id = this.ids.get(s) ?? this.add(s);
    this.uses[id]!++;
    return id;
  }

  /** One use more of an id that has some. */
  use(id: number): void {
    this.uses[id]!++;
  }

  find(s: string): number | undefined {
    return this.ids.get(s);
  }

  text(id: number): string {
    return this.strings[id]!;
  }

  /** Takes one use back; the last one frees the id. */
  release(id: number): void {
    if (--this.uses[id]! > 0) return;
    const s = this.strings[id]!;
    this.bytes -= Buffer.byteLength(s);
    this.ids.delete(s);
    this.strings[id] = '';
    this.free.push(id);
    this.freed++;
  }

  save(out: SnapshotWriter): void {
    out.section(section.symbols);
    out.array(this.uses.subarray(0, this.strings.length));
    out.array(Uint32Array.from(this.free));
    out.texts(this.strings);
  }

  /** Of an empty one. */
  load(input: SnapshotReader): void {
    input.section(section.symbols);
    this.uses = input.array(Uint32Array, 1);
    for (const id of input.array(Uint32Array)) this.free.push(id);
    for (const s of input.texts()) {
      const id = this.strings.push(s) - 1;
      if (this.uses[id] === 0) continue;
      this.ids.set(s, id);
      this.bytes += Buffer.byteLength(s);
    }
  }

  private add(s: string): number {
    const id = this.free.pop() ?? this.strings.length;
    if (id >= this.uses.length) this.uses = grown(this.uses, id + 1);
    this.strings[id] = s;
    this.ids.set(s, id);
    this.bytes += Buffer.byteLength(s);
    return id;
  }
}

/** Arrays of more items grow by a quarter: their spare room is memory that a head never uses. */
const LARGE = 1 << 16;

/** A copy of at least `length`, half as large again as before. */
export function grown(array: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(
    Math.max(length, array.length + (array.length >> (array.length < LARGE ? 1 : 2)) + 16),
  );
  larger.set(array);
  return larger;
}

/** A copy of at least `length` bytes, a quarter as large again as before. */
export function grownBytes(array: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(length, array.length + (array.length >> 2)));
  larger.set(array);
  return larger;
}
