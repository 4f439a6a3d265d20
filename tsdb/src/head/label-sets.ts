// The label set of each slot, and the way back from labels to slot.
//
// A set lies in one arena as the number of its shape, which has the ids of its names, then the ids of its values. The way back is an open-addressing
// table of slots, by a hash of the ids. No object per series.

import { compareUtf8, Labels } from '@flotilla/model';
import type { SnapshotReader } from '../head-snapshot/snapshot-reader.ts';
import { section, type SnapshotWriter } from '../head-snapshot/snapshot-writer.ts';
import { LabelShapes } from './label-shapes.ts';
import { grown, type Symbols } from './symbols.ts';

const GONE = 0xffffffff;

export class LabelSets {
  private readonly symbols: Symbols;
  private readonly shapes = new LabelShapes();
  private arena = new Uint32Array(1 << 12);
  private used = 1; // Offset 0 means: no set.
  private wasted = 0;
  private offsets = new Uint32Array(1024);
  private table = new Uint32Array(1 << 11);
  private tableUsed = 0; // Gone entries included.
  private count = 0;
  /** What find() was asked for last, and its ids if all texts were known: what is not found is added next. */
  private sought: Labels | undefined;
  private soughtIds: Uint32Array | undefined;

  constructor(symbols: Symbols) {
    this.symbols = symbols;
  }

  get size(): number {
    return this.count;
  }

  /** The slot with exactly these labels, or 0. */
  find(labels: Labels): number {
    const ids = this.idsOf(labels);
    this.sought = labels;
    this.soughtIds = ids;
    if (ids === undefined) return 0;
    const mask = this.table.length - 1;
    for (let i = hashIds(ids) & mask; ; i = (i + 1) & mask) {
      const slot = this.table[i]!;
      if (slot === 0) return 0;
      if (slot !== GONE && this.hasIds(slot, ids)) return slot;
    }
  }

  /** Gives the labels, which no slot has, to `slot`. */
  add(slot: number, labels: Labels): void {
    const ids = this.acquired(labels);
    const length = 1 + ids.length / 2;
    this.reserve(slot, length);
    const at = this.used;
    this.arena[at] = this.shapes.acquire(ids);
    for (let i = 1; i < length; i++) this.arena[at + i] = ids[2 * i - 1]!;
    this.used += length;
    this.offsets[slot] = at;
    this.count++;
    this.insert(slot);
  }

  /** The ids of labels, with one use more of each. */
  private acquired(labels: Labels): Uint32Array {
    const known = this.sought === labels ? this.soughtIds : undefined;
    const ids = known ?? new Uint32Array(labels.flat.length);
    for (let i = 0; i < ids.length; i++) {
      if (known === undefined) ids[i] = this.symbols.acquire(labels.flat[i]!);
      else this.symbols.use(ids[i]!);
    }
    return ids;
  }

  remove(slot: number): void {
    this.sought = undefined;
    const mask = this.table.length - 1;
    let i = this.hashOf(slot) & mask;
    while (this.table[i] !== slot) i = (i + 1) & mask;
    this.table[i] = GONE;
    const count = this.idCount(slot);
    for (let k = 0; k < count; k++) this.symbols.release(this.id(slot, k));
    this.shapes.release(this.arena[this.offsets[slot]!]!);
    this.offsets[slot] = 0;
    this.wasted += 1 + count / 2;
    this.count--;
    if (this.wasted > this.used / 2 && this.wasted > 4096) this.compact();
  }

  private namesOf(slot: number): Uint32Array {
    return this.shapes.namesOf(this.arena[this.offsets[slot]!]!);
  }

  /** How many ids (two a label) the set has. */
  idCount(slot: number): number {
    return 2 * this.namesOf(slot).length;
  }

  /** Id k of the set: names at even k, values at odd k. */
  id(slot: number, k: number): number {
    return k % 2 === 0 ? this.namesOf(slot)[k / 2]! : this.arena[this.offsets[slot]! + (k + 1) / 2]!;
  }

  /** The id of the value that the set has for a name, or −1. */
  valueOf(slot: number, nameId: number): number {
    const names = this.namesOf(slot);
    for (let i = 0; i < names.length; i++)
      if (names[i] === nameId) return this.arena[this.offsets[slot]! + 1 + i]!;
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
    this.arena = input.array(Uint32Array);
    this.used = this.arena.length;
    this.offsets = input.array(Uint32Array);
    this.table = input.array(Uint32Array);
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
    const names = this.namesOf(slot);
    const valuesAt = this.offsets[slot]! + 1;
    let hash = HASH_SEED;
    for (let i = 0; i < names.length; i++) {
      hash = mixed(mixed(hash, names[i]!), this.arena[valuesAt + i]!);
    }
    return finished(hash);
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
      const length = this.shapes.namesOf(old[from]!).length + 1;
      this.arena.set(old.subarray(from, from + length), this.used);
      this.offsets[slot] = this.used;
      this.used += length;
    }
  }
}

const HASH_SEED = 0x9e3779b9;

function hashIds(ids: Uint32Array): number {
  let hash = HASH_SEED;
  for (let i = 0; i < ids.length; i++) hash = mixed(hash, ids[i]!);
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
