// Proof: what Grafana's Prometheus data source asks is answered as a real Prometheus answers it: the check of the data source, the
// query editor with its completions, explore, the metrics browser, variables, annotations and the list of alerts.

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

/** Written as START and END below, and filled in when the time is known. */
const range: Parameters = [
  ['start', 'START'],
  ['end', 'END'],
];
const panel: Parameters = [...range, ['step', '15']];
const seriesLimit = '40000';

interface GrafanaRequest {
  /** Who asks. */
  readonly by: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly parameters: Parameters;
}

/** The data source uses POST unless it is told otherwise; resources with names in their path are always GET. */
function both(by: string, path: string, ...parameters: Parameters): GrafanaRequest[] {
  return [
    { by, method: 'GET', path, parameters },
    { by, method: 'POST', path, parameters },
  ];
}

function get(by: string, path: string, ...parameters: Parameters): GrafanaRequest {
  return { by, method: 'GET', path, parameters };
}

const requests: readonly GrafanaRequest[] = [
  ...both('save and test', '/api/v1/query', ['query', '1+1'], ['time', 'END']),
  get('save and test', '/api/v1/rules'),
  ...both('panel', '/api/v1/query_range', ['query', 'rate(requests_total{job=~"api|web"}[1m0s])'], ...panel),
  ...both('panel, instant', '/api/v1/query', ['query', 'sum by (job) (up)'], ['time', 'END']),
  ...both(
    'panel, heatmap',
    '/api/v1/query_range',
    ['query', 'sum by (le) (rate(latency_bucket[1m]))'],
    ...panel,
  ),
  ...both('panel, native heatmap', '/api/v1/query_range', ['query', 'rate(native[5m])'], ...panel),
  ...both('panel, bad query', '/api/v1/query_range', ['query', 'rate(up'], ...panel),
  ...both(
    'panel, 11000 points',
    '/api/v1/query_range',
    ['query', 'up'],
    ['start', '0'],
    ['end', '99999'],
    ['step', '1'],
  ),
  ...both(
    'panel, $__rate_interval',
    '/api/v1/query_range',
    ['query', 'increase(requests_total[1m30s])'],
    ['start', 'START.500'],
    ['end', 'END.250'],
    ['step', '20.5'],
  ),
  ...both('explore, inspector', '/api/v1/query_range', ['query', 'up'], ...panel, ['stats', 'all']),
  ...both('explore, exemplars', '/api/v1/query_exemplars', ['query', 'rate(requests_total[1m])'], ...range),
  ...both('explore, lookback', '/api/v1/query', ['query', 'up'], ['time', 'END'], ['lookback_delta', '30s']),
  ...both('editor, metric names', '/api/v1/labels', ...range),
  get('editor, metric names', '/api/v1/label/__name__/values', ...range),
  get('editor, metric names', '/api/v1/label/__name__/values', ...range, ['limit', seriesLimit]),
  get(
    'editor, typed prefix',
    '/api/v1/label/__name__/values',
    ...range,
    ['match[]', '{__name__=~".*req.*"}'],
    ['limit', '1000'],
  ),
  get('editor, metadata', '/api/v1/metadata'),
  get('editor, metadata', '/api/v1/metadata', ['limit', seriesLimit]),
  get('editor, metadata of one', '/api/v1/metadata', ['metric', 'up']),
  ...both('editor, label names of a metric', '/api/v1/labels', ...range, ['match[]', 'requests_total']),
  ...both(
    'editor, label names of a metric',
    '/api/v1/labels',
    ...range,
    ['match[]', '{__name__="requests_total",job="api"}'],
    ['limit', seriesLimit],
  ),
  ...both(
    'editor, label names of two metrics',
    '/api/v1/labels',
    ...range,
    ['match[]', 'up'],
    ['match[]', 'requests_total'],
  ),
  get(
    'editor, label values of a metric',
    '/api/v1/label/job/values',
    ...range,
    ['match[]', '{__name__="up"}'],
    ['limit', seriesLimit],
  ),
  get('editor, label values of UTF-8 names', '/api/v1/label/U__label_2e_dot/values', ...range, [
    'match[]',
    '{"my.metric"}',
  ]),
  get('editor, values of one label', '/api/v1/label/instance/values', ...range),
  ...both(
    'metrics browser',
    '/api/v1/series',
    ...range,
    ['match[]', '{__name__="up"}'],
    ['limit', seriesLimit],
  ),
  ...both(
    'metrics browser',
    '/api/v1/series',
    ...range,
    ['match[]', '{job="api",__name__=~"up|no_such"}'],
    ['limit', '3'],
  ),
  ...both(
    'metrics browser, nothing',
    '/api/v1/series',
    ...range,
    ['match[]', '{__name__="no_such"}'],
    ['limit', seriesLimit],
  ),
  ...both('editor, format', '/api/v1/format_query', ['query', 'sum(rate(requests_total[5m]))by(job)']),
  ...both('editor, explain', '/api/v1/parse_query', ['query', 'sum(rate(requests_total[5m])) by (job)']),
  get('variable label_names()', '/api/v1/labels', ...range),
  get('variable label_names(regex)', '/api/v1/labels', ...range, ['match[]', '{__name__=~".*req.*"}']),
  get('variable label_values(job)', '/api/v1/label/job/values', ...range),
  get('variable label_values(up, instance)', '/api/v1/label/instance/values', ...range, ['match[]', 'up']),
  get('variable label_values(up{…}, instance)', '/api/v1/label/instance/values', ...range, [
    'match[]',
    'up{job="api"}',
  ]),
  get('variable label_values of old servers', '/api/v1/series', ...range, ['match[]', 'up{job="api"}']),
  get('variable metrics(regex)', '/api/v1/label/__name__/values', ...range),
  get('variable query_result()', '/api/v1/query', ['query', 'topk(1, up)'], ['time', 'END']),
  get('variable of a selector', '/api/v1/series', ['match[]', 'up'], ...range),
  ...both('ad hoc filter, keys', '/api/v1/labels', ...range, ['match[]', '{job="api"}']),
  get('ad hoc filter, values', '/api/v1/label/instance/values', ...range, ['match[]', '{job="api"}']),
  ...both('annotation', '/api/v1/query_range', ['query', 'changes(up[1m]) > 0'], ...range, ['step', '60']),
  ...both('annotation', '/api/v1/query_range', ['query', 'ALERTS{alertstate="firing"}'], ...range, [
    'step',
    '60',
  ]),
  get('alert list', '/api/v1/rules'),
  get('alert list', '/api/v1/rules', ['type', 'alert']),
  get('alert list', '/api/v1/rules', ['type', 'alert'], ['exclude_alerts', 'true']),
  get('alert list', '/api/v1/rules', ['file[]', 'f'], ['rule_group[]', 'g'], ['rule_name[]', 'r']),
  get('alert list, by pages', '/api/v1/rules', ['group_limit', '40']),
  get('alert list, of a label', '/api/v1/rules', ['match[]', '{severity="page"}']),
  get('alert list, wrong page', '/api/v1/rules', ['group_limit', '1'], ['group_next_token', 'x']),
  get('alert list, wrong page', '/api/v1/rules', ['group_next_token', 'x']),
  get('alert list, wrong page', '/api/v1/rules', ['group_limit', 'x']),
  get('alert list, wrong page', '/api/v1/rules', ['group_limit', '0']),
  get('alert list, wrong type', '/api/v1/rules', ['type', 'x']),
  get('alert list', '/api/v1/alerts'),
  ...both('alerting, threshold', '/api/v1/query', ['query', 'max(up) by (job) == 0'], ['time', 'END']),
];

test.each(requests.map((one) => [one.by, one.method, one.path, one] as const))(
  '%s: %s %s',
  async (_by, method, path, { parameters }) => {
    const [start, end] = [servers.startMs + 600_000, servers.startMs + 1_800_000];
    const filled = parameters.map(([name, value]): [string, string] => [
      name,
      value.replace('START', String(start / 1000)).replace('END', String(end / 1000)),
    ]);
    expect(
      await differenceBetween(servers.ours, servers.theirs, path, filled, method === 'POST'),
    ).toBeUndefined();
  },
);

test('the data source takes ours for a Prometheus of the same version', async () => {
  const of = async (server: string): Promise<unknown> =>
    (await ask(server, '/api/v1/status/buildinfo', [], false)).body;
  // A build without version flags says '' of itself.
  expect(await of(servers.ours)).toMatchObject({ status: 'success', data: { version: '3.15.0' } });
  const keys = (body: unknown): string[] => Object.keys((body as { data: object }).data);
  expect(keys(await of(servers.ours))).toEqual(expect.arrayContaining(keys(await of(servers.theirs))));
});
