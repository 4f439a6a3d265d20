// The series of one target, and the one transaction that each of its scrapes is: samples, stale markers for what ended,
// report series. A scrape that fails in any way becomes stale markers and `up` 0, at the time that it was for.
//
// Owns the target's line cache. A scan becomes the cache's only when its transaction is committed. Refs in it are valid
// while their series are in the head, which they are for as long as scrapes succeed: after a long outage it begins anew.

import { LineCache, type LineScanner } from '@flotilla/kernel';
import { BadRequest } from '@flotilla/model';
import type { Appender, Tsdb } from '@flotilla/tsdb';
import { transcribeClassic } from '../parse/classic-transcript.ts';
import type { ExpositionFormat } from '../parse/content-type.ts';
import { ParseError } from '../parse/parse-error.ts';
import { transcribeProtobuf } from '../parse/protobuf-transcript.ts';
import { recycleTranscript } from '../parse/transcript.ts';
import {
  BodyIngest,
  type BodyRules,
  BucketLimitError,
  type LinePage,
  SampleLimitError,
} from './body-ingest.ts';
import { LabelLimitError } from './label-limits.ts';
import type { MetadataStore, MetadataVariant } from './metadata-store.ts';
import { familyMetadata } from './metric-family.ts';
import { ReportSeries, type ScrapeReport } from './report-series.ts';
import { SampleBuffer } from './sample-buffer.ts';
import { SampleCodes } from './sample-codes.ts';
import type { ScrapeCounters } from './scrape-counters.ts';
import { type SeriesGuard, SeriesLimitError } from './series-guard.ts';
import { SeriesEnds } from './series-ends.ts';
import { type HistogramSample, StaleMarkers } from './stale-markers.ts';
import { TargetMetadata } from './target-metadata.ts';

/** What all targets of a process share. */
export interface IngestContext {
  readonly tsdb: Pick<Tsdb, 'appender'> & Partial<Pick<Tsdb, 'recordsMetadata'>>;
  readonly scanner: LineScanner;
  readonly counters: ScrapeCounters;
  readonly metadata: MetadataStore;
  readonly guard: SeriesGuard;
}

export interface Page {
  readonly body: Buffer;
  readonly format: ExpositionFormat;
}

/** The time that the samples bear, and how long the scrape has taken when that is asked. */
export interface ScrapeTime {
  readonly timeMs: number;
  durationMs(): number;
}

export interface ScrapeOutcome extends ScrapeReport {
  /** '' if the scrape succeeded. */
  readonly error: string;
}

type Counts = Pick<ScrapeReport, 'scraped' | 'kept' | 'added' | 'bodyBytes'>;

/** A page as lines, how long it was before, and whether its lines are the ones that were scanned last. */
type SizedPage = LinePage & Pick<ScrapeReport, 'bodyBytes'> & { readonly isScanned: boolean };

const noCounts: Counts = { scraped: 0, kept: 0, added: 0, bodyBytes: 0 };
const cacheValidMs = 30 * 60_000;

export class TargetIngest {
  readonly #context: IngestContext;
  readonly #rules: BodyRules;
  readonly #lines: LineCache;
  readonly #ends: SeriesEnds;
  readonly #report: ReportSeries;
  readonly #metadata: TargetMetadata;
  readonly #codes = new SampleCodes();
  readonly #markers = new StaleMarkers();
  #lastSuccessMs = 0;
  #isReleased = false;

  /** `waiting`: what release() of an older ingest of the same target gave. */
  constructor(context: IngestContext, rules: BodyRules, waiting: Iterable<number> = []) {
    this.#context = context;
    this.#rules = rules;
    this.#lines = new LineCache(context.scanner);
    this.#ends = new SeriesEnds(this.#lines, waiting);
    this.#report = new ReportSeries(rules.target, rules.schedule, rules.extraReport);
    this.#metadata = new TargetMetadata(context.metadata);
  }

