// What was selected from a head lately: the series of some matchers in label order, and, unless they are many, their label
// sets as bytes.
//
// Dashboards and rules ask the same again and again. A selection holds until a series appears or leaves.

import type { Matcher } from '@flotilla/model';
import type { HeadIndex } from './head-index.ts';
import type { HeadRead } from './head-readers.ts';
import { type RefTable, slotOf } from './ref-table.ts';
import { grownBytes } from './symbols.ts';

/** Of all selections that are kept, in series of 4 bytes. */
const KEPT_WEIGHT_MAX = 3 << 20;
/** What a series with its label set weighs, some 160 bytes. */
const SPELLED_WEIGHT = 40;
/** Selections of more are kept without label sets: finding and sorting them costs more than spelling them out. */
const SPELLED_SERIES_MAX = 1 << 15;

/** A head, as its selections see it. */
interface Head {
  readonly index: HeadIndex;
  readonly refs: RefTable;
}

export class HeadSelection {
  readonly refs: Uint32Array;
  private readonly index: HeadIndex;
  private readonly spelled: SpelledLabels | undefined;

  /** `slots` are in label order. */
  constructor({ refs, index }: Head, slots: Uint32Array) {
    this.index = index;
    this.refs = slots.map((slot) => refs.refAt(slot));
    if (slots.length <= SPELLED_SERIES_MAX) this.spelled = new SpelledLabels(slots.length);
  }

  /** What it counts among those that are kept: many that are empty are not free. */
  get weight(): number {
    return 1 + this.refs.length * (this.spelled === undefined ? 1 : SPELLED_WEIGHT);
  }

  get keepsLabelSets(): boolean {
    return this.spelled !== undefined;
  }

  /** The labels of a series that is in the head, as bytes: a view, valid until the next one unless label sets are kept. */
  labelSet(at: number): Uint8Array {
    const { spelled } = this;
    const slot = slotOf(this.refs[at]!);
    if (spelled === undefined) return this.index.speller.spell(slot);
    if (!spelled.has(at)) spelled.add(at, this.index.speller.spell(slot));
    return spelled.get(at);
  }
}

/** Label sets by place, as they were asked for. */
class SpelledLabels {
  private readonly from: Uint32Array;
  /** 0: not known yet. */
  private readonly to: Uint32Array;
  private bytes = new Uint8Array(0);
  private used = 0;

  constructor(count: number) {
    this.from = new Uint32Array(count);
    this.to = new Uint32Array(count);
  }

  has(at: number): boolean {
    return this.to[at] !== 0;
  }

  /** A view that stays as it is: bytes are written once, and move when there are more. */
  get(at: number): Uint8Array {
    return this.bytes.subarray(this.from[at], this.to[at]);
  }

  /** Copies it. */
  add(at: number, labelSet: Uint8Array): void {
    const end = this.used + labelSet.length;
    if (end > this.bytes.length) this.bytes = grownBytes(this.bytes, Math.max(end, 1024));
    this.bytes.set(labelSet, this.used);
    this.from[at] = this.used;
    this.to[at] = end;
    this.used = end;
  }
}

export class HeadSelections {
  private readonly head: Head;
  /** By matchers, the one that was asked for last at the end. */
  private readonly kept = new Map<string, HeadSelection>();
  private weight = 0;
  private version = 0;

  constructor(head: Head) {
    this.head = head;
  }

  /** Takes several turns, unless it is known. */
  async of(matchers: readonly Matcher[], { turn }: HeadRead): Promise<HeadSelection> {
    const { index } = this.head;
    if (this.version !== index.version) this.clear();
    const version = (this.version = index.version);
    const key = matchers.map(String).join(',');
    const known = this.kept.get(key);
    if (known !== undefined) {
      this.kept.delete(key);
      this.kept.set(key, known);
      return known;
    }
    const selection = new HeadSelection(this.head, await index.selectSorted(matchers, turn));
    if (version === index.version) this.keep(key, selection);
    return selection;
  }

  private keep(key: string, selection: HeadSelection): void {
    if (selection.weight > KEPT_WEIGHT_MAX / 2 || this.kept.has(key)) return;
    this.kept.set(key, selection);
    this.weight += selection.weight;
    for (const [oldest, { weight }] of this.kept) {
      if (this.weight <= KEPT_WEIGHT_MAX) break;
      this.kept.delete(oldest);
      this.weight -= weight;
    }
  }

  private clear(): void {
    this.kept.clear();
    this.weight = 0;
  }
}
