// Unit tests of rules beyond promtool's own fixtures. Most expect the wrong thing, so that both programs print what they found.

export const ruleFile = `
groups:
  - name: recording
    labels: { team: a, level: group }
    rules:
      - { record: 'job:up:sum', expr: 'sum by (job) (up)', labels: { level: rule } }
      - { record: 'job:latency:p9', expr: 'histogram_quantile(0.9, rate(latency[5m]))' }
      - { record: 'job:latency:sum', expr: 'sum by (job) (latency)' }
      - { record: 'gone', expr: 'up == 0' }
  - name: alerting
    labels: { team: b }
    query_offset: 1m
    rules:
      - alert: Down
        expr: up == 0
        for: 2m
        keep_firing_for: 3m
        labels: { severity: '{{ if gt $value 0.0 }}high{{ else }}low{{ end }}', cluster: '{{ $externalLabels.cluster }}' }
        annotations:
          text: '{{ $labels.job | toUpper }} at {{ $value | humanize }} since {{ with query "time()" }}{{ . | first | value }}{{ end }}'
          url: '{{ $externalURL }}/x'
      - alert: Nothing
        expr: absent(no_such{a="b"})
        annotations: { text: '{{ $labels.a }} {{ $value }} {{ .Labels.nothing }}' }
  - name: limited
    limit: 1
    rules:
      - { record: 'limited', expr: 'up{job="a"}' }
`;

const series = `
    input_series:
      - { series: 'up{job="a"}', values: '1 1 0x6 1x10' }
      - { series: 'up{job="b"}', values: '1x3 stale _x2 1+1x5' }
      - { series: 'latency{job="a"}', values: '{{schema:0 sum:5 count:4 buckets:[1 2 1]}}+{{sum:2 count:2 buckets:[1 1]}}x15' }
      - { series: '{"my.metric", "label.dot"="x"}', values: '-3.5e-7 Inf NaN -Inf 0x10' }
`;

const times = ['0', '1m', '3m', '4m', '5m30s', '8m', '10m', '12m', '13m', '15m'];
const exprs = [
  'job:up:sum',
  'job:latency:p9',
  'job:latency:sum',
  'gone',
  'ALERTS',
  'ALERTS_FOR_STATE',
  'limited',
  '{"my.metric"}',
  'count_over_time({__name__=~".+"}[10m])',
  'up[5m]',
  '"text"',
  'nonsense(',
  'time()',
];
const item = (time: string, rest: string): string => `      - { eval_time: ${time}, ${rest} }\n`;
const exprTests = exprs.flatMap((expr) =>
  times.map((time) =>
    item(time, `expr: '${expr}', exp_samples: [{ labels: 'other{a="b"}', value: -1.5e-9 }]`),
  ),
);
const alertTests = times.flatMap((time) => [
  item(time, 'alertname: Down, exp_alerts: [{ exp_labels: { severity: high, job: a } }]'),
  item(time, 'alertname: Nothing, exp_alerts: []'),
  item(time, 'alertname: Unknown, exp_alerts: [{}]'),
]);

export const testFile = `
rule_files: [r*.yml, missing.yml]
group_eval_order: [limited, recording, alerting]
evaluation_interval: 1m
tests:
  - name: everything
    interval: 1m
    external_labels: { cluster: 'c"1' }
    external_url: 'http://host:9090/prom'
${series}
    alert_rule_test:
${alertTests.join('')}
    promql_expr_test:
${exprTests.join('')}
  - interval: 30s
    start_timestamp: 2024-02-29T12:00:00Z
${series}
    promql_expr_test:
${exprTests.slice(0, 40).join('')}
`;
