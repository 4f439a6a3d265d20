// /api/v1/query_exemplars: exemplars of the series that a query selects, of all shards and replicas, each once.

import { sendData } from '@flotilla/chassis';
import type { Request, Response } from '@flotilla/chassis';
import { compareLabels, Labels, parseGoFloat } from '@flotilla/model';
import { selectors } from '@flotilla/promql';
import type { JsonWriter } from '@flotilla/promql';
import { toMatcherMessage } from '@flotilla/wire';
import type { ExemplarMessage, ExemplarsResponse } from '@flotilla/wire';
import { requestSignal, sendJson } from './answer.ts';
import { Params } from './params.ts';
import { formatTime } from './query-json.ts';
import { RequestView } from './query-service.ts';
import type { QueryService } from './query-service.ts';

export interface MergedExemplars {
  readonly labels: Labels;
  readonly exemplars: readonly ExemplarMessage[];
}

export async function queryExemplars(
  service: QueryService,
  request: Request,
  response: Response,
): Promise<void> {
  const params = new Params(request);
  const range = params.range();
  const selected = selectors(params.expr(service.parser, false).expr);
  if (selected.length === 0) {
    sendData(request, response, undefined);
    return;
  }
  const matcherSets = selected.map(({ matchers }) => matchers.map(toMatcherMessage));
  const view = new RequestView(service, params, requestSignal(response, service.timeoutMs));
  const merged = mergeExemplars(await view.fanOut.exemplars({ ...range, matcherSets }));
  await sendJson(request, response, (writer) => writeExemplars(writer, merged), view.notes(response));
}

/** Series in label order. What two replicas saw of one target is there once. */
export function mergeExemplars(answers: readonly ExemplarsResponse[]): MergedExemplars[] {
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
