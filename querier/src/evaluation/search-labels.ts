// /api/v1/search/metric_names, label_names and label_values, in a worker: one JSON object per line, batches of results and a
// last line that says how it ended.

import { compareUtf8 } from '@flotilla/model';
import { STORE_PATHS, toMatcherMessage } from '@flotilla/wire';
import type { MetadataResponse, MetricMetadata } from '@flotilla/wire';
import type { JobContext } from './job-context.ts';
import type { SearchJob } from './jobs.ts';
import { parseMatcherSets } from './query-texts.ts';
import { searchScore } from './search-score.ts';

/** After so long, other work and the signal have a turn. */
const TURN_MS = 20;

interface Found {
  readonly value: string;
  readonly score: number;
}

export async function searchLabels(job: SearchJob, context: JobContext): Promise<void> {
  const found = ordered(await findFitting(job, context), job);
  const { warnings } = context.notes();
  const shown = found.slice(0, job.limit);
  const metadata = job.withMetadata && shown.length > 0 ? await metadataOf(context) : undefined;
  const { sink } = context;
  sink.begin({ headers: { 'Content-Type': 'application/x-ndjson; charset=utf-8' } });
  for (let from = 0; from === 0 || from < shown.length; from += job.batchSize) {
    const results = shown.slice(from, from + job.batchSize).map((one) => resultOf(one, job, metadata));
    const notes = from === 0 && warnings.length > 0 ? { warnings: warnings.toSorted() } : {};
    await sink.write(line({ results, ...notes }));
  }
  sink.end(line({ status: 'success', has_more: found.length > shown.length }));
}

function line(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

async function findFitting(job: SearchJob, { view, signal }: JobContext): Promise<Found[]> {
  const { minTimeMs, maxTimeMs, label } = job;
  const sets = parseMatcherSets(job.selectors, false);
  const values = new Set<string>();
  for (const set of sets.length === 0 ? [[]] : sets) {
    const request = { minTimeMs, maxTimeMs, limit: 0, matchers: set.map(toMatcherMessage) };
    const answers = await view.fanOut.labels(label === undefined ? request : { ...request, name: label });
    for (const answer of answers) for (const value of answer.values) values.add(value);
  }
  const scoreOf = searchScore(job);
  const found: Found[] = [];
  let turnMs = performance.now();
  for (const value of values) {
    const score = scoreOf(value);
    if (score !== undefined) found.push({ value, score });
    if (performance.now() - turnMs < TURN_MS) continue;
    await new Promise(setImmediate);
    signal.throwIfAborted();
    turnMs = performance.now();
  }
  return found;
}

function ordered(found: readonly Found[], { order }: SearchJob): Found[] {
  const byValue = (a: Found, b: Found): number => compareUtf8(a.value, b.value);
  if (order === 'score') return found.toSorted((a, b) => b.score - a.score || byValue(a, b));
  return found.toSorted(order === 'descending' ? (a, b) => byValue(b, a) : byValue);
}

function resultOf(
  { value, score }: Found,
  { field, withScore }: SearchJob,
  metadata: ReadonlyMap<string, MetricMetadata> | undefined,
): Readonly<Record<string, unknown>> {
  const { type = '', help = '', unit = '' } = metadata?.get(value) ?? {};
  return {
    [field]: value,
    ...(withScore && { score }),
    ...(type !== '' && { type }),
    ...(help !== '' && { help }),
    ...(unit !== '' && { unit }),
  };
}

async function metadataOf({ view }: JobContext): Promise<ReadonlyMap<string, MetricMetadata>> {
  const answers = await view.fanOut.now<MetadataResponse>(`${STORE_PATHS.metadata}?limit=0`);
  const first = new Map<string, MetricMetadata>();
  for (const { metadata } of answers)
    for (const [name, [entry]] of Object.entries(metadata))
      if (entry !== undefined && !first.has(name)) first.set(name, entry);
  return first;
}
