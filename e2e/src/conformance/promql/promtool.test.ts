// Proof: `flotilla check rules` and `flotilla test rules` say what promtool says of its own fixtures, word for word; and promtool's
// queries of our querier print what they print of a real Prometheus.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fuzzLoad } from './fuzz-data.ts';
import { Random } from './random.ts';
import { ruleFile, testFile } from './rule-tests.ts';
import { startTwoServers, type TwoServers } from './two-servers.ts';

interface Run {
  readonly code: number;
  readonly out: readonly string[];
  readonly err: readonly string[];
}

const promtool = process.env['FLOTILLA_PROMTOOL'] ?? '';
const fixtures = join(process.env['FLOTILLA_PROMETHEUS_SOURCES'] ?? '', 'cmd', 'promtool', 'testdata');
const flotilla = join(import.meta.dirname, '..', '..', '..', '..', 'cli', 'dist', 'main.js');
const files = readdirSync(fixtures).filter((name) => name.endsWith('.yml'));
const withLine = (pattern: RegExp): string[] =>
  files.filter((name) => pattern.test(readFileSync(join(fixtures, name), 'utf8')));

let servers: TwoServers;
const archives = mkdtempSync(join(tmpdir(), 'flotilla-promtool-'));

beforeAll(async () => {
  servers = await startTwoServers(fuzzLoad(new Random(7)));
}, 60_000);

afterAll(async () => {
  await servers.close();
  rmSync(archives, { recursive: true });
}, 30_000);

function run(command: string, args: readonly string[], cwd: string): Promise<Run> {
  return new Promise((resolve) => {
    execFile(command, args, { cwd }, (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code);
      resolve({ code, out: comparable(stdout), err: comparable(stderr) });
    });
  });
}

/** Ours gives the place of an unknown field and of a bad template as of all else; promtool has other words there. */
function comparable(text: string): string[] {
  const lines = text.split('\n').filter((line) => line !== '' && !line.endsWith('yaml: unmarshal errors:'));
  return lines.map((line) =>
    line
      .replace(/^.*?(field \w+ not found) in .*$/, '$1')
      .replace(/^(\S+\.yml: )\d+:\d+: (group .*? (?:label|annotation) )/, '$1$2')
      .replace(/template: __alert_\w+:\d+: /, '')
      .replace(/took .*$/, 'took some time'),
  );
}

async function expectSame(args: readonly string[], folder = fixtures): Promise<Run> {
  const [ours, theirs] = await Promise.all([
    run(process.execPath, ['--no-warnings', flotilla, ...args], folder),
    run(promtool, args, folder),
  ]);
  expect(ours).toEqual(theirs);
  return ours;
}

test.each(withLine(/^tests:/m))('of rules in %s', async (file) => {
  await expectSame(['test', 'rules', file]);
});

test.each([
  ['--diff', 'failing.yml'],
  ['--diff', 'rules_run.yml'],
  ['--run', 'correct', 'rules_run.yml'],
  ['--run', 'wrong', 'rules_run.yml'],
  ['--run', 'correct', '--run', 'wrong', 'rules_run.yml'],
  ['--run', 'correct', 'rules_run_fuzzy.yml'],
  ['--run', 'wrong', 'rules_run_fuzzy.yml'],
  ['--ignore-unknown-fields', 'rules_run_extrafields.yml'],
  ['--debug', 'rules_run.yml'],
  ['unittest.yml', 'failing.yml', 'bad-promql.yml'],
])('of rules with %s %s %s %s %s', async (...args) => {
  await expectSame(['test', 'rules', ...args.filter((arg) => arg !== undefined)]);
});

test.each([[], ['--diff']])('of rules that use everything %s', async (...flags) => {
  const folder = mkdtempSync(join(archives, 'rules-'));
  writeFileSync(join(folder, 'rules.yml'), ruleFile);
  writeFileSync(join(folder, 'test.yml'), testFile);
  const ours = await expectSame(['test', 'rules', ...flags, 'test.yml'], folder);
  expect([ours.code, ours.err.length > 100]).toEqual([1, true]);
});

