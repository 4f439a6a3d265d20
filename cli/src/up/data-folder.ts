// The data folder of a local fleet: its token, and the lock that keeps two supervisors apart.

import { LOCAL_PATHS } from '@flotilla/wire';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Makes the folders and the token (0600) where they are missing. */
export function prepareDataFolder(data: string): void {
  for (const folder of [LOCAL_PATHS.operator, LOCAL_PATHS.logs, 'topology']) {
    mkdirSync(join(data, folder), { recursive: true });
  }
  rmSync(join(data, LOCAL_PATHS.pods), { recursive: true, force: true });
  mkdirSync(join(data, LOCAL_PATHS.pods));
  const token = join(data, LOCAL_PATHS.token);
  if (!existsSync(token)) writeFileSync(token, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
}

/**
 * Takes the lock of a data folder; returns its release.
 * A lock whose process is gone is taken over. Throws with the holder's pid.
 */
export function lockDataFolder(data: string): () => void {
  mkdirSync(data, { recursive: true });
  const path = join(data, LOCAL_PATHS.lock);
  const holder = lockHolder(path);
  if (holder !== undefined)
    throw new Error(`data folder ${data}: in use by flotilla up with pid ${holder}, want another --data`);
  rmSync(path, { force: true });
  writeFileSync(path, `${process.pid}\n`, { flag: 'wx' });
  return () => rmSync(path, { force: true });
}

function lockHolder(path: string): number | undefined {
  if (!existsSync(path)) return undefined;
  const pid = Number(readFileSync(path, 'utf8'));
  return Number.isInteger(pid) && pid > 0 && pid !== process.pid && isAlive(pid) ? pid : undefined;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
