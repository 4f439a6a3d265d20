// PrometheusRules, good ones and such as an operator refuses.

import type { KubeObject } from '../kube-client.ts';
import { monitor } from './monitor-object.ts';
import type { Fields } from './monitor-object.ts';

function one(name: string, groups: readonly Fields[], namespace = 'monitoring'): KubeObject {
  return monitor('PrometheusRule', namespace, name, { groups });
}

function group(rule: Fields, more: Fields = {}): Fields {
  return { name: 'group', rules: [{ record: 'good', expr: 'up' }, rule], ...more };
}

export function prometheusRules(): KubeObject[] {
  return [...acceptedRules(), ...refusedRules()];
}

/** Selectors wherever they can be, some of other namespaces. */
const selectorRules = [
  'up{namespace="other",job="a"}',
  'up{namespace=~"a|b"} or up{namespace!="c"}',
  '{__name__=~"up|down"}',
  'sum without (instance) (rate(x_total{a!~"b"}[5m] offset 1m)) / on (job) group_left (team) y',
  'max_over_time(rate(x_total[1m])[10m:30s] @ end())',
  'histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))',
  'topk(3, -a) unless b > bool 2',
  'absent(up) + scalar(b) * vector(1)',
  'label_replace(up, "a", "$1", "b", "(x)")',
  'count_values("v", up) ^ 2 % 3',
].map((expr, index) => ({ record: `r${index}`, expr }));

function acceptedRules(): KubeObject[] {
  const alert = {
    alert: 'Down',
    expr: 'up == 0',
    for: '5m',
    keep_firing_for: '1m',
    labels: { severity: 'page' },
    annotations: { summary: '{{ $labels.instance }} of {{ $value | humanize }} is down' },
  };
  return [
    one('rules-plain', [group(alert)]),
    one('rules-plain', [group(alert)], 'team-a'),
    one('rules-several', [
      group(alert),
      { ...group({ record: 'a:b', expr: 'sum by (job) (rate(x_total[5m]))' }), name: 'two' },
    ]),
    one('rules-settings', [
      group(
        { record: 'one', expr: 1 },
        {
          interval: '1m',
          limit: 10,
          query_offset: '30s',
          labels: { team: 'x' },
          partial_response_strategy: 'warn',
        },
      ),
    ]),
    one('rules-empty', []),
    one('rules-utf8', [group({ record: 'with.dot', expr: '{"with.dot"}' })]),
    one('rules-no-rules', [{ name: 'nothing' }]),
    one('rules-zero-for', [group({ alert: 'Now', expr: 'up', for: '' })]),
    one('rules-selectors', [{ name: 'selectors', rules: selectorRules }], 'team-b'),
    one('rules-labelled', [group({ record: 'x', expr: 'up', labels: { namespace: 'other', team: 'a' } })]),
  ];
}

function refusedRules(): KubeObject[] {
  return [
    one('rules-bad-expr', [group({ record: 'x', expr: 'sum(' })]),
    one('rules-both', [group({ record: 'x', alert: 'y', expr: 'up' })]),
    one('rules-neither', [group({ expr: 'up' })]),
    one('rules-record-for', [group({ record: 'x', expr: 'up', for: '1m' })]),
    one('rules-record-annotations', [group({ record: 'x', expr: 'up', annotations: { a: 'b' } })]),
    one('rules-bad-template', [group({ alert: 'x', expr: 'up', annotations: { a: '{{ .Nope' } })]),
    one('rules-bad-label-template', [
      group({ alert: 'x', expr: 'up', labels: { a: '{{ unknownFunction }}' } }),
    ]),
    one('rules-name-label', [group({ alert: 'x', expr: 'up', labels: { __name__: 'b' } })]),
    one('rules-same-twice', [
      {
        name: 'twice',
        rules: [
          { record: 'x', expr: 'up' },
          { record: 'x', expr: 'up' },
        ],
      },
    ]),
    one('rules-empty-expr', [group({ record: 'x', expr: '' })]),
    one('rules-bad-function', [group({ record: 'x', expr: 'nope(up)' })]),
    one('rules-experimental', [group({ record: 'x', expr: 'sort_by_label(up, "a")' })]),
    one('rules-bad-record', [group({ record: '', alert: '', expr: 'up' })]),
  ];
}
