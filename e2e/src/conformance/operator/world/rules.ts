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
