// Proof: the HTTP API answers as a real Prometheus does over the same database: status, envelope, texts, data.
//
// Ours says more than Prometheus does of replicas (an info), which is left out here.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fuzzLoad } from './fuzz-data.ts';
import { QueryGenerator } from './query-generator.ts';
import { Random } from './random.ts';
import { startTwoServers, type TwoServers } from './two-servers.ts';

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: unknown;
}

type Parameters = readonly (readonly [name: string, value: string])[];

let servers: TwoServers;
const random = new Random(7);

beforeAll(async () => {
  servers = await startTwoServers(fuzzLoad(random));
}, 60_000);

afterAll(() => servers.close(), 30_000);

async function ask(base: string, path: string, parameters: Parameters, post: boolean): Promise<Answer> {
  const form = new URLSearchParams(parameters.map(([name, value]): [string, string] => [name, value]));
  const response = post
    ? await fetch(base + path, { method: 'POST', body: form })
    : await fetch(`${base}${path}?${form}`);
  const text = await response.text();
  const type = response.headers.get('content-type');
  const isJson = type?.startsWith('application/json') === true;
  return { status: response.status, type, body: isJson ? normalized(JSON.parse(text)) : lines(text) };
}

interface Envelope {
  readonly data?: { readonly resultType?: string; readonly result?: unknown[]; readonly stats?: unknown };
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
}

/** The order of instant vectors and of annotations is nobody's, and times of evaluation differ. */
function normalized(body: unknown): unknown {
  const { data, warnings = [], infos = [], ...rest } = body as Envelope;
  const notes = {
    warnings: warnings.map(comparable).toSorted(),
    infos: infos
      .filter((info) => !info.includes('one replica'))
      .map(comparable)
      .toSorted(),
  };
  if (data?.resultType !== 'vector') return { ...rest, ...notes, data: rounded(withoutStats(data)) };
  const result = data.result
    ?.map(rounded)
    .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return { ...rest, ...notes, data: { ...withoutStats(data), result } };
}

function withoutStats(data: Envelope['data']): Envelope['data'] {
  return data?.stats === undefined ? data : { ...data, stats: 'some' };
}

function comparable(text: string): string {
  return text.replace(/over -?\d+ samples/, 'over some samples').replace(/got -?[\d.e+-]+$/, 'got a number');
}

/** Numbers in strings to 12 digits, which is what sums in another order agree on. */
function rounded(value: unknown): unknown {
  if (typeof value === 'string' && /^-?\d+(?:\.\d+)?(?:e[-+]\d+)?$/.test(value))
    return Number(value).toPrecision(11);
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, rounded(item)]));
}

function lines(text: string): string[] {
  return text.split('\n').toSorted();
}

async function differenceOf(
  path: string,
  parameters: Parameters,
  post = false,
  asked = servers.ours,
): Promise<string | undefined> {
  const [ours, theirs] = await Promise.all([
    ask(asked, path, parameters, post),
    ask(servers.theirs, path, parameters, post),
  ]);
  const [got, want] = [JSON.stringify(ours), JSON.stringify(theirs)];
  return got === want ? undefined : `${path} ${JSON.stringify(parameters)}\n  got  ${got}\n  want ${want}`;
}

const seconds = (atMs: number): string => String((servers.startMs + atMs) / 1000);

test('generated queries have the same answers', async () => {
  const generator = new QueryGenerator(random);
  const failures: string[] = [];
  for (let i = 0; i < 300; i++) {
    const { expr, startMs, endMs, stepMs } = generator.query();
    const times: Parameters =
      stepMs === 0
        ? [['time', seconds(startMs)]]
        : [
            ['start', seconds(startMs)],
            ['end', seconds(endMs)],
            ['step', String(stepMs / 1000)],
          ];
    // What lives for the moment, or lies in the order of series, is compared elsewhere.
    if (/limit|topk|bottomk|label_|%|\^|exp|count_values|quantiles/.test(expr)) continue;
    const path = stepMs === 0 ? '/api/v1/query' : '/api/v1/query_range';
    const wrong = await differenceOf(path, [['query', expr], ...times], i % 2 === 0);
    if (wrong !== undefined) failures.push(wrong);
  }
  expect(failures).toEqual([]);
}, 60_000);

test.each([
  'up',
  'nasty',
  'rate(requests_total[5m])',
  'short_lived',
  '{"my.metric"}',
  'no_such',
  'latency_bucket',
  'native',
  'custom',
  'mixed',
  'rate(native[5m])',
  'histogram_quantile(0.9, rate(custom[5m]))',
  '{__name__=~".+"}',
])('a Prometheus that reads ours remotely answers %s alike', async (expr) => {
  const range: Parameters = [
    ['start', seconds(0)],
    ['end', seconds(3_600_000)],
    ['step', '15'],
  ];
  const path = '/api/v1/query_range';
  expect(await differenceOf(path, [['query', expr], ...range], false, servers.reader)).toBeUndefined();
});

