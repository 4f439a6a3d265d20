import { describe, expect, test } from '@jest/globals';
import { parseExpr, parseRuleFile, runTest, selectors } from '@flotilla/promql';
import { load } from 'js-yaml';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { at, cacheFolder, chart, find, missing, render, repository } from './helm.ts';
import type { Values } from './helm.ts';
import { valueSets } from './value-sets.ts';

const withHelm = missing === '' ? test : test.skip;
const path = join(chart, 'files/rules.yaml');
const file = parseRuleFile(load(readFileSync(path, 'utf8')));
const rules = file.groups.flatMap((group) => group.rules);

const promtool = findPromtool();
const withPromtool = promtool === '' ? test.skip : test;
const noPromtool =
  promtool === '' ? ` (no promtool in ${join(cacheFolder, 'peers')}: npm run conformance builds it)` : '';

function findPromtool(): string {
  const given = process.env['FLOTILLA_PROMTOOL'];
  if (given !== undefined) return given;
  const peers = join(cacheFolder, 'peers');
  const folders = existsSync(peers) ? readdirSync(peers) : [];
  return folders.map((name) => join(peers, name, 'promtool')).find((binary) => existsSync(binary)) ?? '';
}

describe('the rules on Flotilla itself', () => {
  test('parse', () => {
    expect(file.errors).toEqual([]);
    expect(rules.length).toBeGreaterThan(30);
  });

  withPromtool(`parse for promtool${noPromtool}`, () => {
    const { status, stdout, stderr } = spawnSync(promtool, ['check', 'rules', '--lint-fatal', path], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`${rules.length} rules found`);
  });

  test('say what is wrong and how badly', () => {
    const alerts = rules.filter(({ alert }) => alert !== '');
    for (const { alert, labels, annotations } of alerts) {
      expect(alert).toMatch(/^Flotilla[A-Za-z]+$/);
      expect([alert, labels['severity']]).toEqual([
        alert,
        expect.stringMatching(/^(critical|warning|info|none)$/),
      ]);
      expect([alert, annotations['summary']]).toEqual([alert, expect.stringMatching(/^[A-Z].*\.$/)]);
      if (alert !== 'FlotillaWatchdog') expect(annotations['description']).toMatch(/\.$/);
    }
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
  });

  test('ask for metrics that the binaries have', () => {
    const records = new Set(rules.map(({ record }) => record));
    const exposed = exposedMetrics();
    const asked = new Set(rules.flatMap(({ expr }) => selectors(parseExpr(expr)).map(({ name }) => name)));
    const unknown = [...asked].filter(
      (name) => name !== 'up' && !records.has(name) && !exposed.some((pattern) => pattern.test(name)),
    );
    expect(unknown).toEqual([]);
  });

  test('fire when they should, and only then', async () => {
    const scraper = (metric: string, shard: number, pod: string, values: string): string =>
      `  ${metric}{job="flotilla-scraper",namespace="m",fleet="main",shard="${shard}",pod="${pod}"} ${values}\n`;
    await check(
      'FlotillaTargetsNotScraped',
      scraper('flotilla_scraper_targets', 0, 'a', '5x10') +
        scraper('flotilla_scraper_targets', 0, 'b', '4x10') +
        '  shard:flotilla_targets_assigned:max{namespace="m",shard="0"} 5x10\n',
      ['flotilla_scraper_targets{job="flotilla-scraper",namespace="m",fleet="main",shard="0",pod="b"} 4'],
    );
    await check(
      'FlotillaShardDown',
      scraper('up', 0, 'a', '0x10') +
        scraper('up', 0, 'b', '1x10') +
        scraper('up', 1, 'c', '0x10') +
        '  shard:flotilla_targets_assigned:max{namespace="m",shard="0"} 5x10\n' +
        '  shard:flotilla_targets_assigned:max{namespace="m",shard="1"} 7x10\n',
      ['shard:flotilla_targets_assigned:max{namespace="m",shard="1"} 7'],
    );
    await check(
      'FlotillaReplicaGap',
      scraper('pod:flotilla_samples_appended:rate5m', 0, 'a', '100x10') +
        scraper('pod:flotilla_samples_appended:rate5m', 0, 'b', '99x10') +
        scraper('pod:flotilla_samples_appended:rate5m', 1, 'c', '100x10') +
        scraper('pod:flotilla_samples_appended:rate5m', 1, 'd', '50x10'),
      ['{namespace="m",fleet="main",shard="1"} 0.5'],
    );
    await check(
      'FlotillaHandoffStuck',
      '  flotilla_operator_resize_phase{job="flotilla-operator",namespace="m",phase="adding"} 1x10\n' +
        '  flotilla_operator_resize_phase{job="flotilla-operator",namespace="n",phase="stable"} 1x10\n',
      ['{namespace="m",phase="adding"} 1'],
    );
    await check(
      'FlotillaCardinalityJump',
      '  fleet:flotilla_head_series:sum{namespace="m",fleet="main"} 200000x359 310000x10\n' +
        '  fleet:flotilla_head_series:sum{namespace="n",fleet="main"} 20000x359 31000x10\n',
      ['fleet:flotilla_head_series:sum{namespace="m",fleet="main"} 310000'],
      '365m',
    );
    await check(
      'FlotillaAnswersIncomplete',
      '  fleet:flotilla_answers_incomplete:ratio_rate5m{namespace="m",fleet="main"} 0.5x10\n' +
        '  fleet:flotilla_answers_incomplete:ratio_rate5m{namespace="n",fleet="main"} 0x10\n',
      ['fleet:flotilla_answers_incomplete:ratio_rate5m{namespace="m",fleet="main"} 0.5'],
    );
  });

  /** Loads series with a step of 1m and wants exactly these alerts. */
  async function check(alert: string, series: string, want: readonly string[], time = '5m'): Promise<void> {
    const rule = rules.find((one) => one.alert === alert)!;
    const expr = rule.expr.replaceAll(/\s+/g, ' ').trim();
    const lines = want.map((line) => `  ${line}\n`).join('');
    const outcomes = await runTest(`load 1m\n${series}\neval instant at ${time} ${expr}\n${lines}`);
    expect(outcomes.map(({ status, reason }) => [alert, status, reason])).toEqual([[alert, 'passed', '']]);
  }

  withHelm(`are in the chart, but for those left out${missing}`, () => {
    const spec = (values: Values) =>
      at<Values>(find(render(values), 'PrometheusRule', 'flotilla-rules'), 'spec');
    expect(parseRuleFile(spec({}))).toEqual(file);
    const labelled = parseRuleFile(spec(valueSets['monitors with labels, some rules off']!)).groups.flatMap(
      (group) => group.rules,
    );
    expect(labelled).toHaveLength(rules.length - 2);
    for (const { alert, labels } of labelled)
      expect([alert, labels['team']]).toEqual([alert, alert === '' ? undefined : 'platform']);
  });
});

/** Patterns of metric names in the sources: strings, and templates with anything for their holes. */
function exposedMetrics(): RegExp[] {
  const rooms = ['chassis', 'tsdb', 'store', 'operator', 'scraper', 'querier', 'ruler'];
  const texts = rooms.flatMap((room) => {
    const folder = join(repository, room, 'src');
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => readFileSync(join(folder, name), 'utf8'));
  });
  const names = texts.flatMap((text) => [
    ...[...text.matchAll(/\b(?:flotilla|prometheus)_[a-z_]+\b/g)].map(([name]) => name),
    ...[...text.matchAll(/`((?:\$\{\w+\}|[a-z_])+)`/g)].map(([, template]) => template!),
  ]);
  return [...new Set(names)]
    .map((name) => name.replaceAll(/\$\{\w+\}/g, '.*'))
    .filter((pattern) => pattern.replaceAll('.*', '').length > 12)
    .map((pattern) => new RegExp(`^${pattern}$`));
}
