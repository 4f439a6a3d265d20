// Delimited io.prometheus.client.MetricFamily messages → lines. Rules and texts are those of Prometheus's parser.
//
// One family is decoded at a time. Labels of a metric are checked and written once, and copied to each of its lines.

import { BadRequest, goQuote } from '@flotilla/model';
import type { NativeHistogram } from '@flotilla/tsdb';
import {
  decodeMetricFamily,
  type ExposedFamily,
  type ExposedHistogram,
  type ExposedMetric,
} from '@flotilla/wire';
import { ClassicHistogram } from './classic-histogram.ts';
import type { ExposedExemplar } from './exemplar.ts';
import { isLegacyName, isText, shownText } from './exposed-text.ts';
import { labelFloat } from './label-float.ts';
import { ParseError, quoteBytes } from './parse-error.ts';
import { bucketExemplars, exposedExemplar, nativeExemplars } from './protobuf-exemplar.ts';
import { isNativeHistogram, nativeHistogramOf } from './protobuf-histogram.ts';
import { type Transcript, TranscriptWriter } from './transcript.ts';

/** What becomes of histograms. */
export interface HistogramRules {
  readonly scrapeNativeHistograms: boolean;
  readonly alwaysScrapeClassicHistograms: boolean;
  readonly convertClassicHistogramsToNhcb: boolean;
}

const COUNTER = 0;
const SUMMARY = 2;
const HISTOGRAM = 4;
const GAUGE_HISTOGRAM = 5;
const typeNames: readonly string[] = [
  'counter',
  'gauge',
  'summary',
  'unknown',
  'histogram',
  'gaugehistogram',
];
const lengthBytesMax = 5;
const labelTextsMax = 10_000;

/** Never throws: what is wrong is in the transcript. */
export function transcribeProtobuf(body: Buffer, rules: HistogramRules): Transcript {
  const writer = new TranscriptWriter(body.length);
  const transcriber = new FamilyTranscriber(writer, rules, body.length);
  try {
    for (let at = 0; at < body.length;) {
      const { start, end } = messageAt(body, at);
      transcriber.write(familyOf(body.subarray(start, end)));
      at = end;
    }
  } catch (err) {
    if (err instanceof ParseError) return writer.finish(err);
    throw err;
  }
  return writer.finish();
}

function messageAt(body: Buffer, at: number): { start: number; end: number } {
  let length = 0;
  for (let i = 0; i < lengthBytesMax; i++) {
    const byte = body[at + i];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte >= 0x80) continue;
    const start = at + i + 1;
    if (start + length <= body.length) return { start, end: start + length };
    throw new ParseError(
      `clientpb: insufficient length of buffer, expected at least ${i + 1 + length} bytes, got ${body.length - at} bytes`,
    );
  }
  throw new ParseError('clientpb: invalid varint encountered');
}

function familyOf(bytes: Uint8Array): ExposedFamily {
  try {
    return decodeMetricFamily(bytes);
  } catch (err) {
    if (err instanceof BadRequest) throw new ParseError(err.message, { cause: err });
    throw err;
  }
}

class FamilyTranscriber {
  readonly #writer: TranscriptWriter;
  readonly #rules: HistogramRules;
  /** Labels of the metric that is being written, as they stand between braces. */
  readonly #labels: TranscriptWriter;
  #name: Uint8Array = new Uint8Array(0);
  #isLegacyName = true;
  #timestampMs: number | undefined;

  constructor(writer: TranscriptWriter, rules: HistogramRules, bodyBytes: number) {
    this.#writer = writer;
    this.#rules = rules;
    this.#labels = new TranscriptWriter(bodyBytes, 0);
  }

  write(family: ExposedFamily): void {
    if (family.metric.length === 0) return;
    this.#begin(family);
    for (const metric of family.metric) this.#metric(family, metric);
  }

