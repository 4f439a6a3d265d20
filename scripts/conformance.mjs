// npm run conformance: against real peers from pinned Go modules. Needs Go; without it everything is skipped, with that reason.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { peer, peerSources } from './peers.mjs';
import { nodeBinary, root } from './setup.mjs';
import { finish, runJest } from './test.mjs';

await build();
const peers = findPeers();
if (typeof peers === 'string') {
  console.log(`skipped: conformance: ${peers}`);
  finish([{ passed: 0, failed: 0, skipped: 2, code: 0 }]);
}
const results = [promqlCorpus(peers.prometheusSources)];
process.env.FLOTILLA_NODE_EXPORTER = peers.nodeExporter;
process.env.FLOTILLA_PROMQL_ORACLE = peers.promqlOracle;
process.env.FLOTILLA_PROMETHEUS = peers.prometheus;
process.env.FLOTILLA_PROMETHEUS_SOURCES = peers.prometheusSources;
results.push(
  await runJest([
    '--runInBand',
    '--testPathIgnorePatterns=/node_modules/',
    '--testPathPatterns=/e2e/dist/conformance/',
  ]),
);
finish(results);

/** The peers, or the reason why there are none. */
function findPeers() {
  try {
    return {
      prometheusSources: peerSources('prometheus'),
      prometheus: peer('prometheus'),
      promqlOracle: peer('promql-oracle'),
      nodeExporter: peer('node_exporter'),
    };
  } catch (error) {
    return error.message;
  }
}

/** Prometheus's own test files, with the re-executions of its runner. */
function promqlCorpus(sources) {
  const folder = join(sources, 'promql', 'promqltest', 'testdata');
  const files = readdirSync(folder).filter((name) => name.endsWith('.test'));
  const args = ['promql/dist/testlang/corpus.js', '--failures', ...files.map((name) => join(folder, name))];
  const run = spawnSync(nodeBinary(), args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 });
  const lines = run.stdout.trimEnd().split('\n');
  for (const line of lines.slice(0, -1)) console.log(line);
  process.stderr.write(run.stderr);
  const summary = /(\d+) passed, (\d+) failed, (\d+) skipped/.exec(lines.at(-1) ?? '');
  if (summary === null) return { passed: 0, failed: 1, skipped: 0, code: run.status ?? 1 };
  console.log(`promqltest corpus: ${summary[0]}`);
  return {
    passed: Number(summary[1]),
    failed: Number(summary[2]),
    skipped: Number(summary[3]),
    code: run.status ?? 1,
  };
}
