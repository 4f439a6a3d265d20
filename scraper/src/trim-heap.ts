// New series leave garbage: a heap of holes that V8 keeps, since what comes after them makes too little to collect it.
// One thorough collection after many of them gives it back to the system. It takes as long as the heap that lives is large:
// some tens of milliseconds, once.

import { Session } from 'node:inspector';

const checkMs = 10_000;
const seriesMin = 20_000;
/** So many new series within a check are no growth any more. */
const settledMax = 1000;

/** Watches a count that only grows; collects when it has grown much and stopped to. Returns what ends that. */
export function trimHeapAfterGrowth(seriesCreated: () => number): () => void {
  let collected = 0;
  let before = 0;
  const timer = setInterval(() => {
    const now = seriesCreated();
    if (now - before <= settledMax && now - collected >= seriesMin) {
      collected = now;
      collectGarbage();
    }
    before = now;
  }, checkMs);
  timer.unref();
  return () => clearInterval(timer);
}

function collectGarbage(): void {
  const session = new Session();
  session.connect();
  session.post('HeapProfiler.collectGarbage', () => session.disconnect());
}
