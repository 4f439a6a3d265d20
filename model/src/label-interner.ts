// One object for equal strings and equal labels, so that a million series share their few thousand values.
//
// Ownership: it grows with what it is given. Whoever holds one bounds it, by size and clear().

import { Labels } from './labels.ts';

export class LabelInterner {
  private readonly strings = new Map<string, string>();
  private readonly sets = new Map<string, Labels>();

  /** Distinct strings and label sets held. */
  get size(): number {
    return this.strings.size + this.sets.size;
  }

  string(s: string): string {
    const known = this.strings.get(s);
    if (known !== undefined) return known;
    this.strings.set(s, s);
    return s;
  }

  labels(labels: Labels): Labels {
    const known = this.sets.get(labels.key);
    if (known !== undefined) return known;
    const shared = Labels.fromSorted(labels.flat.map((part) => this.string(part)));
    this.sets.set(shared.key, shared);
    return shared;
  }

  clear(): void {
    this.strings.clear();
    this.sets.clear();
  }
}
