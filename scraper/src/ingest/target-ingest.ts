// The series of one target, and the one transaction that each of its scrapes is: samples, stale markers for what ended,
// report series. A scrape that fails in any way becomes stale markers and `up` 0, at the time that it was for.
//
// Owns the target's line cache. Refs in it are valid while their series are in the head, which they are for as long as
// scrapes succeed: after a long outage, and after a transaction that came to nothing, the cache begins anew.

import type { Appender, Tsdb } from '@flotilla/tsdb';
import type { ExpositionFormat } from '../parse/line-parser.ts';
import { ParseError } from '../parse/parse-error.ts';
import { type BodyRules, BodyIngest, SampleLimitError } from './body-ingest.ts';
import type { KnownLines } from './known-lines.ts';
import { LabelLimitError } from './label-limits.ts';
import { MetadataSink, type MetadataStore } from './metadata-store.ts';
import { PresentSeries } from './present-series.ts';
import { ReportSeries, type ScrapeReport } from './report-series.ts';
import { SampleBuffer } from './sample-buffer.ts';
import { SampleCodes } from './sample-codes.ts';
import type { ScrapeCounters } from './scrape-counters.ts';

/** What all targets of a process share. */
export interface IngestContext {
  readonly tsdb: Pick<Tsdb, 'appender'>;
  readonly counters: ScrapeCounters;
  readonly metadata: MetadataStore;
  readonly newLines: () => KnownLines;
}

export interface Page {
  readonly body: Buffer;
  readonly format: ExpositionFormat;
}

/** The time that the samples bear, and how long the scrape has taken when that is asked. */
export interface ScrapeTime {
  readonly timeMs: number;
  readonly durationMs: () => number;
}

export interface ScrapeOutcome extends ScrapeReport {
  /** '' if the scrape succeeded. */
  readonly error: string;
}

type Counts = Pick<ScrapeReport, 'scraped' | 'kept' | 'added'>;

const NONE = new Uint32Array(0);
const noCounts: Counts = { scraped: 0, kept: 0, added: 0 };
const metadataEvery = 10;
const cacheValidMs = 30 * 60_000;

export class TargetIngest {
  readonly #context: IngestContext;
  readonly #rules: BodyRules;
  readonly #lines: KnownLines;
  readonly #report: ReportSeries;
  readonly #codes = new SampleCodes();
  #lastSuccessMs = 0;
  #successes = 0;
  /** May go over to the ingest of the same target under newer rules, so that what these end gets its markers. */
  readonly present: PresentSeries;

  constructor(context: IngestContext, rules: BodyRules, present = new PresentSeries()) {
    this.#context = context;
    this.#rules = rules;
    this.#lines = context.newLines();
    this.#report = new ReportSeries(rules.target, rules.schedule);
    this.present = present;
  }

