// The proofs on a real Kubernetes of three nodes on this machine (e2e/cluster), run by `npm run e2e`.
//   node scripts/cluster.mjs run [NAME...]    brings all up, runs the proofs whose file names contain a NAME, takes all down
//   node scripts/cluster.mjs up               brings all up and waits for Ctrl-C
//   node scripts/cluster.mjs test [NAME...]   runs proofs on what `up` brought up
//   node scripts/cluster.mjs load             builds the image again and loads it into what `up` brought up
// Needs Linux with cgroup v1, root, Go 1.26, Debian's packages; says what is missing and counts the proofs as skipped.
import { spawn, spawnSync } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { build } from './build.mjs';
import { cacheFolder } from './peers.mjs';
import { nodeBinary, root, toolEnvironment } from './setup.mjs';
import { finish, runJest } from './test.mjs';

const recipe = join(root, 'e2e/cluster');
const cache = join(cacheFolder, 'cluster');
const bin = join(cache, 'bin');
const store = join(cache, 'store');
const state = join(cache, 'state');
const image = 'localhost/flotilla:e2e';
const targets = 30;
const proofs = join(root, 'e2e/dist/cluster');

/** Debian's package of each program that the cluster and the proofs call. */
const packages = {
  containerd: 'containerd',
  runc: 'runc',
  buildah: 'buildah',
  nft: 'nftables',
  iptables: 'iptables',
  ip: 'iproute2',
  nsenter: 'util-linux',
  curl: 'curl',
  jq: 'jq',
  openssl: 'openssl',
  chromium: 'chromium',
  'prometheus-alertmanager': 'prometheus-alertmanager',
};
const network = { path: '/usr/lib/cni/ptp', package: 'containernetworking-plugins' };
/** Without these the cluster runs, and the proofs that need them are skipped. */
const optional = new Set(['chromium', 'prometheus-alertmanager']);

/** What keeps the cluster from coming up here, in words; installs packages first, where it may. */
async function missing() {
  if (process.platform !== 'linux') return [`Linux (this is ${process.platform})`];
  const reasons = [];
  if (process.getuid() !== 0) reasons.push('root');
  if (!existsSync('/sys/fs/cgroup/memory/cgroup.procs'))
    reasons.push('cgroup v1 hierarchies in /sys/fs/cgroup');
  if (spawnSync('go', ['version']).status !== 0) reasons.push('Go 1.26 or newer');
  if (spawnSync('unshare', ['--net', '--mount', '--pid', '--fork', 'true']).status !== 0)
    reasons.push('the right to make namespaces');
  if (reasons.length === 0) await installPackages();
  return [...reasons, ...absent().filter((name) => !optional.has(name))];
}

function absent() {
  const names = Object.keys(packages)
    .filter((program) => !onPath(program))
    .map((program) => packages[program]);
  return existsSync(network.path) ? names : [...names, network.package];
}

