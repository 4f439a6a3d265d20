// Lines of text or OpenMetrics → lines in which the classic histograms are native ones with custom buckets. For jobs that
// ask for it: every line is parsed in every scrape.
//
// As in Prometheus, a histogram is what stands together: samples of one family of that type, with the same labels but `le`,
// up to the next other line. Samples that contradict each other make none, and are gone. Exemplars go to what was made.

import { METRIC_NAME, parseGoFloat } from '@flotilla/model';
import type { NativeHistogram } from '@flotilla/tsdb';
import { checkHistogram } from './check-histogram.ts';
import { ClassicHistogram } from './classic-histogram.ts';
import type { ExposedExemplar } from './exemplar.ts';
import type { EntryKind, LineCursor } from './line-cursor.ts';
import { type LineFormat, lineParser } from './line-formats.ts';
import { ParseError } from './parse-error.ts';
import { type Transcript, TranscriptWriter } from './transcript.ts';

const NEWLINE = 0x0a;
const sampleName = /^(.*)_(bucket|sum|count)$/s;
const keywords = { type: 'TYPE', help: 'HELP', unit: 'UNIT' } as const;

/** What the samples of one classic histogram have in common. */
interface Gathered {
  readonly key: string;
  readonly metric: string;
  /** Names and values in the order of names, without `le` and without those that are empty: one spelling, however it is exposed. */
  readonly pairs: readonly string[];
  readonly histogram: ClassicHistogram;
  readonly exemplars: ExposedExemplar[];
}

/** Never throws: what is wrong is in the transcript. */
export function transcribeClassic(body: Buffer, format: LineFormat, keepClassic: boolean): Transcript {
  const writer = new TranscriptWriter(body.length);
  const transcriber = new ClassicTranscriber(body, lineParser(format), writer, keepClassic);
  try {
    for (let start = 0; start < body.length;) {
      const newline = body.indexOf(NEWLINE, start);
      const end = newline < 0 ? body.length : newline;
      transcriber.line(start, end);
      start = end + 1;
    }
    transcriber.end(format);
  } catch (err) {
    if (err instanceof ParseError) return writer.finish(err);
    throw err;
  }
  return writer.finish();
}

class ClassicTranscriber {
  readonly #body: Buffer;
  readonly #parser: LineCursor;
  readonly #writer: TranscriptWriter;
  readonly #keepClassic: boolean;
  /** Of the last TYPE line. */
  #family = '';
  #type = '';
  #gathered: Gathered | undefined;
  /** Of the last sample; as in Prometheus, one that ends a histogram gives it its time. */
  #timestampMs: number | undefined;
  #sawEof = false;

  constructor(body: Buffer, parser: LineCursor, writer: TranscriptWriter, keepClassic: boolean) {
    this.#body = body;
    this.#parser = parser;
    this.#writer = writer;
    this.#keepClassic = keepClassic;
  }

  line(start: number, end: number): void {
    if (this.#sawEof) throw new ParseError('unexpected data after # EOF');
    const kind = this.#parser.parse(this.#body, start, end);
    if (kind === 'blank') return;
    if (kind === 'series') this.#sample(start);
    else this.#comment(kind);
  }

  end(format: LineFormat): void {
    this.#flush();
    if (format === 'openmetrics' && !this.#sawEof) throw new ParseError('data does not end with # EOF');
  }

  #comment(kind: Exclude<EntryKind, 'series' | 'blank'>): void {
    const { metric, text } = this.#parser;
    this.#sawEof = kind === 'eof';
    if (kind === 'type') [this.#family, this.#type] = [metric, text];
    this.#flush();
    if (kind !== 'type' && kind !== 'help' && kind !== 'unit') return;
    const writer = this.#writer;
    writer.text(`# ${keywords[kind]} "`);
    writer.escaped(Buffer.from(metric));
    writer.text('" ');
    writer.escaped(Buffer.from(text));
    writer.text('\n');
  }

  #sample(start: number): void {
    const { seriesEnd, value, hasTimestamp, timestampMs, exemplar } = this.#parser;
    this.#timestampMs = hasTimestamp ? timestampMs : undefined;
    const isGathered = this.#gather();
    if (isGathered && !this.#keepClassic) return;
    this.#writer.bytes(this.#body.subarray(start, seriesEnd));
    this.#writer.text(' ');
    this.#writer.endSample(value, this.#timestampMs, exemplar === undefined || isGathered ? [] : [exemplar]);
  }

  /** Whether the sample is one of a classic histogram. */
  #gather(): boolean {
    const { metric, pairs, value, exemplar } = this.#parser;
    const [, family = metric, part] = sampleName.exec(metric) ?? [];
    if (this.#type !== 'histogram') {
      this.#flush();
      return false;
    }
    const key = keyOf(family, pairs);
    if (key !== this.#gathered?.key) this.#flush();
    if (part === undefined || family !== this.#family) return false;
    const bound = part === 'bucket' ? boundOf(pairs) : 0;
    if (bound === undefined) return false;
    this.#gathered ??= begin(key, family, pairs);
    const { histogram, exemplars } = this.#gathered;
    if (exemplar !== undefined) exemplars.push(exemplar);
    if (part === 'bucket') histogram.setBucket(bound, value);
    else if (part === 'count') histogram.setCount(value);
    else histogram.setSum(value);
    return true;
  }

  #flush(): void {
    const gathered = this.#gathered;
    this.#gathered = undefined;
    const converted = gathered?.histogram.convert();
    if (gathered === undefined || converted === undefined || !isSound(converted)) return;
    const writer = this.#writer;
    writer.text('{"');
    writer.escaped(Buffer.from(gathered.metric));
    writer.text('"');
    for (let i = 0; i < gathered.pairs.length; i += 2) {
      writer.text(',"');
      writer.escaped(Buffer.from(gathered.pairs[i]!));
      writer.text('"="');
      writer.escaped(Buffer.from(gathered.pairs[i + 1]!));
      writer.text('"');
    }
    writer.text('} ');
    writer.endHistogram(converted, this.#timestampMs, gathered.exemplars);
  }
}

function begin(key: string, metric: string, pairs: readonly string[]): Gathered {
  const own = otherLabels(pairs).filter(([, value]) => value !== '');
  return { key, metric, pairs: own.flat(), histogram: new ClassicHistogram(), exemplars: [] };
}

/** Equal for samples of one histogram, whatever order their labels have. */
function keyOf(family: string, pairs: readonly string[]): string {
  return JSON.stringify([METRIC_NAME, family, ...otherLabels(pairs)]);
}

/** Without `le`, in the order of names. */
function otherLabels(pairs: readonly string[]): [name: string, value: string][] {
  const labels: [string, string][] = [];
  for (let i = 0; i < pairs.length; i += 2) if (pairs[i] !== 'le') labels.push([pairs[i]!, pairs[i + 1]!]);
  return labels.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** undefined if there is none, or none that is a number. */
function boundOf(pairs: readonly string[]): number | undefined {
  const at = pairs.findIndex((name, i) => i % 2 === 0 && name === 'le');
  const bound = at < 0 ? undefined : parseGoFloat(pairs[at + 1]!);
  return bound === undefined || Number.isNaN(bound) ? undefined : bound;
}

function isSound(histogram: NativeHistogram): boolean {
  try {
    checkHistogram(histogram);
    return true;
  } catch (err) {
    if (err instanceof ParseError) return false;
    throw err;
  }
}
