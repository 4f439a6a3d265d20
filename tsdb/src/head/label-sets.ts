// The label set of each slot, and the way back from labels to slot.
//
// A set lies in one arena as varints: the number of its shape, which has the ids of its names, then the ids of its values,
// two bytes each where strings are few. The way back is an open-addressing table of slots, by a hash of the ids. No object
// per series.

import { compareUtf8, Labels } from '@flotilla/model';
import type { SnapshotReader } from '../head-snapshot/snapshot-reader.ts';
import { section, type SnapshotWriter } from '../head-snapshot/snapshot-writer.ts';
import { LabelShapes } from './label-shapes.ts';
import { grown, grownBytes, type Symbols } from './symbols.ts';

const GONE = 0xffffffff;
const VARINT_BYTES_MAX = 5;
/** A power of two. */
const TABLE_MIN = 1 << 7;

export class LabelSets {
  private readonly symbols: Symbols;
  private readonly shapes = new LabelShapes();
  private arena = new Uint8Array(1 << 9);
  private used = 1; // Offset 0 means: no set.
  private wasted = 0;
  private offsets = new Uint32Array(64);
  private table = new Uint32Array(TABLE_MIN);
  private tableUsed = 0; // Gone entries included.
  private count = 0;
  /** In the arena: what next() reads. */
  private at = 0;
  /** Ids of names and values in turn, for one call. */
  private pairs = new Uint32Array(64);
  /** What find() was asked for last and has not found, if `pairs` has all of its ids: it is added next. */
  private sought: Labels | undefined;

  constructor(symbols: Symbols) {
    this.symbols = symbols;
  }

  get size(): number {
    return this.count;
  }

  /** The slot with exactly these labels, or 0. */
  find(labels: Labels): number {
    const { length } = labels.flat;
    this.sought = undefined;
    if (!this.lookUp(labels.flat)) return 0;
    this.sought = labels;
    const mask = this.table.length - 1;
    for (let i = hashPairs(this.pairs, length) & mask; ; i = (i + 1) & mask) {
      const slot = this.table[i]!;
      if (slot === 0) return 0;
      if (slot !== GONE && this.hasPairs(slot, length)) return slot;
    }
  }

  /** Gives the labels, which no slot has, to `slot`. */
  add(slot: number, labels: Labels): void {
    const { length } = labels.flat;
    this.acquire(labels);
    this.reserve(slot, VARINT_BYTES_MAX * (1 + length / 2));
    this.offsets[slot] = this.used;
    this.put(this.shapes.acquire(this.pairs.subarray(0, length)));
    for (let k = 1; k < length; k += 2) this.put(this.pairs[k]!);
    this.count++;
    this.insert(slot);
  }

  /** Puts the ids of labels into `pairs`, with one use more of each. */
  private acquire(labels: Labels): void {
    const { flat } = labels;
    const isKnown = this.sought === labels;
    this.sought = undefined;
    this.reservePairs(flat.length);
    for (let k = 0; k < flat.length; k++) {
      if (isKnown) this.symbols.use(this.pairs[k]!);
      else this.pairs[k] = this.symbols.acquire(flat[k]!);
    }
  }

  private put(id: number): void {
    let rest = id;
    for (; rest >= 0x80; rest >>>= 7) this.arena[this.used++] = (rest & 0x7f) | 0x80;
    this.arena[this.used++] = rest;
  }

