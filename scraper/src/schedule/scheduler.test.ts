import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { DueHeap } from './due-heap.ts';
import { Scheduler } from './scheduler.ts';
import { TestClock } from './test-clock.ts';
import { replicaDelayMs, scheduleOf, slotAt, slotToleranceMs } from './slots.ts';

describe('slots', () => {
  test('lie at phase + k·interval, on both sides of it', () => {
    const schedule = scheduleOf(1_000_003, 15_000);
    expect(schedule).toEqual({ targetId: 1_000_003, intervalMs: 15_000, phaseMs: 10_003 });
    expect(slotAt(schedule, 10_003)).toBe(10_003);
    expect(slotAt(schedule, 25_002)).toBe(10_003);
    expect(slotAt(schedule, 25_003)).toBe(25_003);
    expect(slotAt(schedule, 0)).toBe(-4997);
  });

  test('are met by each replica with its own delay, and with a tolerance', () => {
    expect(replicaDelayMs(0, 100, 15_000)).toBe(0);
    expect(replicaDelayMs(1, 100, 15_000)).toBe(100);
    expect(replicaDelayMs(3, 100, 1000)).toBe(250);
    expect(slotToleranceMs(15_000, 0)).toBe(1000);
    expect(slotToleranceMs(1000, 0)).toBe(400);
    expect(slotToleranceMs(1000, 50)).toBe(50);
    expect(slotToleranceMs(1000, 5000)).toBe(1000);
  });
});

describe('Scheduler', () => {
  const start = 1_700_000_000_000;

  function begin(
    intervalMs: number,
    delayMs = 0,
    targetId = 7,
  ): { clock: TestClock; scheduler: Scheduler; slots: number[]; leave: () => void } {
    const clock = new TestClock(start);
    const scheduler = new Scheduler(clock);
    const slots: number[] = [];
    const schedule = scheduleOf(targetId, intervalMs);
    const leave = scheduler.add({ schedule, delayMs, onSlot: (slotMs) => slots.push(slotMs) });
    return { clock, scheduler, slots, leave };
  }

  test('calls at every slot, wherever the process started in between', () => {
    for (const offset of [0, 1, 499, 999]) {
      const clock = new TestClock(start + offset);
      const scheduler = new Scheduler(clock);
      const slots: number[] = [];
      scheduler.add({ schedule: scheduleOf(250, 1000), delayMs: 0, onSlot: (slotMs) => slots.push(slotMs) });
      clock.advance(3000);
      expect(slots.every((slot) => slot % 1000 === 250)).toBe(true);
      expect(slots).toHaveLength(3);
      expect(scheduler.skippedSlots).toBe(0);
    }
  });

  test('calls a replica later, for the same slot', () => {
    const { clock, slots } = begin(1000, 100);
    const calls: number[] = [];
    clock.advance(107);
    expect(slots).toEqual([start + 7]);
    clock.advance(999);
    calls.push(...slots);
    expect(calls).toEqual([start + 7]);
    clock.advance(1);
    expect(slots).toEqual([start + 7, start + 1007]);
  });

  test('skips and counts what passed while nothing could run', () => {
    const { clock, slots, scheduler } = begin(1000);
    clock.advance(10);
    clock.jump(3500);
    clock.advance(1000);
    expect(slots).toEqual([start + 7, start + 3007, start + 4007]);
    expect(scheduler.skippedSlots).toBe(2);
  });

  test('goes on after the clock was set back, and calls no slot twice', () => {
    const { clock, slots } = begin(1000);
    clock.advance(2010);
    clock.jump(-500);
    clock.advance(1600);
    expect(slots).toEqual([start + 7, start + 1007, start + 2007, start + 3007]);
    clock.jump(-10_000);
    clock.advance(4000);
    const [first = 0, ...rest] = slots.slice(4);
    expect((first - start) % 1000).toBe(-993);
    expect(rest.slice(0, 2)).toEqual([first + 1000, first + 2000]);
  });

  test('ends a membership at once, and everything with stop', () => {
    const { clock, slots, leave, scheduler } = begin(1000);
    clock.advance(1000);
    leave();
    clock.advance(5000);
    expect(slots).toHaveLength(1);
    scheduler.add({ schedule: scheduleOf(1, 1000), delayMs: 0, onSlot: (slotMs) => slots.push(slotMs) });
    scheduler.stop();
    clock.advance(5000);
    expect(slots).toHaveLength(1);
  });

  test('serves many members, each at its own slots', () => {
    const clock = new TestClock(start);
    const scheduler = new Scheduler(clock);
    const calls = new Map<number, number>();
    for (let id = 1; id <= 300; id++) {
      const schedule = scheduleOf(id * 7919, 1000 + (id % 5) * 500);
      const onSlot = (slotMs: number): void => {
        expect((slotMs - schedule.phaseMs) % schedule.intervalMs).toBe(0);
        expect(clock.now - slotMs).toBeLessThan(2);
        calls.set(id, (calls.get(id) ?? 0) + 1);
      };
      scheduler.add({ schedule, delayMs: 0, onSlot });
    }
    clock.advance(30_000);
    for (let id = 1; id <= 300; id++) expect(calls.get(id)).toBe(30_000 / (1000 + (id % 5) * 500));
  });
});

test('a heap gives items by due time, whatever was delayed or removed', () => {
  const step = fc.tuple(fc.constantFrom('push', 'delay', 'remove'), fc.nat(1000));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const heap = new DueHeap<number>();
      let want: number[] = [];
      for (const [what, dueMs] of steps) {
        if (what !== 'push' && want.length === 0) continue;
        if (what !== 'push') want.shift();
        if (what !== 'remove') want = [...want, dueMs].toSorted((a, b) => a - b);
        if (what === 'push') heap.push(dueMs, dueMs);
        else if (what === 'remove') heap.removeFirst();
        else heap.delayFirst(dueMs);
        expect([heap.size, heap.dueMs]).toEqual([want.length, want[0] ?? Infinity]);
      }
      expect(heap.clear()).toHaveLength(want.length);
      expect([heap.size, heap.dueMs, heap.peek()]).toEqual([0, Infinity, undefined]);
    }),
  );
});
