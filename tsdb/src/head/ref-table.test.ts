import { expect, test } from '@jest/globals';
import { RefTable, slotOf } from './ref-table.ts';

test('a slot that was freed and claimed again is not given to another series', () => {
  const refs = new RefTable();
  const first = refs.take();
  refs.release(first);
  const again = first + 2 ** 24;
  expect(refs.tryClaim(again)).toBe(true);
  expect(slotOf(refs.take())).not.toBe(slotOf(again));
  expect(refs.refAt(slotOf(again))).toBe(again);
});
