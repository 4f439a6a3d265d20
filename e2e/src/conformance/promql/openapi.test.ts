// Proof: Prometheus's own OpenAPI description of its API fits our answers as well as those of a real Prometheus.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fuzzLoad } from './fuzz-data.ts';
import { Random } from './random.ts';
import { prometheusDescription } from './openapi-check.ts';
import { startTwoServers, type TwoServers } from './two-servers.ts';

let servers: TwoServers;

beforeAll(async () => {
  servers = await startTwoServers(fuzzLoad(new Random(7)));
}, 60_000);

afterAll(() => servers.close(), 30_000);

/** What the querier has no part in: writing, deleting, and what is experimental in Prometheus. */
const notOurs = /^\/(?:admin|write|otlp|read$|search)/;

/** TIME stands for when there are samples. */
const parameters: Readonly<Record<string, readonly string[]>> = {
  '/query': [
    'query=up&time=TIME',
    'query=up[2m]&time=TIME',
    'query=scalar(up)&time=TIME&stats=all',
    'query=native&time=TIME',
    'query="a"',
    'query=(',
  ],
  '/query_range': [
    'query=up&start=TIME&end=TIME&step=5',
    'query=rate(native[5m])&start=TIME&end=TIME&step=5',
    'query=up',
  ],
  '/query_exemplars': ['query=up'],
  '/format_query': ['query=a%2Bb'],
  '/parse_query': ['query=sum(rate(a[5m]))'],
  '/series': ['match[]=up', 'match[]=up&limit=1', ''],
  '/label/{name}/values': ['', 'limit=1'],
  '/targets/relabel_steps': ['scrapePool=none', 'labels={}', 'scrapePool=none&labels=x'],
  '/scrape_pools/config': [''],
  '/status/self_metrics': ['', 'metric_name_pattern=prometheus_engine.*'],
};

const cases = prometheusDescription.paths
  .filter((path) => !notOurs.test(path) && !path.endsWith('/live'))
  .flatMap((path) => (parameters[path] ?? ['']).map((query) => [path, query] as const));

/** Beside what Prometheus tells, we tell our own version, and which targets have the most series. */
const added = ['flotillaVersion', 'nodeVersion', 'seriesCountByTarget'].map(
  (name) => `.data.${name}: is not in the description`,
);

test.each(cases)('%s?%s', async (path, query) => {
  const filled = query.replaceAll('TIME', String(servers.startMs / 1000 + 900));
  const [ours, theirs] = await Promise.all([
    prometheusDescription.check(servers.ours, path, filled),
    prometheusDescription.check(servers.theirs, path, filled),
  ]);
  expect(ours.status).toBe(theirs.status);
  // What the description gets wrong of Prometheus itself is no fault of ours.
  const known = [...theirs.faults, ...added];
  expect(ours.faults.filter((fault) => !known.includes(fault))).toEqual([]);
});
