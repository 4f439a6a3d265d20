import { expect, test } from '@jest/globals';
import { BurstWatch } from './collect-after-bursts.ts';

function settledAt(counts: readonly number[]): number[] {
  const watch = new BurstWatch();
  return counts.flatMap((created, look) => (watch.hasSettled(created) ? [look] : []));
}

test('a burst settles once, when hardly anything is added to it', () => {
  expect(settledAt([0, 500_000, 990_000, 1_000_000, 1_000_000, 1_000_000])).toEqual([3]);
  expect(settledAt([0, 100_000, 100_000, 100_000, 200_000, 200_000])).toEqual([2, 5]);
});

test('few series are no burst', () => {
  expect(settledAt([0, 5000, 5000, 9000, 9000])).toEqual([]);
});

test('steady churn is looked after now and then', () => {
  const counts = Array.from({ length: 500 }, (_, look) => look * 1000);
  expect(settledAt(counts).length).toBe(4);
});
