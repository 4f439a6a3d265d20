import { expect, test } from '@jest/globals';
import { PackedPostings } from './packed-postings.ts';

function slotsOf(list: PackedPostings): number[] {
  const out = new Uint32Array(list.length);
  expect(list.copyTo(out, 0)).toBe(list.length);
  return [...out];
}

test('gives back what was added, and what was not removed', () => {
  let state = 5;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let round = 0; round < 50; round++) {
    const list = new PackedPostings();
    const want: number[] = [];
    for (let i = random(500); i > 0; i--) {
      const slot = random(2) === 0 ? random(2 ** 24) : ((want.at(-1) ?? 0) + 1) % 2 ** 24;
      list.add(slot);
      want.push(slot);
    }
    expect(slotsOf(list)).toEqual(want);
    const flags = new Uint8Array(2 ** 24);
    for (const slot of want) flags[slot] = random(3) === 0 ? 1 : 0;
    list.removeFlagged(flags);
    list.add(7);
    expect(slotsOf(list)).toEqual([...want.filter((slot) => flags[slot] === 0), 7]);
  }
});

test('takes the largest slots', () => {
  const list = new PackedPostings();
  for (const slot of [2 ** 24 - 1, 0, 2 ** 24 - 1, 1]) list.add(slot);
  expect(slotsOf(list)).toEqual([2 ** 24 - 1, 0, 2 ** 24 - 1, 1]);
});
