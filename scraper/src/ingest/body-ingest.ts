// One body of one target into one append transaction.
//
// Lines that the cache knows come out of one kernel call as refs and values. The rest takes the slow path: parse,
// labels, relabel, limits, series, and then the cache knows it too, comments included. Lines with a timestamp are known
// by their series, and parsed each time.

import { DROPPED, type LineCache, type LineScanner, NO_ENTRY, type UnknownLine } from '@flotilla/kernel';
import { BadRequest, METRIC_NAME, Unavailable } from '@flotilla/model';
import type { Appender, Schedule } from '@flotilla/tsdb';
import type { ExposedExemplar } from '../parse/exemplar.ts';
import { normalizeLabelFloat } from '../parse/label-float.ts';
import { checkHistogram } from '../parse/check-histogram.ts';
import type { EntryKind, LineCursor } from '../parse/line-cursor.ts';
import { type LineFormat, lineParser } from '../parse/line-formats.ts';
import { ParseError } from '../parse/parse-error.ts';
import type { HistogramRules } from '../parse/protobuf-transcript.ts';
import type { Transcript } from '../parse/transcript.ts';
import { TypeTracker } from '../parse/type-tracker.ts';
import { type HistogramLimits, withinLimits } from './histogram-limits.ts';
import type { ExtraReport } from './report-series.ts';
import { SampleBuffer } from './sample-buffer.ts';
import type { SeriesGuard, SeriesLimits } from './series-guard.ts';
import { seriesLabels, type SampleLabelRules } from './sample-labels.ts';
import type { HistogramSample } from './stale-markers.ts';
import type { TargetMetadata } from './target-metadata.ts';

export interface BodyRules extends SampleLabelRules, HistogramRules, HistogramLimits {
  readonly schedule: Schedule;
  readonly honorTimestamps: boolean;
  readonly trackTimestampsStaleness: boolean;
  /** Samples after relabeling; more fail the scrape. */
  readonly samplesMax: number;
  readonly seriesLimits: SeriesLimits;
  /** Absent: none of them. */
  readonly extraReport?: ExtraReport | undefined;
  readonly lineBytesMax: number;
  /** Lines with a sample; beyond it nothing is counted exactly, and reading stops. */
  readonly linesMax: number;
}

export class SampleLimitError extends Error {
  override readonly name = 'SampleLimitError';
  constructor() {
    super('sample limit exceeded');
  }
}

export class BucketLimitError extends Error {
  override readonly name = 'BucketLimitError';
  constructor() {
    super('histogram bucket limit exceeded');
  }
}

/** A body whose lines may name histograms. */
export interface LinePage extends Transcript {
  readonly format: LineFormat;
}

/** A sample with a time of its own. */
export interface StampedSample {
  readonly ref: number;
  readonly value: number;
  readonly timestampMs: number;
  readonly exemplars: readonly ExposedExemplar[];
}

/** The exemplars of a sample that has no time of its own. */
export interface SlowExemplars {
  /** Place of the sample among the slow ones. */
  readonly at: number;
  readonly ref: number;
  readonly exemplars: readonly ExposedExemplar[];
}

/** Where a body is read into. */
export interface BodySinks {
  readonly scanner: LineScanner;
  readonly lines: LineCache;
  readonly appender: Appender;
  readonly metadata: TargetMetadata;
  readonly guard: SeriesGuard;
}

const HASH = 0x23;
const NEWLINE = 0x0a;
/** A series beyond a limit: counted only. */
const NOT_CREATED = 0;
const noExemplars: readonly ExposedExemplar[] = [];
/** From so many of them on, the rest of the body is not looked at. */
const uncreatedMax = 20_000;

export class BodyIngest {
  /** Lines with a sample, dropped ones included. */
  scraped = 0;
  /** Those that relabeling kept. */
  kept = 0;
  /** Refs of lines that the cache did not know, each once. */
  readonly fresh: number[] = [];
  /** Their metric names. */
  readonly freshNames: string[] = [];
  /** Refs of lines that the cache does not learn, since blanks stand where they need not. */
  readonly unlearned: number[] = [];
  /** Samples that did not come out of the cache's scan. */
  readonly slow = new SampleBuffer();
  readonly stamped: StampedSample[] = [];
  /** Refs of lines with a time of their own that the cache knows. */
  readonly stampedKnown: number[] = [];
  readonly histograms: HistogramSample[] = [];
  readonly slowExemplars: SlowExemplars[] = [];
  /** Series that the cache took for present because of a line that is another's. */
  readonly doubtful: number[] = [];

