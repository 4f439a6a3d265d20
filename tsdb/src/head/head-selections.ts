// What was selected from a head lately: the series of some matchers in label order, and their label sets as bytes.
//
// Dashboards and rules ask the same again and again. A selection holds until a series appears or leaves.

import { encodeLabels, type Matcher } from '@flotilla/model';
import type { HeadIndex } from './head-index.ts';
import type { HeadRead } from './head-readers.ts';
import { type RefTable, slotOf } from './ref-table.ts';
import { grownBytes } from './symbols.ts';

/** Series of all selections that are kept: some 100 bytes each. */
const KEPT_SERIES_MAX = 1 << 16;

/** A head, as its selections see it. */
interface Head {
  readonly index: HeadIndex;
  readonly refs: RefTable;
}

export class HeadSelection {
  readonly refs: Uint32Array;
  private readonly index: HeadIndex;
  private readonly from: Uint32Array;
  /** 0: not known yet. */
  private readonly to: Uint32Array;
  private bytes = new Uint8Array(0);
  private used = 0;

  /** `slots` are in label order. */
  constructor({ refs, index }: Head, slots: Uint32Array) {
    this.index = index;
    this.refs = slots.map((slot) => refs.refAt(slot));
    this.from = new Uint32Array(slots.length);
    this.to = new Uint32Array(slots.length);
  }

  /** The labels of a series that is in the head, as bytes that do not change. */
  labelSet(at: number): Uint8Array {
    if (this.to[at] === 0) this.spellOut(at);
    return this.bytes.subarray(this.from[at], this.to[at]);
  }

  private spellOut(at: number): void {
    const labelSet = encodeLabels(this.index.sets.labels(slotOf(this.refs[at]!)));
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
  private series = 0;
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
    const { length } = selection.refs;
    if (length > KEPT_SERIES_MAX / 2 || this.kept.has(key)) return;
    this.kept.set(key, selection);
    // One for the selection itself: many that are empty are not free.
    this.series += length + 1;
    for (const [oldest, { refs }] of this.kept) {
      if (this.series <= KEPT_SERIES_MAX) break;
      this.kept.delete(oldest);
      this.series -= refs.length + 1;
    }
  }

  private clear(): void {
    this.kept.clear();
    this.series = 0;
  }
}