test.each(withLine(/^groups:/m))('check rules %s', async (file) => {
  await expectSame(['check', 'rules', file]);
});

test.each([
  ['--lint', 'none', 'rules_duplicates.yml'],
  ['--lint-fatal', 'rules_duplicates.yml'],
  ['--lint-fatal', '--lint', 'all', 'prometheus-rules.lint.yml'],
  ['--ignore-unknown-fields', 'rules_extrafields.yml'],
  ['--enable-feature', 'promql-experimental-functions', 'features.yml'],
])('check rules %s %s %s', async (...args) => {
  await expectSame(['check', 'rules', ...args.filter((arg) => arg !== undefined)]);
});

async function expectSameQuery(...args: readonly string[]): Promise<void> {
  const of = (server: string): Promise<Run> =>
    run(
      promtool,
      args.map((arg) => (arg === 'SERVER' ? server : arg)),
      archives,
    );
  const [ours, theirs] = await Promise.all([of(servers.ours), of(servers.theirs)]);
  expect({ ...ours, out: ours.out.toSorted() }).toEqual({ ...theirs, out: theirs.out.toSorted() });
}

test('promtool query', async () => {
  const at = (minutes: number): string => String(servers.startMs / 1000 + minutes * 60);
  const range = [`--start=${at(5)}`, `--end=${at(20)}`];
  for (const format of ['promql', 'json']) {
    const query = ['query', '--format', format];
    await expectSameQuery(...query, 'instant', `--time=${at(20)}`, 'SERVER', 'up');
    await expectSameQuery(...query, 'instant', `--time=${at(20)}`, 'SERVER', 'up[2m]');
    await expectSameQuery(...query, 'instant', `--time=${at(20)}`, 'SERVER', 'scalar(count(up))');
    await expectSameQuery(...query, 'instant', `--time=${at(20)}`, 'SERVER', 'native');
    await expectSameQuery(...query, 'instant', `--time=${at(20)}`, 'SERVER', 'up(');
    await expectSameQuery(...query, 'range', ...range, '--step=1m', 'SERVER', 'up');
    await expectSameQuery(...query, 'series', ...range, '--match=up', 'SERVER');
    await expectSameQuery(...query, 'labels', ...range, 'SERVER', 'job');
    await expectSameQuery(...query, 'labels', ...range, '--match=up', 'SERVER', '__name__');
  }
  const analyze = [`--time=${at(20)}`, '--duration=10m', '--type=histogram'];
  await expectSameQuery('query', 'analyze', '--server=SERVER', ...analyze, '--match=native');
});

test('promtool check healthy and ready, and debug metrics', async () => {
  const check = async (server: string): Promise<readonly Run[]> => [
    await run(promtool, ['check', 'healthy', `--url=${server}`], archives),
    await run(promtool, ['check', 'ready', `--url=${server}`], archives),
    await run(promtool, ['debug', 'metrics', server], archives),
  ];
  const plain = (runs: readonly Run[]): string =>
    JSON.stringify(runs)
      .replaceAll(/127\.0\.0\.1:\d+/g, 'HOST')
      .replaceAll(/Flotilla|Prometheus( Server)?|Querier/g, 'NAME');
  expect(plain(await check(servers.ours))).toBe(plain(await check(servers.theirs)));
});

test('promtool debug all', async () => {
  const debug = async (server: string): Promise<readonly string[]> => {
    const folder = mkdtempSync(join(archives, 'debug-'));
    const { code, err } = await run(promtool, ['debug', 'all', server], folder);
    expect([code, err]).toEqual([0, []]);
    const { out } = await run('tar', ['tzf', 'debug.tar.gz'], folder);
    return out.toSorted();
  };
  const [ours, theirs] = await Promise.all([debug(servers.ours), debug(servers.theirs)]);
  expect(ours).toEqual(theirs);
  expect(ours).toContain('cpu.pb');
}, 120_000);
