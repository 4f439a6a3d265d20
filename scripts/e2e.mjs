// npm run e2e: a real browser and the real Alertmanager on a fleet of this machine, then all proofs on a real Kubernetes of three
// nodes (cluster.mjs). Needs Debian packages, which it installs when it is root on Debian, else it says what is missing and skips.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { build } from './build.mjs';
import { clusterProofs } from './cluster.mjs';
import { finish, runJest } from './test.mjs';

const packages = {
  chromium: '/usr/bin/chromium',
  'prometheus-alertmanager': '/usr/bin/prometheus-alertmanager',
};

await build();
const hadAlertmanager = existsSync(packages['prometheus-alertmanager']);
installMissing();
const folders = ['/e2e/dist/browser/'];
// `npm test` has run it when it was there before.
if (!hadAlertmanager && existsSync(packages['prometheus-alertmanager']))
  folders.push('/e2e/dist/local/alertmanager');
const onThisMachine = await runJest([
  '--runInBand',
  '--testPathIgnorePatterns=/node_modules/',
  `--testPathPatterns=${folders.join('|')}`,
]);
finish([onThisMachine, ...(await clusterProofs())]);

function installMissing() {
  const missing = Object.keys(packages).filter((name) => !existsSync(packages[name]));
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    console.log(`missing: ${missing.join(', ')}; want root on Debian to install them`);
    return;
  }
  console.log(`installing ${missing.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...missing],
  ]) {
    const result = spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env });
    if (result.status !== 0) console.log(`apt-get ${args[0]}: exit ${result.status}`);
  }
}
