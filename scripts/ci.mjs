// Every check of the project, one after the other. Each stage ends with a line `N passed, N failed, N skipped`, and
// prints a line `skipped: …` or `failed: …` with the reason of each skip and failure. The failures stand once more at the end,
// before the closing line, which is the sum of all stages. A stage without its line has failed. Packages of Debian come first, so that
// what needs them is no skip of a stage before the one that would install them.
import { spawn } from 'node:child_process';
import { installPackages } from './packages.mjs';
import { root } from './setup.mjs';

/** What takes processors ten minutes by itself is shorter here than in `npm run conformance`. */
const shorter = {
  FLOTILLA_MODEL_RUNS: '5000',
  FLOTILLA_KILLS: '20',
  FLOTILLA_FUZZ_QUERIES: '4000',
  FLOTILLA_SERVED_QUERIES: '1000',
};
const stages = [
  { title: 'npm test', script: 'scripts/test.mjs' },
  { title: 'npm run lint', script: 'scripts/lint.mjs' },
  { title: 'npm run conformance', script: 'scripts/conformance.mjs', env: shorter },
  { title: 'npm run e2e', script: 'scripts/e2e.mjs' },
  { title: 'npm run bench', script: 'scripts/bench.mjs', args: ['all', '--size', 'small'] },
];
const summaryPattern = /^(\d+) passed, (\d+) failed, (\d+) skipped$/;
const total = { passed: 0, failed: 0, skipped: 0 };
const failures = [];

installPackages();
for (const { title, script, args = [], env = {} } of stages) {
  const startedMs = Date.now();
  console.log(`\n=== ${title}`);
  const { code, summary } = await runStage(script, args, env);
  const counts = summary ?? { passed: 0, failed: 1, skipped: 0 };
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  for (const key of Object.keys(total)) total[key] += counts[key];
  const seconds = Math.round((Date.now() - startedMs) / 1000);
  console.log(
    `=== ${title}: exit ${code}, ${counts.passed}/${counts.failed}/${counts.skipped} passed/failed/skipped, ${seconds} s`,
  );
}
for (const line of failures) console.log(line);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 ? 0 : 1);

/** Runs one stage, shows its output as it comes, and picks its last summary line. */
function runStage(script, args, env) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [script, ...args], {
      cwd: root,
      env: { ...env, ...process.env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let tail = '';
    let summary;
    child.stdout.on('data', (bytes) => {
      const lines = (tail + bytes).split('\n');
      tail = lines.pop() ?? '';
      for (const line of lines) {
        const match = summaryPattern.exec(line);
        if (match)
          summary = { passed: Number(match[1]), failed: Number(match[2]), skipped: Number(match[3]) };
        if (line.startsWith('failed: ')) failures.push(line);
        console.log(match ? `[${line}]` : line);
      }
    });
    child.on('close', (code) => resolve({ code: code ?? 1, summary }));
  });
}
