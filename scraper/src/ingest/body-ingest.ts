// One body of one target into one append transaction.
//
// Lines that the cache knows come out of one kernel call as refs and values. The rest takes the slow path: parse,
// labels, relabel, limits, series, and then the cache knows it too. Comments always come this way; their metadata is
// looked at in some scrapes only.

import { DROPPED, type LineCache, type LineScanner } from '@flotilla/kernel';
import { BadRequest } from '@flotilla/model';
import type { Appender, Schedule } from '@flotilla/tsdb';
import { type ExpositionFormat, LineParser } from '../parse/line-parser.ts';
import { normalizeLabelFloat } from '../parse/label-float.ts';
import { ParseError } from '../parse/parse-error.ts';
import { TypeTracker } from '../parse/type-tracker.ts';
import { MetadataSink } from './metadata-sink.ts';
import { SampleBuffer } from './sample-buffer.ts';
import { seriesLabels, type SampleLabelRules } from './sample-labels.ts';

export interface BodyRules extends SampleLabelRules {
  readonly schedule: Schedule;
  readonly honorTimestamps: boolean;
  readonly trackTimestampsStaleness: boolean;
  /** Samples after relabeling; more fail the scrape. */
  readonly samplesMax: number;
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

/** A sample with a time of its own. */
interface StampedSample {
  readonly ref: number;
  readonly value: number;
  readonly timestampMs: number;
}

/** Ref of a line that relabeling drops. */
const DROPPED = 0;

export class BodyIngest {
  /** Lines with a sample, dropped ones included. */
  scraped = 0;
  /** Those that relabeling kept. */
  kept = 0;
  /** Series that the scrape before did not have. */
  added = 0;
  /** Kept samples of lines that the cache did not know. */
  readonly slow = new SampleBuffer();
  readonly stamped: StampedSample[] = [];
  /** Samples of lines that it did know; valid until the cache scans another body. */
  known!: KnownSamples;

  readonly #rules: BodyRules;
  readonly #lines: KnownLines;
  readonly #present: PresentSeries;
  readonly #appender: Appender;
  readonly #parser: LineParser;
  #type = '';
  #sawEof = false;

  constructor(
    rules: BodyRules,
    lines: KnownLines,
    present: PresentSeries,
    appender: Appender,
    format: ExpositionFormat,
  ) {
    this.#rules = rules;
    this.#lines = lines;
    this.#present = present;
    this.#appender = appender;
    this.#parser = new LineParser(format);
  }

  /**
   * Parses and creates series; appends nothing yet. Counts are exact even beyond the sample limit, up to linesMax.
   *
   * Throws ParseError, LabelLimitError or SampleLimitError.
   */
  read(body: Buffer, metadata: MetadataSink | undefined): void {
    const known = this.#lines.scan(body);
    this.known = known;
    this.scraped = known.count + known.droppedCount;
    this.kept = known.count;
    for (let i = 0; i < known.unknownCount; i++) {
      this.#line(body, known.unknownStarts[i]!, known.unknownEnds[i]!, metadata);
    }
    if (this.#parser.format === 'openmetrics' && !this.#sawEof) {
      throw new ParseError('data does not end with # EOF');
    }
    if (this.kept > this.#rules.samplesMax) throw new SampleLimitError();
  }

  #line(body: Buffer, start: number, end: number, metadata: MetadataSink | undefined): void {
    if (end - start > this.#rules.lineBytesMax) {
      throw new ParseError(`line too long: ${end - start} bytes, want at most ${this.#rules.lineBytesMax}`);
    }
    if (this.#sawEof) throw new ParseError('unexpected data after # EOF');
    const parser = this.#parser;
    const kind = parser.parse(body, start, end);
    switch (kind) {
      case 'series':
        this.#sample(start, end);
        break;
      case 'type':
        this.#type = parser.text;
        metadata?.set(parser.metric, 'type', parser.text);
        break;
      case 'help':
      case 'unit':
        metadata?.set(parser.metric, kind, parser.text);
        break;
      case 'eof':
        this.#sawEof = true;
        break;
      case 'blank':
      case 'comment':
        break;
    }
  }

  #sample(start: number, end: number): void {
    const { honorTimestamps } = this.#rules;
    this.scraped++;
    if (this.scraped > this.#rules.linesMax) throw new SampleLimitError();
    const ref = this.#series();
    const isStamped = this.#parser.hasTimestamp && honorTimestamps;
    if (ref === DROPPED) {
      if (!this.#parser.hasTimestamp) this.#lines.learn(start, end, DROPPED);
      return;
    }
    this.kept++;
    if (ref === undefined) return;
    if (!this.#present.has(ref)) this.added++;
    if (isStamped) {
      this.stamped.push({ ref, value: this.#parser.value, timestampMs: this.#parser.timestampMs });
      return;
    }
    this.slow.push(ref, this.#parser.value);
    if (!this.#parser.hasTimestamp) this.#lines.learn(start, end, ref);
  }

  /** The series of the parsed line; DROPPED, or undefined beyond the sample limit. */
  #series(): number | undefined {
    const { metric, pairs } = this.#parser;
    this.#normalize(pairs);
    const labels = seriesLabels(metric, pairs, this.#rules);
    if (labels === undefined) return DROPPED;
    if (this.kept >= this.#rules.samplesMax) return undefined;
    try {
      return this.#appender.series(labels, this.#rules.schedule);
    } catch (err) {
      if (err instanceof BadRequest) throw new ParseError(err.message, { cause: err });
      throw err;
    }
  }

  /** The bounds of a histogram's buckets and a summary's quantiles, by the type that was last announced. */
  #normalize(pairs: string[]): void {
    const name = this.#type === 'histogram' ? 'le' : this.#type === 'summary' ? 'quantile' : undefined;
    if (name === undefined) return;
    for (let i = 0; i < pairs.length; i += 2) {
      if (pairs[i] === name) pairs[i + 1] = normalizeLabelFloat(pairs[i + 1]!);
    }
  }
}
