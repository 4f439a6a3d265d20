// Sorts without keeping the event loop: for label sets and symbols of a whole head.

import { setImmediate } from 'node:timers/promises';

/** How many items are sorted or merged before the event loop gets its turn: about 10 ms with slow comparisons. */
const ITEMS_PER_TURN = 4096;

/** Stable. The comparison must give the same answers all the while. */
export async function sortSlowly<T>(items: readonly T[], compare: (a: T, b: T) => number): Promise<T[]> {
  let runs: T[][] = [];
  for (let from = 0; from < items.length; from += ITEMS_PER_TURN) {
    runs.push(items.slice(from, from + ITEMS_PER_TURN).toSorted(compare));
    await setImmediate();
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      const [a, b] = [runs[i]!, runs[i + 1]];
      merged.push(b === undefined ? a : await mergeSlowly(a, b, compare));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

async function mergeSlowly<T>(
  a: readonly T[],
  b: readonly T[],
  compare: (a: T, b: T) => number,
): Promise<T[]> {
  const out: T[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    out.push(compare(a[i]!, b[j]!) <= 0 ? a[i++]! : b[j++]!);
    if (out.length % ITEMS_PER_TURN === 0) await setImmediate();
  }
  for (; i < a.length; i++) out.push(a[i]!);
  for (; j < b.length; j++) out.push(b[j]!);
  return out;
}
