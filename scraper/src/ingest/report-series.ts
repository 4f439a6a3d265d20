// The series that every scrape writes about itself: `up` and its like. They bear the target's labels, and nothing that
// a target or a job says changes or limits them.

import { type Labels, LabelsBuilder, METRIC_NAME } from '@flotilla/model';
import type { Appender, Schedule } from '@flotilla/tsdb';

export interface ScrapeReport {
  readonly up: boolean;
  readonly durationMs: number;
  readonly scraped: number;
  readonly kept: number;
  readonly added: number;
}

const NAMES = [
  'up',
  'scrape_duration_seconds',
  'scrape_samples_scraped',
  'scrape_samples_post_metric_relabeling',
  'scrape_series_added',
] as const;

export class ReportSeries {
  readonly #labels: readonly Labels[];
  readonly #schedule: Schedule;
  readonly #refs = new Uint32Array(NAMES.length);
  readonly #values = new Float64Array(NAMES.length);

  constructor(target: Labels, schedule: Schedule) {
    this.#labels = NAMES.map((name) => new LabelsBuilder(target).set(METRIC_NAME, name).labels());
    this.#schedule = schedule;
  }

  append(appender: Appender, report: ScrapeReport, timeMs: number): void {
    const { up, durationMs, scraped, kept, added } = report;
    this.#values.set([up ? 1 : 0, durationMs / 1000, scraped, kept, added]);
    this.#resolve(appender);
    appender.appendBatch(this.#refs, this.#values, NAMES.length, timeMs);
  }

  appendStale(appender: Appender, timeMs: number): void {
    this.#resolve(appender);
    appender.appendStale(this.#refs, timeMs);
  }

  /** Looked up each time: five lookups are cheap, and a ref of a transaction that was rolled back is worth nothing. */
  #resolve(appender: Appender): void {
    for (let i = 0; i < NAMES.length; i++) this.#refs[i] = appender.series(this.#labels[i]!, this.#schedule);
  }
}
