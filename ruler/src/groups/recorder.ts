// Results of rules into the ruler's own database, which is one more store of the fleet.

import { Labels } from '@flotilla/model';
import type { Schedule, Tsdb } from '@flotilla/tsdb';

export interface Result {
  readonly labels: Labels;
  readonly value: number;
}

/** Writes the results of one rule at one time; series of the last time that are not among them end with a stale marker. */
export class Recorder {
  readonly #tsdb: Tsdb;
  readonly #schedule: Schedule;
  #previous = new Map<string, Labels>();

  constructor(tsdb: Tsdb, schedule: Schedule) {
    this.#tsdb = tsdb;
    this.#schedule = schedule;
  }

  /** Throws Unavailable when the disk refuses; then nothing was written. */
  record(results: readonly Result[], timeMs: number): void {
    const appender = this.#tsdb.appender();
    const current = new Map<string, Labels>();
    for (const { labels, value } of results) {
      current.set(labels.key, labels);
      appender.append(appender.series(labels, this.#schedule), timeMs, value);
    }
    const gone = [...this.#previous]
      .filter(([key]) => !current.has(key))
      .map(([, labels]) => appender.series(labels, this.#schedule));
    appender.appendStale(gone, timeMs);
    appender.commit();
    this.#previous = current;
  }

  /** Ends all series, when the rule is gone. */
  end(timeMs: number): void {
    this.record([], timeMs);
  }
}
