// The processes of one test, each with its log in the test's folder. All are ended by pid, also when the test dies.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const repository = fileURLToPath(new URL('../../../../', import.meta.url));
const graceMs = 5000;
const logTailLines = 15;

export class ChildProcesses {
  /** Removed by stop. */
  readonly folder: string;
  readonly #children = new Map<string, ChildProcess>();
  readonly #logs = new Set<string>();
  readonly #onExit = (): void => {
    for (const child of this.#children.values()) child.kill('SIGKILL');
  };

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'flotilla-oracle-'));
    process.on('exit', this.#onExit);
  }

  /** Starts a process; its name names its log and stops it. */
  start(name: string, binary: string, args: readonly string[]): void {
    const log = openSync(this.#logOf(name), 'a');
    this.#logs.add(name);
    const { KUBECONFIG: _, ...env } = process.env;
    const child = spawn(binary, args, { stdio: ['ignore', log, log], cwd: this.folder, env });
    closeSync(log);
    child.on('error', () => undefined);
    this.#children.set(name, child);
  }

  /** Calls `probe` until it gives a value; fails early when the process has ended. */
  async wait<T>(
    name: string,
    what: string,
    timeoutMs: number,
    probe: () => Promise<T | undefined>,
  ): Promise<T> {
    const deadlineMs = Date.now() + timeoutMs;
    let last = '';
    while (Date.now() < deadlineMs && this.#children.get(name)?.exitCode === null) {
      try {
        const value = await probe();
        if (value !== undefined) return value;
      } catch (error) {
        last = String(error);
      }
      await sleep(100);
    }
    throw new Error(`${name}: ${what}: not within ${timeoutMs} ms: ${last}\n${this.logTail(name)}`);
  }

  logTail(name: string): string {
    return readFileSync(this.#logOf(name), 'utf8').trimEnd().split('\n').slice(-logTailLines).join('\n');
  }

  async end(name: string): Promise<void> {
    const child = this.#children.get(name);
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const isOver = (): boolean =>
      child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
    if (!isOver()) {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await ended;
      clearTimeout(timer);
    }
    this.#children.delete(name);
  }

  /** Keeps every log in e2e/artefacts/`folder`. */
  keepLogs(folder: string): void {
    const kept = join(repository, 'e2e/artefacts', folder);
    mkdirSync(kept, { recursive: true });
    for (const name of this.#logs) copyFileSync(this.#logOf(name), join(kept, `${name}.log`));
  }

  /** Ends all, last started first, and removes the folder. */
  async stop(): Promise<void> {
    for (const name of [...this.#children.keys()].toReversed()) await this.end(name);
    process.off('exit', this.#onExit);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #logOf(name: string): string {
    return join(this.folder, `${name}.log`);
  }
}
