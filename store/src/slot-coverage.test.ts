import { describe, expect, test } from '@jest/globals';
import { packChunks } from '@flotilla/tsdb';
import type { RawChunk } from '@flotilla/tsdb';
import { isCovered, isNewest } from './slot-coverage.ts';

const schedule = { targetId: 7, intervalMs: 1000, phaseMs: 300 };
const nowMs = 1_000_000;

/** A chunk over slots from..to with so many samples, `lateMs` after their slots. */
function chunk(from: number, to: number, samples = to - from + 1, lateMs = 0): RawChunk {
  const timeOf = (slot: number): number => slot * 1000 + schedule.phaseMs + lateMs;
  return { minTimeMs: timeOf(from), maxTimeMs: timeOf(to), samples, encoding: 1, data: new Uint8Array(0) };
}

describe('isCovered', () => {
  const check = (chunks: RawChunk[], fromSlot: number, toSlot: number, want: boolean) =>
    expect(isCovered(schedule, packChunks(chunks), fromSlot * 1000 + 300, toSlot * 1000 + 300, nowMs)).toBe(
      want,
    );

  test('is true when every slot has its sample, over chunks that follow each other', () => {
    check([chunk(10, 20)], 12, 18, true);
    check([chunk(10, 20), chunk(21, 30)], 10, 30, true);
    check([chunk(10, 20, 11, 400)], 11, 19, true);
  });

  test('is false for a hole within, between, before and after', () => {
    check([chunk(10, 20, 10)], 10, 20, false);
    check([chunk(10, 20), chunk(22, 30)], 10, 30, false);
    check([chunk(10, 20)], 9, 20, false);
    check([chunk(10, 20)], 10, 21, false);
    check([], 10, 20, false);
  });

  test('asks for no slot that is not due yet', () => {
    check([chunk(990, 998)], 990, 1005, true);
    check([chunk(990, 996)], 990, 1005, false);
    check([], 999, 1005, true);
  });

  test('is false without a schedule', () => {
    expect(isCovered(undefined, packChunks([chunk(1, 2)]), 1000, 2000, nowMs)).toBe(false);
    expect(isCovered({ ...schedule, intervalMs: 0 }, packChunks([chunk(1, 2)]), 1000, 2000, nowMs)).toBe(
      false,
    );
  });
});

describe('isNewest', () => {
  const check = (chunks: RawChunk[], fromSlot: number, toSlot: number, want: boolean) =>
    expect(isNewest(schedule, packChunks(chunks), fromSlot * 1000 + 300, toSlot * 1000 + 300, nowMs)).toBe(
      want,
    );

  test('is true when the last slot that is due has its sample, whatever else is there', () => {
    check([chunk(18, 18)], 12, 18, true);
    check([chunk(10, 12), chunk(18, 18)], 12, 18, true);
    check([chunk(10, 18, 3)], 12, 18, true);
    check([chunk(999, 999)], 990, 1005, true);
    check([chunk(997, 997)], 990, 1005, true);
    check([], 999, 1005, true);
  });

  test('is false when it may be missing', () => {
    check([chunk(17, 17)], 12, 18, false);
    check([], 12, 18, false);
    check([chunk(996, 996)], 990, 1005, false);
    expect(isNewest(undefined, packChunks([chunk(1, 2)]), 1000, 2300, nowMs)).toBe(false);
  });

  test('of a chunk that goes on behind the range only one without holes tells', () => {
    check([chunk(10, 20)], 12, 18, true);
    check([chunk(10, 20, 10)], 12, 18, false);
  });
});
