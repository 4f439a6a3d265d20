import { expect, test } from '@jest/globals';
import { isTurnOver, nextTurn, slicesBegun } from './turns.ts';

test('however much work waits, a timer that is due comes after one slice of it', async () => {
  const before = slicesBegun();
  let isDue = false;
  const slicesLate: number[] = [];
  async function work(): Promise<void> {
    for (let slice = 0; slice < 5; slice++) {
      await nextTurn();
      while (!isTurnOver());
    }
  }
  let dueFrom = 0;
  // A timer that is due at once: how many slices begin before it runs.
  const rearm = (): NodeJS.Timeout => {
    dueFrom = slicesBegun();
    return setTimeout(() => {
      slicesLate.push(slicesBegun() - dueFrom);
      if (!isDue) rearm();
    }, 1);
  };
  rearm();
  await Promise.all([work(), work(), work(), work()]);
  isDue = true;
  expect(slicesBegun() - before).toBe(20);
  expect(Math.max(...slicesLate)).toBeLessThanOrEqual(2);
});