  #begin({ name, help, type, unit }: ExposedFamily): void {
    const text = shownText(name);
    if (name.length === 0 || !isText(name)) throw new ParseError(`invalid metric name: ${text}`);
    if (!isText(help)) throw new ParseError(`invalid help for metric ${goQuote(text)}: ${shownText(help)}`);
    const typeName = typeNames[type];
    if (typeName === undefined)
      throw new ParseError(`unknown metric type for metric ${goQuote(text)}: ${type}`);
    this.#name = name;
    this.#isLegacyName = isLegacyName(name, 'metric');
    this.#comment('HELP', help);
    // A unit that is no text is none; Prometheus does not look at it.
    if (unit.length > 0 && isText(unit)) this.#comment('UNIT', unit);
    this.#comment('TYPE', Buffer.from(typeName));
  }

  #comment(keyword: 'HELP' | 'UNIT' | 'TYPE', text: Uint8Array): void {
    const writer = this.#writer;
    writer.text(`# ${keyword} "`);
    writer.escaped(this.#name);
    writer.text('" ');
    writer.escaped(text);
    writer.text('\n');
  }

  #metric({ type }: ExposedFamily, metric: ExposedMetric): void {
    this.#writeLabels(metric);
    this.#timestampMs = metric.timestampMs === 0 ? undefined : metric.timestampMs;
    if (type === SUMMARY) this.#summary(metric);
    else if (type === HISTOGRAM || type === GAUGE_HISTOGRAM)
      this.#histogram(metric, type === GAUGE_HISTOGRAM);
    else {
      const { counter, gauge, untyped } = metric;
      const exemplar = type === COUNTER ? exposedExemplar(counter?.exemplar) : [];
      this.#sample('', '', [counter, gauge, undefined, untyped][type]?.value ?? 0, exemplar);
    }
  }

  #summary({ summary }: ExposedMetric): void {
    this.#sample('_count', '', summary?.sampleCount ?? 0);
    this.#sample('_sum', '', summary?.sampleSum ?? 0);
    for (const { quantile, value } of summary?.quantile ?? []) {
      this.#sample('', `quantile="${labelTextOf(quantile)}"`, value);
    }
  }

  #histogram({ histogram }: ExposedMetric, isGauge: boolean): void {
    const { scrapeNativeHistograms, alwaysScrapeClassicHistograms, convertClassicHistogramsToNhcb } =
      this.#rules;
    if (histogram && scrapeNativeHistograms && isNativeHistogram(histogram)) {
      const native = this.#native(histogram, isGauge);
      this.#open('', '');
      this.#writer.endHistogram(native, this.#timestampMs, nativeExemplars(histogram));
      if (alwaysScrapeClassicHistograms && histogram.bucket.length > 0) this.#classic(histogram);
      return;
    }
    if (!convertClassicHistogramsToNhcb || alwaysScrapeClassicHistograms) this.#classic(histogram);
    if (convertClassicHistogramsToNhcb) this.#converted(histogram, isGauge);
  }

  #native(histogram: ExposedHistogram, isGauge: boolean): ReturnType<typeof nativeHistogramOf> {
    try {
      return nativeHistogramOf(histogram, isGauge);
    } catch (err) {
      if (!(err instanceof ParseError)) throw err;
      throw new ParseError(`histogram ${quoteBytes(Buffer.from(this.#name))}: ${err.message}`, {
        cause: err,
      });
    }
  }

  #classic(histogram: ExposedHistogram | null | undefined): void {
    const count = countOf(histogram);
    this.#sample('_count', '', count);
    this.#sample('_sum', '', histogram?.sampleSum ?? 0);
    for (const { upperBound, cumulativeCount, cumulativeCountFloat, exemplar } of histogram?.bucket ?? []) {
      const value = cumulativeCountFloat || cumulativeCount;
      this.#sample('_bucket', `le="${labelTextOf(upperBound)}"`, value, exposedExemplar(exemplar));
      if (upperBound === Infinity) return;
    }
    this.#sample('_bucket', 'le="+Inf"', count);
  }

  #converted(histogram: ExposedHistogram | null | undefined, isGauge: boolean): void {
    const classic = new ClassicHistogram();
    classic.setCount(countOf(histogram));
    classic.setSum(histogram?.sampleSum ?? 0);
    for (const { upperBound, cumulativeCount, cumulativeCountFloat } of histogram?.bucket ?? [])
      classic.setBucket(upperBound, cumulativeCountFloat || cumulativeCount);
    const converted = classic.convert();
    if (converted === undefined) throw new ParseError(classic.error);
    this.#open('', '');
    const hinted: NativeHistogram = isGauge ? { ...converted, hint: 'gauge' } : converted;
    this.#writer.endHistogram(hinted, this.#timestampMs, bucketExemplars(histogram));
  }

  #sample(suffix: string, label: string, value: number, exemplars?: readonly ExposedExemplar[]): void {
    this.#open(suffix, label);
    this.#writer.endSample(value, this.#timestampMs, exemplars);
  }

  /** Everything up to the value; `label` is one more label, or ''. */
  #open(suffix: string, label: string): void {
    const writer = this.#writer;
    const labels = this.#labels.view;
    if (this.#isLegacyName) {
      writer.bytes(this.#name);
      writer.text(labels.length === 0 && label === '' ? `${suffix} ` : `${suffix}{`);
      if (labels.length === 0 && label === '') return;
    } else {
      writer.text('{"');
      writer.escaped(this.#name);
      writer.text(`${suffix}",`);
    }
    writer.bytes(labels);
    writer.text(`${label}} `);
  }

  /** `a="b",c="d",` */
  #writeLabels({ label }: ExposedMetric): void {
    const labels = this.#labels;
    labels.clear();
    for (const { name, value } of label) {
      if (name.length === 0 && value.length === 0) continue; // An empty label is none.
      if (name.length === 0 || !isText(name)) throw new ParseError(`invalid label name: ${shownText(name)}`);
      if (!isText(value)) throw new ParseError(`invalid label value: ${shownText(value)}`);
      const quote = isLegacyName(name, 'label') ? '' : '"';
      labels.text(quote);
      labels.escaped(name);
      labels.text(`${quote}="`);
      labels.escaped(value);
      labels.text('",');
    }
  }
}

/** Of bounds and quantiles, which are few and come again in every scrape. */
const labelTexts = new Map<number, string>();

function labelTextOf(value: number): string {
  const known = labelTexts.get(value);
  if (known !== undefined) return known;
  const text = labelFloat(value);
  if (labelTexts.size < labelTextsMax) labelTexts.set(value, text);
  return text;
}

function countOf(histogram: ExposedHistogram | null | undefined): number {
  return histogram?.sampleCountFloat || (histogram?.sampleCount ?? 0);
}
