// The scheduler: calls each of its members at every slot, with one timer for all of them.
//
// A slot that passes while the process is busy is skipped and counted, never made up for. Time is looked at at least
// once a second, so that a stepped clock moves the schedule and does not stop it.

import type { Schedule } from '@flotilla/tsdb';
import type { Clock } from './clock.ts';
import { DueHeap, type DueEntry } from './due-heap.ts';
import { slotAt } from './slots.ts';

/** Called once per slot, at slotMs + delayMs or a little later. Must not throw. */
export type OnSlot = (slotMs: number, nowMs: number) => void;

export interface Member {
  readonly schedule: Schedule;
  /** After each slot. */
  readonly delayMs: number;
  readonly onSlot: OnSlot;
}

interface Entry extends Member, DueEntry {
  lastSlotMs: number;
}

const sleepMaxMs = 1000;

export class Scheduler {
  readonly #clock: Clock;
  readonly #heap = new DueHeap<Entry>();
  #cancelWake: (() => void) | undefined;
  #wakeMs = Infinity;
  #lastNowMs: number;
  #stopped = false;
  /** Slots that passed without a call. */
  skippedSlots = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastNowMs = clock.nowMs();
  }

  /** Begins with the next slot. Returns what ends the membership. */
  add(member: Member): () => void {
    const entry: Entry = { ...member, dueMs: 0, heapIndex: -1, lastSlotMs: NaN };
    this.#plan(entry, this.#clock.nowMs());
    this.#arm();
    return () => this.#heap.remove(entry);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelWake?.();
  }

  #plan(entry: Entry, nowMs: number): void {
    const { schedule, delayMs } = entry;
    let slotMs = slotAt(schedule, nowMs - delayMs) + schedule.intervalMs;
    if (slotMs === entry.lastSlotMs) slotMs += schedule.intervalMs; // The clock went back: once is enough.
    entry.dueMs = slotMs + delayMs;
    this.#heap.put(entry);
  }

  #arm(): void {
    const next = this.#heap.peek();
    if (this.#stopped || next === undefined || next.dueMs >= this.#wakeMs) return;
    this.#cancelWake?.();
    const nowMs = this.#clock.nowMs();
    this.#wakeMs = Math.min(next.dueMs, nowMs + sleepMaxMs);
    this.#cancelWake = this.#clock.wakeAfter(Math.max(1, this.#wakeMs - nowMs), () => this.#wake());
  }

  #wake(): void {
    const nowMs = this.#clock.nowMs();
    this.#wakeMs = Infinity;
    if (nowMs < this.#lastNowMs) for (const entry of this.#heap) this.#plan(entry, nowMs);
    this.#lastNowMs = nowMs;
    for (
      let entry = this.#heap.peek();
      entry !== undefined && entry.dueMs <= nowMs;
      entry = this.#heap.peek()
    ) {
      this.#run(entry, nowMs);
    }
    this.#arm();
  }

  #run(entry: Entry, nowMs: number): void {
    const { schedule, delayMs } = entry;
    const slotMs = slotAt(schedule, nowMs - delayMs);
    this.skippedSlots += (slotMs + delayMs - entry.dueMs) / schedule.intervalMs;
    entry.lastSlotMs = slotMs;
    this.#plan(entry, nowMs);
    entry.onSlot(slotMs, nowMs);
  }
}
