// `flotilla query`: an instant or a range query, printed as promtool prints it.

import type { Completeness } from '@flotilla/wire';
import { Labels } from '@flotilla/model';
import type { PlanNode } from '@flotilla/promql';
import { getApi } from './api-client.ts';
import { formatPlan } from './format-plan.ts';

export interface QueryOptions {
  readonly server: string;
  readonly time?: string;
  readonly start?: string;
  readonly end?: string;
  readonly step?: string;
  readonly output: string;
  /** Prints the plan: as it would be, or with `analyze` with what it cost. */
  readonly explain?: boolean;
  readonly analyze?: boolean;
}

type Point = readonly [number, string];

interface SeriesResult {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: Point;
  readonly values?: readonly Point[];
}

export interface QueryData {
  readonly resultType: 'vector' | 'matrix' | 'scalar' | 'string';
  readonly result: readonly SeriesResult[] | Point;
  readonly stats?: { readonly plan?: PlanNode };
}

export interface Printer {
  out(line: string): void;
  err(line: string): void;
}

/** Runs one query and prints it: results to `out`, warnings and what is missing to `err`. */
export async function query(expr: string, options: QueryOptions, printer: Printer): Promise<void> {
  const isRange = options.start !== undefined || options.end !== undefined;
  const isExplained = options.explain === true || options.analyze === true;
  const path = isExplained ? 'explain_query' : isRange ? 'query_range' : 'query';
  const { envelope, completeness } = await getApi<QueryData>(options.server, `/api/v1/${path}`, {
    ...queryParams(expr, options, isRange),
    ...(options.analyze === true && { analyze: 'true' }),
  });
  const lines = linesOf(envelope.data, isExplained, options.output);
  for (const line of lines) printer.out(line);
  for (const warning of envelope.warnings ?? []) printer.err(`warning: ${warning}`);
  for (const info of envelope.infos ?? []) printer.err(`info: ${info}`);
  const missing = completeness === '' ? '' : describeCompleteness(JSON.parse(completeness) as Completeness);
  if (missing !== '') printer.err(missing);
}

function linesOf(data: QueryData, isExplained: boolean, output: string): string[] {
  if (!isExplained) return output === 'json' ? [JSON.stringify(data)] : formatResult(data);
  const plan = data.stats?.plan;
  if (output === 'json') return [JSON.stringify(plan ?? null)];
  return plan === undefined ? [] : formatPlan(plan);
}

function queryParams(expr: string, options: QueryOptions, isRange: boolean): Record<string, string> {
  if (!isRange) return { query: expr, ...(options.time === undefined ? {} : { time: options.time }) };
  const nowSeconds = Date.now() / 1000;
  const end = options.end ?? `${nowSeconds}`;
  return { query: expr, start: options.start ?? `${nowSeconds - 3600}`, end, step: options.step ?? '15' };
}

/** `{a="b"} => 1 @[1700000000]`, one line a sample. */
export function formatResult({ resultType, result }: QueryData): string[] {
  if (resultType === 'scalar') return [`scalar: ${(result as Point)[1]} @[${(result as Point)[0]}]`];
  if (resultType === 'string') return [(result as Point)[1]];
  return (result as readonly SeriesResult[]).flatMap(({ metric, value, values }) => {
    const name = Labels.fromRecord(metric).toMetric();
    if (value !== undefined) return [`${name} => ${value[1]} @[${value[0]}]`];
    return [`${name} =>`, ...(values ?? []).map(([time, text]) => `${text} @[${time}]`)];
  });
}

/** '' for an answer that heard every replica that it needed. */
export function describeCompleteness({ heard, expected, shards, cut }: Completeness): string {
  const poor = shards.filter(({ state }) => state !== 'all');
  if (poor.length === 0 && cut.length === 0) return '';
  const states = poor.map(({ shard, state }) => `shard "${shard}": ${state} of its replicas answered`);
  return [`answer from ${heard} of ${expected} shards`, ...states, ...cut].join('; ');
}
