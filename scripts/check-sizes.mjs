// Sizes that lint cannot state: the median function, over all rooms. Prints the distribution, so that it can be watched.
import { parse } from '@babel/parser';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const medianLinesMax = 10;
const functionLinesMax = 70;
const fileLinesMax = 600;

const { workspaces } = JSON.parse(readFileSync('package.json', 'utf8'));
const lengths = [];
const violations = [];
for (const room of workspaces) {
  const folder = join(room, 'src');
  if (!existsSync(folder)) continue;
  for (const name of readdirSync(folder, { recursive: true })) {
    if (/\.tsx?$/.test(name) && !/\.test\.tsx?$/.test(name)) measure(join(folder, name));
  }
}
lengths.sort((a, b) => a - b);
const quantile = (q) => lengths[Math.min(lengths.length - 1, Math.floor(q * lengths.length))] ?? 0;
if (quantile(0.5) > medianLinesMax)
  violations.push(`median function: ${quantile(0.5)} lines, want at most ${medianLinesMax}`);
console.log(
  `functions: ${lengths.length}, lines p50 ${quantile(0.5)}, p90 ${quantile(0.9)}, p99 ${quantile(0.99)}, max ${quantile(1)}`,
);
for (const line of violations) console.error(line);
process.exit(violations.length === 0 ? 0 : 1);

function measure(path) {
  const text = readFileSync(path, 'utf8');
  const lines = text.split('\n').length;
  if (lines > fileLinesMax) violations.push(`${path}: ${lines} lines, want at most ${fileLinesMax}`);
  visit(parse(text, { sourceType: 'module', plugins: ['typescript', 'jsx'] }).program, path);
}

/** Counts functions with a block body from their first to their last line; one-line arrows are not functions to a reader. */
function visit(node, path) {
  if (node.body?.type === 'BlockStatement' && /Function|Method/.test(node.type)) {
    const count = node.loc.end.line - node.loc.start.line + 1;
    lengths.push(count);
    if (count > functionLinesMax)
      violations.push(
        `${path}:${node.loc.start.line}: function of ${count} lines, want at most ${functionLinesMax}`,
      );
  }
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) value.forEach((child) => child?.type && visit(child, path));
    else if (value?.type && value.loc) visit(value, path);
  }
}
