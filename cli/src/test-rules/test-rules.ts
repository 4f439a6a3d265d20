// `flotilla test rules`: promtool's unit tests of rules, with its verdicts, its output and its exit codes.

import { AnchoredRegexp } from '@flotilla/model';
import type { ParserOptions, RuleGroup } from '@flotilla/promql';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { checkRuleText } from '../check-rules.ts';
import { promqlFeatures } from '../promql-features.ts';
import type { Printer } from '../query.ts';
import { goDuration } from './go-duration.ts';
import { junitXml } from './junit.ts';
import type { JunitCase, JunitSuite } from './junit.ts';
import { runTestGroup } from './run-test-group.ts';
import type { GroupOptions } from './run-test-group.ts';
import { parseUnitTestFile } from './unit-test-file.ts';
import type { TestGroup, UnitTestFile } from './unit-test-file.ts';

export interface TestRulesOptions {
  /** Regular expressions of test groups' names; none: all are run. */
  readonly run?: readonly string[];
  readonly junit?: string;
  readonly debug?: boolean;
  readonly diff?: boolean;
  readonly ignoreUnknownFields?: boolean;
  /** Names with commas between them, as Prometheus's flag has them. */
  readonly enableFeature?: readonly string[];
}

/** Runs all files; returns whether every test passed. */
export async function testRules(
  files: readonly string[],
  options: TestRulesOptions,
  printer: Printer,
): Promise<boolean> {
  const run =
    options.run === undefined ? undefined : new AnchoredRegexp(`(?s:.*)(?:${options.run.join('|')})(?s:.*)`);
  const suites: JunitSuite[] = [];
  let good = true;
  for (const file of files) {
    const { suite, faults } = await testFile(file, run, options, printer);
    suites.push(suite);
    if (faults.length === 0) printer.out('  SUCCESS');
    else printer.err('  FAILED:');
    for (const fault of faults) {
      printer.err(fault);
      printer.out('');
    }
    printer.out('');
    good &&= faults.length === 0;
  }
  if (options.junit !== undefined) writeFileSync(options.junit, junitXml(suites));
  return good;
}

interface FileResult {
  readonly suite: JunitSuite;
  readonly faults: readonly string[];
}

async function testFile(
  name: string,
  run: AnchoredRegexp | undefined,
  options: TestRulesOptions,
  printer: Printer,
): Promise<FileResult> {
  let file: UnitTestFile;
  let ruleFiles: string[];
  try {
    file = parseUnitTestFile(readFileSync(name, 'utf8'));
    ruleFiles = globRuleFiles(dirname(name), file.ruleFiles, printer);
    checkOrder(file.groupEvalOrder);
  } catch (error) {
    const { message } = error as Error;
    const cases = [{ name: 'unknown', failures: [], error: message }];
    return { suite: { name, timestamp: '', cases }, faults: [message] };
  }
  const timestamp = new Date().toISOString().slice(0, 19);
  const cases: JunitCase[] = [];
  for (const [index, test] of file.tests.entries()) {
    if (run !== undefined && !run.test(test.name)) continue;
    const testName = test.name || `unnamed#${index}`;
    cases.push({
      name: testName,
      failures: await runTest(testName, test, file, ruleFiles, options, printer),
      error: '',
    });
  }
  return { suite: { name, timestamp, cases }, faults: cases.flatMap(({ failures }) => failures) };
}

async function runTest(
  name: string,
  test: TestGroup,
  file: UnitTestFile,
  ruleFiles: readonly string[],
  options: TestRulesOptions,
  printer: Printer,
): Promise<string[]> {
  const startMs = performance.now();
  if (options.debug === true) printer.err(`DEBUG: Starting test ${name}`);
  const { parser, delayedNameRemoval } = promqlFeatures(options.enableFeature);
  const { groups, errors } = readRules(ruleFiles, parser, options.ignoreUnknownFields === true);
  const groupOptions: GroupOptions = {
    groups: ordered(groups, file.groupEvalOrder),
    evaluationIntervalMs: file.evaluationIntervalMs,
    fuzzyCompare: file.fuzzyCompare,
    diff: options.diff === true,
    parser,
    delayedNameRemoval,
    ...(options.debug === true && { debug: printer }),
  };
  const faults = errors.length > 0 ? errors : await runTestGroup(test, groupOptions);
  const tookMs = Math.round((performance.now() - startMs) * 1000) / 1000;
  if (options.debug === true) printer.err(`DEBUG: Test ${name} finished, took ${goDuration(tookMs)}`);
  return faults;
}

/** The groups of all files, or what is wrong in the first bad one. */
function readRules(
  files: readonly string[],
  parser: ParserOptions,
  ignoreUnknownFields: boolean,
): { groups: RuleGroup[]; errors: string[] } {
  const all: RuleGroup[] = [];
  for (const file of files) {
    const { groups, errors } = checkRuleText(readFileSync(file, 'utf8'), { parser, ignoreUnknownFields });
    if (errors.length > 0) return { groups: [], errors: errors.map(({ text }) => `${file}: ${text}`) };
    all.push(...groups);
  }
  return { groups: all, errors: [] };
}

/** Those that the order does not name come with its first, as in promtool. */
function ordered(groups: readonly RuleGroup[], order: readonly string[]): RuleGroup[] {
  const place = ({ name }: RuleGroup): number => Math.max(0, order.indexOf(name));
  return groups.toSorted((a, b) => place(a) - place(b));
}

function checkOrder(order: readonly string[]): void {
  const repeated = order.find((name, i) => order.indexOf(name) < i);
  if (repeated !== undefined) throw new Error(`group name repeated in evaluation order: ${repeated}`);
}

function globRuleFiles(folder: string, patterns: readonly string[], printer: Printer): string[] {
  return patterns.flatMap((pattern) => {
    const path = isAbsolute(pattern) || pattern === '' ? pattern : join(folder, pattern);
    const found = globSync(path).toSorted();
    if (found.length === 0) printer.err(`  WARNING: no file match pattern ${path}`);
    return found;
  });
}
