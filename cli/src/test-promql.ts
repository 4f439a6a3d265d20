// `flotilla test promql`: files of PromQL's test language, and `flotilla promql format`.

import { parseExpr, prettyExpr, runTest } from '@flotilla/promql';
import { readFileSync } from 'node:fs';
import type { Printer } from './query.ts';

/** Runs each file; returns whether all statements of all of them passed. */
export async function testPromql(files: readonly string[], printer: Printer): Promise<boolean> {
  let good = true;
  for (const file of files) {
    const outcomes = await runTest(readFileSync(file, 'utf8'));
    const failed = outcomes.filter(({ status }) => status === 'failed');
    printer.out(`${file}: ${outcomes.length - failed.length} passed, ${failed.length} failed`);
    for (const { line, expr, reason } of failed) printer.err(`${file}:${line}: ${expr}\n  ${reason}`);
    good &&= failed.length === 0;
  }
  return good;
}

/** Everything that the parser knows, experimental or not. */
const everything = { experimentalFunctions: true, extendedRangeSelectors: true, binopFillModifiers: true };

/** Prints a query as the pretty-printer has it. Throws ParseError. */
export function formatPromql(query: string, printer: Printer): void {
  printer.out(prettyExpr(parseExpr(query, everything)));
}
