// npm run lint: types of mistakes, format, layers and sizes. Each is one check.
import { ensureInstalled, nodeBinary, run } from './setup.mjs';

ensureInstalled();
const checks = [
  ['oxlint', 'oxlint', ['--type-aware', '--deny-warnings']],
  ['oxfmt', 'oxfmt', ['--check']],
  ['layers', nodeBinary(), ['scripts/check-layers.mjs']],
  ['sizes', nodeBinary(), ['scripts/check-sizes.mjs']],
];
let failed = 0;
for (const [name, command, args] of checks) {
  const code = await run(command, args);
  if (code !== 0) {
    failed++;
    console.error(`${name}: exit ${code}`);
  }
}
console.log(`${checks.length - failed} passed, ${failed} failed, 0 skipped`);
process.exit(failed === 0 ? 0 : 1);
