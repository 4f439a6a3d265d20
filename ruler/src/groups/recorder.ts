// Results of rules into the ruler's own database, which is one more store of the fleet.

import { BadRequest, type FloatHistogram, type Labels } from '@flotilla/model';
import { type Appender, nativeOf, type Schedule, staleHistogram, type Tsdb } from '@flotilla/tsdb';

export interface Result {
  readonly labels: Labels;
  /** Means nothing beside a histogram. */
  readonly value: number;
  readonly histogram?: FloatHistogram;
}

/** Writes the results of one rule at one time; series of the last time that are not among them end with a stale marker. */
export class Recorder {
  readonly #tsdb: Tsdb;
  readonly #schedule: Schedule;
  #previous = new Map<string, Result>();

  constructor(tsdb: Tsdb, schedule: Schedule) {
    this.#tsdb = tsdb;
    this.#schedule = schedule;
  }

  /**
   * Throws Unavailable when the disk refuses; then nothing was written. Throws BadRequest when the database refuses
   * a histogram, such as one with negative counts that is no gauge; then all others were written.
   */
  record(results: readonly Result[], timeMs: number): void {
    const appender = this.#tsdb.appender();
    const current = new Map<string, Result>();
    let refused: BadRequest | undefined;
    for (const result of results) {
      try {
        this.#append(appender, result, timeMs);
        current.set(result.labels.key, result);
      } catch (error) {
        if (!(error instanceof BadRequest)) throw error;
        refused ??= new BadRequest(`result ${result.labels}: ${error.message}`, { cause: error });
      }
    }
    this.#appendStale(appender, current, timeMs);
    appender.commit();
    this.#previous = current;
    if (refused !== undefined) throw refused;
  }

  /** Ends all series, when the rule is gone. */
  end(timeMs: number): void {
    this.record([], timeMs);
  }

  #append(appender: Appender, { labels, value, histogram }: Result, timeMs: number): void {
    const ref = appender.series(labels, this.#schedule);
    if (histogram === undefined) appender.append(ref, timeMs, value);
    else appender.appendHistogram(ref, timeMs, nativeOf(histogram, true));
  }

  /** The marker of a series of histograms is a histogram, too. */
  #appendStale(appender: Appender, current: ReadonlyMap<string, Result>, timeMs: number): void {
    const gone = [...this.#previous].filter(([key]) => !current.has(key)).map(([, result]) => result);
    const refOf = ({ labels }: Result): number => appender.series(labels, this.#schedule);
    appender.appendStale(gone.filter(({ histogram }) => histogram === undefined).map(refOf), timeMs);
    for (const ref of gone.filter(({ histogram }) => histogram !== undefined).map(refOf))
      appender.appendHistogram(ref, timeMs, staleHistogram(true));
  }
}
