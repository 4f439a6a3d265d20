// The lock file of a data folder: `pid starttime`. A lock whose process is gone is taken over, so that no start after a
// crash needs a hand. The start time tells a process from a later one with the same number.

import { Unavailable } from '@flotilla/model';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const held = new Set<string>();

/** Throws Unavailable if another live process, or this one, has the folder open. Returns the release. */
export function lockFolder(dir: string): () => void {
  const path = join(dir, 'lock');
  const holder = readHolder(path);
  if (held.has(path) || (holder !== undefined && isAlive(holder))) {
    throw new Unavailable(`${path}: locked by process ${held.has(path) ? process.pid : holder!.pid}`);
  }
  writeFileSync(path, `${process.pid} ${ownStartTime()}\n`);
  held.add(path);
  return () => {
    held.delete(path);
    rmSync(path, { force: true });
  };
}

interface Holder {
  readonly pid: number;
  readonly started: string;
}

function readHolder(path: string): Holder | undefined {
  try {
    const [pid = '', started = ''] = readFileSync(path, 'utf8').trim().split(' ');
    return /^[1-9]\d*$/.test(pid) ? { pid: Number(pid), started } : undefined;
  } catch {
    return undefined;
  }
}

function isAlive({ pid, started }: Holder): boolean {
  if (pid === process.pid) return false; // `held` knows our own; this is an earlier life's, in a container.
  const now = startTime(pid);
  if (now !== undefined) return started === '0' || started === now;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Of this process, once it is known: it stays the same. */
let own: string | undefined;

function ownStartTime(): string {
  return (own ??= startTime(process.pid) ?? '0');
}

/** Field 22 of /proc/PID/stat; undefined where there is none. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
