import { beforeAll, expect, jest, test } from '@jest/globals';
import { ColumnArena } from './column-arena.ts';

beforeAll(() => {
  jest.useFakeTimers();
});

test('small queries do not keep the slabs of a large one', () => {
  const query = (slabs: number): ArrayBufferLike[] => {
    const arena = new ColumnArena();
    const columns = Array.from({ length: slabs }, () => arena.column(1 << 15));
    arena.release();
    return columns.map(({ buffer }) => buffer);
  };
  const large = query(100);
  const kept = (): number => large.filter(({ byteLength }) => byteLength > 0).length;
  for (let second = 0; second < 6; second++) {
    query(2);
    jest.advanceTimersByTime(1000);
  }
  expect(kept()).toBe(2);
  jest.advanceTimersByTime(6000);
  expect(kept()).toBe(0);
});

test('slabs of a large query stay for the next one, and go when none comes', () => {
  const slabs = 100;
  const slabBytes = 8 << 15;
  const query = (): Set<ArrayBufferLike> => {
    const arena = new ColumnArena();
    const columns = Array.from({ length: slabs }, () => arena.column(1 << 15));
    arena.release();
    return new Set(columns.map(({ buffer }) => buffer));
  };
  const first = query();
  for (let second = 0; second < 10; second += 2) {
    jest.advanceTimersByTime(2000);
    expect([...query()].filter((slab) => first.has(slab))).toHaveLength(slabs);
  }
  const { arrayBuffers } = process.memoryUsage();
  jest.advanceTimersByTime(6000);
  expect(arrayBuffers - process.memoryUsage().arrayBuffers).toBeGreaterThan((slabs / 2) * slabBytes);
  expect([...first].filter(({ byteLength }) => byteLength > 0).length).toBeLessThan(slabs / 2);
});
