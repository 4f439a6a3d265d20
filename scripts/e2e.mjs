// npm run e2e: a real browser and the real Alertmanager on a fleet of this machine, then all proofs on a real Kubernetes of three
// nodes (cluster.mjs). Needs Debian packages, which it installs when it is root on Debian, else it says what is missing and skips.
import { build } from './build.mjs';
import { clusterProofs } from './cluster.mjs';
import { installPackages, isInstalled } from './packages.mjs';
import { finish, runJest } from './test.mjs';

await build();
const hadAlertmanager = isInstalled('prometheus-alertmanager');
installPackages();
const folders = ['/e2e/dist/browser/'];
// `npm test` has run it when it was there before.
if (!hadAlertmanager && isInstalled('prometheus-alertmanager')) folders.push('/e2e/dist/local/alertmanager');
const onThisMachine = await runJest([
  '--runInBand',
  '--testPathIgnorePatterns=/node_modules/',
  `--testPathPatterns=${folders.join('|')}`,
]);
finish([onThisMachine, ...(await clusterProofs())]);
