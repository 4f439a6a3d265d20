// The series of one target, and the one transaction that each of its scrapes is: samples, stale markers for what ended,
// report series. A scrape that fails in any way becomes stale markers and `up` 0, at the time that it was for.
//
// Owns the target's line cache. Refs in it are valid while their series are in the head, which they are for as long as
// scrapes succeed: after a long outage, and after a transaction that did not come to be, the cache begins anew.

import { AppendCode, type Appender, type Tsdb } from '@flotilla/tsdb';
import type { ExpositionFormat } from '../parse/line-parser.ts';
import { type BodyRules, BodyIngest, MetadataSink, SampleLimitError } from './body-ingest.ts';
import type { KnownLines } from './known-lines.ts';
import { LabelLimitError } from './label-limits.ts';
import type { MetadataStore } from './metadata-store.ts';
import { PresentSeries } from './present-series.ts';
import { ReportSeries, type ScrapeReport } from './report-series.ts';
import { SampleBuffer } from './sample-buffer.ts';
import type { ScrapeCounters } from './scrape-counters.ts';

/** What all targets of a process share. */
export interface IngestContext {
  readonly tsdb: Pick<Tsdb, 'appender'>;
  readonly counters: ScrapeCounters;
  readonly metadata: MetadataStore;
  readonly newLines: () => KnownLines;
}

/** A page as it was fetched, or why there is none. */
export type Fetched =
  | { readonly body: Buffer; readonly format: ExpositionFormat }
  | { readonly error: string };

export interface ScrapeOutcome extends ScrapeReport {
  /** '' if the scrape succeeded. */
  readonly error: string;
}

const NO_COUNTS = { scraped: 0, kept: 0, added: 0 };
const metadataEvery = 10;
const cacheValidMs = 30 * 60_000;

export class TargetIngest {
  readonly #context: IngestContext;
  readonly #rules: BodyRules;
  readonly #lines: KnownLines;
  readonly #present: PresentSeries;
  readonly #report: ReportSeries;
  readonly #codes = new SampleCodes();
  #lastSuccessMs = 0;
  #successes = 0;

  /** `present` goes on from the same target under older rules, so that what they end gets its markers. */
  constructor(context: IngestContext, rules: BodyRules, present = new PresentSeries()) {
    this.#context = context;
    this.#rules = rules;
    this.#lines = context.newLines();
    this.#present = present;
    this.#report = new ReportSeries(rules.target, rules.schedule);
  }

  get present(): PresentSeries {
    return this.#present;
  }