  readonly #rules: BodyRules;
  readonly #sinks: BodySinks;
  readonly #page: LinePage;
  readonly #body: Buffer;
  /** Made for the first line that the cache does not know. */
  #lineParser: LineCursor | undefined;
  #typeTracker: TypeTracker | undefined;
  readonly #freshRefs = new Set<number>();
  #sawEof = false;
  #hasTooManyBuckets = false;
  /** Series that a limit has kept from being created. */
  #uncreated = 0;
  /** Metric name of the series that was made last. */
  #name = '';
  /** Series that the scrape may create; asked for when there is one that the cache does not know. */
  #room: number | undefined;
  /** Of OpenMetrics, which has none; the scan passes over them. */
  readonly #emptyLineAt: number;

  constructor(rules: BodyRules, sinks: BodySinks, page: LinePage) {
    this.#rules = rules;
    this.#sinks = sinks;
    this.#page = page;
    this.#body = page.body;
    this.#emptyLineAt = page.format === 'openmetrics' ? emptyLineIn(page.body) : Infinity;
  }

  get #parser(): LineCursor {
    return (this.#lineParser ??= lineParser(this.#page.format));
  }

  get #types(): TypeTracker {
    return (this.#typeTracker ??= new TypeTracker(this.#page.body, this.#page.format));
  }

