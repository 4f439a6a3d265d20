import { describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkManifestText } from './check-manifests.ts';
import { checkRuleText, countRules } from './check-rules.ts';
import { describeCompleteness, formatResult } from './query.ts';
import { formatPromql, testPromql } from './test-promql.ts';
import { formatMatch } from './why.ts';

describe('check rules', () => {
  test('counts the rules of files and of PrometheusRules', () => {
    const groups =
      'groups:\n  - name: a\n    rules:\n      - record: x\n        expr: sum(up)\n      - alert: A\n        expr: up == 0\n';
    expect(countRules(checkRuleText(groups).groups)).toBe(2);
    const manifest = `apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: r}\nspec:\n${groups.replaceAll(/^/gm, '  ')}`;
    expect(countRules(checkRuleText(manifest).groups)).toBe(2);
  });

  test('says the line and the reason', () => {
    const check = (text: string, line: number, want: string) => {
      const { errors } = checkRuleText(text);
      expect(errors.map((error) => `${error.line}: ${error.message}`)).toEqual(
        expect.arrayContaining([
          expect.stringMatching(new RegExp(`^${line}: .*${want.replaceAll(/[[\]().]/g, '\\$&')}`)),
        ]),
      );
    };
    const rule = (body: string): string => `groups:\n  - name: a\n    rules:\n      - ${body}\n`;
    check(rule('record: x\n        expr: sum('), 5, 'could not parse expression');
    check(
      rule('record: x\n        alert: y\n        expr: up'),
      4,
      "only one of 'record' and 'alert' must be set",
    );
    check(rule('record: x\n        expr: up\n        for: 1m'), 6, "invalid field 'for' in recording rule");
    check(rule('alert: x\n        expr: up\n        four: 1m'), 6, 'field four not found');
    check(rule('alert: x\n        expr: up\n        for: 1x'), 6, 'groups[0].rules[0].for: unknown unit');
    check('groups:\n  - name: a\n  - name: a\n', 3, 'groupname: "a" is repeated');
    check('groups: [', 1, 'Flow sequence');
  });
});

test('check manifests finds duplicates, bad durations and bad relabelings', () => {
  const object = (name: string, spec: string): string =>
    `apiVersion: v1\nkind: ScrapeConfig\nmetadata:\n  name: ${name}\nspec:\n${spec}\n`;
  const text = [
    object('a', '  scrapeInterval: 30s'),
    object('a', '  scrapeInterval: 30 s'),
    object('b', '  relabelings:\n    - action: hashmod\n      targetLabel: x'),
    'kind: Pod\n',
  ].join('---\n');
  const { problems } = checkManifestText(text, 'f.yaml', new Map());
  expect(problems.map(({ line, message }) => `${line} ${message}`)).toEqual([
    expect.stringContaining('8 ScrapeConfig/default/a: is already at f.yaml:1'),
    expect.stringContaining('13 ScrapeConfig/default/a: spec.scrapeInterval: '),
    expect.stringContaining('ScrapeConfig/default/b: spec.relabelings: '),
    expect.stringContaining('want apiVersion and kind'),
  ]);
});

test('results print as promtool prints them', () => {
  const vector = {
    resultType: 'vector',
    result: [{ metric: { __name__: 'up', job: 'a' }, value: [1, '1'] }],
  } as const;
  expect(formatResult(vector)).toEqual(['up{job="a"} => 1 @[1]']);
  expect(formatResult({ resultType: 'scalar', result: [1.5, '2'] })).toEqual(['scalar: 2 @[1.5]']);
});

test('completeness is told only when something is missing', () => {
  const shard = (name: string, state: 'all' | 'one' | 'none') => ({
    shard: name,
    state,
    answered: [],
    failed: [],
  });
  expect(describeCompleteness({ expected: 1, heard: 1, shards: [shard('0', 'all')], cut: [] })).toBe('');
  expect(
    describeCompleteness({ expected: 2, heard: 1, shards: [shard('0', 'all'), shard('1', 'none')], cut: [] }),
  ).toContain('shard "1": none');
});

test('why tells the way of a target, or the rule that dropped it', () => {
  const found = {
    object: { kind: 'Probe', namespace: 'n', name: 'p' },
    job: 'probe/n/p',
    discovered: { __address__: 'a:1' },
    steps: [],
  };
  const target = { labels: { job: 'x' }, url: 'http://a:1/metrics', slot: 3, shard: 1, key: 'a:1' };
  const replicas = [{ store: 's', health: 'up', lastScrapeMs: 1000, lastError: '' }];
  expect(formatMatch({ ...found, target, replicas }, 3000).join('\n')).toContain('s: up, 2.0 s ago');
  expect(formatMatch({ ...found, dropped: { rule: 7, text: 'drop x' } }, 0).at(-1)).toBe(
    'dropped by    rule 7: drop x',
  );
});

test('promql: files of the test language run, and queries are formatted', async () => {
  const out: string[] = [];
  const print = { out: (line: string) => out.push(line), err: (line: string) => out.push(line) };
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-cli-'));
  const file = join(folder, 'a.test');
  writeFileSync(file, 'load 1m\n  m 1\n\neval instant at 0 m\n  m 1\n\neval instant at 0 m\n  m 2\n');
  expect(await testPromql([file], print)).toBe(false);
  rmSync(folder, { recursive: true });
  expect(out[0]).toBe(`${file}: 1 passed, 1 failed`);
  expect(out[1]).toContain(`${file}:7: m\n  m at 0: expected 2 for m, got 1`);
  formatPromql('sum(up)by(job)', print);
  expect(out[2]).toBe('sum by (job) (up)');
});