const time = ['time', ''] as const;
const requests: readonly (readonly [path: string, ...Parameters])[] = [
  ['/api/v1/query', ['query', 'up'], time],
  ['/api/v1/query', ['query', 'up'], time, ['limit', '2']],
  ['/api/v1/query', ['query', 'up'], time, ['limit', 'x']],
  ['/api/v1/query', ['query', 'up'], time, ['limit', '-1']],
  ['/api/v1/query', ['query', 'up'], time, ['stats', 'true']],
  ['/api/v1/query', ['query', 'up'], time, ['stats', 'maybe']],
  ['/api/v1/query', ['query', 'up'], time, ['lookback_delta', '1s']],
  ['/api/v1/query', ['query', 'up'], time, ['lookback_delta', 'soon']],
  ['/api/v1/query', ['query', 'up'], time, ['timeout', 'soon']],
  ['/api/v1/query', ['query', 'up'], ['time', 'yesterday']],
  ['/api/v1/query', ['query', 'up('], time],
  ['/api/v1/query', ['query', ''], time],
  ['/api/v1/query', time],
  ['/api/v1/query', ['query', '"text"'], time],
  ['/api/v1/query', ['query', 'pi() / 0'], time],
  ['/api/v1/query', ['query', '1e-7'], time],
  ['/api/v1/query', ['query', 'vector(1e21)'], time],
  ['/api/v1/query', ['query', 'up[1m]'], time],
  ['/api/v1/query', ['query', 'up * on (job) up'], time],
  ['/api/v1/query', ['query', 'rate(memory_bytes[5m])'], time],
  ['/api/v1/query', ['query', '{"my.metric"}'], time],
  ['/api/v1/query', ['query', 'native'], time],
  ['/api/v1/query', ['query', 'custom'], time],
  ['/api/v1/query', ['query', 'mixed[5m]'], time],
  ['/api/v1/query', ['query', 'histogram_quantile(0.9, rate(native[5m]))'], time],
  ['/api/v1/query_range', ['query', 'sum(rate(native[5m]))'], ['start', ''], ['end', ''], ['step', '60']],
  ['/api/v1/query_range', ['query', 'up'], ['start', ''], ['end', ''], ['step', '60']],
  ['/api/v1/query_range', ['query', 'up'], ['start', '10'], ['end', '5'], ['step', '1']],
  ['/api/v1/query_range', ['query', 'up'], ['start', '10'], ['end', '50'], ['step', '0']],
  ['/api/v1/query_range', ['query', 'up'], ['start', '10'], ['end', '50'], ['step', 'x']],
  ['/api/v1/query_range', ['query', 'up'], ['start', '0'], ['end', '11001'], ['step', '1']],
  ['/api/v1/query_range', ['query', 'up[1m]'], ['start', '0'], ['end', '10'], ['step', '1']],
  ['/api/v1/query_range', ['query', '"text"'], ['start', '0'], ['end', '10'], ['step', '1']],
  ['/api/v1/query_range', ['query', '2'], ['start', '0.5'], ['end', '3'], ['step', '1']],
  ['/api/v1/query_range', ['query', 'sort(up)'], ['start', '0'], ['end', '3'], ['step', '1']],
  ['/api/v1/format_query', ['query', 'sum(rate(requests_total[5m]))by(job)']],
  ['/api/v1/format_query', ['query', 'sum(']],
  ['/api/v1/parse_query', ['query', 'sum by (job) (rate(requests_total{code=~"5.."}[5m] offset 1m)) > 1']],
  ['/api/v1/parse_query', ['query', '']],
  ['/api/v1/query_exemplars', ['query', 'up']],
  ['/api/v1/query_exemplars', ['query', 'up('], ['start', '1']],
  ['/api/v1/query_exemplars', ['query', 'up'], ['start', '10'], ['end', '5']],
  ['/api/v1/labels'],
  ['/api/v1/labels', ['match[]', 'up']],
  ['/api/v1/labels', ['match[]', 'up'], ['match[]', 'requests_total{code="200"}']],
  ['/api/v1/labels', ['match[]', '{']],
  ['/api/v1/labels', ['match[]', '{a=""}']],
  ['/api/v1/labels', ['limit', '2']],
  ['/api/v1/labels', ['start', '10'], ['end', '20']],
  ['/api/v1/label/job/values'],
  ['/api/v1/label/__name__/values'],
  ['/api/v1/label/instance/values', ['match[]', 'up{job="api"}'], ['limit', '1']],
  ['/api/v1/label/U__label_2e_dot/values'],
  ['/api/v1/label/nothing/values'],
  ['/api/v1/series', ['match[]', 'up'], ['match[]', '{code="500"}']],
  ['/api/v1/series', ['match[]', 'up'], ['limit', '1']],
  ['/api/v1/series', ['match[]', 'no_such']],
  ['/api/v1/series'],
  ['/api/v1/series', ['match[]', '{a=']],
  ['/api/v1/series', ['match[]', 'up'], ['start', 'x']],
  ['/api/v1/metadata'],
  ['/api/v1/rules'],
  ['/api/v1/alerts'],
  ['/federate', ['match[]', 'up'], ['match[]', '{__name__=~"nasty|my.metric"}']],
  ['/federate', ['match[]', '{a=']],
  ['/federate'],
];

test.each(requests)('%s %j %j %j %j', async (path, ...given) => {
  const parameters = given.map(([name, value]): [string, string] => {
    const isTime = ['time', 'start', 'end'].includes(name) && value === '';
    return [name, isTime ? seconds(name === 'start' ? 600_000 : 1_800_000) : value];
  });
  expect(await differenceOf(path, parameters)).toBeUndefined();
});

test('the database has native histograms on both sides', async () => {
  const parameters: Parameters = [
    ['query', 'count(histogram_count(native))'],
    ['time', seconds(1_800_000)],
  ];
  for (const side of [servers.ours, servers.theirs]) {
    const { body } = await ask(side, '/api/v1/query', parameters, false);
    expect(body).toMatchObject({ data: { result: [{ metric: {} }] } });
  }
});
