// Hot: every series that more than one replica answered goes through here, sample by sample.
//
// Slot dedup: a slot is filled in the result once if any source fills it. The choice is sticky, so that values do not alternate
// between replicas; a live sample beats a stale marker of the same slot. Rules and reasons: docs/decisions/0003-slot-dedup.md.
//   - Slot of a sample: floor((t − phase) / interval). Without a known interval, a slot is a timestamp: such series carry
//     timestamps that the target itself exposed, which are equal on all replicas.
//   - The caller owns the sources; the result is new columns. Nothing is allocated per sample.

import { isStale } from '@flotilla/model';
import type { HistogramColumn } from '@flotilla/promql';
import { HistogramMerge } from './histogram-merge.ts';

/** Columns of the same length, ascending in time. */
export interface Columns {
  readonly timestampsMs: Float64Array;
  readonly values: Float64Array;
  /** False: no value is NaN. Else one may be. */
  readonly hasNaN?: boolean;
  /** The native histograms among the samples, of which `values` says nothing; a stale marker of theirs is one in `values`. */
  readonly histograms?: HistogramColumn;
}

export interface SlotSchedule {
  /** 0: unknown. */
  readonly intervalMs: number;
  readonly phaseMs: number;
}

/** Merges the columns of replicas in order of preference. `isCounter` turns on the guard against false resets at a switch. */
export function mergeSlots(sources: readonly Columns[], schedule: SlotSchedule, isCounter: boolean): Columns {
  if (sources.length === 1) return sources[0]!;
  const merge = new SlotMerge(sources, schedule, isCounter);
  while (merge.step());
  return merge.result();
}

class SlotMerge {
  readonly #sources: readonly Columns[];
  readonly #intervalMs: number;
  readonly #phaseMs: number;
  readonly #isCounter: boolean;
  /** Next sample of each source, and its slot; Infinity at the end. */
  readonly #cursors: Int32Array;
  readonly #slots: Float64Array;
  readonly #timestampsMs: Float64Array;
  readonly #values: Float64Array;
  /** The values again as bits, so that the payload of a NaN survives. */
  readonly #bits: BigUint64Array;
  readonly #sourceBits: readonly BigUint64Array[];
  /** Undefined if all samples are floats. */
  readonly #histograms: HistogramMerge | undefined;
  #count = 0;
  #current = 0;
  /** While above −Infinity: the last value before a switch, below which a counter may not fall. */
  #floor = -Infinity;

  constructor(sources: readonly Columns[], { intervalMs, phaseMs }: SlotSchedule, isCounter: boolean) {
    this.#sources = sources;
    this.#intervalMs = intervalMs;
    this.#phaseMs = phaseMs;
    this.#cursors = new Int32Array(sources.length);
    this.#slots = new Float64Array(sources.length);
    const capacity = sources.reduce((sum, { values }) => sum + values.length, 0);
    this.#timestampsMs = new Float64Array(capacity);
    this.#values = new Float64Array(capacity);
    this.#bits = new BigUint64Array(this.#values.buffer);
    this.#sourceBits = sources.map(
      ({ values }) => new BigUint64Array(values.buffer, values.byteOffset, values.length),
    );
    this.#histograms = sources.some(({ histograms }) => histograms !== undefined)
      ? new HistogramMerge(sources.map(({ histograms }) => histograms))
      : undefined;
    // Histograms guard themselves; the values at their places would mislead.
    this.#isCounter = isCounter && this.#histograms === undefined;
    for (let source = 0; source < sources.length; source++) this.#slots[source] = this.#slotAt(source);
  }

  /** Fills the next slot; false when all sources are at their end. */
  step(): boolean {
    let slot = Infinity;
    for (let source = 0; source < this.#slots.length; source++)
      if (this.#slots[source]! < slot) slot = this.#slots[source]!;
    if (slot === Infinity) return false;
    const chosen = this.#choose(slot);
    if (chosen !== this.#current) this.#switchTo(chosen);
    for (let source = 0; source < this.#slots.length; source++) this.#pass(source, slot, source === chosen);
    return true;
  }

  result(): Columns {
    return {
      timestampsMs: this.#timestampsMs.subarray(0, this.#count),
      values: this.#values.subarray(0, this.#count),
      ...(this.#histograms && { histograms: this.#histograms.column }),
    };
  }

  #slotAt(source: number): number {
    const { timestampsMs } = this.#sources[source]!;
    const cursor = this.#cursors[source]!;
    if (cursor >= timestampsMs.length) return Infinity;
    const timeMs = timestampsMs[cursor]!;
    return this.#intervalMs > 0 ? Math.floor((timeMs - this.#phaseMs) / this.#intervalMs) : timeMs;
  }

  /** The current source if it has a live sample in the slot, else the first that has, else any that has a stale marker. */
  #choose(slot: number): number {
    if (this.#isLiveIn(this.#current, slot)) return this.#current;
    let stale = this.#slots[this.#current] === slot ? this.#current : -1;
    for (let source = 0; source < this.#slots.length; source++) {
      if (this.#isLiveIn(source, slot)) return source;
      if (stale < 0 && this.#slots[source] === slot) stale = source;
    }
    return stale;
  }

  #isLiveIn(source: number, slot: number): boolean {
    return this.#slots[source] === slot && !isStale(this.#sources[source]!.values, this.#cursors[source]!);
  }

  /** A decrease at a switch is a reset only if the new source has seen one itself. */
  #switchTo(source: number): void {
    this.#current = source;
    this.#histograms?.switchTo(source, this.#cursors[source]!);
    if (!this.#isCounter || this.#count === 0) return;
    const { values } = this.#sources[source]!;
    const cursor = this.#cursors[source]!;
    const last = this.#values[this.#count - 1]!;
    const sawNoReset = cursor > 0 && values[cursor - 1]! <= values[cursor]!;
    this.#floor = sawNoReset && values[cursor]! < last ? last : -Infinity;
  }

  /** Moves a source past the slot, emitting its samples if it was chosen. */
  #pass(source: number, slot: number, emit: boolean): void {
    while (this.#slots[source] === slot) {
      if (emit) this.#emit(source, this.#cursors[source]!);
      this.#cursors[source]!++;
      this.#slots[source] = this.#slotAt(source);
    }
  }

  #emit(source: number, cursor: number): void {
    const { timestampsMs, values } = this.#sources[source]!;
    this.#timestampsMs[this.#count] = timestampsMs[cursor]!;
    this.#bits[this.#count] = this.#sourceBits[source]![cursor]!;
    if (this.#floor !== -Infinity) this.#applyFloor(values, cursor);
    this.#histograms?.emit(source, cursor);
    this.#count++;
  }

  #applyFloor(values: Float64Array, cursor: number): void {
    const value = values[cursor]!;
    const ownReset = cursor > 0 && value < values[cursor - 1]!;
    if (value >= this.#floor || ownReset) this.#floor = -Infinity;
    else if (value < this.#floor) this.#values[this.#count] = this.#floor;
  }
}
