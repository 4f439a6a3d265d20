import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { OldHeap } from './old-heap.ts';

const MIB = 1 << 20;
const collectionMs = 100;
/** What follows such a collection. */
const waitMs = 50 * collectionMs;
/** What the first one waits. */
const waitMsMin = 2000;
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
      jest.advanceTimersByTime(collectionMs);
    },
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
  jest.advanceTimersByTime(waitMsMin - 1);
  expect(collections).toBe(0);
  jest.advanceTimersByTime(1);
  expect(collections).toBe(1);
});

test('collections take a fiftieth of the time at most', () => {
  const queries = 500;
  const beganMs = performance.now();
  for (let i = 0; i < queries; i++) query(100, 150 * MIB);
  const tookMs = performance.now() - beganMs;
  expect(collections).toBeGreaterThanOrEqual(Math.floor(tookMs / (waitMs + 200)));
  expect(collections * collectionMs).toBeLessThanOrEqual(collectionMs + tookMs / 50);
});

test('it is collected between queries', () => {
  query(1000, 150 * MIB);
  heap.begin();
  heap.begin();
  jest.advanceTimersByTime(waitMsMin);
  heap.end();
  expect(collections).toBe(0);
  heap.end();
  expect(collections).toBe(1);
});

test('little garbage is left alone', () => {
  query(1000, 150 * MIB);
  jest.advanceTimersByTime(waitMsMin);
  for (let i = 0; i < 100; i++) query(1000, 32 * MIB);
  expect(collections).toBe(1);
  query(1000, 34 * MIB);
  jest.advanceTimersByTime(waitMs);
  expect(collections).toBe(2);
});

test('pages that V8 has emptied by itself are given back, too', () => {
  query(1000, 100 * MIB);
  usedBytes = 30 * MIB;
  query(100, 0);
  jest.advanceTimersByTime(waitMsMin);
  expect(collections).toBe(1);
});
