// What every script needs first: the packages installed as locked, and the Node that the product runs on.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs `npm ci` when the lock file is newer than what is installed. */
export function ensureInstalled() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  const locked = join(root, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(locked).mtimeMs) return;
  console.log('installing packages (npm ci)');
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (npm.status !== 0) process.exit(npm.status ?? 1);
}

/** The pinned Node binary; on platforms without one, the running Node if it is new enough. */
export function nodeBinary() {
  const pinned = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(pinned)) return pinned;
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  console.error(
    `node ${process.versions.node} on ${process.platform}-${process.arch}: no pinned binary for this platform, want Node 24 or newer`,
  );
  process.exit(1);
}

/** PATH with the pinned Node and the installed tools in front. */
export function toolEnvironment() {
  const path = [join(nodeBinary(), '..'), join(root, 'node_modules', '.bin'), process.env.PATH].join(':');
  return { ...process.env, PATH: path };
}

/** Runs a command with inherited output; resolves to its exit code. Passes SIGINT and SIGTERM on. A `timeout` in ms kills it; `priority` is as in node:os. */
export function run(command, args, { priority = 0, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const settings = { cwd: root, stdio: 'inherit', env: toolEnvironment(), killSignal: 'SIGKILL' };
    const child = spawn(command, args, { ...settings, ...options });
    if (priority !== 0 && child.pid !== undefined) setPriority(child.pid, priority);
    const forward = (signal) => child.kill(signal);
    process.on('SIGINT', forward).on('SIGTERM', forward);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      process.off('SIGINT', forward).off('SIGTERM', forward);
      resolve(signal === null ? (code ?? 1) : 1);
    });
  });
}

/** Runs a command and exits with its code when that is not 0. */
export async function mustRun(command, args, options) {
  const code = await run(command, args, options);
  if (code !== 0) process.exit(code);
}