  /** Commits a page, or the failure that it turns out to be. Throws what the store throws: nothing is written then. */
  commitPage(page: Page, time: ScrapeTime): ScrapeOutcome {
    if (time.timeMs - this.#lastSuccessMs > cacheValidMs) this.#lines.reset();
    try {
      return this.#tryPage(page, time);
    } catch (err) {
      this.#lines.reset(); // It may have learnt refs that the rollback undid.
      if (err instanceof UnknownRefs) return this.#tryPage(page, time);
      if (!(err instanceof FailedPage)) throw err;
      return this.commitFailure(err.message, time, err.counts);
    }
  }

  /** Commits a scrape that failed: what was there ends. */
  commitFailure(error: string, { timeMs, durationMs }: ScrapeTime, counts: Counts = noCounts): ScrapeOutcome {
    const report = this.#transact((appender) => {
      appender.appendStale(this.present.tracked, timeMs);
      const { scraped, kept, added } = counts;
      const failed: ScrapeReport = { up: false, durationMs: durationMs(), scraped, kept, added };
      this.#report.append(appender, failed, timeMs);
      return failed;
    });
    this.present.clear();
    return { ...report, error };
  }

  /** Ends every series of the target, its report series too. */
  commitEnd(timeMs: number): void {
    this.#transact((appender) => {
      appender.appendStale(this.present.tracked, timeMs);
      this.#report.appendStale(appender, timeMs);
    });
    this.present.clear();
  }

  free(): void {
    this.#lines.free();
  }

  #transact<T>(step: (appender: Appender) => T): T {
    const appender = this.#context.tsdb.appender();
    try {
      const result = step(appender);
      appender.commit();
      return result;
    } catch (err) {
      appender.rollback();
      throw err;
    }
  }

  #tryPage({ body, format }: Page, { timeMs, durationMs }: ScrapeTime): ScrapeOutcome {
    const metadata = this.#successes % metadataEvery === 0 ? new MetadataSink() : undefined;
    let next: PresentRefs | undefined;
    const report = this.#transact((appender) => {
      const page = new BodyIngest(this.#rules, this.#lines, this.present, appender, format);
      this.#read(page, body, metadata);
      this.#append(appender, page, timeMs);
      next = this.#presentAfter(page);
      if (next !== undefined) appender.appendStale(this.present.endedBy(next.tracked), timeMs);
      const { scraped, kept, added } = page;
      const good: ScrapeReport = { up: true, durationMs: durationMs(), scraped, kept, added };
      this.#report.append(appender, good, timeMs);
      return good;
    });
    if (next !== undefined) this.present.replace(next.tracked, next.untracked);
    metadata?.storeIn(this.#context.metadata, timeMs);
    this.#codes.addTo(this.#context.counters);
    this.#lastSuccessMs = timeMs;
    this.#successes++;
    return { ...report, error: '' };
  }

  #read(page: BodyIngest, body: Buffer, metadata: MetadataSink | undefined): void {
    const { counters } = this.#context;
    try {
      page.read(body, metadata);
    } catch (err) {
      if (err instanceof SampleLimitError) counters.exceededSampleLimit++;
      else if (err instanceof LabelLimitError) counters.exceededLabelLimits++;
      else if (!(err instanceof ParseError)) throw err;
      throw new FailedPage(page, err);
    }
  }

  #append(appender: Appender, { known, slow, stamped }: BodyIngest, timeMs: number): void {
    const codes = this.#codes;
    codes.clear();
    codes.append(appender, known, timeMs);
    codes.append(appender, slow, timeMs);
    const one = new SampleBuffer();
    for (const { ref, value, timestampMs } of stamped) {
      one.clear();
      one.push(ref, value);
      codes.append(appender, one, timestampMs);
    }
    if (codes.unknownRefs > 0) throw new UnknownRefs();
  }

  /** What is present with this page; undefined if that is what was before. */
  #presentAfter({ known, slow, stamped }: BodyIngest): PresentRefs | undefined {
    const { tracked, untracked } = this.present;
    const isSame = slow.count === 0 && !known.hasMissing && known.count === tracked.length;
    if (isSame && stamped.length === 0 && untracked.length === 0) return undefined;
    const stampedRefs = Uint32Array.from(stamped, ({ ref }) => ref);
    const isTracked = this.#rules.trackTimestampsStaleness;
    return {
      tracked: concat(
        known.refs.subarray(0, known.count),
        slow.refs.subarray(0, slow.count),
        isTracked ? stampedRefs : NONE,
      ),
      untracked: isTracked ? NONE : stampedRefs,
    };
  }
}

interface PresentRefs {
  readonly tracked: Uint32Array;
  readonly untracked: Uint32Array;
}

/** Parsing or a limit ended the scrape; the counts are what was seen until then. */
class FailedPage extends Error {
  readonly counts: Counts;

  constructor({ scraped, kept, added }: BodyIngest, cause: Error) {
    super(cause.message, { cause });
    this.counts = { scraped, kept, added };
  }
}

/** Some line leads to a series that the head has let go: every line must show its labels once more. */
class UnknownRefs extends Error {
  constructor() {
    super('line cache: a series is not in the head any more');
  }
}

function concat(...parts: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
