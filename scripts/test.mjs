// npm test: installs, builds, and runs the tests of all rooms, then those that start whole fleets, one at a time.
// Arguments go to jest, and then there is one run.
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { build } from './build.mjs';
import { nodeBinary, root, run } from './setup.mjs';

const rooms = ['--maxWorkers=2', '--testPathIgnorePatterns=/node_modules/', '/e2e/dist/'];
const fleets = ['--runInBand', '--testPathPatterns=/e2e/dist/local/'];
/** The longest, e2e, takes 17 minutes; one that hangs must not take the rest with it. */
const runTimeoutMs = 30 * 60_000;
let runs = 0;

/** Runs jest; prints the reason of each failure and of each skip, which is in its title; resolves to counts. `priority`: as in node:os. */
export async function runJest(args, priority = 0) {
  const report = join(tmpdir(), `flotilla-test-${process.pid}-${++runs}.json`);
  const jest = [
    '--experimental-vm-modules',
    '--no-warnings',
    'node_modules/jest/bin/jest.js',
    '--json',
    `--outputFile=${report}`,
  ];
  const startedMs = Date.now();
  const code = await run(nodeBinary(), [...jest, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: runTimeoutMs,
    priority,
  });
  if (Date.now() - startedMs >= runTimeoutMs)
    console.log(
      `jest ${args.join(' ')}: killed, since it was not over after ${runTimeoutMs / 60_000} minutes`,
    );
  let result;
  try {
    result = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0, code };
  }
  rmSync(report, { force: true });
  for (const { name, assertionResults, message } of result.testResults) {
    for (const { status, fullName, failureMessages } of assertionResults) {
      if (status === 'pending') console.log(`skipped: ${fullName}`);
      if (status === 'failed') console.log(`failed: ${fullName}: ${firstLine(failureMessages.join(''))}`);
    }
    if (assertionResults.length === 0 && message !== '')
      console.log(`failed: ${relative(root, name)}: ${firstLine(message)}`);
  }
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
  return {
    passed: result.numPassedTests,
    failed,
    skipped: result.numPendingTests + result.numTodoTests,
    code,
  };
}

/** The first that is neither blank nor a title of jest's, without colours. */
function firstLine(text) {
  return (
    stripVTControlCharacters(text)
      .split('\n')
      .find((line) => /^\s*[^●\s]/u.test(line))
      ?.trim() ?? ''
  );
}

/** Prints the summary line of several runs and exits. */
export function finish(results) {
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
  process.exit(results.some(({ code, failed }) => code !== 0 || failed > 0) ? 1 : 0);
}

if (process.argv[1] === import.meta.filename) {
  await build();
  const args = process.argv.slice(2);
  if (args.length > 0) finish([await runJest(args)]);
  finish([await runJest(rooms), await runJest(fleets)]);
}
