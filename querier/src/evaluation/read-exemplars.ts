// Exemplars of the series that a query selects, of all shards and replicas, each once; in a worker.

import { compareLabels, Labels, parseGoFloat } from '@flotilla/model';
import { selectors } from '@flotilla/promql';
import type { JsonWriter } from '@flotilla/promql';
import { toMatcherMessage } from '@flotilla/wire';
import type { ExemplarMessage, ExemplarsResponse } from '@flotilla/wire';
import type { JobContext } from './job-context.ts';
import type { ExemplarsJob } from './jobs.ts';
import { sendJson } from './json-answer.ts';
import { formatTime } from './query-json.ts';
import { parseQuery } from './query-texts.ts';

interface MergedExemplars {
  readonly labels: Labels;
  readonly exemplars: readonly ExemplarMessage[];
}

export async function readExemplars(job: ExemplarsJob, context: JobContext): Promise<void> {
  const { query, gzip, minTimeMs, maxTimeMs } = job;
  const selected = selectors(parseQuery(query, context.parser, false).expr);
  if (selected.length === 0) {
    context.sink.begin({ headers: { 'Content-Type': 'application/json' } });
    context.sink.end(Buffer.from('{"status":"success"}'));
    return;
  }
  const matcherSets = selected.map(({ matchers }) => matchers.map(toMatcherMessage));
  const merged = mergeExemplars(await context.view.fanOut.exemplars({ minTimeMs, maxTimeMs, matcherSets }));
  await sendJson(context.sink, { gzip, ...context.notes() }, (writer) => writeExemplars(writer, merged));
}

/** Series in label order. What two replicas saw of one target is there once. */
function mergeExemplars(answers: readonly ExemplarsResponse[]): MergedExemplars[] {
  const found = new Map<string, { labels: Labels; exemplars: ExemplarMessage[] }>();
  for (const { series } of answers) {
    for (const { labels: record, exemplars } of series) {
      const labels = Labels.fromRecord(record);
      const known = found.get(labels.key);
      if (known === undefined) found.set(labels.key, { labels, exemplars: [...exemplars] });
      else known.exemplars.push(...exemplars);
    }
  }
  return [...found.values()]
    .toSorted((a, b) => compareLabels(a.labels, b.labels))
    .map(({ labels, exemplars }) => ({ labels, exemplars: once(exemplars) }));
}

/** In time order; one that equals the one before it, as the database decides it, is left out. */
function once(exemplars: readonly ExemplarMessage[]): ExemplarMessage[] {
  const sorted = exemplars
    .map((exemplar) => ({ exemplar, value: parseGoFloat(exemplar.value) ?? NaN, text: textOf(exemplar) }))
    .toSorted(
      (a, b) => a.exemplar.timeMs - b.exemplar.timeMs || a.value - b.value || compareTexts(a.text, b.text),
    );
  return sorted
    .filter(({ exemplar, text }, i) => i === 0 || !isSame(exemplar, text, sorted[i - 1]!))
    .map(({ exemplar }) => exemplar);
}

function isSame(
  { timeMs, hasTimestamp }: ExemplarMessage,
  text: string,
  before: { readonly exemplar: ExemplarMessage; readonly text: string },
): boolean {
  const tells = hasTimestamp || before.exemplar.hasTimestamp;
  return text === before.text && (timeMs === before.exemplar.timeMs || !tells);
}

/** Equal for equal labels and values. */
function textOf({ labels, value }: ExemplarMessage): string {
  return `${value} ${Labels.fromRecord(labels).key}`;
}

function compareTexts(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function* writeExemplars(writer: JsonWriter, series: readonly MergedExemplars[]): Generator<undefined> {
  for (const [i, one] of series.entries()) {
    writer.text(`${i === 0 ? '[' : ','}${seriesJson(one)}`);
    if (writer.isFull) yield;
  }
  writer.text(series.length === 0 ? '[]' : ']');
}

function seriesJson({ labels, exemplars }: MergedExemplars): string {
  return `{"seriesLabels":${JSON.stringify(labels.toRecord())},"exemplars":[${exemplars.map(exemplarJson).join(',')}]}`;
}

function exemplarJson({ labels, value, timeMs }: ExemplarMessage): string {
  return `{"labels":${JSON.stringify(labels)},"value":${JSON.stringify(value)},"timestamp":${formatTime(timeMs)}}`;
}