function onPath(program) {
  return [...process.env.PATH.split(delimiter), '/usr/sbin', '/sbin'].some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

async function installPackages() {
  const names = absent();
  if (names.length === 0 || !existsSync('/usr/bin/apt-get')) return;
  console.log(`installing ${names.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...names],
  ]) {
    const code = await start('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] }).ended;
    if (code !== 0) console.log(`apt-get ${args[0]}: exit ${code}`);
  }
}

let interrupted = false;

/** A process of a group of its own, so that Ctrl-C reaches this script alone, which then takes down in order. */
function start(command, args, options = {}) {
  const child = spawn(command, args, {
    cwd: root,
    env: toolEnvironment(),
    stdio: 'inherit',
    ...options,
    detached: true,
  });
  const ended = new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(signal ?? code));
  });
  return { child, ended, stop: () => stopGroup(child, ended) };
}

async function stopGroup(child, ended) {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  process.kill(-child.pid, 'SIGTERM');
  const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), 5000);
  await ended;
  clearTimeout(timer);
}

/** Runs one step to its end; stops it and throws on Ctrl-C. */
async function step(command, args, options) {
  if (interrupted) throw new Error('interrupted');
  const { ended, stop } = start(command, args, options);
  const onSignal = () => void stop();
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const code = await ended;
  process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  if (interrupted) throw new Error('interrupted');
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: exit ${code}`);
}

async function buildImages() {
  mkdirSync(cache, { recursive: true });
  await step(join(recipe, 'image/node-base.sh'), [store, nodeBinary()]);
  const buildImage = (...args) => step(join(recipe, 'image/build-image.sh'), [store, ...args]);
  await buildImage(join(recipe, 'app'), 'localhost/e2e-app:1', archive('app'));
  await buildFlotilla(buildImage);
}

async function buildFlotilla(buildImage) {
  const tree = join(cache, 'tree');
  await step(nodeBinary(), [join(root, 'scripts/image.mjs'), tree]);
  const context = ['--build-context', `tree=${tree}`, '--build-arg', 'BASE=localhost/node-base:24'];
  await buildImage(root, image, archive('flotilla'), ...context);
}

function archive(name) {
  return join(cache, `${name}.tar`);
}

/** Exporters, Alertmanager, its webhook and the watch of the machine on this machine, where no fault of the cluster reaches them. */
function startHostServices() {
  const slot = readFileSync(join(state, 'slot'), 'utf8').trim();
  const address = `10.201.${slot}.1`;
  const log = openSync(join(state, 'host-services.log'), 'a');
  const options = (env = {}) => ({
    env: { ...toolEnvironment(), ADDRESS: address, ...env },
    stdio: ['ignore', log, log],
  });
  const services = [
    start(nodeBinary(), [join(recipe, 'app/app.mjs')], options({ PORT: '9500', TARGETS: String(targets) })),
    start(nodeBinary(), [join(recipe, 'host/notifications.mjs')], options({ PORT: '9094' })),
    start(
      nodeBinary(),
      [join(recipe, 'host/machine-watch.mjs')],
      options({ FILE: join(state, 'standstills') }),
    ),
  ];
  if (onPath('prometheus-alertmanager')) {
    const config = join(state, 'alertmanager.yml');
    writeFileSync(config, alertmanagerConfig(`http://${address}:9094/`));
    const flags = [
      `--config.file=${config}`,
      `--storage.path=${join(state, 'alertmanager')}`,
      `--web.listen-address=${address}:9093`,
      '--cluster.listen-address=',
    ];
    services.push(start('prometheus-alertmanager', flags, options()));
  }
  closeSync(log);
  return services;
}

function alertmanagerConfig(url) {
  return `route:
  receiver: webhook
  group_by: [alertname]
  group_wait: 1s
  group_interval: 2s
  repeat_interval: 4h
receivers:
  - name: webhook
    webhook_configs:
      - url: ${url}
        send_resolved: true
`;
}

/** Why there are no binaries of Kubernetes, if there are none: without a proxy for Go's modules they cannot be built. */
async function buildBinaries() {
  try {
    await step(join(recipe, 'build.sh'), [bin]);
    return [];
  } catch (error) {
    return [`the binaries of Kubernetes (${error.message})`];
  }
}

async function bringUp() {
  await buildImages();
  await takeDown();
  const env = { ...toolEnvironment(), BIN: bin, NODES: '3' };
  await step(join(recipe, 'up.sh'), [state], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  await loadImages(archive('app'), archive('flotilla'));
  return startHostServices();
}

function loadImages(...archives) {
  return step(join(recipe, 'load-image.sh'), [state, ...archives], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** Not to be interrupted. */
async function takeDown(services = []) {
  for (const service of services) await service.stop();
  const code = await start(join(recipe, 'down.sh'), [state], { stdio: ['ignore', 'inherit', 'inherit'] })
    .ended;
  if (code !== 0) console.log(`down.sh: exit ${code}`);
}

/** Files of proofs in their order; those whose names contain one of `names`, or all. */
function files(names) {
  return readdirSync(proofs)
    .filter((file) => file.endsWith('.test.js'))
    .filter((file) => names.length === 0 || names.some((name) => file.includes(name)))
    .toSorted();
}

/** One file after another in one cluster; the rest needs what the first one installs. */
async function runProofs(names) {
  Object.assign(process.env, {
    FLOTILLA_E2E_STATE: state,
    FLOTILLA_E2E_BIN: bin,
    FLOTILLA_E2E_IMAGE: image,
    FLOTILLA_E2E_TARGETS: String(targets),
  });
  rmSync(join(root, 'e2e/artefacts/cluster'), { recursive: true, force: true });
  const results = [];
  // A file that is running hears of it, too; the next one must not begin.
  process.once('SIGINT', () => (interrupted = true)).once('SIGTERM', () => (interrupted = true));
  for (const file of files(names)) {
    if (interrupted) break;
    const result = await runJest([
      '--runInBand',
      '--testPathIgnorePatterns=/node_modules/',
      `--testPathPatterns=/e2e/dist/cluster/${file}`,
    ]);
    results.push(result);
    if (file.startsWith('01-') && result.failed > 0) break;
  }
  return results;
}

/** Everything, from nothing to nothing. Resolves to results for `finish`. */
export async function clusterProofs(names = []) {
  const reasons = await missing();
  if (reasons.length === 0) reasons.push(...(await buildBinaries()));
  if (reasons.length > 0) {
    const skipped = files(names).length;
    console.log(`skipped: ${skipped} files of proofs on a cluster: want ${reasons.join(', ')}`);
    return [{ passed: 0, failed: 0, skipped, code: 0 }];
  }
  return whileUp(() => runProofs(names));
}

async function whileUp(work) {
  let services = [];
  const onSignal = () => (interrupted = true);
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    services = await bringUp();
    return await work();
  } catch (error) {
    console.error(String(error));
    return [{ passed: 0, failed: 1, skipped: 0, code: 1 }];
  } finally {
    await takeDown(services);
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

async function holdUp() {
  console.log(`export KUBECONFIG=${join(state, 'kubeconfig')} PATH=${bin}:$PATH`);
  const open = setInterval(() => {}, 60_000);
  await new Promise((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve));
  clearInterval(open);
  return [];
}

const commands = {
  run: async (names) => finish(await clusterProofs(names)),
  up: async () => {
    await step(join(recipe, 'build.sh'), [bin]);
    finish(await whileUp(holdUp));
  },
  test: async (names) => finish(await runProofs(names)),
  load: async () => {
    await buildImages();
    await loadImages(archive('flotilla'));
  },
};

if (process.argv[1] === import.meta.filename) {
  const [command = 'run', ...names] = process.argv.slice(2);
  if (!Object.hasOwn(commands, command)) {
    console.error(`unknown command ${command}: want ${Object.keys(commands).join(', ')}`);
    process.exit(2);
  }
  if (command === 'run' || command === 'test') await build();
  await commands[command](names);
}