  /** Commits a page, or the failure that it turns out to be. Throws what the store throws: nothing is written then. */
  commitPage(page: Page, time: ScrapeTime): ScrapeOutcome {
    if (time.timeMs - this.#lastSuccessMs > cacheValidMs) this.#forgetLines();
    if (page.body.length === 0) return this.#commitEmpty(time);
    const bodyBytes = page.body.length;
    const isScanned = page.format === 'text' && !this.#rules.convertClassicHistogramsToNhcb;
    if (isScanned) this.#lines.scan(page.body);
    try {
      if (isScanned && this.#isAllKnown) return this.#tryKnown(bodyBytes, time);
      return this.#tryLines(page, isScanned, time);
    } catch (err) {
      if (err instanceof FailedPage) {
        return this.commitFailure(err.message, time, { ...err.counts, bodyBytes });
      }
      if (!(err instanceof AllLinesWanted)) throw err;
      this.#forgetLines();
      return this.#tryLines(page, false, time, true);
    }
  }

  /** Whether the scan says all there is to say: the steady state, in which nothing begins or ends. */
  get #isAllKnown(): boolean {
    const { unknownCount, missing, sampleCount } = this.#context.scanner;
    const isSettled = unknownCount === 0 && missing.length === 0 && this.#ends.isSettled;
    return isSettled && sampleCount <= this.#rules.samplesMax;
  }

  /** What #tryPage does with such a page, in few steps. */
  #tryKnown(bodyBytes: number, time: ScrapeTime): ScrapeOutcome {
    const { scanner, counters } = this.#context;
    const { timeMs } = time;
    const codes = this.#codes;
    const kept = scanner.sampleCount;
    const scraped = kept + scanner.droppedCount;
    this.#metadata.discard();
    const outcome = this.#transact((appender) => {
      codes.clear();
      codes.append(appender, { refs: scanner.refs, values: scanner.values, count: kept }, timeMs);
      if (codes.unknownRefs > 0) throw seriesLeft();
      const good = { up: true, durationMs: time.durationMs(), scraped, kept, added: 0, bodyBytes, error: '' };
      this.#report.append(appender, good, timeMs);
      return good;
    });
    this.#lines.commit();
    this.#markers.written([]);
    codes.addTo(counters);
    this.#lastSuccessMs = timeMs;
    return outcome;
  }

  #tryLines(page: Page, isScanned: boolean, time: ScrapeTime, areAllShown = false): ScrapeOutcome {
    const lines = this.#linesOf(page);
    try {
      return this.#tryPage({ ...lines, bodyBytes: page.body.length, isScanned }, time, areAllShown);
    } finally {
      if (lines.format === 'transcript') recycleTranscript(lines);
    }
  }

  #linesOf({ body, format }: Page): LinePage {
    const { convertClassicHistogramsToNhcb, alwaysScrapeClassicHistograms } = this.#rules;
    if (format === 'protobuf') return { ...transcribeProtobuf(body, this.#rules), format: 'transcript' };
    if (!convertClassicHistogramsToNhcb || body.length === 0)
      return { body, format, histograms: [], exemplars: [] };
    return { ...transcribeClassic(body, format, alwaysScrapeClassicHistograms), format: 'transcript' };
  }

  /** Commits a scrape that failed: what was there ends. */
  commitFailure(error: string, time: ScrapeTime, counts: Partial<Counts> = noCounts): ScrapeOutcome {
    return { ...this.#commitEnds(time, { ...noCounts, ...counts, up: false }), error };
  }

  /** What was there ends; what comes back is not new, as in Prometheus. */
  #commitEmpty(time: ScrapeTime): ScrapeOutcome {
    const report = this.#commitEnds(time, { ...noCounts, up: true });
    this.#lastSuccessMs = time.timeMs;
    return { ...report, error: '' };
  }

  #commitEnds(time: ScrapeTime, counts: Omit<ScrapeReport, 'durationMs'>): ScrapeReport {
    const { timeMs } = time;
    this.#ends.takeAll();
    const report = this.#transact((appender) => {
      this.#markers.append(appender, this.#ends.all(), timeMs);
      const ended = { ...counts, durationMs: time.durationMs() };
      this.#report.append(appender, ended, timeMs);
      return ended;
    });
    this.#ends.ended();
    return report;
  }

  /** Ends every series of the target, its report series too; nothing after release(). */
  commitEnd(timeMs: number): void {
    if (this.#isReleased) return;
    this.#ends.takeAll();
    this.#transact((appender) => {
      this.#markers.append(appender, this.#ends.all(), timeMs);
      this.#report.appendStale(appender, timeMs);
    });
    this.#ends.ended();
  }

  /** Ends the ingest, not the series: gives those that its successor has to go on with, or to end. */
  release(): Uint32Array {
    if (this.#isReleased) return new Uint32Array(0);
    this.#isReleased = true;
    this.#ends.takeAll();
    this.#lines.close();
    this.#metadata.free();
    return this.#ends.all();
  }

  /** What the target says of a metric; of all for ''. */
  metadata(metric: string): readonly MetadataVariant[] {
    return this.#metadata.of(metric);
  }

  #forgetLines(): void {
    this.#ends.takeAll();
    this.#lines.clear();
  }

  #transact<T>(step: (appender: Appender) => T): T {
    const appender = appenderOf(this.#context.tsdb);
    try {
      const result = step(appender);
      appender.commit();
      return result;
    } catch (err) {
      appenders.delete(this.#context.tsdb);
      appender.rollback();
      this.#report.forget();
      throw err;
    }
  }

  #tryPage(lines: SizedPage, time: ScrapeTime, areAllShown = false): ScrapeOutcome {
    const { scanner, counters, guard } = this.#context;
    let created = 0;
    let unmarked: readonly number[] = [];
    let written: Pick<BodyIngest, 'histograms' | 'unlearned'> = { histograms: [], unlearned: [] };
    const report = this.#transact((appender) => {
      const sinks = { scanner, lines: this.#lines, appender, metadata: this.#metadata, guard };
      const page = new BodyIngest(this.#rules, sinks, lines);
      this.#read(page, lines.isScanned);
      this.#setMetadata(appender, page, areAllShown);
      written = page;
      unmarked = this.#append(appender, page, time.timeMs, areAllShown);
      const good: ScrapeReport = {
        up: true,
        durationMs: time.durationMs(),
        ...this.#countsOf(page),
        bodyBytes: lines.bodyBytes,
      };
      this.#report.append(appender, good, time.timeMs);
      created = appender.seriesCreated;
      return good;
    });
    guard.created(this.#rules.schedule.targetId, created);
    this.#lines.commit();
    this.#ends.written(unmarked, written.unlearned);
    this.#markers.written(written.histograms);
    this.#metadata.keep();
    this.#codes.addTo(counters);
    this.#lastSuccessMs = time.timeMs;
    return { ...report, error: '' };
  }

  /** Of new series; when a family's metadata change, of all. */
  #setMetadata(appender: Appender, { fresh, freshNames }: BodyIngest, areAllShown: boolean): void {
    if (this.#context.tsdb.recordsMetadata !== true) return;
    if (!areAllShown && this.#metadata.isChanged) throw new AllLinesWanted('metadata changed');
    if (fresh.length === 0) return;
    const said = this.#metadata.said();
    for (const [i, ref] of fresh.entries()) {
      const metadata = familyMetadata(freshNames[i]!, said);
      if (metadata !== undefined) appender.setMetadata(ref, metadata);
    }
  }

  #read(page: BodyIngest, isScanned: boolean): void {
    const { counters } = this.#context;
    this.#metadata.discard();
    try {
      page.read(isScanned);
    } catch (err) {
      if (err instanceof SampleLimitError) counters.exceededSampleLimit++;
      else if (err instanceof BucketLimitError) counters.exceededBucketLimit++;
      else if (err instanceof LabelLimitError) counters.exceededLabelLimits++;
      else if (!(err instanceof ParseError || err instanceof SeriesLimitError)) throw err;
      throw new FailedPage(this.#countsOf(page), err);
    }
  }

  /**
   * Appends samples and stale markers. Returns the series of the page that will end without a marker. Of two lines of one series
   * the first one counts, exemplars included: if that cannot be told, all lines are wanted, which then are `areInOrder`.
   */
  #append(appender: Appender, page: BodyIngest, timeMs: number, areInOrder: boolean): readonly number[] {
    const { slow, stamped, histograms, doubtful } = page;
    const { scanner } = this.#context;
    const codes = this.#codes;
    const { refs, values, sampleCount: count } = scanner;
    codes.clear();
    codes.append(appender, { refs, values, count }, timeMs);
    const refused = codes.append(appender, slow, timeMs);
    if (refused > 0 && !areInOrder) throw new AllLinesWanted('of two lines of a series the first one counts');
    const withExemplars = new Set<number>();
    for (const { at, ref, exemplars } of page.slowExemplars) {
      if (codes.isTaken(at) && !withExemplars.has(ref))
        codes.appendExemplars(appender, ref, exemplars, timeMs);
      withExemplars.add(ref);
    }
    const one = new SampleBuffer();
    const taken = new Set<number>();
    for (const { ref, value, timestampMs, exemplars } of stamped) {
      one.clear();
      one.push(ref, value);
      codes.append(appender, one, timestampMs);
      if (codes.isTaken(0)) taken.add(ref);
      // Prometheus asks what was stored before the scrape: an earlier line of the series does not refuse the exemplars of this one.
      if (taken.has(ref)) codes.appendExemplars(appender, ref, exemplars, timestampMs);
    }
    this.#appendHistograms(appender, page, timeMs);
    if (codes.unknownRefs > 0) throw seriesLeft();
    const isStamped = ({ timestampMs: own }: HistogramSample): boolean => own !== undefined;
    const stampedRefs = [...stamped, ...histograms.filter(isStamped)].map(({ ref }) => ref);
    const { trackTimestampsStaleness: areAllMarked } = this.#rules;
    const ended = this.#ends.endedBy({
      missing: scanner.missing,
      doubtful,
      stamped: areAllMarked ? stampedRefs : [],
      mayEnd: areAllMarked ? [] : page.stampedKnown,
      untimed: () => [
        ...refs,
        ...slow.refs.subarray(0, slow.count),
        ...histograms.filter((sample) => !isStamped(sample)).map(({ ref }) => ref),
      ],
    });
    if (ended.length > 0) this.#markers.append(appender, ended, timeMs);
    return areAllMarked ? [] : stampedRefs;
  }

  #appendHistograms(appender: Appender, page: BodyIngest, timeMs: number): void {
    try {
      for (const sample of page.histograms) this.#codes.appendHistogram(appender, sample, timeMs);
    } catch (err) {
      // What the store refuses for itself, such as counts beyond 2^53.
      if (err instanceof BadRequest) throw new FailedPage(this.#countsOf(page), err);
      throw err;
    }
  }

  #countsOf({ scraped, kept, fresh, unlearned }: BodyIngest): Counts {
    const missing = new Set(unlearned.length === 0 ? [] : this.#context.scanner.missing);
    const respelled = new Set(unlearned.filter((ref) => missing.has(ref)));
    const added = fresh.filter((ref) => !this.#ends.wasPresent(ref) && !respelled.has(ref));
    return { ...noCounts, scraped, kept, added: added.length };
  }
}

/** A transaction is one call and ends before the next begins: they share one appender, which is garbage for nobody. */
const appenders = new WeakMap<IngestContext['tsdb'], Appender>();

function appenderOf(tsdb: IngestContext['tsdb']): Appender {
  let appender = appenders.get(tsdb);
  if (appender === undefined) appenders.set(tsdb, (appender = tsdb.appender()));
  return appender;
}

/** Parsing or a limit ended the scrape; the counts are what was seen until then. */
class FailedPage extends Error {
  readonly counts: Counts;

  constructor(counts: Counts, cause: Error) {
    super(cause.message, { cause });
    this.counts = counts;
  }
}

/** Every line must show its labels once more: a series left the head, or more is said of known ones. */
class AllLinesWanted extends Error {
  constructor(why: string) {
    super(`line cache: ${why}`);
  }
}

function seriesLeft(): AllLinesWanted {
  return new AllLinesWanted('a series is not in the head any more');
}
