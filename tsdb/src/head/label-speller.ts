// Hot: label sets of a head as bytes, once per series of an answer.
//
// What a string takes in a set, its length and its UTF-8, is made once and copied from then on: made from strings each time, a
// series is some sixteen calls and as many strings.

import { ByteWriter } from '../bytes/byte-writer.ts';
import type { LabelSets } from './label-sets.ts';
import { grown, grownBytes, type Symbols } from './symbols.ts';

/** Bytes of strings that are kept; when there are more, it begins anew. */
const KEPT_BYTES_MAX = 8 << 20;
/** Shorter ones are copied by hand. */
const SHORT_MAX = 48;

export class LabelSpeller {
  private readonly sets: LabelSets;
  private readonly symbols: Symbols;
  /** By id of a string: one more than where it lies among the kept ones; 0 if it does not. */
  private places = new Uint32Array(0);
  private readonly kept = new ByteWriter(1 << 12);
  private keptBytes = this.kept.bytes();
  private freed = 0;
  private out = new Uint8Array(1 << 10);

  constructor(sets: LabelSets, symbols: Symbols) {
    this.sets = sets;
    this.symbols = symbols;
  }

  /** The labels of a slot, as model's encodeLabels gives them: a view, valid until the next call. */
  spell(slot: number): Uint8Array {
    if (this.freed !== this.symbols.freed || this.kept.length > KEPT_BYTES_MAX) this.begin();
    const ids = this.sets.pairsOf(slot);
    let end = 0;
    for (let i = 0; i < ids.length; i++) end = this.copy(this.placeOf(ids[i]!), end);
    return this.out.subarray(0, end);
  }

  /** Ids may be of other strings now. */
  private begin(): void {
    this.freed = this.symbols.freed;
    this.places.fill(0);
    this.kept.clear();
  }

  private placeOf(id: number): number {
    const place = this.places[id] ?? 0;
    return place === 0 ? this.keep(id) : place - 1;
  }

  private keep(id: number): number {
    const place = this.kept.length;
    const text = Buffer.from(this.symbols.text(id));
    this.kept.uvarint(text.length);
    this.kept.raw(text);
    this.keptBytes = this.kept.bytes();
    if (id >= this.places.length) this.places = grown(this.places, Math.max(id + 1, this.symbols.capacity));
    this.places[id] = place + 1;
    return place;
  }

  /** Returns where the copy ends. */
  private copy(place: number, at: number): number {
    const { keptBytes } = this;
    let from = place;
    let length = keptBytes[from]! & 0x7f;
    for (let shift = 7; keptBytes[from++]! >= 0x80; shift += 7) length |= (keptBytes[from]! & 0x7f) << shift;
    const bytes = from - place + length;
    if (at + bytes > this.out.length) this.out = grownBytes(this.out, at + bytes);
    const { out } = this;
    if (bytes > SHORT_MAX) out.set(keptBytes.subarray(place, place + bytes), at);
    else for (let i = 0; i < bytes; i++) out[at + i] = keptBytes[place + i]!;
    return at + bytes;
  }
}
