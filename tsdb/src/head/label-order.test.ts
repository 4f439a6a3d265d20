import { expect, test } from '@jest/globals';
import { compareLabels, Labels } from '@flotilla/model';
import { nextTurn } from '../turns.ts';
import { HeadIndex } from './head-index.ts';

let state = 11;
function random(below: number): number {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0;
  return (state >>> 8) % below;
}

test('series come in label order, however many of them were sorted before, have left or are new', async () => {
  const index = new HeadIndex();
  const labels = new Map<number, Labels>();
  let made = 0;
  const add = (slot: number): void => {
    const pairs = [['__name__', `m${random(20)}`], ['a', `${random(1000)}`], [`b${random(3)}`, `${made++}`]]; // prettier-ignore
    labels.set(slot, Labels.fromPairs(pairs as [string, string][]));
    index.add(slot, labels.get(slot)!);
    index.publish(slot);
  };
  const check = async (slots: Uint32Array): Promise<void> => {
    const want = [...slots].toSorted((a, b) => compareLabels(labels.get(a)!, labels.get(b)!));
    expect([...(await index.sortByLabels(slots, nextTurn))]).toEqual(want);
  };
  for (let slot = 1; slot <= 6000; slot++) add(slot);
  for (let round = 0; round < 6; round++) {
    const all = Uint32Array.from(labels.keys());
    await check(all);
    await check(all.filter(() => random(2) === 0));
    await check(all.slice(0, 20));
    const flags = new Uint8Array(8000);
    const gone = [...all].filter(() => random(7) === 0);
    for (const slot of gone) flags[slot] = 1;
    index.remove(gone, flags);
    for (const slot of gone) labels.delete(slot);
    // Some slots are used again, and new ones come: a few, or many.
    for (const slot of gone.slice(0, round % 2 === 0 ? 50 : 700)) add(slot);
    for (let i = 0; i < 100; i++) add(6001 + round * 100 + i);
  }
});
