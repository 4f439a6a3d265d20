// The sequences of label names that a head's series have: as few as there are kinds of metrics, so that a series needs one
// number for all of its names. Counted by use; shape 0 is the one without names.

import type { SnapshotReader } from '../head-snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../head-snapshot/snapshot-writer.ts';

const EMPTY = new Uint32Array(0);

export class LabelShapes {
  private readonly names: Uint32Array[] = [EMPTY];
  private readonly ids = new Map<string, number>();
  private readonly free: number[] = [];
  private readonly uses: number[] = [1];
  private latest = 0;

  /** Ids of the names, in label order. */
  namesOf(shape: number): Uint32Array {
    return this.names[shape]!;
  }

  /** The shape of these names, with one use more. `pairs`: name and value ids in turn. */
  acquire(pairs: Uint32Array): number {
    if (!isShapeOf(this.names[this.latest]!, pairs)) this.latest = this.find(pairs);
    this.uses[this.latest]!++;
    return this.latest;
  }

  private find(pairs: Uint32Array): number {
    const names = pairs.filter((_, k) => k % 2 === 0);
    if (names.length === 0) return 0;
    const key = names.join();
    let shape = this.ids.get(key);
    if (shape === undefined) {
      shape = this.free.pop() ?? this.names.length;
      this.names[shape] = names;
      this.uses[shape] = 0;
      this.ids.set(key, shape);
    }
    return shape;
  }

  save(out: SnapshotWriter): void {
    out.array(Uint32Array.from(this.free));
    out.array(Uint32Array.from(this.uses));
    for (const names of this.names) out.array(names);
  }

  /** Of an empty one. */
  load(input: SnapshotReader): void {
    for (const shape of input.array(Uint32Array)) this.free.push(shape);
    for (const [shape, uses] of input.array(Uint32Array).entries()) {
      const names = input.array(Uint32Array);
      this.names[shape] = names;
      this.uses[shape] = uses;
      if (names.length > 0) this.ids.set(names.join(), shape);
    }
  }

  /** Takes one use back; the last one frees the shape. */
  release(shape: number): void {
    if (--this.uses[shape]! > 0) return;
    this.ids.delete(this.names[shape]!.join());
    this.names[shape] = EMPTY;
    this.free.push(shape);
    if (this.latest === shape) this.latest = 0;
  }
}

function isShapeOf(names: Uint32Array, pairs: Uint32Array): boolean {
  if (2 * names.length !== pairs.length) return false;
  for (let k = 0; k < names.length; k++) if (names[k] !== pairs[2 * k]) return false;
  return true;
}
