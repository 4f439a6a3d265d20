import { expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testRules } from './test-rules.ts';
import type { TestRulesOptions } from './test-rules.ts';

const rules = `
groups:
  - name: later
    rules:
      - record: job:up:sum
        expr: sum by (job) (raw)
        labels: { level: "1.0" }
  - name: first
    query_offset: 0s
    rules:
      - record: raw
        expr: up
      - alert: Down
        expr: raw == 0
        for: 2m
        keep_firing_for: 1m
        labels: { where: '{{ $externalLabels.cluster }}' }
        annotations: { text: '{{ $labels.job }} is at {{ $value }}, {{ query "up" | len }} of them' }
`;

const input = `
    input_series:
      - { series: 'up{job="a"}', values: '1 0x5 1x5' }
      - { series: 'up{job="b"}', values: 1x11 }
    external_labels: { cluster: c }
`;

/** Runs one file of tests over the rules; lines of standard output and error as they come. */
async function run(
  tests: string,
  options: TestRulesOptions = {},
): Promise<{ good: boolean; lines: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-rules-'));
  try {
    writeFileSync(join(folder, 'r.rules.yml'), rules);
    writeFileSync(join(folder, 't.yml'), `rule_files: ['*.rules.yml']\n${tests}`);
    const lines: string[] = [];
    const add = (line: string): unknown => lines.push(line);
    const good = await testRules([join(folder, 't.yml')], options, { out: add, err: add });
    return { good, lines: lines.map((line) => line.replaceAll(folder, 'DIR')) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const alertAt = (time: string, alerts: string): string =>
  `      - { eval_time: ${time}, alertname: Down, exp_alerts: ${alerts} }\n`;
const firing = "[{ exp_labels: { job: a, where: c }, exp_annotations: { text: 'a is at 0, 2 of them' } }]";

test('alerts wait, fire, are kept, and resolve', async () => {
  const tests = [alertAt('2m', '[]'), alertAt('3m', firing), alertAt('6m59s', firing)].join('');
  const kept = alertAt('7m', firing.replace('at 0', 'at 0'));
  const { good, lines } = await run(
    `group_eval_order: [first, later]\ntests:\n  - interval: 1m\n${input}    alert_rule_test:\n${tests}${kept}${alertAt('8m', '[]')}`,
  );
  expect(lines).toEqual(['  SUCCESS', '']);
  expect(good).toBe(true);
});

test('groups are evaluated in the order asked for', async () => {
  const sample = `    promql_expr_test:\n      - expr: 'job:up:sum'\n        eval_time: 0\n        exp_samples: [{ labels: 'job:up:sum{job="a", level="1.0"}', value: 1 }, { labels: 'job:up:sum{job="b", level="1.0"}', value: 1 }]\n`;
  const tests = `tests:\n  - interval: 1m\n${input}${sample}`;
  expect((await run(`group_eval_order: [first, later]\n${tests}`)).good).toBe(true);
  // Evaluated before what it reads, it finds nothing at the first time.
  expect((await run(`group_eval_order: [later, first]\n${tests}`)).lines[1]).toContain('got: nil');
});

test('what is wrong with a file is told with its line', async () => {
  const check = async (tests: string, want: string): Promise<void> => {
    const { good, lines } = await run(tests);
    expect(good).toBe(false);
    expect(lines.join('\n')).toContain(want);
  };
  await check('test: []', 'line 2: test: field test not found');
  await check('evaluation_interval: 1q', 'unknown unit "q"');
  await check('group_eval_order: [a, a]', 'group name repeated in evaluation order: a');
  await check('tests: [{ alert_rule_test: [{ eval_time: 1m }] }]', 'misses required attribute alertname');
  await check("tests: [{ input_series: [{ series: 'a{', values: 1 }] }]", '2:');
  await check('tests: [{ promql_expr_test: [{ expr: "a+" }] }]', 'parse error: unexpected end of input');
  await check('tests: [', 'yaml: line ');
});

test('--run, --diff, --junit and --debug', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-junit-'));
  const junit = join(folder, 'j.xml');
  const tests = `tests:\n  - name: good one\n  - name: bad one\n${input}    alert_rule_test:\n${alertAt('3m', '[{ exp_labels: { job: b, where: c } }]')}`;
  expect((await run(tests, { run: ['^good', 'nothing'] })).good).toBe(true);
  const { lines } = await run(tests, { diff: true, junit, debug: true });
  expect(lines.join('\n')).toContain('"job": \u001B[0;33m"b" => "a"\u001B[0m');
  expect(lines.join('\n')).toContain('DEBUG: Dump of all data (input_series and rules) at 3m1s:');
  expect(lines.join('\n')).toContain(
    'ALERTS{alertname="Down", alertstate="firing", job="a", where="c"} =>\n1 @[180000]',
  );
  expect(readFileSync(junit, 'utf8')).toMatch(
    /<testsuite name="[^"]*t.yml" tests="2" failures="1" errors="0" skipped="0" timestamp="[^"]+"><testcase name="good one">/,
  );
  rmSync(folder, { recursive: true });
});
