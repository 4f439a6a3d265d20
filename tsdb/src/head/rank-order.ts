// Hot: the series of a head in label order, and their strings in order: once per series and label that a block is cut with.
//
// A string's rank is its place among the sorted ones. Series are sorted label by label: by the rank of the first name, those
// with equal ones by that of its value, and so on. Works in slices (turns.ts).

import { compareUtf8 } from '@flotilla/model';
import { sortSlowly } from '../sort-slowly.ts';
import { isTurnOver, nextTurn } from '../turns.ts';
import type { LabelSets } from './label-sets.ts';
import type { Symbols } from './symbols.ts';

/** How many are sorted or merged between two looks at the clock: about a millisecond. */
const ITEMS_PER_LOOK = 1 << 13;
/** Fewer are sorted by insertion. */
const SORT_MIN = 16;
/** A key is rank · SLOTS + slot: 52 bits. */
const SLOTS = 2 ** 24;

/** At least two series. */
interface Range {
  readonly from: number;
  readonly to: number;
  /** Of names and values in turn; those before it are equal. */
  readonly column: number;
}

export class RankOrder {
  /** All strings of the series, ascending. */
  readonly symbols: readonly string[];
  /** By the head's id of a string: its number in `symbols`. */
  readonly ranks: Uint32Array;
  /** The series, in label order. */
  readonly slots: Uint32Array;
  private readonly sets: LabelSets;
  private readonly keys: Float64Array<ArrayBuffer>;
  private spare = new Float64Array(0);

  /** Sorts `slots` in place. Their labels must not change meanwhile. */
  static async of(sets: LabelSets, symbols: Symbols, slots: Uint32Array): Promise<RankOrder> {
    const used = new Uint8Array(symbols.capacity);
    for (let i = 0; i < slots.length; i++) {
      if (isTurnOver()) await nextTurn();
      const pairs = sets.pairsOf(slots[i]!);
      for (let k = 0; k < pairs.length; k++) used[pairs[k]!] = 1;
    }
    const ids: number[] = [];
    for (let id = 0; id < used.length; id++) if (used[id] === 1) ids.push(id);
    const sorted = await sortSlowly(ids, (a, b) => compareUtf8(symbols.text(a), symbols.text(b)));
    const ranks = new Uint32Array(used.length);
    for (let rank = 0; rank < sorted.length; rank++) ranks[sorted[rank]!] = rank;
    const texts = sorted.map((id) => symbols.text(id));
    const order = new RankOrder(sets, texts, ranks, slots);
    await order.arrange();
    return order;
  }

  private constructor(sets: LabelSets, symbols: readonly string[], ranks: Uint32Array, slots: Uint32Array) {
    this.sets = sets;
    this.symbols = symbols;
    this.ranks = ranks;
    this.slots = slots;
    this.keys = new Float64Array(slots.length);
  }

  private async arrange(): Promise<void> {
    const ranges: Range[] = [];
    if (this.slots.length > 1) ranges.push({ from: 0, to: this.slots.length, column: 0 });
    for (let range = ranges.pop(); range !== undefined; range = ranges.pop()) {
      const { from, to, column } = range;
      if (isTurnOver()) await nextTurn();
      if (this.fillKeys(from, to, column)) ranges.push({ from, to, column: column + 1 });
      else {
        if (to - from < SORT_MIN) this.sortFew(from, to);
        else await this.sortKeys(from, to);
        this.split(from, to, column + 1, ranges);
      }
    }
  }

  private sortFew(from: number, to: number): void {
    const { keys } = this;
    for (let i = from + 1; i < to; i++) {
      const key = keys[i]!;
      let at = i;
      for (; at > from && keys[at - 1]! > key; at--) keys[at] = keys[at - 1]!;
      keys[at] = key;
    }
  }

  /** Whether all are equal in the column. No two series are equal as a whole, or this would not end. */
  private fillKeys(from: number, to: number, column: number): boolean {
    const { slots, sets, ranks, keys } = this;
    const first = sets.rankAt(slots[from]!, column, ranks);
    let same = true;
    for (let i = from; i < to; i++) {
      const slot = slots[i]!;
      const rank = sets.rankAt(slot, column, ranks);
      keys[i] = (rank + 1) * SLOTS + slot;
      same &&= rank === first;
    }
    if (same && first < 0)
      throw new Error(`BUG: head: series ${slots[from]!} and ${slots[from + 1]!} have the same labels`);
    return same;
  }

  /** Sorts runs, and merges them two by two. */
  private async sortKeys(from: number, to: number): Promise<void> {
    const { keys } = this;
    for (let run = from; run < to; run += ITEMS_PER_LOOK) {
      keys.subarray(run, Math.min(to, run + ITEMS_PER_LOOK)).sort();
      if (isTurnOver()) await nextTurn();
    }
    for (let width = ITEMS_PER_LOOK; width < to - from; width *= 2) {
      for (let run = from; run + width < to; run += 2 * width) {
        this.merge(run, run + width, Math.min(to, run + 2 * width));
        if (isTurnOver()) await nextTurn();
      }
    }
  }

  /** Merges the sorted runs [from, middle) and [middle, to). */
  private merge(from: number, middle: number, to: number): void {
    const { keys } = this;
    if (this.spare.length < middle - from) this.spare = new Float64Array(middle - from);
    const { spare } = this;
    spare.set(keys.subarray(from, middle));
    const count = middle - from;
    let out = from;
    for (let i = 0, j = middle; i < count;) {
      if (j < to && keys[j]! < spare[i]!) keys[out++] = keys[j++]!;
      else keys[out++] = spare[i++]!;
    }
  }

  /** Takes over the order of the keys, and leaves what is equal in the column for the next one. */
  private split(from: number, to: number, column: number, ranges: Range[]): void {
    const { keys, slots } = this;
    let start = from;
    let rank = Math.floor(keys[from]! / SLOTS);
    for (let i = from; i < to; i++) {
      const key = keys[i]!;
      const own = Math.floor(key / SLOTS);
      slots[i] = key - own * SLOTS;
      if (own === rank) continue;
      if (i - start > 1) ranges.push({ from: start, to: i, column });
      [start, rank] = [i, own];
    }
    if (to - start > 1) ranges.push({ from: start, to, column });
  }
}
