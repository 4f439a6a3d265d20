// Which refs are in use. A ref is slot | generation << 24.
//
// A slot is given out again only after all that were freed before it, and with the next generation: a ref that somebody
// kept too long names no other series before its slot has been used 256 times.

import { Unavailable } from '@flotilla/model';
import type { SeriesRef } from '../api.ts';
import type { SnapshotReader } from '../head-snapshot/snapshot-reader.ts';
import { section, type SnapshotWriter } from '../head-snapshot/snapshot-writer.ts';

const SLOTS_MAX = 1 << 24;
/** A WAL of ours has dense refs; beyond this gap a ref of a foreign WAL gets a new one. */
const CLAIM_GAP_MAX = 1 << 16;

const FREE = 0;
const USED = 1;

export function slotOf(ref: SeriesRef): number {
  return ref & 0xffffff;
}

export class RefTable {
  private state = new Uint8Array(64);
  private generations = new Uint8Array(64);
  /** Slots from here on were never used. Slot 0 never is. */
  private fresh = 1;
  private freed: number[] = [];
  private freedHead = 0;

  /** One more than the largest slot ever used. */
  get slots(): number {
    return this.fresh;
  }

  /** Whether the next series gets a slot that another one had. */
  get hasFreed(): boolean {
    return this.freedHead < this.freed.length;
  }

  take(): SeriesRef {
    const slot = this.takeSlot();
    this.state[slot] = USED;
    return refOf(slot, this.generations[slot]!);
  }

  private takeSlot(): number {
    while (this.freedHead < this.freed.length) {
      const slot = this.freed[this.freedHead++]!;
      if (this.freedHead > 1024 && this.freedHead * 2 > this.freed.length) {
        this.freed = this.freed.slice(this.freedHead);
        this.freedHead = 0;
      }
      // It may have been claimed since it was freed.
      if (this.state[slot] === FREE) return slot;
    }
    if (this.fresh === SLOTS_MAX) throw new Unavailable(`head: ${SLOTS_MAX - 1} series, no room for more`);
    this.reserve(this.fresh);
    return this.fresh++;
  }

  /** Takes this very ref, which a WAL names, if its slot is free; call settle() after the last one. */
  tryClaim(ref: SeriesRef): boolean {
    const slot = slotOf(ref);
    if (slot === 0 || slot > this.fresh + CLAIM_GAP_MAX) return false;
    this.reserve(slot);
    if (this.state[slot] === USED) return false;
    this.state[slot] = USED;
    this.generations[slot] = ref >>> 24;
    this.fresh = Math.max(this.fresh, slot + 1);
    return true;
  }

  /** Makes every slot that no claim took free for new series. */
  settle(): void {
    this.freed = [];
    this.freedHead = 0;
    for (let slot = 1; slot < this.fresh; slot++) if (this.state[slot] === FREE) this.freed.push(slot);
  }

  save(out: SnapshotWriter): void {
    out.section(section.refs);
    out.array(this.state.subarray(0, this.fresh));
    out.array(this.generations.subarray(0, this.fresh));
  }

  /** Of an empty one; call settle() afterwards. */
  load(input: SnapshotReader): void {
    input.section(section.refs);
    this.state = input.array(Uint8Array);
    this.generations = input.array(Uint8Array);
    this.fresh = this.state.length;
  }

  release(ref: SeriesRef): void {
    const slot = slotOf(ref);
    this.state[slot] = FREE;
    this.generations[slot] = (ref >>> 24) + 1;
    this.freed.push(slot);
  }

  /** The ref of the series that a slot has now. */
  refAt(slot: number): SeriesRef {
    return refOf(slot, this.generations[slot]!);
  }

  isUsed(slot: number): boolean {
    return this.state[slot] === USED;
  }

  private reserve(slot: number): void {
    if (slot < this.state.length) return;
    const length = slot + (slot >> 1) + 16;
    this.state = enlarged(this.state, length);
    this.generations = enlarged(this.generations, length);
  }
}

function refOf(slot: number, generation: number): SeriesRef {
  return (slot | (generation << 24)) >>> 0;
}

function enlarged(array: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length);
  larger.set(array);
  return larger;
}
