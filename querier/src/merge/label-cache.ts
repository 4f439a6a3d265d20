// Hot: label sets by their bytes, so that a series that was read for a query before is one object for all of them.
//
// Two generations: when the younger is full, or has been that for a while, it becomes the older, and what is asked for moves over. So a
// dashboard's sets stay, and those of one large query do not. What two sets with one hash cost is that one of them is decoded each time.

import { compareLabels, decodeLabels, type Labels } from '@flotilla/model';
import { hashOf } from './hash-bytes.ts';
import { TextTable } from './text-table.ts';

const SETS_MAX = 1 << 15;
const BYTES_MAX = 4 << 20;
const BYTES_MIN = 1 << 14;
/** What is asked for once in so long stays; dashboards ask once a minute or more often. */
const PERIOD_MS = 90_000;

export class LabelCache {
  #young = new Generation();
  #old = new Generation();
  #ageing: NodeJS.Timeout | undefined;

  /** Throws CorruptionError if the bytes [from, to) are no label set. */
  of(source: Uint8Array, from = 0, to = source.length): Labels {
    const expected = this.#young.next(source, from, to);
    if (expected !== undefined) return expected;
    const hash = hashOf(source, from, to);
    return this.#young.find(hash, source, from, to) ?? this.#remember(hash, source.subarray(from, to));
  }

  /** Whether `labels`, which of() gave last, come after `before` in the order of labels. */
  isAfter(before: Labels, labels: Labels): boolean {
    return this.#young.isAfter(before, labels);
  }

  #remember(hash: number, bytes: Uint8Array): Labels {
    const labels = this.#old.find(hash, bytes, 0, bytes.length) ?? this.#young.decode(bytes);
    if (this.#young.isFull) this.#begin();
    this.#young.add(hash, bytes, labels);
    this.#ageing ??= setTimeout(() => this.#age(), PERIOD_MS).unref();
    return labels;
  }

  #begin(): void {
    this.#old = this.#young;
    this.#young = new Generation();
  }

  #age(): void {
    this.#begin();
    this.#ageing = this.#old.isEmpty ? undefined : setTimeout(() => this.#age(), PERIOD_MS).unref();
  }
}

class Generation {
  readonly #places = new Map<number, number>();
  readonly #labels: Labels[] = [];
  readonly #ends: number[] = [];
  /** How each compares with the one at the place before, once somebody asked. */
  readonly #orders: (number | undefined)[] = [];
  readonly #texts = new TextTable();
  #bytes = new Uint8Array(BYTES_MIN);
  /** Behind the set that was found last: sets of an answer that was read before come in the same order again. */
  #nextPlace = 0;

  get isEmpty(): boolean {
    return this.#labels.length === 0;
  }

  get isFull(): boolean {
    return this.#labels.length >= SETS_MAX || (this.#ends.at(-1) ?? 0) >= BYTES_MAX;
  }

  /** The set that follows the one that was found last, if it has these bytes. */
  next(source: Uint8Array, from: number, to: number): Labels | undefined {
    const place = this.#nextPlace;
    if (place >= this.#labels.length || !this.#isAt(place, source, from, to)) return undefined;
    this.#nextPlace = place + 1;
    return this.#labels[place];
  }

  find(hash: number, source: Uint8Array, from: number, to: number): Labels | undefined {
    const place = this.#places.get(hash);
    if (place === undefined || !this.#isAt(place, source, from, to)) return undefined;
    this.#nextPlace = place + 1;
    return this.#labels[place];
  }

  isAfter(before: Labels, labels: Labels): boolean {
    const place = this.#nextPlace - 1;
    if (place < 1 || this.#labels[place] !== labels || this.#labels[place - 1] !== before)
      return compareLabels(before, labels) < 0;
    return (this.#orders[place] ??= compareLabels(before, labels)) < 0;
  }

  #isAt(place: number, source: Uint8Array, from: number, to: number): boolean {
    const end = this.#ends[place]!;
    const known = this.#bytes;
    const shift = end - to;
    if (from + shift !== (place === 0 ? 0 : this.#ends[place - 1]!)) return false;
    for (let i = from; i < to; i++) if (known[i + shift] !== source[i]) return false;
    return true;
  }

  /** Of strings that sets share. */
  decode(bytes: Uint8Array): Labels {
    return decodeLabels(bytes, (source, from, to) => this.#texts.text(source, from, to));
  }

  add(hash: number, bytes: Uint8Array, labels: Labels): void {
    const from = this.#ends.at(-1) ?? 0;
    const end = from + bytes.length;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(2 * end);
      grown.set(this.#bytes.subarray(0, from));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, from);
    this.#places.set(hash, this.#labels.length);
    this.#labels.push(labels);
    this.#orders.push(undefined);
    this.#ends.push(end);
  }
}
