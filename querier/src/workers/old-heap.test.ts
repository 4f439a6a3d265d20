import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { OldHeap } from './old-heap.ts';

const MIB = 1 << 20;
const waitMs = 5000;
let usedBytes: number;
let collections: number;
let heap: OldHeap;

beforeEach(() => {
  jest.useFakeTimers();
  [usedBytes, collections] = [10 * MIB, 0];
  heap = new OldHeap({
    usedBytes: () => usedBytes,
    collect: () => {
      collections++;
      usedBytes = 25 * MIB;
    },
    waitMs,
  });
});

afterEach(() => {
  jest.useRealTimers();
});

function query(tookMs: number, leavesBytes: number): void {
  heap.begin();
  jest.advanceTimersByTime(tookMs);
  usedBytes = Math.max(usedBytes, leavesBytes);
  heap.end();
}

test('garbage of queries is collected some time after it was seen, whatever follows', () => {
  query(1000, 150 * MIB);
  jest.advanceTimersByTime(waitMs - 1);
  expect(collections).toBe(0);
  jest.advanceTimersByTime(1);
  expect(collections).toBe(1);
  for (let i = 0; i < 100; i++) query(100, 150 * MIB);
  expect(collections).toBe(2);
  query(1000, 45 * MIB);
  jest.advanceTimersByTime(2 * waitMs);
  expect(collections).toBe(3);
  query(1000, 45 * MIB);
  jest.advanceTimersByTime(2 * waitMs);
  expect(collections).toBe(3);
});

test('it is collected between queries', () => {
  query(1000, 150 * MIB);
  heap.begin();
  heap.begin();
  jest.advanceTimersByTime(2 * waitMs);
  heap.end();
  expect(collections).toBe(0);
  heap.end();
  expect(collections).toBe(1);
});

test('little garbage is left alone', () => {
  query(1000, 15 * MIB);
  jest.advanceTimersByTime(2 * waitMs);
  expect(collections).toBe(0);
});

test('pages that V8 has emptied by itself are given back, too', () => {
  query(1000, 100 * MIB);
  usedBytes = 30 * MIB;
  query(100, 0);
  jest.advanceTimersByTime(waitMs);
  expect(collections).toBe(1);
});
