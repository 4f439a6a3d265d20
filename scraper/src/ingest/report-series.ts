// The series that every scrape writes about itself: `up` and its like. They bear the target's labels, and nothing that
// a target or a job says changes or limits them.

import { type Labels, LabelsBuilder, METRIC_NAME } from '@flotilla/model';
import { appendCode, type Appender, type Schedule } from '@flotilla/tsdb';

export interface ScrapeReport {
  readonly up: boolean;
  readonly durationMs: number;
  readonly scraped: number;
  readonly kept: number;
  readonly added: number;
  /** Inflated; -1 beyond the limit, 0 when none came. */
  readonly bodyBytes: number;
}

/** What the extra report series say besides. */
export interface ExtraReport {
  readonly timeoutSeconds: number;
  /** 0: none. */
  readonly sampleLimit: number;
}

const NAMES = [
  'up',
  'scrape_duration_seconds',
  'scrape_samples_scraped',
  'scrape_samples_post_metric_relabeling',
  'scrape_series_added',
] as const;
const EXTRA_NAMES = ['scrape_timeout_seconds', 'scrape_sample_limit', 'scrape_body_size_bytes'] as const;

export class ReportSeries {
  readonly #labels: readonly Labels[];
  readonly #schedule: Schedule;
  readonly #refs: Uint32Array;
  readonly #values: Float64Array;
  readonly #codes: Uint8Array;
  #isResolved = false;
  readonly #extra: ExtraReport | undefined;

  constructor(target: Labels, schedule: Schedule, extra: ExtraReport | undefined) {
    const names = extra === undefined ? NAMES : [...NAMES, ...EXTRA_NAMES];
    this.#refs = new Uint32Array(names.length);
    this.#values = new Float64Array(names.length);
    this.#codes = new Uint8Array(names.length);
    this.#extra = extra;
    this.#labels = names.map((name) => new LabelsBuilder(target).set(METRIC_NAME, name).labels());
    this.#schedule = schedule;
  }

  append(appender: Appender, report: ScrapeReport, timeMs: number): void {
    this.#note(report);
    if (!this.#isResolved) this.#resolve(appender);
    const { length } = this.#refs;
    const taken = appender.appendBatch(this.#refs, this.#values, length, timeMs, this.#codes);
    if (taken === length || !this.#codes.includes(appendCode.unknownRef)) return;
    this.#resolve(appender);
    appender.appendBatch(this.#refs, this.#values, length, timeMs);
  }

  /** In the order of the names. */
  #note({ up, durationMs, scraped, kept, added, bodyBytes }: ScrapeReport): void {
    const values = this.#values;
    values[0] = up ? 1 : 0;
    values[1] = durationMs / 1000;
    values[2] = scraped;
    values[3] = kept;
    values[4] = added;
    if (this.#extra === undefined) return;
    values[5] = this.#extra.timeoutSeconds;
    values[6] = this.#extra.sampleLimit;
    values[7] = bodyBytes;
  }

  appendStale(appender: Appender, timeMs: number): void {
    this.#resolve(appender);
    appender.appendStale(this.#refs, timeMs);
  }

  /** The transaction that they may have been made in was rolled back. */
  forget(): void {
    this.#isResolved = false;
  }

  /** Once, and when the head has let a series go. */
  #resolve(appender: Appender): void {
    this.#isResolved = true;
    for (let i = 0; i < this.#refs.length; i++)
      this.#refs[i] = appender.series(this.#labels[i]!, this.#schedule);
  }
}
