import { afterEach, expect, jest, test } from '@jest/globals';
import { encodeLabels, Labels } from '@flotilla/model';
import { IS_AFTER, LabelCache, SAME_METRIC } from './label-cache.ts';

/** Amid other bytes. */
function bytesOf(i: number): DataView {
  return bytesOfLabels({ __name__: 'up', instance: `host-${i}`, é: 'ü'.repeat(i % 50) + 'x' });
}

function bytesOfLabels(labels: Record<string, string>): DataView {
  const bytes = encodeLabels(Labels.fromRecord(labels));
  const source = new Uint8Array(bytes.length + 7);
  source.set(bytes, 3);
  return new DataView(source.buffer, 3, bytes.length);
}

afterEach(() => {
  jest.useRealTimers();
});

test('equal bytes are one object, and others are not', () => {
  const cache = new LabelCache();
  const first = Array.from({ length: 20_000 }, (_, i) => cache.of(bytesOf(i)));
  const again = first.map((_, i) => cache.of(bytesOf(i)));
  const sameHash = again.filter((labels, i) => labels !== first[i]).length;
  expect(sameHash).toBeLessThan(10);
  expect(again.every((labels, i) => labels.equals(first[i]!))).toBe(true);
  expect(first[7]!.get('instance')).toBe('host-7');
});

test('in whatever order they come', () => {
  const cache = new LabelCache();
  const first = Array.from({ length: 500 }, (_, i) => cache.of(bytesOf(i)));
  const order = first.map((_, i) => (i * 7) % 500);
  for (const i of [...order, ...order.map((at) => at >> 1)]) expect(cache.of(bytesOf(i))).toBe(first[i]);
});

test('it tells how two sets relate, once they were compared and before', () => {
  const sets = [
    { __name__: 'up', job: 'a' },
    { __name__: 'up', job: 'b' },
    { __name__: 'up', __unit__: 'seconds' },
    { __name__: 'up' },
    { __name__: 'ups' },
    { Job: 'a', __name__: 'up' },
    { job: 'a' },
    { job: 'b' },
  ].map(bytesOfLabels);
  const cache = new LabelCache();
  for (let round = 0; round < 2; round++) {
    const relations = sets.map((set, i) => {
      const before = cache.of(sets[Math.max(0, i - 1)]!);
      return cache.relation(before, cache.of(set));
    });
    const [after, same] = [IS_AFTER, SAME_METRIC];
    expect(relations).toEqual([same, after | same, 0, 0, after, 0, after, after]);
  }
});

test('it forgets', () => {
  const cache = new LabelCache();
  const first = cache.of(bytesOf(0));
  for (let i = 1; i < 40_000; i++) cache.of(bytesOf(i));
  expect(cache.of(bytesOf(0))).toBe(first);
  for (let i = 1; i < 120_000; i++) cache.of(bytesOf(i));
  const later = cache.of(bytesOf(0));
  expect(later).not.toBe(first);
  expect(later.equals(first)).toBe(true);
});

test('it keeps what is asked for every minute, and forgets what is not', () => {
  jest.useFakeTimers();
  const cache = new LabelCache();
  const [rare, often] = [cache.of(bytesOf(0)), cache.of(bytesOf(1))];
  for (let minute = 0; minute < 10; minute++) {
    jest.advanceTimersByTime(60_000);
    expect(cache.of(bytesOf(1))).toBe(often);
  }
  expect(cache.of(bytesOf(0))).not.toBe(rare);
  jest.advanceTimersByTime(600_000);
  expect(cache.of(bytesOf(1))).not.toBe(often);
  jest.advanceTimersByTime(600_000);
  expect(jest.getTimerCount()).toBe(0);
});

test('what is no label set is refused', () => {
  expect(() => new LabelCache().of(new DataView(Uint8Array.of(9).buffer))).toThrow('label set');
});
