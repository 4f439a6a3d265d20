// The real systems that conformance and benches run beside ours, built from pinned Go modules into a cache folder
// (FLOTILLA_CACHE, else flotilla/ in the user's cache). Needs Go; says so when it is missing.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './setup.mjs';

const modules = {
  prometheus: { module: 'github.com/prometheus/prometheus', package: 'cmd/prometheus', version: 'v0.315.0' },
  promtool: { module: 'github.com/prometheus/prometheus', package: 'cmd/promtool', version: 'v0.315.0' },
  operator: {
    module: 'github.com/prometheus-operator/prometheus-operator',
    package: 'cmd/operator',
    version: 'v0.93.0',
    // They name folders of its repository; the modules of the same version are published.
    dropReplaces: ['pkg/apis/monitoring', 'pkg/client'],
  },
  // Prometheus's own parser, printer and engine as a filter; these files are copied into its sources.
  'promql-oracle': {
    module: 'github.com/prometheus/prometheus',
    package: 'cmd/promql-oracle',
    version: 'v0.315.0',
    added: {
      'cmd/promql-oracle/main.go': 'e2e/src/conformance/promql/oracle/main.go',
      'cmd/promql-oracle/parse.go': 'e2e/src/conformance/promql/oracle/parse.go',
      'cmd/promql-oracle/eval.go': 'e2e/src/conformance/promql/oracle/eval.go',
      'web/api/v1/promql_oracle.go': 'e2e/src/conformance/promql/oracle/export.go',
    },
  },
  // Prometheus's own relabeling as a filter.
  'relabel-oracle': {
    module: 'github.com/prometheus/prometheus',
    package: 'cmd/relabel-oracle',
    version: 'v0.315.0',
    added: { 'cmd/relabel-oracle/main.go': 'e2e/src/conformance/scrape/oracle/main.go' },
  },
  // Its tests, which print the rows of their tables.
  'relabel-tables': tablesOf('model/relabel', { 'relabel_test.go': ['TestRelabel', 'TestRelabelValidate'] }),
  'scrape-tables': tablesOf('scrape', {
    'manager_test.go': ['TestPopulateLabels'],
    'scrape_test.go': [
      'TestAcceptHeader',
      'TestPickSchema',
      'testScrapeLoopAppend',
      'testScrapeLoopAppendForConflictingPrefixedLabels',
      'testScrapeLoopAppendHonorLabels',
      'testScrapeLoopLabelLimit',
    ],
  }),
  // The tag: without it, it panics on labels of the Prometheus that it is built with.
  thanos: {
    module: 'github.com/thanos-io/thanos',
    package: 'cmd/thanos',
    version: 'v0.42.4',
    tags: 'slicelabels',
  },
  node_exporter: { module: 'github.com/prometheus/node_exporter', package: '', version: 'v1.12.1' },
  // That of the kubelet in e2e/cluster. Its own command is a module that is not published; this one has the same parts.
  cadvisor: {
    module: 'github.com/google/cadvisor',
    package: 'cmd/cadvisor',
    version: 'v0.53.0',
    added: { 'cmd/cadvisor/main.go': 'e2e/src/conformance/scrape/oracle/cadvisor/main.go' },
  },
};

/** The test binary of a folder of Prometheus's; `tables`: file → functions with a loop over a table. */
function tablesOf(folder, tables) {
  return {
    module: 'github.com/prometheus/prometheus',
    package: folder,
    version: 'v0.315.0',
    added: { 'util/tables/tables.go': 'e2e/src/conformance/scrape/oracle/tables.go' },
    tables,
  };
}

export const cacheFolder =
  process.env.FLOTILLA_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'flotilla');

/** Path of a peer's binary, built if it is not in the cache; throws with what is missing. */
export function peer(name) {
  const {
    module,
    package: folder,
    version,
    tags = '',
    dropReplaces = [],
    added = {},
    tables,
  } = modules[name];
  const bin = join(cacheFolder, 'peers', `${name}-${version}${contentMark(Object.values(added), tables)}`);
  const binary = join(bin, name);
  if (existsSync(binary)) return binary;
  const sources = join(cacheFolder, 'sources', `${name}-${version}`);
  mkdirSync(bin, { recursive: true });
  // `go install module@version` refuses modules with replace directives, so the module is built as the main one.
  cpSync(peerSources(name), sources, { recursive: true });
  makeWritable(sources);
  for (const [target, file] of Object.entries(added)) {
    mkdirSync(dirname(join(sources, target)), { recursive: true });
    cpSync(join(root, file), join(sources, target));
  }
  for (const [file, functions] of Object.entries(tables ?? {}))
    printTables(join(sources, folder, file), functions);
  console.log(`building ${module}/${folder} ${version}`);
  const options = {
    cwd: sources,
    stdio: 'inherit',
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' },
  };
  if (dropReplaces.length > 0)
    spawnSync(
      'go',
      ['mod', 'edit', ...dropReplaces.map((part) => `-dropreplace=${module}/${part}`)],
      options,
    );
  const mod = dropReplaces.length > 0 ? ['-mod=mod'] : [];
  const args = [
    ...(tables === undefined ? ['build'] : ['test', '-c']),
    ...mod,
    `-tags=${tags}`,
    '-trimpath',
    '-ldflags',
    '-s -w',
    '-o',
    binary,
    `./${folder}`,
  ];
  const built = spawnSync('go', args, options);
  rmSync(sources, { recursive: true, force: true });
  if (built.status !== 0)
    throw new Error(`${name}: go build ${module}/${folder} ${version}: exit ${built.status}`);
  return binary;
}

