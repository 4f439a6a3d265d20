// Hot: the order of a head's series by their labels, which selects of many series ask for again and again.
//
// What was sorted last is kept, as places by slot (8 bytes a series), so that only series that came since are compared. Works
// in slices: `turn` is awaited now and then, and throws if a series may have left; forget() is told of each that does.

import { isTurnOver } from '../turns.ts';
import type { LabelSets } from './label-sets.ts';

/** Up to so many are sorted in one go: two milliseconds. */
const FEW = 1024;
/** Items between two looks at the clock. */
const ITEMS_PER_LOOK = 256;

type Turn = () => Promise<void>;

export class LabelOrder {
  private readonly sets: LabelSets;
  /** By slot: one more than its place in `order`, or 0. */
  private places = new Uint32Array(0);
  /** Slots in label order; 0 where one has left. */
  private order = new Uint32Array(0);

  constructor(sets: LabelSets) {
    this.sets = sets;
  }

  forget(slot: number): void {
    const place = this.places[slot] ?? 0;
    if (place === 0) return;
    this.places[slot] = 0;
    this.order[place - 1] = 0;
  }

  /** The slots in label order; `size` is how many series there are. */
  async sort(slots: Uint32Array, size: number, turn: Turn): Promise<Uint32Array> {
    if (slots.length <= FEW) return slots.toSorted((a, b) => this.sets.compare(a, b));
    const { placed, others } = this.split(slots);
    await turn();
    const sorted = joined(placed, await this.sortOthers(others, turn), (a, b) => this.sets.compare(a, b));
    const isWorthKeeping = others.length > FEW && 2 * sorted.length > size;
    if (isWorthKeeping) this.keep(sorted);
    return sorted;
  }

  /** Those that have places, in order, and those that have none. */
  private split(slots: Uint32Array): { placed: Uint32Array; others: Uint32Array } {
    const { places, order } = this;
    const isWanted = new Uint8Array(order.length);
    const others = new Uint32Array(slots.length);
    let otherCount = 0;
    for (const slot of slots) {
      const place = places[slot] ?? 0;
      if (place === 0) others[otherCount++] = slot;
      else isWanted[place - 1] = 1;
    }
    const placed = new Uint32Array(slots.length - otherCount);
    let count = 0;
    for (let i = 0; count < placed.length; i++) if (isWanted[i] === 1) placed[count++] = order[i]!;
    return { placed, others: others.subarray(0, otherCount) };
  }

  private keep(sorted: Uint32Array): void {
    this.order = sorted.slice();
    let most = 0;
    for (const slot of sorted) most = Math.max(most, slot);
    this.places = new Uint32Array(most + 1);
    for (let i = 0; i < sorted.length; i++) this.places[sorted[i]!] = i + 1;
  }

  /** A merge sort from the bottom, between two arrays. */
  private async sortOthers(slots: Uint32Array, turn: Turn): Promise<Uint32Array> {
    let from = slots;
    for (let at = 0; at < slots.length; at += ITEMS_PER_LOOK) {
      if (isTurnOver()) await turn();
      from.subarray(at, at + ITEMS_PER_LOOK).sort((a, b) => this.sets.compare(a, b));
    }
    let to = new Uint32Array(slots.length);
    for (let width = ITEMS_PER_LOOK; width < slots.length; width *= 2) {
      for (let at = 0; at < slots.length; at += 2 * width) await this.merge(from, to, at, width, turn);
      [from, to] = [to, from as Uint32Array<ArrayBuffer>];
    }
    return from;
  }

  /** Merges from[at, at + width) and what is as long after it. */
  private async merge(
    from: Uint32Array,
    to: Uint32Array,
    at: number,
    width: number,
    turn: Turn,
  ): Promise<void> {
    const middle = Math.min(at + width, from.length);
    const end = Math.min(at + 2 * width, from.length);
    let [a, b] = [at, middle];
    for (let out = at; out < end; out++) {
      if (out % ITEMS_PER_LOOK === 0 && isTurnOver()) await turn();
      const isLeft = b === end || (a < middle && this.sets.compare(from[a]!, from[b]!) <= 0);
      to[out] = isLeft ? from[a++]! : from[b++]!;
    }
  }
}

/** Two ascending lists as one. Few others cost few comparisons. */
function joined(
  placed: Uint32Array,
  others: Uint32Array,
  compare: (a: number, b: number) => number,
): Uint32Array {
  if (others.length === 0) return placed;
  if (placed.length === 0) return others;
  const out = new Uint32Array(placed.length + others.length);
  let taken = 0;
  for (let i = 0; i < others.length; i++) {
    const slot = others[i]!;
    let [low, high] = [taken, placed.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(placed[middle]!, slot) < 0) low = middle + 1;
      else high = middle;
    }
    out.set(placed.subarray(taken, low), taken + i);
    out[low + i] = slot;
    taken = low;
  }
  out.set(placed.subarray(taken), taken + others.length);
  return out;
}
