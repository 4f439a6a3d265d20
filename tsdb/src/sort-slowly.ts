// Sorts without keeping the event loop: for label sets and symbols of a whole head.

import { isTurnOver, nextTurn } from './turns.ts';

/** How many items are sorted or merged between two looks at the clock: half a millisecond with slow comparisons. */
const ITEMS_PER_LOOK = 256;

/** Stable. The comparison must give the same answers all the while; `turn` is awaited now and then, and may throw. */
export async function sortSlowly<T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
  turn: () => Promise<void> = nextTurn,
): Promise<T[]> {
  let runs: T[][] = [];
  for (let from = 0; from < items.length; from += ITEMS_PER_LOOK) {
    if (isTurnOver()) await turn();
    runs.push(items.slice(from, from + ITEMS_PER_LOOK).toSorted(compare));
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      const [a, b] = [runs[i]!, runs[i + 1]];
      merged.push(b === undefined ? a : await mergeSlowly(a, b, compare, turn));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

async function mergeSlowly<T>(
  a: readonly T[],
  b: readonly T[],
  compare: (a: T, b: T) => number,
  turn: () => Promise<void>,
): Promise<T[]> {
  const out: T[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    out.push(compare(a[i]!, b[j]!) <= 0 ? a[i++]! : b[j++]!);
    if (out.length % ITEMS_PER_LOOK === 0 && isTurnOver()) await turn();
  }
  for (; i < a.length; i++) out.push(a[i]!);
  for (; j < b.length; j++) out.push(b[j]!);
  return out;
}