/** Path of a program of a Debian package, unpacked into the cache and not installed; throws with what is missing. */
export function packagedPeer(name, program) {
  const folder = join(cacheFolder, 'peers', `${name}-debian`);
  const binary = join(folder, program);
  if (existsSync(binary)) return binary;
  if (!existsSync('/usr/bin/apt-get')) throw new Error(`${name}: needs Debian's apt-get`);
  mkdirSync(folder, { recursive: true });
  const runHere = (command, args) => spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
  const download = () => runHere('apt-get', ['download', '-qq', name]);
  let got = download();
  // A new machine has no lists of packages.
  if (got.status !== 0 && runHere('apt-get', ['update', '-qq']).status === 0) got = download();
  const file = readdirSync(folder).find((entry) => entry.endsWith('.deb'));
  if (file === undefined) throw new Error(`${name}: apt-get download ${name}: ${got.stderr.trim()}`);
  const unpacked = runHere('dpkg-deb', ['-x', file, '.']);
  rmSync(join(folder, file));
  if (!existsSync(binary)) throw new Error(`${name}: dpkg-deb -x ${file}: ${unpacked.stderr.trim()}`);
  return binary;
}

/** Tells apart what was built with other versions of our own files; '' for none. */
function contentMark(files, tables) {
  if (files.length === 0) return '';
  const hash = createHash('sha256').update(tables === undefined ? '' : JSON.stringify(tables));
  for (const file of files) hash.update(readFileSync(join(root, file)));
  return `-${hash.digest('hex').slice(0, 12)}`;
}

/** Has the loops over tables in these functions of a Go file print the tables. */
function printTables(file, functions) {
  let source = readFileSync(file, 'utf8').replace(
    'import (',
    'import (\n\t"github.com/prometheus/prometheus/util/tables"',
  );
  for (const name of functions) {
    const loop = new RegExp(
      String.raw`(^func ${name}\([^]*?^\tfor \w+, \w+ := range )(\w+|\[\]struct \{[^]*?^\t\}) \{$`,
      'm',
    );
    if (!loop.test(source)) throw new Error(`${file}: no table in ${name}`);
    source = source.replace(loop, (_, start, table) => `${start}tables.Print("${name}", ${table}) {`);
  }
  writeFileSync(file, source);
}

/** Folder of etcd, kube-apiserver and kubectl; throws with what is missing. */
export function clusterBinaries() {
  return builtForCluster(['etcd', 'kube-apiserver', 'kubectl']);
}

/** Path of Helm; throws with what is missing. */
export function helm() {
  return join(builtForCluster(['helm']), 'helm');
}

/** Folder of the cluster's binaries, of which those named are built when one is missing. */
function builtForCluster(names) {
  const bin = join(cacheFolder, 'cluster', 'bin');
  if (names.every((name) => existsSync(join(bin, name)))) return bin;
  requireGo(names.join(', '));
  const script = fileURLToPath(new URL('../e2e/cluster/build.sh', import.meta.url));
  const built = spawnSync(script, [bin, ...names], { stdio: 'inherit' });
  if (built.status !== 0) throw new Error(`${script} ${bin}: exit ${built.status}`);
  return bin;
}

/** Folder of a peer's sources in Go's module cache, downloaded if needed. */
export function peerSources(name) {
  const { module, version } = modules[name];
  requireGo(name);
  const got = spawnSync('go', ['mod', 'download', '-json', `${module}@${version}`], {
    encoding: 'utf8',
    cwd: homedir(),
  });
  if (got.status !== 0)
    throw new Error(`${name}: go mod download ${module}@${version}: ${got.stdout}${got.stderr}`);
  return JSON.parse(got.stdout).Dir;
}

/** Go's module cache is read-only, and so is what is copied from it. */
function makeWritable(folder) {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) chmodSync(join(entry.parentPath, entry.name), 0o755);
  }
}

function requireGo(name) {
  if (spawnSync('go', ['version']).status !== 0)
    throw new Error(`${name}: go is not installed, want Go 1.26 or newer`);
}
