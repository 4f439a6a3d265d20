// The label set of each slot, and the way back from labels to slot.
//
// A set lies in one arena as count, then (name id, value id) pairs in label order. The way back is an open-addressing
// table of slots, by a hash of the ids. No object per series.

import { compareUtf8, Labels } from '@flotilla/model';
import { grown, type Symbols } from './symbols.ts';

const GONE = 0xffffffff;

export class LabelSets {
  private readonly symbols: Symbols;
  private arena = new Uint32Array(1 << 12);
  private used = 1; // Offset 0 means: no set.
  private wasted = 0;
  private offsets = new Uint32Array(1024);
  private table = new Uint32Array(1 << 11);
  private tableUsed = 0; // Gone entries included.
  private count = 0;

  constructor(symbols: Symbols) {
    this.symbols = symbols;
  }

  get size(): number {
    return this.count;
  }

  /** The slot with exactly these labels, or 0. */
  find(labels: Labels): number {
    const ids = this.idsOf(labels);
    if (ids === undefined) return 0;
    const mask = this.table.length - 1;
    for (let i = hashIds(ids, 0, ids.length) & mask; ; i = (i + 1) & mask) {
      const slot = this.table[i]!;
      if (slot === 0) return 0;
      if (slot !== GONE && this.hasIds(slot, ids)) return slot;
    }
  }

  /** Gives the labels, which no slot has, to `slot`. */
  add(slot: number, labels: Labels): void {
    const { flat } = labels;
    this.reserve(slot, flat.length + 1);
    const at = this.used;
    this.arena[at] = flat.length;
    for (let i = 0; i < flat.length; i++) this.arena[at + 1 + i] = this.symbols.acquire(flat[i]!);
    this.used += flat.length + 1;
    this.offsets[slot] = at;
    this.count++;
    this.insert(slot);
  }

  remove(slot: number): void {
    const mask = this.table.length - 1;
    let i = this.hashOf(slot) & mask;
    while (this.table[i] !== slot) i = (i + 1) & mask;
    this.table[i] = GONE;
    const at = this.offsets[slot]!;
    const length = this.arena[at]!;
    for (let k = 1; k <= length; k++) this.symbols.release(this.arena[at + k]!);
    this.offsets[slot] = 0;
    this.wasted += length + 1;
    this.count--;
    if (this.wasted > this.used / 2 && this.wasted > 4096) this.compact();
  }

  /** How many ids (two a label) the set has. */
  idCount(slot: number): number {
    return this.arena[this.offsets[slot]!]!;
  }

  /** Id k of the set: names at even k, values at odd k. */
  id(slot: number, k: number): number {
    return this.arena[this.offsets[slot]! + 1 + k]!;
  }

  /** The id of the value that the set has for a name, or −1. */
  valueOf(slot: number, nameId: number): number {
    const at = this.offsets[slot]!;
    const end = at + this.arena[at]!;
    for (let k = at + 1; k < end; k += 2) if (this.arena[k] === nameId) return this.arena[k + 1]!;
    return -1;
  }

  labels(slot: number): Labels {
    const flat: string[] = [];
    for (let k = 0; k < this.idCount(slot); k++) flat.push(this.symbols.text(this.id(slot, k)));
    return Labels.fromSorted(flat);
  }

  /** Label order, as compareLabels; equal strings have equal ids and are not looked at. */
  compare(a: number, b: number): number {
    const aCount = this.idCount(a);
    const bCount = this.idCount(b);
    const length = Math.min(aCount, bCount);
    for (let k = 0; k < length; k++) {
      const x = this.id(a, k);
      const y = this.id(b, k);
      if (x !== y) return compareUtf8(this.symbols.text(x), this.symbols.text(y));
    }
    return aCount - bCount;
  }

  private idsOf(labels: Labels): Uint32Array | undefined {
    const { flat } = labels;
    const ids = new Uint32Array(flat.length);
    for (let i = 0; i < flat.length; i++) {
      const id = this.symbols.find(flat[i]!);
      if (id === undefined) return undefined;
      ids[i] = id;
    }
    return ids;
  }

  private hasIds(slot: number, ids: Uint32Array): boolean {
    if (this.idCount(slot) !== ids.length) return false;
    for (let k = 0; k < ids.length; k++) if (this.id(slot, k) !== ids[k]) return false;
    return true;
  }

  private hashOf(slot: number): number {
    const at = this.offsets[slot]!;
    return hashIds(this.arena, at + 1, at + 1 + this.arena[at]!);
  }

  private reserve(slot: number, length: number): void {
    if (this.used + length > this.arena.length) this.arena = grown(this.arena, this.used + length);
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
    let size = 1 << 11;
    while (size < (this.count + 1) * 2) size *= 2;
    this.table = new Uint32Array(size);
    this.tableUsed = 0;
    for (const slot of old) if (slot !== 0 && slot !== GONE) this.insert(slot);
  }

  private compact(): void {
    const old = this.arena;
    this.arena = new Uint32Array(Math.max(this.used - this.wasted + 4096, 1 << 12));
    this.used = 1;
    this.wasted = 0;
    for (let slot = 0; slot < this.offsets.length; slot++) {
      const from = this.offsets[slot]!;
      if (from === 0) continue;
      const length = old[from]! + 1;
      this.arena.set(old.subarray(from, from + length), this.used);
      this.offsets[slot] = this.used;
      this.used += length;
    }
  }
}

function hashIds(ids: Uint32Array, from: number, to: number): number {
  let hash = 0x9e3779b9;
  for (let i = from; i < to; i++) {
    hash = Math.imul(hash ^ ids[i]!, 0x85ebca6b);
    hash ^= hash >>> 13;
  }
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
