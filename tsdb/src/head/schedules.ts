// The schedule of each series of a head. There is one Schedule object per target, not per series.

import type { Schedule } from '../api.ts';
import type { SnapshotReader } from '../head-snapshot/snapshot-reader.ts';
import { section, type SnapshotWriter } from '../head-snapshot/snapshot-writer.ts';
import { grown } from './symbols.ts';

export class Schedules {
  private readonly known: (Schedule | undefined)[] = [undefined];
  private readonly numbers = new Map<string, number>();
  private bySlot = new Uint32Array(1024);
  /** The one that was set last, which its target's other series have, too. */
  private latest: Schedule | undefined;
  private latestNumber = 0;

  get(slot: number): Schedule | undefined {
    return slot < this.bySlot.length ? this.known[this.bySlot[slot]!] : undefined;
  }

  set(slot: number, schedule: Schedule | undefined): void {
    if (slot >= this.bySlot.length) this.bySlot = grown(this.bySlot, slot + 1);
    if (schedule !== undefined && schedule !== this.latest) {
      this.latestNumber = this.numberOf(schedule);
      this.latest = schedule;
    }
    this.bySlot[slot] = schedule === undefined ? 0 : this.latestNumber;
  }

  private numberOf(schedule: Schedule): number {
    const key = `${schedule.targetId}/${schedule.intervalMs}/${schedule.phaseMs}`;
    let number = this.numbers.get(key);
    if (number === undefined) {
      number = this.known.push(Object.freeze({ ...schedule })) - 1;
      this.numbers.set(key, number);
    }
    return number;
  }

  /** How many series each target has. */
  countByTarget(): Map<number, number> {
    const counts = new Uint32Array(this.known.length);
    for (let slot = 0; slot < this.bySlot.length; slot++) counts[this.bySlot[slot]!]!++;
    const byTarget = new Map<number, number>();
    for (let number = 1; number < counts.length; number++) {
      const { targetId } = this.known[number]!;
      if (counts[number]! > 0) byTarget.set(targetId, (byTarget.get(targetId) ?? 0) + counts[number]!);
    }
    return byTarget;
  }

  save(out: SnapshotWriter): void {
    out.section(section.schedules);
    const fields = this.known
      .slice(1)
      .flatMap((known) => [known!.targetId, known!.intervalMs, known!.phaseMs]);
    out.array(Uint32Array.from(fields));
    out.array(this.bySlot);
  }

  /** Of an empty one. */
  load(input: SnapshotReader): void {
    input.section(section.schedules);
    const fields = input.array(Uint32Array);
    for (let i = 0; i < fields.length; i += 3)
      this.numberOf({ targetId: fields[i]!, intervalMs: fields[i + 1]!, phaseMs: fields[i + 2]! });
    this.bySlot = input.array(Uint32Array);
  }

  /** Forgets the schedules that no live slot has. */
  compact(isLive: (slot: number) => boolean): void {
    const old = [...this.known];
    this.known.length = 1;
    this.latest = undefined;
    this.numbers.clear();
    for (let slot = 0; slot < this.bySlot.length; slot++) {
      const number = this.bySlot[slot]!;
      if (number !== 0) this.set(slot, isLive(slot) ? old[number] : undefined);
    }
  }
}

export function sameSchedule(a: Schedule | undefined, b: Schedule | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.targetId === b.targetId && a.intervalMs === b.intervalMs && a.phaseMs === b.phaseMs;
}