  /**
   * Scans, parses, creates series; appends nothing yet: the samples of known lines are in the scanner. Counts are exact
   * beyond the limits of samples, buckets and series, too, but for bodies that are far beyond. Throws ParseError, LabelLimitError,
   * SampleLimitError, BucketLimitError or SeriesLimitError. `isScanned`: the last scan was of this body.
   */
  read(isScanned = false): void {
    const { scanner, lines } = this.#sinks;
    if (!isScanned) lines.scan(this.#body);
    this.kept = scanner.sampleCount;
    this.scraped = this.kept + scanner.droppedCount;
    for (let i = 0; i < scanner.unknownCount; i++) this.#line(scanner.unknown(i));
    if (this.#emptyLineAt < Infinity) throw emptyLineError();
    if (this.#page.format === 'openmetrics' && !this.#sawEof) this.#failWithoutEof();
    if (this.#page.error !== undefined) throw this.#page.error;
    if (this.kept > this.#rules.samplesMax) throw this.#limitReached();
    if (this.#hasTooManyBuckets) throw new BucketLimitError();
    if (this.#isOverRoom()) throw this.#limitReached();
  }

  /** A line that the body cuts may be one that the cache knows: only its parser says what is wrong with it. */
  #failWithoutEof(): never {
    const start = this.#body.lastIndexOf(NEWLINE) + 1;
    if (start < this.#body.length) this.#parser.parse(this.#body, start, this.#body.length);
    throw new ParseError('data does not end with # EOF');
  }

  #line(line: UnknownLine): void {
    if (line.start > this.#emptyLineAt) throw emptyLineError();
    const length = line.end - line.start;
    if (length > this.#rules.lineBytesMax) {
      throw new ParseError(`line too long: ${length} bytes, want at most ${this.#rules.lineBytesMax}`);
    }
    const kind = this.#parser.parse(this.#body, line.start, line.end);
    if (kind === 'series' || kind === 'histogram') this.#sample(line, kind);
    else this.#comment(kind, line);
  }

  #comment(kind: Exclude<EntryKind, 'series' | 'histogram'>, { start, end, entry }: UnknownLine): void {
    const { metric, text } = this.#parser;
    if (kind === 'eof') {
      this.#sawEof = true; // To be seen each time.
      if (end + 1 < this.#body.length) throw new ParseError('unexpected data after # EOF');
      return;
    }
    if (kind === 'type' || kind === 'help' || kind === 'unit')
      this.#sinks.metadata.note(metric, { [kind]: text });
    if (this.#body[start] === HASH) this.#learn(entry, DROPPED); // After blanks it is no comment to the cache.
  }

  #sample(line: UnknownLine, kind: 'series' | 'histogram'): void {
    const parser = this.#parser;
    this.scraped++;
    if (this.scraped > this.#rules.linesMax) throw new SampleLimitError();
    const isKnown = line.ref !== 0 && parser.isPlain;
    if (line.ref !== 0 && !isKnown) this.#mistaken(line);
    const ref = isKnown ? line.ref : this.#series(line.start);
    if (!isKnown && parser.isPlain && ref !== NOT_CREATED) this.#learn(line.entry, ref);
    if (ref === DROPPED) return;
    this.kept++;
    if (ref === NOT_CREATED) {
      if (++this.#uncreated > uncreatedMax) throw this.#limitReached();
      return;
    }
    if (!isKnown && !this.#freshRefs.has(ref)) {
      this.#freshRefs.add(ref);
      this.fresh.push(ref);
      this.freshNames.push(this.#name);
    }
    if (!parser.isPlain) this.unlearned.push(ref);
    const timestampMs = parser.hasTimestamp && this.#rules.honorTimestamps ? parser.timestampMs : undefined;
    if (isKnown && timestampMs !== undefined) this.stampedKnown.push(ref);
    const exemplars = this.#exemplars();
    if (kind === 'histogram') this.#histogram(ref, timestampMs, exemplars);
    else if (timestampMs !== undefined)
      this.stamped.push({ ref, value: parser.value, timestampMs, exemplars });
    else {
      if (exemplars.length > 0) this.slowExemplars.push({ at: this.slow.count, ref, exemplars });
      this.slow.push(ref, parser.value);
    }
  }

  #exemplars(): readonly ExposedExemplar[] {
    const { exemplar, exemplarsAt } = this.#parser;
    if (exemplar !== undefined) return [exemplar];
    return exemplarsAt < 0 ? noExemplars : this.#page.exemplars[exemplarsAt]!;
  }

  /** Its exemplars need times of their own, as in Prometheus. */
  #histogram(ref: number, timestampMs: number | undefined, exposed: readonly ExposedExemplar[]): void {
    const histogram = withinLimits(this.#page.histograms[this.#parser.value]!, this.#rules);
    if (histogram === undefined) {
      this.#hasTooManyBuckets = true;
      return;
    }
    checkHistogram(histogram);
    const exemplars = exposed.filter((one) => one.timestampMs !== undefined);
    this.histograms.push({ ref, histogram, timestampMs, exemplars });
  }

  /** The cache goes by the text up to the first blank outside of braces. Only in a plain line that is the series. */
  #mistaken(line: UnknownLine): void {
    this.doubtful.push(line.ref);
    this.#learn(line.entry, 0);
  }

  #learn(entry: number, ref: number): void {
    if (entry !== NO_ENTRY) this.#sinks.lines.learn(entry, ref);
  }

  /** The series of the parsed line; DROPPED or NOT_CREATED. */
  #series(lineStart: number): number {
    const { metric, pairs } = this.#parser;
    this.#normalize(pairs, lineStart);
    const labels = seriesLabels(metric, pairs, this.#rules);
    if (labels === undefined) return DROPPED;
    this.#name = labels.get(METRIC_NAME);
    if (this.kept >= this.#rules.samplesMax || this.#isOverRoom()) return NOT_CREATED;
    try {
      return this.#sinks.appender.series(labels, this.#rules.schedule);
    } catch (err) {
      if (err instanceof BadRequest) throw new ParseError(err.message, { cause: err });
      throw err instanceof Unavailable ? this.#sinks.guard.full(err) : err;
    }
  }

  #limitReached(): Error {
    const { samplesMax, schedule, seriesLimits } = this.#rules;
    if (this.kept > samplesMax) return new SampleLimitError();
    return this.#sinks.guard.refuse(schedule.targetId, seriesLimits);
  }

  #isOverRoom(): boolean {
    const { guard, appender } = this.#sinks;
    if (appender.seriesCreated === 0) return false;
    this.#room ??= guard.room(this.#rules.schedule.targetId, this.#rules.seriesLimits);
    return appender.seriesCreated > this.#room;
  }

  /** The bounds of a histogram's buckets and a summary's quantiles get one spelling. */
  #normalize(pairs: string[], lineStart: number): void {
    for (let i = 0; i < pairs.length; i += 2) {
      const type = pairs[i] === 'le' ? 'histogram' : pairs[i] === 'quantile' ? 'summary' : undefined;
      if (type === undefined || this.#types.typeAt(lineStart) !== type) continue;
      pairs[i + 1] = normalizeLabelFloat(pairs[i + 1]!);
    }
  }
}

const emptyLine = Buffer.from('\n\n');

/** Where the first empty line is; Infinity if there is none. */
function emptyLineIn(body: Buffer): number {
  if (body[0] === emptyLine[0]) return 0;
  const at = body.indexOf(emptyLine);
  return at < 0 ? Infinity : at + 1;
}

function emptyLineError(): ParseError {
  return new ParseError(String.raw`expected a valid start token, got "\n" ("INVALID") while parsing: "\n"`);
}
