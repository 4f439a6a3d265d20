// What both sides are asked over the load of this bench: queries over all series of a kind, and look-ups of a few series.
//
// Look-ups are /api/v1/series without a limit: both sides then find, sort and print all that match, some hundreds to
// thousands; with a limit, lazy postings would stop early on one side.

import { ask, cpuOfAsking, type Side } from '../sides.ts';

const RANGE_SECONDS = 600;
const STEP_SECONDS = 30;
/** How often each is asked before it is measured: servers run for months, compilers of ours for seconds. */
const QUERY_WARM_UPS = 3;
const LOOKUP_WARM_UPS = 30;

const queries = {
  rate: 'sum(rate(http_request_duration_seconds_count[1m]))',
  bucketRate: 'sum by (le) (rate(http_request_duration_seconds_bucket[5m]))',
};

const lookups = {
  lookupEqual: '{pod="web-5-x7f9c"}',
  lookupNotEqual: 'http_request_duration_seconds_bucket{instance="10.0.0.7:80",handler="/api/1",le!="+Inf"}',
  lookupPrefix: 'kube_pod_status_phase{pod=~"web-2.*"}',
  lookupAlternation: 'container_memory_working_set_bytes{pod=~"web-1-x7f9c|web-2-x7f9c|web-3-x7f9c"}',
  lookupEmpty: '{instance="10.0.0.3:80",code=""}',
};

/** CPU seconds by name of the question, and what tells that both sides answered the same. */
export interface Answers {
  readonly cpu: Readonly<Record<string, number>>;
  readonly sizes: Readonly<Record<string, number>>;
}

/** `place`: Head or Blocks. */
export function askQueries(side: Side, place: string, endSeconds: number): Promise<Answers> {
  const range = { start: `${endSeconds - RANGE_SECONDS}`, end: `${endSeconds}`, step: `${STEP_SECONDS}` };
  const paths = Object.entries(queries).map(([name, query]): [string, string] => [
    `${name}${place}Cpu`,
    `/api/v1/query_range?${new URLSearchParams({ query, ...range })}`,
  ]);
  return answersOf(side, paths, QUERY_WARM_UPS, (text) => text.split('],[').length);
}

export function askLookups(side: Side, endSeconds: number): Promise<Answers> {
  const range = { start: `${endSeconds - RANGE_SECONDS}`, end: `${endSeconds}` };
  const paths = Object.entries(lookups).map(([name, selector]): [string, string] => [
    name,
    `/api/v1/series?${new URLSearchParams({ 'match[]': selector, ...range })}`,
  ]);
  return answersOf(side, paths, LOOKUP_WARM_UPS, (text) => text.split('"__name__"').length - 1);
}

async function answersOf(
  side: Side,
  paths: readonly (readonly [name: string, path: string])[],
  warmUps: number,
  sizeOf: (text: string) => number,
): Promise<Answers> {
  const cpu: Record<string, number> = {};
  const sizes: Record<string, number> = {};
  for (const [name, path] of paths) {
    for (let i = 0; i < warmUps; i++) sizes[name] = sizeOf(await ask(side, path));
    cpu[name] = await cpuOfAsking(side, path);
  }
  return { cpu, sizes };
}
