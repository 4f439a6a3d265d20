// Debian's packages of programs that tests start. A package is installed, not only unpacked: Alertmanager wants its template where
// Debian puts it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const programs = {
  chromium: '/usr/bin/chromium',
  'prometheus-alertmanager': '/usr/bin/prometheus-alertmanager',
};

export function isInstalled(name) {
  return existsSync(programs[name]);
}

/** Installs what is missing when it is root on Debian, else says what that is. */
export function installPackages(names = Object.keys(programs)) {
  const missing = names.filter((name) => !isInstalled(name));
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

/** Path of a package's program, which is installed first if it can be; throws with what is missing. */
export function installedProgram(name) {
  installPackages([name]);
  if (!isInstalled(name)) throw new Error(`${programs[name]} is not installed`);
  return programs[name];
}
