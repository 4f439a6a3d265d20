// Prometheus's own parser and printer, as a process that answers a line of JSON with a line of JSON.
// Its path comes in FLOTILLA_PROMQL_ORACLE; scripts/conformance.mjs builds it from the pinned Go module.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OracleResult } from './compare-results.ts';
import type { FuzzQuery } from './query-generator.ts';

/** What Prometheus makes of a query; all but the error is empty for one that it refuses. */
export interface OracleAnswer {
  readonly error: string;
  readonly string: string;
  readonly pretty: string;
  readonly ast: unknown;
  readonly tokens: readonly { readonly pos: number; readonly val: string }[] | null;
}

/** Prometheus's parser options, by its names. */
export interface OracleOptions {
  readonly EnableExperimentalFunctions?: boolean;
  readonly ExperimentalDurationExpr?: boolean;
  readonly EnableExtendedRangeSelectors?: boolean;
  readonly EnableBinopFillModifiers?: boolean;
}

function environment(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run \`npm run conformance\``);
  return value;
}

function run(args: readonly string[], input: string): string {
  const options = { input, encoding: 'utf8', maxBuffer: 1 << 28 } as const;
  const { status, stdout, stderr } = spawnSync(environment('FLOTILLA_PROMQL_ORACLE'), args, options);
  if (status !== 0) throw new Error(`promql oracle: exit ${status}: ${stderr}`);
  return stdout;
}

/** The inputs of the tables in the tests of Prometheus's parser, lexer, printer and prettier. */
export function tableInputs(): string[] {
  const folder = join(environment('FLOTILLA_PROMETHEUS_SOURCES'), 'promql', 'parser');
  const files = ['parse_test.go', 'lex_test.go', 'printer_test.go', 'prettier_test.go'];
  const found = JSON.parse(run(['inputs', ...files.map((file) => join(folder, file))], '')) as string[];
  return [...new Set(found)];
}

export function askOracle(queries: readonly string[], options: OracleOptions): OracleAnswer[] {
  const lines = queries.map((expr) => JSON.stringify({ expr, options }));
  const answers = run(['parse'], `${lines.join('\n')}\n`)
    .trimEnd()
    .split('\n');
  return answers.map((line) => JSON.parse(line) as OracleAnswer);
}

/** What Prometheus's engine answers to queries over the samples of a `load` statement. */
export function evaluate(load: string, queries: readonly FuzzQuery[]): OracleResult[] {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-oracle-'));
  try {
    const file = join(folder, 'load.test');
    writeFileSync(file, load);
    const lines = queries.map((query) => JSON.stringify(query));
    const answers = run(['eval', file], `${lines.join('\n')}\n`)
      .trimEnd()
      .split('\n');
    return answers.map((line) => JSON.parse(line) as OracleResult);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
