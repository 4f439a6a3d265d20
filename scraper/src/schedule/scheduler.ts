// The scheduler: calls each of its members at every slot, with one timer for all of them.
//
// A slot that passes while the process is busy is skipped and counted, never made up for. Time is looked at at least
// once a second, so that a stepped clock moves the schedule and does not stop it.

import type { Schedule } from '@flotilla/tsdb';
import type { Clock } from './clock.ts';
import { DueHeap } from './due-heap.ts';
import { slotAt } from './slots.ts';

/** Called once per slot, at slotMs + delayMs or a little later. Must not throw. */
export type OnSlot = (slotMs: number, nowMs: number) => void;

export interface Member {
  readonly schedule: Schedule;
  /** After each slot. */
  readonly delayMs: number;
  readonly onSlot: OnSlot;
}

interface Entry extends Member {
  lastSlotMs: number;
  hasLeft: boolean;
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
  add({ schedule, delayMs, onSlot }: Member): () => void {
    const entry: Entry = { schedule, delayMs, onSlot, lastSlotMs: NaN, hasLeft: false };
    this.#heap.push(entry, nextDueMs(entry, this.#clock.nowMs()));
    this.#arm();
    return () => {
      entry.hasLeft = true;
    };
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelWake?.();
  }

  #arm(): void {
    const { dueMs } = this.#heap;
    if (this.#stopped || dueMs === Infinity || dueMs >= this.#wakeMs) return;
    this.#cancelWake?.();
    const nowMs = this.#clock.nowMs();
    this.#wakeMs = Math.min(dueMs, nowMs + sleepMaxMs);
    this.#cancelWake = this.#clock.wakeAfter(Math.max(1, this.#wakeMs - nowMs), () => this.#wake());
  }

  #wake(): void {
    const nowMs = this.#clock.nowMs();
    const heap = this.#heap;
    this.#wakeMs = Infinity;
    if (nowMs < this.#lastNowMs) for (const entry of heap.clear()) heap.push(entry, nextDueMs(entry, nowMs));
    this.#lastNowMs = nowMs;
    for (let { dueMs } = heap; dueMs <= nowMs; { dueMs } = heap) this.#run(heap.peek()!, dueMs, nowMs);
    this.#arm();
  }

  #run(entry: Entry, dueMs: number, nowMs: number): void {
    if (entry.hasLeft) {
      this.#heap.removeFirst();
      return;
    }
    const { schedule, delayMs } = entry;
    const slotMs = slotAt(schedule, nowMs - delayMs);
    this.skippedSlots += (slotMs + delayMs - dueMs) / schedule.intervalMs;
    entry.lastSlotMs = slotMs;
    this.#heap.delayFirst(nextDueMs(entry, nowMs));
    entry.onSlot(slotMs, nowMs);
  }
}

function nextDueMs({ schedule, delayMs, lastSlotMs }: Entry, nowMs: number): number {
  const slotMs = slotAt(schedule, nowMs - delayMs) + schedule.intervalMs;
  const isDone = slotMs === lastSlotMs; // The clock went back: once is enough.
  return slotMs + delayMs + (isDone ? schedule.intervalMs : 0);
}
