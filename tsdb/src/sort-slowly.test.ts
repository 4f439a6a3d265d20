import { expect, test } from '@jest/globals';
import { sortSlowly } from './sort-slowly.ts';
import { slicesBegun } from './turns.ts';

test('sorts as toSorted does, stably, and lets others run', async () => {
  let state = 7;
  for (const length of [0, 1, 4096, 4097, 30_000]) {
    const items = Array.from({ length }, (_, i): [number, number] => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return [(state >>> 8) % 1000, i];
    });
    const before = slicesBegun();
    let compared = 0;
    const sorted = await sortSlowly(items, ([a], [b]) => {
      if (++compared % 10_000 === 0) for (const endMs = performance.now() + 6; performance.now() < endMs;);
      return a - b;
    });
    expect(sorted).toEqual(items.toSorted(([a], [b]) => a - b));
    if (length === 30_000) expect(slicesBegun() - before).toBeGreaterThan(10);
  }
});
