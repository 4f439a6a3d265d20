// Reading lists leaves a heap with holes: pages that hold a few objects that stay among many that went. One thorough collection after
// it gives them back: with 50 000 pods 183 MiB stay resident instead of 199 (docs/benchmarks.md).

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const pollMs = 1000;
const settleMs = 5000;

/** As V8's gc extension takes it: `last-resort` also compacts. */
type CollectGarbage = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

/** Collects once, some seconds after `isDone` first says yes. Keeps no process alive. */
export function collectGarbageAfter(isDone: () => boolean): void {
  const timer = setInterval(() => {
    if (!isDone()) return;
    clearInterval(timer);
    setTimeout(collectGarbage, settleMs).unref();
  }, pollMs).unref();
}

/** Blocks the thread for as long as a whole collection takes: 0.2 s for 150 MiB. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as CollectGarbage;
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
