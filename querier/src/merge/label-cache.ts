// Hot: label sets by their bytes, so that a series that was read for a query before is one object for all of them.
//
// Two generations: when the younger is full, or has been that for a while, it becomes the older, and what is asked for moves over. So a
// dashboard's sets stay, and those of one large query do not. What two sets with one hash cost is that one of them is decoded each time.

import { compareLabels, decodeLabels, type Labels, soleMetadata } from '@flotilla/model';
import { areEqual, hashOf } from './hash-bytes.ts';
import { TextTable } from './text-table.ts';

const SETS_MAX = 1 << 15;
const BYTES_MAX = 4 << 20;
const BYTES_MIN = 1 << 14;
/** What is asked for once in so long stays; dashboards ask once a minute or more often. */
const PERIOD_MS = 90_000;

/** What is known of a set and the one before it: it comes after that in the order of labels; both have the same name as soleMetadata(). */
export const IS_AFTER = 1;
export const SAME_METRIC = 2;

export class LabelCache {
  #young = new Generation();
  #old = new Generation();
  #isAgeing = false;

  /** Throws CorruptionError if the bytes [from, to) are no label set. */
  of(source: DataView, from = 0, to = source.byteLength): Labels {
    const expected = this.#young.next(source, from, to);
    if (expected !== undefined) return expected;
    const bytes = new Uint8Array(source.buffer, source.byteOffset + from, to - from);
    const hash = hashOf(bytes, 0, bytes.length);
    return this.#young.find(hash, source, from, to) ?? this.#remember(hash, source, from, to, bytes);
  }

  /** IS_AFTER, SAME_METRIC, both or neither, of `labels`, which of() gave last, and those `before`. */
  relation(before: Labels, labels: Labels): number {
    return this.#young.relation(before, labels);
  }

  #remember(hash: number, source: DataView, from: number, to: number, bytes: Uint8Array): Labels {
    const labels = this.#old.find(hash, source, from, to) ?? this.#young.decode(bytes);
    if (this.#young.isFull) this.#begin();
    this.#young.add(hash, bytes, labels);
    if (!this.#isAgeing) this.#age();
    return labels;
  }

  #begin(): void {
    this.#old = this.#young;
    this.#young = new Generation();
  }

  #age(): void {
    this.#isAgeing = true;
    setTimeout(() => {
      this.#begin();
      this.#isAgeing = false;
      if (!this.#old.isEmpty) this.#age();
    }, PERIOD_MS).unref();
  }
}

function relationOf(before: Labels, labels: Labels): number {
  const metric = soleMetadata(labels);
  const isSame = metric !== undefined && soleMetadata(before) === metric;
  return (compareLabels(before, labels) < 0 ? IS_AFTER : 0) | (isSame ? SAME_METRIC : 0);
}

class Generation {
  readonly #places = new Map<number, number>();
  readonly #labels: Labels[] = [];
  readonly #ends: number[] = [];
  /** Of each and the one at the place before, once somebody asked; else −1. */
  readonly #relations: number[] = [];
  readonly #texts = new TextTable();
  #bytes = new Uint8Array(BYTES_MIN);
  #view = new DataView(this.#bytes.buffer);
  /** Behind the set that was found last: sets of an answer that was read before come in the same order again. */
  #nextPlace = 0;

  get isEmpty(): boolean {
    return this.#labels.length === 0;
  }

  get isFull(): boolean {
    return this.#labels.length >= SETS_MAX || (this.#ends.at(-1) ?? 0) >= BYTES_MAX;
  }

  /** The set that follows the one that was found last, if it has these bytes. */
  next(source: DataView, from: number, to: number): Labels | undefined {
    const place = this.#nextPlace;
    if (place >= this.#labels.length || !this.#isAt(place, source, from, to)) return undefined;
    this.#nextPlace = place + 1;
    return this.#labels[place];
  }

  find(hash: number, source: DataView, from: number, to: number): Labels | undefined {
    const place = this.#places.get(hash);
    if (place === undefined || !this.#isAt(place, source, from, to)) return undefined;
    this.#nextPlace = place + 1;
    return this.#labels[place];
  }

  relation(before: Labels, labels: Labels): number {
    const place = this.#nextPlace - 1;
    if (place < 1 || this.#labels[place] !== labels || this.#labels[place - 1] !== before)
      return relationOf(before, labels);
    const known = this.#relations[place]!;
    return known >= 0 ? known : (this.#relations[place] = relationOf(before, labels));
  }

  #isAt(place: number, source: DataView, from: number, to: number): boolean {
    const start = place === 0 ? 0 : this.#ends[place - 1]!;
    const length = to - from;
    return this.#ends[place]! - start === length && areEqual(this.#view, start, source, from, length);
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
      this.#view = new DataView(grown.buffer);
    }
    this.#bytes.set(bytes, from);
    this.#places.set(hash, this.#labels.length);
    this.#labels.push(labels);
    this.#relations.push(-1);
    this.#ends.push(end);
  }
}
