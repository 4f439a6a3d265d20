// Runs test files that are named on the command line, and says how many statements passed, failed and were skipped.
// With --failures it also prints what failed, and why statements were skipped.

import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { argv, exit, stdout } from 'node:process';
import { runTest, type TestOutcome } from './run-test.ts';

function countsText(outcomes: readonly TestOutcome[]): string {
  const count = (status: TestOutcome['status']): number =>
    outcomes.filter((one) => one.status === status).length;
  return `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`;
}

function reasonsText(outcomes: readonly TestOutcome[]): string {
  const reasons = new Map<string, number>();
  for (const { status, reason } of outcomes) {
    if (status === 'skipped') reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  return Array.from(reasons, ([reason, count]) => `${count} ${reason}`).join(', ');
}

async function main(args: readonly string[]): Promise<void> {
  const verbose = args.includes('--failures');
  const all: TestOutcome[] = [];
  for (const path of args.filter((arg) => !arg.startsWith('--'))) {
    const outcomes = await runTest(await readFile(path, 'utf8'));
    all.push(...outcomes);
    const reasons = reasonsText(outcomes);
    stdout.write(`${basename(path)}: ${countsText(outcomes)}${reasons && ` (${reasons})`}\n`);
    if (!verbose) continue;
    for (const { status, line, expr, reason } of outcomes) {
      if (status === 'failed') stdout.write(`  line ${line}: ${expr}\n    ${reason}\n`);
    }
  }
  stdout.write(`${countsText(all)}\n`);
  if (all.some((one) => one.status === 'failed')) exit(1);
}

await main(argv.slice(2));
