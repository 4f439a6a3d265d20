// Prometheus's scrape_failure_log_file: one line of JSON for each scrape that failed, as far as the disk keeps up.
//
// Lines are written once a second, so that a thousand failing targets cost one write. A file beyond 64 MiB becomes `<file>.1`.

import type { Logger } from '@flotilla/chassis';
import { errorText } from '@flotilla/chassis';
import { appendFile, rename, stat } from 'node:fs/promises';

const flushMs = 1000;
const pendingMax = 10_000;
const fileBytesMax = 64 << 20;

export class FailureLog {
  readonly #path: string;
  readonly #log: Logger;
  #pending: string[] = [];
  #writing: Promise<void> | undefined;
  #isBroken = false;
  readonly #timer: NodeJS.Timeout;

  constructor(path: string, log: Logger) {
    this.#path = path;
    this.#log = log;
    this.#timer = setInterval(() => void this.flush(), flushMs);
    this.#timer.unref();
  }

  add(jobName: string, target: string, reason: string): void {
    if (this.#pending.length >= pendingMax) return;
    const fields = { time: new Date().toISOString(), level: 'ERROR', msg: reason, job_name: jobName, target };
    this.#pending.push(`${JSON.stringify(fields)}\n`);
  }

  /** Never rejects: a disk that refuses is logged once. */
  async flush(): Promise<void> {
    await this.#writing;
    if (this.#pending.length === 0) return;
    const lines = this.#pending.join('');
    this.#pending = [];
    this.#writing = this.#write(lines);
    await this.#writing;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  async #write(lines: string): Promise<void> {
    try {
      await appendFile(this.#path, lines);
      if ((await stat(this.#path)).size > fileBytesMax) await rename(this.#path, `${this.#path}.1`);
      this.#isBroken = false;
    } catch (error) {
      if (!this.#isBroken)
        this.#log.warn('scrape failure log: not written', { file: this.#path, err: errorText(error) });
      this.#isBroken = true;
    }
  }
}