  /** The number at the cursor, which moves behind it. */
  private next(): number {
    const { arena } = this;
    let at = this.at;
    let byte = arena[at++]!;
    let id = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      byte = arena[at++]!;
      id |= (byte & 0x7f) << shift;
    }
    this.at = at;
    return id;
  }

  /** The names of a set; next() gives its values then. */
  private open(slot: number): Uint32Array {
    this.at = this.offsets[slot]!;
    return this.shapes.namesOf(this.next());
  }

  remove(slot: number): void {
    this.sought = undefined;
    const mask = this.table.length - 1;
    let i = this.hashOf(slot) & mask;
    while (this.table[i] !== slot) i = (i + 1) & mask;
    this.table[i] = GONE;
    for (const id of this.pairsOf(slot)) this.symbols.release(id);
    this.wasted += this.at - this.offsets[slot]!;
    this.at = this.offsets[slot]!;
    this.shapes.release(this.next());
    this.offsets[slot] = 0;
    this.count--;
    if (this.wasted > this.used / 2 && this.wasted > 16_384) this.compact();
  }

  /** Ids of the names and values of a set in turn: a view, valid until the next call. */
  pairsOf(slot: number): Uint32Array {
    const names = this.open(slot);
    this.sought = undefined;
    this.reservePairs(2 * names.length);
    for (let i = 0; i < names.length; i++) {
      this.pairs[2 * i] = names[i]!;
      this.pairs[2 * i + 1] = this.next();
    }
    return this.pairs.subarray(0, 2 * names.length);
  }

  /** Ids of the names of a set. */
  namesOf(slot: number): Uint32Array {
    return this.open(slot);
  }

  /** The id of the value that the set has for a name, or −1. */
  valueOf(slot: number, nameId: number): number {
    const names = this.open(slot);
    for (let i = 0; i < names.length; i++) {
      const value = this.next();
      if (names[i] === nameId) return value;
    }
    return -1;
  }

  labels(slot: number): Labels {
    const flat: string[] = [];
    for (const name of this.open(slot)) flat.push(this.symbols.text(name), this.symbols.text(this.next()));
    return Labels.fromSorted(flat);
  }

  /** Label order, as compareLabels; equal strings have equal ids and are not looked at. */
  compare(a: number, b: number): number {
    const bNames = this.open(b);
    let bAt = this.at;
    const aNames = this.open(a);
    const length = Math.min(aNames.length, bNames.length);
    for (let i = 0; i < length; i++) {
      if (aNames[i] !== bNames[i]) return this.compareTexts(aNames[i]!, bNames[i]!);
      const aValue = this.next();
      const aAt = this.at;
      this.at = bAt;
      const bValue = this.next();
      if (aValue !== bValue) return this.compareTexts(aValue, bValue);
      bAt = this.at;
      this.at = aAt;
    }
    return aNames.length - bNames.length;
  }

  /** The rank of the set's name or value at a place, of names and values in turn; −1 if it has not as many. */
  rankAt(slot: number, column: number, ranks: Uint32Array): number {
    const names = this.open(slot);
    const label = column >> 1;
    if (label >= names.length) return -1;
    if ((column & 1) === 0) return ranks[names[label]!]!;
    for (let left = label; left > 0; left--) this.next();
    return ranks[this.next()]!;
  }

  private compareTexts(a: number, b: number): number {
    return compareUtf8(this.symbols.text(a), this.symbols.text(b));
  }

  save(out: SnapshotWriter): void {
    out.section(section.labelSets);
    for (const n of [this.count, this.tableUsed, this.wasted]) out.u32(n);
    this.shapes.save(out);
    out.array(this.arena.subarray(0, this.used));
    out.array(this.offsets);
    out.array(this.table);
  }

  /** Of an empty one. */
  load(input: SnapshotReader): void {
    input.section(section.labelSets);
    this.count = input.u32();
    this.tableUsed = input.u32();
    this.wasted = input.u32();
    this.shapes.load(input);
    this.arena = input.array(Uint8Array);
    this.used = this.arena.length;
    this.offsets = input.array(Uint32Array);
    this.table = input.array(Uint32Array);
  }

  /** Puts the ids of texts into `pairs`; false if one has none. */
  private lookUp(texts: readonly string[]): boolean {
    this.reservePairs(texts.length);
    for (let k = 0; k < texts.length; k++) {
      const id = this.symbols.find(texts[k]!);
      if (id === undefined) return false;
      this.pairs[k] = id;
    }
    return true;
  }

  private reservePairs(length: number): void {
    if (length > this.pairs.length) this.pairs = grown(this.pairs, length);
  }

  /** Whether the set is the first `length` of `pairs`. */
  private hasPairs(slot: number, length: number): boolean {
    const names = this.open(slot);
    if (2 * names.length !== length) return false;
    for (let i = 0; i < names.length; i++) {
      if (names[i] !== this.pairs[2 * i] || this.next() !== this.pairs[2 * i + 1]) return false;
    }
    return true;
  }

  private hashOf(slot: number): number {
    const names = this.open(slot);
    let hash = HASH_SEED;
    for (let i = 0; i < names.length; i++) hash = mixed(mixed(hash, names[i]!), this.next());
    return finished(hash);
  }

  private reserve(slot: number, length: number): void {
    if (this.used + length > this.arena.length) this.arena = grownBytes(this.arena, this.used + length);
    if (slot >= this.offsets.length) this.offsets = grown(this.offsets, slot + 1);
    if ((this.tableUsed + 1) * 4 > this.table.length * 3) this.rehash();
  }

  private insert(slot: number): void {
    const mask = this.table.length - 1;
    let i = this.hashOf(slot) & mask;
    while (this.table[i] !== 0) i = (i + 1) & mask;
    this.table[i] = slot;
    this.tableUsed++;
  }

  private rehash(): void {
    const old = this.table;
    let size = TABLE_MIN;
    while (size < (this.count + 1) * 2) size *= 2;
    this.table = new Uint32Array(size);
    this.tableUsed = 0;
    for (const slot of old) if (slot !== 0 && slot !== GONE) this.insert(slot);
  }

  private compact(): void {
    const old = this.arena;
    const kept = this.used - this.wasted;
    const arena = new Uint8Array(kept + (kept >> 2) + 8192);
    let used = 1;
    for (let slot = 0; slot < this.offsets.length; slot++) {
      const from = this.offsets[slot]!;
      if (from === 0) continue;
      for (let left = this.open(slot).length; left > 0; left--) this.next();
      arena.set(old.subarray(from, this.at), used);
      this.offsets[slot] = used;
      used += this.at - from;
    }
    this.arena = arena;
    this.used = used;
    this.wasted = 0;
  }
}

const HASH_SEED = 0x9e3779b9;

function hashPairs(pairs: Uint32Array, length: number): number {
  let hash = HASH_SEED;
  for (let k = 0; k < length; k++) hash = mixed(hash, pairs[k]!);
  return finished(hash);
}

function mixed(before: number, id: number): number {
  const hash = Math.imul(before ^ id, 0x85ebca6b);
  return hash ^ (hash >>> 13);
}

function finished(before: number): number {
  const hash = Math.imul(before, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
