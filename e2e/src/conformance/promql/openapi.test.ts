// Proof: Prometheus's own OpenAPI description of its API fits our answers as well as those of a real Prometheus.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fuzzLoad } from './fuzz-data.ts';
import { Random } from './random.ts';
import { SchemaValidator } from './schema-validator.ts';
import type { Schema } from './schema-validator.ts';
import { startTwoServers, type TwoServers } from './two-servers.ts';

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >;
}

const file = join('web', 'api', 'v1', 'testdata', 'openapi_3.1_golden.yaml');
const text = readFileSync(join(process.env['FLOTILLA_PROMETHEUS_SOURCES'] ?? '', file), 'utf8');
const { paths, components } = load(text) as Description;
const validator = new SchemaValidator(components.schemas);
let servers: TwoServers;

beforeAll(async () => {
  servers = await startTwoServers(fuzzLoad(new Random(7)));
}, 60_000);

afterAll(() => servers.close(), 30_000);

/** What the querier has no part in: writing, deleting, what is experimental in Prometheus, and metadata by target. */
const notOurs = /^\/(?:admin|write|otlp|read$|search|targets\/metadata)/;

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
  '/targets/relabel_steps': [
    'scrapePool=none&labels={}',
    'scrapePool=none',
    'labels={}',
    'scrapePool=none&labels=x',
  ],
  '/scrape_pools/config': ['scrapePool=none', ''],
  '/status/self_metrics': ['', 'metric_name_pattern=prometheus_engine.*'],
};

const cases = Object.keys(paths)
  .filter((path) => paths[path]?.['get'] !== undefined && !notOurs.test(path) && !path.endsWith('/live'))
  .flatMap((path) => (parameters[path] ?? ['']).map((query) => [path, query] as const));

/** Beside the version of the API that we speak, we tell our own. */
const added = ['flotillaVersion', 'nodeVersion'].map((name) => `.data.${name}: is not in the description`);

interface Checked {
  readonly status: number;
  /** The path of each fault, and why. */
  readonly faults: readonly string[];
}

async function check(server: string, path: string, query: string): Promise<Checked> {
  const url = `${server}/api/v1${path.replace('{name}', 'job')}?${query.replaceAll('TIME', String(servers.startMs / 1000 + 900))}`;
  const response = await fetch(url);
  const { responses } = paths[path]!['get']!;
  const schema = (responses[String(response.status)] ?? responses['default'])?.content?.['application/json']
    ?.schema;
  const body: unknown = await response.json().catch(() => 'no JSON');
  const faults = schema === undefined ? [] : validator.faults(body, schema);
  return {
    status: response.status,
    faults: [...new Set(faults.map(({ path: where, reason }) => `${where}: ${reason}`))],
  };
}

test.each(cases)('%s?%s', async (path, query) => {
  const [ours, theirs] = await Promise.all([
    check(servers.ours, path, query),
    check(servers.theirs, path, query),
  ]);
  expect(ours.status).toBe(theirs.status);
  // What the description gets wrong of Prometheus itself is no fault of ours.
  const known = [...theirs.faults, ...added];
  expect(ours.faults.filter((fault) => !known.includes(fault))).toEqual([]);
});
