// Reading lists leaves a heap with holes: pages that hold a few objects that stay among many that went. One thorough collection after
// it gives them back: with 50 000 pods 183 MiB stay resident instead of 199 (docs/benchmarks.md).

import { Session } from 'node:inspector';

const pollMs = 1000;
const settleMs = 5000;

/** Collects once, some seconds after `isDone` first says yes. Keeps no process alive. */
export function collectGarbageAfter(isDone: () => boolean): void {
  const timer = setInterval(() => {
    if (!isDone()) return;
    clearInterval(timer);
    setTimeout(collectGarbage, settleMs).unref();
  }, pollMs).unref();
}

function collectGarbage(): void {
  const session = new Session();
  session.connect();
  session.post('HeapProfiler.collectGarbage', () => session.disconnect());
}
