// Prometheus's own relabeling as a filter, and the tables of its tests as they are when these run.
// Paths come in FLOTILLA_RELABEL_ORACLE, FLOTILLA_RELABEL_TABLES and FLOTILLA_SCRAPE_TABLES; scripts/conformance.mjs sets them.

import type { NameScheme } from '@flotilla/model';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A rule by the names of a Prometheus file. */
export interface FileRule {
  readonly action?: string;
  readonly source_labels?: readonly string[];
  readonly separator?: string;
  readonly target_label?: string;
  readonly regex?: string;
  readonly modulus?: number;
  readonly replacement?: string;
}

export interface RelabelRequest {
  readonly labels: Readonly<Record<string, string>>;
  readonly rules: readonly FileRule[];
  readonly scheme: NameScheme;
}

/** One of the three. */
export interface RelabelAnswer {
  readonly error?: string;
  readonly dropped?: true;
  readonly labels?: Readonly<Record<string, string>>;
}

export function environment(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run \`npm run conformance\``);
  return value;
}

export function askRelabeling(requests: readonly RelabelRequest[]): RelabelAnswer[] {
  const lines = requests.map((request) => JSON.stringify(request));
  const { status, stdout, stderr } = spawnSync(environment('FLOTILLA_RELABEL_ORACLE'), {
    input: `${lines.join('\n')}\n`,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`relabel oracle: exit ${status}: ${stderr}`);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RelabelAnswer);
}

/** Rows by the function that has the table. The tests run, too: only those named. */
export function readTables(binary: string, tests: readonly string[]): ReadonlyMap<string, readonly object[]> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-tables-'));
  try {
    const file = join(folder, 'tables');
    const { status, stdout, stderr } = spawnSync(binary, ['-test.run', `^(${tests.join('|')})$`], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, TABLES_FILE: file },
    });
    if (status !== 0) throw new Error(`${binary}: exit ${status}: ${stdout}${stderr}`);
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    const tables = lines.map((line) => JSON.parse(line) as { table: string; rows: object[] });
    // A test may run twice; what comes first is of storage without start times.
    return new Map(tables.toReversed().map(({ table, rows }) => [table, rows]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
