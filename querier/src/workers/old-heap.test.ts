import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { OldHeap } from './old-heap.ts';

const MIB = 1 << 20;
const quietMs = 5000;
let usedBytes: number;
let collections: number;
let heap: OldHeap;

beforeEach(() => {
  jest.useFakeTimers();
  [usedBytes, collections] = [20 * MIB, 0];
  heap = new OldHeap({
    usedBytes: () => usedBytes,
    collect: () => {
      collections++;
      usedBytes = 25 * MIB;
    },
    quietMs,
  });
});

afterEach(() => {
  jest.useRealTimers();
});

function query(tookMs: number, leavesBytes: number): void {
  heap.begin();
  jest.advanceTimersByTime(tookMs);
  usedBytes = Math.max(usedBytes, leavesBytes);
  heap.end(tookMs);
}

test('garbage of a long query is collected when no other has followed, whatever short ones do', () => {
  for (let i = 0; i < 10; i++) query(1000, 150 * MIB);
  expect(collections).toBe(0);
  for (let i = 0; i < 40; i++) query(100, 0);
  expect(collections).toBe(0);
  query(200, 0);
  jest.advanceTimersByTime(quietMs - 1);
  expect(collections).toBe(0);
  jest.advanceTimersByTime(1);
  expect(collections).toBe(1);
  query(1000, 60 * MIB);
  jest.advanceTimersByTime(2 * quietMs);
  expect(collections).toBe(1);
});

test('it is collected between queries', () => {
  query(1000, 150 * MIB);
  heap.begin();
  heap.begin();
  jest.advanceTimersByTime(2 * quietMs);
  heap.end(2 * quietMs);
  expect(collections).toBe(0);
  heap.end(2 * quietMs);
  expect(collections).toBe(1);
});

test('little garbage is left alone, and what V8 has found by itself', () => {
  query(1000, 40 * MIB);
  jest.advanceTimersByTime(2 * quietMs);
  query(1000, 100 * MIB);
  usedBytes = 30 * MIB;
  jest.advanceTimersByTime(2 * quietMs);
  expect(collections).toBe(0);
});
