// /api/v1/query and query_range, in a worker.

import { goQuote } from '@flotilla/model';
import { ColumnArena } from '@flotilla/promql';
import type { QueryResult } from '@flotilla/promql';
import { MergedStorage } from '../stores/merged-storage.ts';
import type { JobContext } from './job-context.ts';
import type { QueryJob } from './jobs.ts';
import { sendJson } from './json-answer.ts';
import { writeQueryData } from './query-json.ts';
import { parseQuery, parseRangeQuery } from './query-texts.ts';

export async function evaluateQuery(job: QueryJob, context: JobContext): Promise<void> {
  const arena = new ColumnArena();
  try {
    await answer(job, context, arena);
  } finally {
    arena.release();
  }
}

async function answer(job: QueryJob, context: JobContext, arena: ColumnArena): Promise<void> {
  const result = await evaluate(job, context, arena);
  context.view.release();
  const notes = context.notes();
  const { stats } = job;
  const limited = limitSeries(result, job.limit);
  const warnings = [
    ...notes.warnings,
    ...result.warnings,
    ...(limited === result ? [] : ['results truncated due to limit']),
    ...(['', 'true', 'all'].includes(stats) ? [] : [statsWarning(stats)]),
  ];
  const infos = [...notes.infos, ...result.infos];
  const envelope = { gzip: job.gzip, stats: result.stats, warnings, infos };
  await sendJson(context.sink, envelope, (writer) =>
    writeQueryData(writer, limited, stats !== '', job.withExactHistograms),
  );
}

async function evaluate(
  job: QueryJob,
  { engine, parser, signal, view }: JobContext,
  arena: ColumnArena,
): Promise<QueryResult> {
  const { timeoutMs, lookbackMs, startMs, endMs, stepMs } = job;
  const measure = job.stats === 'all';
  const countReads = job.stats !== '';
  const control = { signal, timeoutMs, measure, countReads, ...(lookbackMs !== undefined && { lookbackMs }) };
  const storage = new MergedStorage(view.fanOut, { dedup: job.dedup });
  if (!job.isRange)
    return engine.instant({ ...parseQuery(job.query, parser), timeMs: startMs }, storage, control);
  const range = { ...parseRangeQuery(job.query, parser), startMs, endMs, stepMs };
  return engine.range(range, storage, { ...control, arena });
}

function statsWarning(stats: string): string {
  const rule = 'is deprecated and will be rejected in the next major release, use "true" or "all"';
  return `value ${goQuote(stats)} for parameter "stats" ${rule}`;
}

/** The result itself when the limit leaves it whole. */
function limitSeries(result: QueryResult, limit: number): QueryResult {
  if (limit === 0) return result;
  if (result.type === 'vector' && result.series.length > limit)
    return { ...result, series: result.series.slice(0, limit) };
  if (result.type === 'matrix' && result.series.length > limit)
    return { ...result, series: result.series.slice(0, limit) };
  return result;
}
