// What has to be stopped before a process may exit, in reverse order of its start.

import { errorText } from './error-text.ts';
import type { Logger } from './logger.ts';

export type ShutdownHook = () => void | Promise<void>;

const defaultDeadlineMs = 5000;

export class ShutdownHooks {
  readonly #log: Logger;
  readonly #hooks: { label: string; stop: ShutdownHook; deadlineMs: number }[] = [];

  constructor(log: Logger) {
    this.#log = log;
  }

  add(label: string, stop: ShutdownHook, deadlineMs = defaultDeadlineMs): void {
    this.#hooks.push({ label, stop, deadlineMs });
  }

  /** Runs all, the last one first; one that fails or is late is logged and does not stop the others. Answers whether all went well. */
  async run(): Promise<boolean> {
    let isClean = true;
    for (let hook = this.#hooks.pop(); hook !== undefined; hook = this.#hooks.pop()) {
      try {
        await inTime(hook.stop, hook.deadlineMs);
      } catch (err) {
        isClean = false;
        this.#log.error('Failed to stop', { part: hook.label, err: errorText(err) });
      }
    }
    return isClean;
  }
}

async function inTime(stop: ShutdownHook, deadlineMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not stopped in ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    await Promise.race([Promise.resolve().then(stop), late]);
  } finally {
    clearTimeout(timer);
  }
}
