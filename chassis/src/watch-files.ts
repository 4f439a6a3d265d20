// Tells when a file, or anything in a folder, has changed.
//
// fs.watch is quick but loses events (full queues, network file systems, replaced folders), so a poll
// stands behind it, and both only lead to a comparison of fingerprints: no false calls, none missed for good.
// Calls of `onChange` never overlap. Timers do not keep the process alive.

import { readdirSync, watch, type FSWatcher } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileFingerprint } from './fresh-files.ts';

export interface WatchOptions {
  /** Quiet time after an event before looking; default 100. */
  readonly debounceMs?: number;
  /** Period of the poll behind the events; default 5000. */
  readonly pollMs?: number;
}

/** A rejection or throw of it is a bug of the caller and ends the process. */
export type OnChange = () => void | Promise<void>;

/** Calls `onChange` after `path` is written, replaced, created or removed. Returns stop(). */
export function watchFile(path: string, onChange: OnChange, options: WatchOptions = {}): () => void {
  return startWatch(dirname(path), false, () => fileFingerprint(path), onChange, options);
}

/** Calls `onChange` after anything below the folder `path` has changed. The folder may not exist yet. Returns stop(). */
export function watchFolder(path: string, onChange: OnChange, options: WatchOptions = {}): () => void {
  return startWatch(path, true, () => folderFingerprint(path), onChange, options);
}

const entriesMax = 100_000;

function folderFingerprint(path: string): string {
  try {
    const entries = readdirSync(path, { recursive: true, encoding: 'utf8' });
    return entries
      .slice(0, entriesMax)
      .toSorted()
      .map((name) => `${name}\0${fileFingerprint(join(path, name))}`)
      .join('\n');
  } catch {
    return 'absent';
  }
}

function startWatch(
  folder: string,
  recursive: boolean,
  fingerprint: () => string,
  onChange: OnChange,
  { debounceMs = 100, pollMs = 5000 }: WatchOptions,
): () => void {
  let stopped = false;
  let debounce: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;
  let last = fingerprint();
  let turn: Promise<void> = Promise.resolve();

  const look = async (): Promise<void> => {
    if (stopped) return;
    const now = fingerprint();
    if (now === last) return;
    last = now;
    await onChange();
  };
  const lookInTurn = (): void => {
    turn = turn.then(look);
  };
  const onEvent = (): void => {
    clearTimeout(debounce);
    debounce = setTimeout(lookInTurn, debounceMs).unref();
  };
  const ensureWatcher = (): void => {
    watcher ??= tryWatch(folder, recursive, onEvent, () => (watcher = undefined));
  };
  ensureWatcher();
  const poll = setInterval(() => {
    ensureWatcher();
    lookInTurn();
  }, pollMs).unref();

  return () => {
    stopped = true;
    clearInterval(poll);
    clearTimeout(debounce);
    watcher?.close();
  };
}

/** undefined when the folder is missing or the system is out of watches: then the poll alone notices. */
function tryWatch(
  folder: string,
  recursive: boolean,
  onEvent: () => void,
  onLost: () => void,
): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { recursive, persistent: false }, onEvent);
    watcher.on('error', () => {
      watcher.close();
      onLost();
      onEvent();
    });
    return watcher;
  } catch {
    return undefined;
  }
}
