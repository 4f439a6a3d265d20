// Changes labels step by step and keeps them sorted all the while, so that labels() need not sort.
//
// labels() returns the same object until something changes: a rule that changes nothing costs nothing.

import { Labels } from './labels.ts';
import { compareUtf8 } from './utf8-order.ts';

export class LabelsBuilder implements Iterable<[string, string]> {
  private built: Labels | undefined;
  private flat: string[] | undefined; // Ours to change; undefined while `built` says it all.

  constructor(base: Labels = Labels.EMPTY) {
    this.built = base;
  }

  /** The label's present value, or '' when it is absent. */
  get(name: string): string {
    const flat = this.current();
    for (let i = 0; i < flat.length; i += 2) if (flat[i] === name) return flat[i + 1]!;
    return '';
  }

  /** Sets a label; an empty value deletes it. */
  set(name: string, value: string): this {
    if (value === '') return this.delete(name);
    const at = this.position(name);
    const current = this.current();
    const found = current[at] === name;
    if (found && current[at + 1] === value) return this;
    this.change().splice(at, found ? 2 : 0, name, value);
    return this;
  }

  delete(name: string): this {
    const at = this.position(name);
    if (this.current()[at] === name) this.change().splice(at, 2);
    return this;
  }

  /** Deletes every label whose name is not in `names`. */
  keep(names: Iterable<string>): this {
    const wanted = new Set(names);
    for (const [name] of this) if (!wanted.has(name)) this.delete(name);
    return this;
  }

  labels(): Labels {
    this.built ??= Labels.fromSorted(this.current().slice());
    return this.built;
  }

  /** The pairs as they were when the iteration began, in order: changing the builder meanwhile is safe. */
  [Symbol.iterator](): Generator<[string, string]> {
    return this.labels()[Symbol.iterator]();
  }

  private current(): readonly string[] {
    return this.flat ?? this.built!.flat;
  }

  private change(): string[] {
    this.flat ??= this.built!.flat.slice();
    this.built = undefined;
    return this.flat;
  }

  /** Where the name is, or belongs, in the flat array. */
  private position(name: string): number {
    const flat = this.current();
    let low = 0;
    let high = flat.length >> 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareUtf8(flat[2 * middle]!, name) < 0) low = middle + 1;
      else high = middle;
    }
    return 2 * low;
  }
}
