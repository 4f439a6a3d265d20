// A burst of new series, such as after a start, leaves garbage behind for good, since scraping itself makes hardly any. It is
// collected when the burst has settled. Under steady churn that is once in a hundred looks.

import { collectGarbage } from '@flotilla/chassis';

const lookMs = 5000;
/** Fewer new series leave little. */
const burstMin = 20_000;
/** A burst has settled when this part of it comes between two looks. */
const settledShare = 0.01;

/** Says after each look at the count of series that were ever created whether a burst has settled since. */
export class BurstWatch {
  #created = 0;
  #burst = 0;

  hasSettled(created: number): boolean {
    const fresh = created - this.#created;
    this.#created = created;
    this.#burst += fresh;
    if (this.#burst < burstMin || fresh > this.#burst * settledShare) return false;
    this.#burst = 0;
    return true;
  }
}

/** Keeps no process alive. Returns what ends it. A collection blocks the thread for some 0.1 s. */
export function collectAfterBursts(created: () => number): () => void {
  const watch = new BurstWatch();
  const timer = setInterval(() => {
    if (watch.hasSettled(created())) collectGarbage();
  }, lookMs).unref();
  return () => clearInterval(timer);
}
