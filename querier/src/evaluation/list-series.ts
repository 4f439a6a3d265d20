// /api/v1/series, labels and label/:name/values, in a worker: what exists, over all shards.

import { compareLabels, compareUtf8 } from '@flotilla/model';
import type { Labels, Matcher } from '@flotilla/model';
import { makeBudget } from '@flotilla/promql';
import type { JsonWriter } from '@flotilla/promql';
import { toMatcherMessage } from '@flotilla/wire';
import type { LabelsRequest, SeriesRequest } from '@flotilla/wire';
import type { JobContext } from './job-context.ts';
import type { LabelsJob, SeriesJob } from './jobs.ts';
import { sendJson } from './json-answer.ts';
import { parseMatcherSets } from './query-texts.ts';

const truncatedWarning = 'results truncated due to limit';
/** Bytes of one answer that the querier takes from all stores. */
const seriesBytesMax = 512 << 20;

export async function listSeries(job: SeriesJob, context: JobContext): Promise<void> {
  const lists: Labels[][] = [];
  const budget = makeBudget('series', seriesBytesMax);
  for (const matchers of parseMatcherSets(job.selectors, true)) {
    const where = `selector {${matchers.map(String).join(',')}}`;
    const request = seriesRequest(job, matchers);
    const answers = await context.view.fanOut.series(request, (bytes) => budget.take(bytes, where), false);
    for (const { series } of answers) lists.push(series.map(({ labels }) => labels));
  }
  await sendLimited(context, job, mergeSorted(lists), ({ json }) => json);
}

/** What is in any of the lists, which have the order of labels, once and in that order. */
function mergeSorted(lists: readonly (readonly Labels[])[]): readonly Labels[] {
  if (lists.length < 2) return lists[0] ?? [];
  const half = lists.length >> 1;
  const [a, b] = [mergeSorted(lists.slice(0, half)), mergeSorted(lists.slice(half))];
  const merged: Labels[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    const order = compareLabels(a[i]!, b[j]!);
    merged.push(order <= 0 ? a[i]! : b[j]!);
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
  return merged.concat(a.slice(i), b.slice(j));
}

export async function listLabels(job: LabelsJob, context: JobContext): Promise<void> {
  const found = new Set<string>();
  const sets = parseMatcherSets(job.selectors, false);
  for (const matchers of sets.length === 0 ? [[]] : sets) {
    const answers = await context.view.fanOut.labels(labelsRequest(job, matchers));
    for (const { values } of answers) for (const value of values) found.add(value);
  }
  await sendLimited(context, job, [...found].toSorted(compareUtf8), (value) => JSON.stringify(value));
}

/** One more than is shown tells whether there are more. */
function seriesRequest(
  { minTimeMs, maxTimeMs, limit }: SeriesJob,
  matchers: readonly Matcher[],
): SeriesRequest {
  const asked = { matchers: matchers.map(toMatcherMessage), limit: limit && limit + 1 };
  return { minTimeMs, maxTimeMs, ...asked, skipChunks: true, latestOnly: false, targetIds: [] };
}

function labelsRequest(
  { minTimeMs, maxTimeMs, limit, name }: LabelsJob,
  matchers: readonly Matcher[],
): LabelsRequest {
  const asked = { matchers: matchers.map(toMatcherMessage), limit: limit && limit + 1 };
  return { minTimeMs, maxTimeMs, ...asked, ...(name !== undefined && { name }) };
}

async function sendLimited<T>(
  context: JobContext,
  { gzip, limit }: SeriesJob | LabelsJob,
  items: readonly T[],
  textOf: (item: T) => string,
): Promise<void> {
  const { warnings, infos } = context.notes();
  const cut = limit > 0 && items.length > limit;
  const shown = cut ? items.slice(0, limit) : items;
  const answer = { gzip, warnings: cut ? [...warnings, truncatedWarning] : warnings, infos };
  await sendJson(context.sink, answer, (writer) => writeItems(writer, shown, textOf));
}

function* writeItems<T>(
  writer: JsonWriter,
  items: readonly T[],
  textOf: (item: T) => string,
): Generator<undefined> {
  let before = '[';
  for (const item of items) {
    writer.text(before + textOf(item));
    before = ',';
    if (writer.isFull) yield;
  }
  writer.text(items.length === 0 ? '[]' : ']');
}
