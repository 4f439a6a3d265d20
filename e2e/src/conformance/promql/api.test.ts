// Proof: the HTTP API answers as a real Prometheus does over the same database: status, envelope, texts, data.
//
// Ours says more than Prometheus does of replicas (an info), which is left out here.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ask, differenceBetween } from './compare-answers.ts';
import type { Parameters } from './compare-answers.ts';
import { fuzzLoad } from './fuzz-data.ts';
import { Random } from './random.ts';
import { startTwoServers, type TwoServers } from './two-servers.ts';

let servers: TwoServers;

beforeAll(async () => {
  servers = await startTwoServers(fuzzLoad(new Random(7)));
}, 60_000);

afterAll(() => servers.close(), 30_000);

/** What differs between an answer of ours, or of who asks us, and Prometheus's. */
function differenceOf(
  path: string,
  parameters: Parameters,
  post = false,
  asked = servers.ours,
): Promise<string | undefined> {
  return differenceBetween(asked, servers.theirs, path, parameters, post);
}

const seconds = (atMs: number): string => String((servers.startMs + atMs) / 1000);

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
  ['/api/v1/query', ['query', 'rate(up[0 % 0])'], time],
  ['/api/v1/query', ['query', 'rate(up[1 / 0])'], time],
  ['/api/v1/query', ['query', 'rate(up[1 - 2])'], time],
  ['/api/v1/query', ['query', 'up offset (1e300 * 1e300)'], time],
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
  ...['metric_names', 'label_names', 'label_values'].flatMap((endpoint) => {
    const search = `/api/v1/search/${endpoint}`;
    const window = [
      ['start', ''],
      ['end', ''],
      ['label', 'job'],
      ['include_score', 'true'],
    ] as const;
    return [
      [search, ...window],
      [search, ...window, ['search[]', 'a']],
      [
        search,
        ...window,
        ['search[]', 'rqt'],
        ['search[]', 'UP'],
        ['case_sensitive', 'false'],
        ['sort_by', 'score'],
      ],
      [search, ...window, ['search[]', 'ins'], ['fuzz_alg', 'jarowinkler'], ['fuzz_threshold', '50']],
      [search, ...window, ['sort_by', 'alpha'], ['sort_dir', 'dsc'], ['limit', '2'], ['batch_size', '1']],
      [search, ...window, ['match[]', 'up'], ['match[]', 'nasty']],
      [search, ...window, ['match[]', '{']],
      [search, ...window, ['search[]', 'no such thing']],
      ...[
        ['sort_by', 'score'],
        ['sort_by', 'size'],
        ['sort_dir', 'asc'],
        ['limit', '0'],
        ['limit', '10001'],
        ['batch_size', 'x'],
        ['fuzz_alg', 'levenshtein'],
        ['fuzz_threshold', '101'],
        ['case_sensitive', 'yes'],
        ['start', 'yesterday'],
        ['end', '1'],
      ].map(([name = '', value = '']): [string, ...Parameters] => [search, [name, value], ...window]),
    ] satisfies [string, ...Parameters][];
  }),
  ['/api/v1/search/label_values'],
  ['/api/v1/metadata'],
  ['/api/v1/rules'],
  ['/api/v1/alerts'],
  ['/federate', ['match[]', 'up'], ['match[]', '{__name__=~"nasty|my.metric"}']],
  ['/federate', ['match[]', '{a=']],
  ['/federate'],
];

test.each(requests.map(([path, ...given]) => [path, given] as const))('%s %j', async (path, given) => {
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

async function dataOf(server: string, path: string): Promise<Readonly<Record<string, unknown>>> {
  const response = await fetch(`${server}/api/v1/${path}`);
  return ((await response.json()) as { data: Readonly<Record<string, unknown>> }).data;
}

test('features of the language are told alike', async () => {
  const [ours, theirs] = await Promise.all([
    dataOf(servers.ours, 'features'),
    dataOf(servers.theirs, 'features'),
  ]);
  for (const category of ['promql', 'promql_functions', 'promql_operators'])
    expect(ours[category]).toEqual(theirs[category]);
});

test.each(['status/tsdb/blocks', 'notifications', 'alertmanagers', 'scrape_pools'])(
  '%s has the same data',
  async (path) => {
    expect(await dataOf(servers.ours, path)).toEqual(await dataOf(servers.theirs, path));
  },
);

interface Counted {
  readonly name: string;
  readonly value: number;
}

test('status/tsdb counts the same', async () => {
  const counts = async (server: string, limit: number, byName: boolean): Promise<unknown> => {
    const status = await dataOf(server, `status/tsdb?limit=${limit}`);
    const { numSeries, numLabelPairs, minTime, maxTime } = status['headStats'] as Record<string, number>;
    const lists = ['seriesCountByMetricName', 'labelValueCountByLabelName', 'seriesCountByLabelValuePair'];
    return {
      head: { numSeries, numLabelPairs, minTime, maxTime },
      lists: lists.map((name) =>
        (status[name] as Counted[])
          .map(({ name: label, value }) => (byName ? `${label}: ${value}` : value))
          .toSorted(),
      ),
    };
  };
  expect(await counts(servers.ours, 1000, true)).toEqual(await counts(servers.theirs, 1000, true));
  // Which of equal counts come first is nobody's.
  expect(await counts(servers.ours, 3, false)).toEqual(await counts(servers.theirs, 3, false));
});

test('headers of other origins and of compressed answers are the same', async () => {
  const headersOf = async (server: string, method: string): Promise<Record<string, string | null>> => {
    const response = await fetch(`${server}/api/v1/query?query=vector(1)&time=1`, {
      method,
      headers: { origin: 'https://grafana.example', 'accept-encoding': 'gzip' },
    });
    await response.arrayBuffer();
    const names = [
      'access-control-allow-origin',
      'access-control-allow-methods',
      'access-control-allow-headers',
    ];
    return Object.fromEntries(
      ['status', ...names].map((name) => [
        name,
        name === 'status' ? String(response.status) : response.headers.get(name),
      ]),
    );
  };
  for (const method of ['GET', 'OPTIONS'])
    expect(await headersOf(servers.ours, method)).toEqual(await headersOf(servers.theirs, method));
});
