// npm run conformance: against real peers from pinned Go modules. Needs Go to build what is not in the cache; what cannot be built
// is skipped, with the reason.
//   node scripts/conformance.mjs [NAME...]    only the parts of these names, which are those of `parts`, one after the other
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { build } from './build.mjs';
import { installedProgram } from './packages.mjs';
import { clusterBinaries, helm, packagedPeer, peer, peerSources } from './peers.mjs';
import { nodeBinary, root } from './setup.mjs';
import { finish, runJest } from './test.mjs';

/** Each finds its peers, or throws with what is missing; then it runs. */
const parts = {
  promql: () => {
    const sources = peerSources('prometheus');
    return promqlCorpus(sources);
  },
  'promql-oracle': () => {
    process.env.FLOTILLA_PROMETHEUS_SOURCES = peerSources('prometheus');
    process.env.FLOTILLA_PROMETHEUS = peer('prometheus');
    process.env.FLOTILLA_PROMTOOL = peer('promtool');
    process.env.FLOTILLA_PROMQL_ORACLE = peer('promql-oracle');
    process.env.FLOTILLA_FUZZ_QUERIES ??= '20000';
    process.env.FLOTILLA_SERVED_QUERIES ??= '5000';
    return jestIn('conformance/promql/');
  },
  scrape: () => {
    process.env.FLOTILLA_PROMETHEUS_SOURCES = peerSources('prometheus');
    process.env.FLOTILLA_PROMETHEUS = peer('prometheus');
    process.env.FLOTILLA_RELABEL_ORACLE = peer('relabel-oracle');
    process.env.FLOTILLA_RELABEL_TABLES = peer('relabel-tables');
    process.env.FLOTILLA_SCRAPE_TABLES = peer('scrape-tables');
    process.env.FLOTILLA_NODE_EXPORTER = peer('node_exporter');
    // Two minutes. The whole proof: FLOTILLA_SCRAPE_ROUNDS=50 FLOTILLA_SCRAPE_MUTATIONS=2000 FLOTILLA_SCRAPE_INTERVAL=10 (seconds).
    setIfThere('FLOTILLA_CADVISOR', () => peer('cadvisor'));
    setIfThere('FLOTILLA_CLUSTER_BINARIES', clusterBinaries);
    setIfThere('FLOTILLA_ALERTMANAGER', () => installedProgram('prometheus-alertmanager'));
    return jestIn('conformance/scrape/');
  },
  tsdb: () => {
    process.env.FLOTILLA_PROMETHEUS = peer('prometheus');
    process.env.FLOTILLA_PROMTOOL = peer('promtool');
    process.env.FLOTILLA_FUZZ_RUNS ??= '100000';
    return jestAt('/(e2e/dist/conformance/tsdb/|kernel/dist/fuzz|tsdb/dist/(fuzz|histogram/))');
  },
  // A power cut and a fault at every call, and 200 kills of each writer.
  crash: () => {
    process.env.FLOTILLA_FAULT_STRIDE ??= '1';
    process.env.FLOTILLA_KILLS ??= '200';
    return jestAt('/tsdb/dist/(faults|wal/crash|block/compaction-crash)', constants.priority.PRIORITY_LOW);
  },
  model: () => {
    process.env.FLOTILLA_MODEL_RUNS ??= '20000';
    return jestAt('/tsdb/dist/model', constants.priority.PRIORITY_LOW);
  },
  'remote-write': () => {
    process.env.FLOTILLA_PROMETHEUS = peer('prometheus');
    process.env.FLOTILLA_PROMTOOL = peer('promtool');
    // A minute. The whole proof: FLOTILLA_REMOTE_WRITE_SECONDS=600.
    setIfThere('FLOTILLA_VICTORIA_METRICS', () =>
      packagedPeer('victoria-metrics', 'usr/bin/victoria-metrics'),
    );
    return jestIn('conformance/remote-write/');
  },
  thanos: () => {
    process.env.FLOTILLA_THANOS = peer('thanos');
    return jestIn('conformance/thanos/');
  },
  'node-exporter': () => {
    process.env.FLOTILLA_NODE_EXPORTER = peer('node_exporter');
    return jestIn('conformance/node-exporter');
  },
  operator: () => {
    process.env.FLOTILLA_CLUSTER_BINARIES = clusterBinaries();
    process.env.FLOTILLA_PROMETHEUS_OPERATOR = peer('operator');
    process.env.FLOTILLA_PROMETHEUS_OPERATOR_SOURCES = peerSources('operator');
    process.env.FLOTILLA_PROMETHEUS = peer('prometheus');
    return jestIn('conformance/operator/');
  },
  crds: () => {
    process.env.FLOTILLA_CLUSTER_BINARIES = clusterBinaries();
    process.env.FLOTILLA_HELM = helm();
    return jestIn('conformance/crds/');
  },
  chart: () => {
    process.env.FLOTILLA_HELM = helm();
    process.env.FLOTILLA_PROMTOOL = peer('promtool');
    return jestIn('chart/');
  },
};

/** They take what processors have left, from the beginning on. */
const beside = ['crash', 'model'];
/** These need no more than the processor, so they go two at a time; what waits for answers in time goes alone, after them. */
const pure = [['promql', 'promql-oracle'], ['tsdb']];
const timed = Object.keys(parts).filter((name) => ![...beside, ...pure.flat()].includes(name));

await build();
const names = process.argv.slice(2);
const results =
  names.length > 0 ? await runRow(names) : (await Promise.all([...beside.map(runPart), runOthers()])).flat();
finish(results);

async function runOthers() {
  const done = await Promise.all(pure.map(runRow));
  return [...done.flat(), ...(await runRow(timed))];
}

async function runRow(row) {
  const done = [];
  for (const name of row) done.push(await runPart(name));
  return done;
}

/** What is missing is one skip of the whole part. */
async function runPart(name) {
  const part = parts[name];
  if (part === undefined) throw new Error(`${name}: want one of ${Object.keys(parts).join(', ')}`);
  const startedMs = Date.now();
  let running;
  try {
    running = part();
  } catch (error) {
    console.log(`skipped: conformance ${name}: ${error.message}`);
    return { passed: 0, failed: 0, skipped: 1, code: 0 };
  }
  const result = await running;
  const { passed, failed, skipped } = result;
  const seconds = Math.round((Date.now() - startedMs) / 1000);
  console.log(`${name}: ${passed} passed, ${failed} failed, ${skipped} skipped in ${seconds} s`);
  return result;
}

/** Of a peer without which the rest runs. */
function setIfThere(name, find) {
  try {
    process.env[name] ??= find();
  } catch (error) {
    console.log(`skipped: conformance: ${error.message}`);
  }
}

function jestIn(folder) {
  return jestAt(`/e2e/dist/${folder}`);
}

function jestAt(pattern, priority) {
  const args = ['--runInBand', '--testPathIgnorePatterns=/node_modules/', `--testPathPatterns=${pattern}`];
  return runJest(args, priority);
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
  const [, passed, failed, skipped] = summary.map(Number);
  return { passed, failed, skipped, code: run.status ?? 1 };
}
