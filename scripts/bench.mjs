// npm run bench -- NAME|all [--size small|full] [--rounds N]: side by side with the named peer. The last line of each bench is JSON.
// Of scrape alone: [--cases Plain,Gzip] [--warm SECONDS] [--interval SECONDS] [--targets N] [--alone].
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { clusterBinaries, packagedPeer, peer } from './peers.mjs';
import { nodeBinary, root } from './setup.mjs';

/** Each bench, and how to get at the peer that it needs. */
const benches = {
  scrape: () => peer('prometheus'),
  tsdb: () => peer('prometheus'),
  promql: () => peer('prometheus'),
  reflector: clusterBinaries,
};

/** What a bench also runs beside, where it can be had. */
const others = {
  scrape: { victoria: () => packagedPeer('victoria-metrics', 'usr/bin/victoria-metrics') },
};

/** How Node begins what it prints of an uncaught error. */
const errorPattern = /^\w*Error\b/;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: 'full' },
    rounds: { type: 'string' },
    cases: { type: 'string' },
    warm: { type: 'string' },
    interval: { type: 'string' },
    targets: { type: 'string' },
    alone: { type: 'boolean', default: false },
  },
});
const [name = 'all'] = positionals;
const names = name === 'all' ? Object.keys(benches) : [name];
if (names.some((one) => !(one in benches)) || !['small', 'full'].includes(values.size)) {
  console.error(`usage: npm run bench -- ${Object.keys(benches).join('|')}|all [--size small|full]`);
  process.exit(2);
}
await build();
const counts = { passed: 0, failed: 0, skipped: 0 };
for (const one of names) counts[await runBench(one)]++;
if (name === 'all')
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(counts.failed === 0 ? 0 : 1);

/** A bench passes when it ends well and its last line is its JSON; otherwise the last error that it printed is shown again. */
async function runBench(bench) {
  let binary;
  try {
    binary = benches[bench]();
  } catch (error) {
    console.log(`skipped: bench ${bench}: ${error.message}`);
    return 'skipped';
  }
  const args = [
    `bench/dist/${bench}/main.js`,
    '--size',
    values.size,
    '--peer',
    binary,
    ...otherPeers(others[bench] ?? {}),
    ...['rounds', 'cases', 'warm', 'interval', 'targets'].flatMap((flag) =>
      values[flag] ? [`--${flag}`, values[flag]] : [],
    ),
    ...(values.alone ? ['--alone'] : []),
  ];
  const child = spawn(nodeBinary(), args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let last = '';
  let error = '';
  child.stderr.pipe(process.stderr);
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (errorPattern.test(line)) error = line;
  });
  for await (const line of createInterface({ input: child.stdout })) {
    console.log(line);
    if (line.trim() !== '') last = line;
  }
  const code = await new Promise((resolve) => {
    if (child.exitCode !== null) resolve(child.exitCode);
    else child.on('close', resolve);
  });
  if (code === 0 && isReport(last, bench)) return 'passed';
  console.log(`failed: bench ${bench}: exit ${code}, ${error || `last line ${last.slice(0, 500)}`}`);
  return 'failed';
}

function otherPeers(finders) {
  return Object.entries(finders).flatMap(([flag, find]) => {
    try {
      return [`--${flag}`, find()];
    } catch (error) {
      console.log(`without ${flag}: ${error.message}`);
      return [];
    }
  });
}

function isReport(line, bench) {
  try {
    const report = JSON.parse(line);
    return report.bench === bench && Object.values(report.ratios).every((ratio) => Number.isFinite(ratio));
  } catch {
    return false;
  }
}
