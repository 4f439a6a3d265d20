// Samples that came late: older than the newest one of their series, but within the window. See docs/format/wal.md, wbl.
//
// They wait here, by series and sorted, until a block takes them. A cut works on what was there when it began: freeze(),
// then either settle() what blocks hold now, or thaw().

import type { SeriesRef } from '../api.ts';
import type { AnySample } from '../chunk/samples.ts';
import type { SnapshotReader } from '../head-snapshot/snapshot-reader.ts';
import { section, type SnapshotWriter } from '../head-snapshot/snapshot-writer.ts';
import { decodeLate, encodeLate, type LateSample } from '../wal/late-records.ts';
import { slotOf } from './ref-table.ts';

const SAMPLES_PER_RECORD = 5000;

type BySlot = Map<number, AnySample[]>;

export class LateSamples {
  private live: BySlot = new Map();
  private frozen: BySlot = new Map();
  /** A lower bound; +Infinity if there are none. */
  minTimeMs = Infinity;
  appended = 0;

  get isEmpty(): boolean {
    return this.live.size === 0 && this.frozen.size === 0;
  }

  has(slot: number): boolean {
    return this.live.has(slot) || this.frozen.has(slot);
  }

  slots(): number[] {
    return [...new Set([...this.live.keys(), ...this.frozen.keys()])];
  }

  /** The earliest time of a series; +Infinity if it has none. */
  firstTimeMs(slot: number): number {
    const [a, b] = [this.frozen.get(slot)?.[0], this.live.get(slot)?.[0]];
    return Math.min(a?.timeMs ?? Infinity, b?.timeMs ?? Infinity);
  }

  /** Adds one sample; of equal times the first one stays. */
  add(slot: number, sample: AnySample): void {
    if (find(this.frozen.get(slot), sample.timeMs) >= 0) return;
    const samples = this.live.get(slot);
    if (samples === undefined) this.live.set(slot, [sample]);
    else {
      const at = find(samples, sample.timeMs);
      if (at >= 0) return;
      samples.splice(-at - 1, 0, sample);
    }
    this.minTimeMs = Math.min(this.minTimeMs, sample.timeMs);
    this.appended++;
  }

  /** Those of a series in a range, both ends included, ascending. */
  of(slot: number, minTimeMs: number, maxTimeMs: number): AnySample[] {
    const inside = ({ timeMs }: AnySample): boolean => timeMs >= minTimeMs && timeMs <= maxTimeMs;
    const [a, b] = [this.frozen.get(slot)?.filter(inside) ?? [], this.live.get(slot)?.filter(inside) ?? []];
    if (a.length === 0 || b.length === 0) return a.length === 0 ? b : a;
    return [...a, ...b].toSorted((x, y) => x.timeMs - y.timeMs);
  }

  /** Sets aside what is there now, for a cut. */
  freeze(): void {
    this.thaw();
    this.frozen = this.live;
    this.live = new Map();
  }

  /** Blocks have what was frozen and lies in [minTimeMs, maxTimeMs); the rest goes on waiting. */
  settle(minTimeMs: number, maxTimeMs: number): void {
    for (const [slot, samples] of this.frozen) {
      const left = samples.filter(({ timeMs }) => timeMs < minTimeMs || timeMs >= maxTimeMs);
      if (left.length === 0) this.frozen.delete(slot);
      else this.frozen.set(slot, left);
    }
    this.thaw();
    this.minTimeMs = Infinity;
    for (const samples of this.live.values()) this.minTimeMs = Math.min(this.minTimeMs, samples[0]!.timeMs);
  }

  thaw(): void {
    const { frozen } = this;
    this.frozen = new Map();
    for (const [slot, samples] of frozen) {
      const newer = this.live.get(slot) ?? [];
      this.live.set(
        slot,
        [...samples, ...newer].toSorted((a, b) => a.timeMs - b.timeMs),
      );
    }
  }

  /** As records, of about so many samples each. */
  *records(refAt: (slot: number) => SeriesRef): Generator<Uint8Array> {
    let samples: LateSample[] = [];
    for (const slot of this.slots()) {
      const ref = refAt(slot);
      for (const sample of this.of(slot, -Infinity, Infinity)) samples.push({ ...sample, ref });
      if (samples.length < SAMPLES_PER_RECORD) continue;
      yield* encodeLate(samples);
      samples = [];
    }
    if (samples.length > 0) yield* encodeLate(samples);
  }

  save(out: SnapshotWriter, refAt: (slot: number) => SeriesRef): void {
    out.section(section.lateSamples);
    for (const record of this.records(refAt)) out.array(record);
    out.u32(0);
  }

  /** Of an empty one. */
  load(input: SnapshotReader): void {
    input.section(section.lateSamples);
    for (let record = input.array(Uint8Array); record.length > 0; record = input.array(Uint8Array))
      for (const sample of decodeLate(record)) this.add(slotOf(sample.ref), sample);
  }

  drop(slot: number): void {
    this.live.delete(slot);
    this.frozen.delete(slot);
  }
}

/** Where a time is in a sorted list; −(place to insert) − 1 if it is not. */
function find(samples: readonly AnySample[] | undefined, timeMs: number): number {
  let low = 0;
  let high = samples?.length ?? 0;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = samples![middle]!.timeMs;
    if (at === timeMs) return middle;
    if (at < timeMs) low = middle + 1;
    else high = middle;
  }
  return -low - 1;
}
