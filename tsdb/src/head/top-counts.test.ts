import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { TopCounts } from './top-counts.ts';

test('the biggest counts are those of a full sort', () => {
  const rows = fc.array(fc.record({ name: fc.string({ maxLength: 2 }), value: fc.nat(20) }), {
    maxLength: 400,
  });
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 30 }), (all, limit) => {
      const top = new TopCounts(limit);
      for (const { name, value } of all) top.offer(value, () => name);
      const order = all.toSorted((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1));
      expect(top.list()).toEqual(order.slice(0, limit));
    }),
  );
});