  /** Commits one scrape. `durationMs` is asked for at its end. Throws what the commit throws: nothing is written then. */
  commit(fetched: Fetched, timeMs: number, durationMs: () => number): ScrapeOutcome {
    let counts = NO_COUNTS;
    let error = 'error' in fetched ? fetched.error : '';
    if ('body' in fetched) {
      try {
        return this.#commitBody(fetched, timeMs, durationMs);
      } catch (err) {
        if (!(err instanceof FailedScrape)) throw this.#undone(err);
        ({ counts, message: error } = err);
      }
    }
    const appender = this.#context.tsdb.appender();
    try {
      appender.appendStale(this.#present.tracked, timeMs);
      const report = { up: false, durationMs: durationMs(), ...counts };
      this.#report.append(appender, report, timeMs);
      appender.commit();
      this.#present.clear();
      return { ...report, error };
    } catch (err) {
      appender.rollback();
      throw err;
    }
  }

  /** Ends every series of the target, its report series too. */
  commitEnd(timeMs: number): void {
    const appender = this.#context.tsdb.appender();
    appender.appendStale(this.#present.tracked, timeMs);
    this.#report.appendStale(appender, timeMs);
    appender.commit();
    this.#present.clear();
  }

  free(): void {
    this.#lines.free();
  }

  #commitBody(
    { body, format }: { body: Buffer; format: ExpositionFormat },
    timeMs: number,
    durationMs: () => number,
  ): ScrapeOutcome {
    if (timeMs - this.#lastSuccessMs > cacheValidMs) this.#lines.reset();
    const metadata = this.#successes % metadataEvery === 0 ? new MetadataSink() : undefined;
    for (let attempt = 0; ; attempt++) {
      const appender = this.#context.tsdb.appender();
      const page = this.#read(appender, body, format, metadata);
      const isComplete = this.#append(appender, page, timeMs);
      if (!isComplete && attempt === 0) {
        // Some ref is of a series that the head has let go: every line shows its labels once more.
        appender.rollback();
        this.#lines.reset();
        continue;
      }
      const report = { up: true, durationMs: durationMs(), scraped: page.scraped, kept: page.kept, added: page.added };
      this.#report.append(appender, report, timeMs);
      this.#commitPresent(appender, page, timeMs);
      metadata?.storeIn(this.#context.metadata, timeMs);
      this.#codes.countIn(this.#context.counters);
      this.#lastSuccessMs = timeMs;
      this.#successes++;
      return { ...report, error: '' };
    }
  }

  /** Reads a body into `appender`; what fails rolls it back and becomes FailedScrape. */
  #read(
    appender: Appender,
    body: Buffer,
    format: ExpositionFormat,
    metadata: MetadataSink | undefined,
  ): BodyIngest {
    const page = new BodyIngest(this.#rules, this.#lines, this.#present, appender, format);
    try {
      page.read(body, metadata);
      return page;
    } catch (err) {
      appender.rollback();
      this.#lines.reset(); // It may have learnt refs that the rollback undid.
      if (err instanceof SampleLimitError) this.#context.counters.exceededSampleLimit++;
      if (err instanceof LabelLimitError) this.#context.counters.exceededLabelLimits++;
      throw new FailedScrape(page, err);
    }
  }

  /** False if some ref is unknown to the head. */
  #append(appender: Appender, page: BodyIngest, timeMs: number): boolean {
    const { scan, slow, stamped } = page;
    const codes = this.#codes;
    codes.clear();
    codes.append(appender, scan.refs, scan.values, scan.knownCount, timeMs);
    codes.append(appender, slow.refs, slow.values, slow.count, timeMs);
    const one = new SampleBuffer();
    for (const { ref, value, timestampMs } of stamped) {
      one.clear();
      one.push(ref, value);
      codes.append(appender, one.refs, one.values, 1, timestampMs);
    }
    return codes.unknownRefs === 0;
  }

  /** Commits with stale markers for the series that this page does not have, if its series differ at all. */
  #commitPresent(appender: Appender, { scan, slow, stamped }: BodyIngest, timeMs: number): void {
    const present = this.#present;
    const isSame =
      slow.count === 0 && stamped.length === 0 && scan.missingCount === 0 && scan.knownCount === present.tracked.length;
    if (isSame && present.untracked.length === 0) {
      appender.commit();
      return;
    }
    const stampedRefs = Uint32Array.from(stamped, ({ ref }) => ref);
    const { trackTimestampsStaleness } = this.#rules;
    const tracked = concat(
      scan.refs.subarray(0, scan.knownCount),
      slow.refs.subarray(0, slow.count),
      trackTimestampsStaleness ? stampedRefs : new Uint32Array(0),
    );
    const ended = present.endedBy(tracked);
    if (ended.length > 0) appender.appendStale(ended, timeMs);
    appender.commit();
    present.replace(tracked, trackTimestampsStaleness ? new Uint32Array(0) : stampedRefs);
  }

  /** After a transaction that came to nothing, the cache may know refs that do not exist. */
  #undone(err: unknown): unknown {
    this.#lines.reset();
    return err;
  }
}

/** Parsing or a limit ended the scrape; the counts are what was seen until then. */
class FailedScrape extends Error {
  readonly counts: { scraped: number; kept: number; added: number };

  constructor({ scraped, kept, added }: BodyIngest, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.counts = { scraped, kept, added };
  }
}

/** Appends batches and counts what the head refused. */
class SampleCodes {
  unknownRefs = 0;
  #codes = new Uint8Array(64);
  readonly #refused = { outOfOrder: 0, duplicateTimestamp: 0, outOfBounds: 0 };

  clear(): void {
    this.unknownRefs = 0;
    this.#refused.outOfOrder = 0;
    this.#refused.duplicateTimestamp = 0;
    this.#refused.outOfBounds = 0;
  }

  append(appender: Appender, refs: Uint32Array, values: Float64Array, count: number, timeMs: number): void {
    if (count === 0) return;
    if (this.#codes.length < count) this.#codes = new Uint8Array(2 * count);
    if (appender.appendBatch(refs, values, count, timeMs, this.#codes) === count) return;
    for (let i = 0; i < count; i++) this.#count(this.#codes[i]!);
  }

  countIn(counters: ScrapeCounters): void {
    counters.outOfOrder += this.#refused.outOfOrder;
    counters.duplicateTimestamp += this.#refused.duplicateTimestamp;
    counters.outOfBounds += this.#refused.outOfBounds;
  }

  #count(code: number): void {
    if (code === AppendCode.OUT_OF_ORDER) this.#refused.outOfOrder++;
    else if (code === AppendCode.DUPLICATE) this.#refused.duplicateTimestamp++;
    else if (code === AppendCode.TOO_OLD || code === AppendCode.OUT_OF_BOUNDS) this.#refused.outOfBounds++;
    else if (code === AppendCode.UNKNOWN_REF) this.unknownRefs++;
  }
}

function concat(...parts: readonly Uint32Array[]): Uint32Array<ArrayBuffer> {
  const all = new Uint32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
