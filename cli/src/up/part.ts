// One supervised process: started, probed, restarted with backoff when it dies, stopped in order.
//
// The child holds a pipe as its standard input; when the supervisor dies in any way, the pipe closes and the child ends itself.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { LogFile } from './log-file.ts';
import type { RunningPart } from './pod-manifest.ts';

export interface PartSpec {
  readonly name: string;
  /** Path of the JavaScript to run, and its arguments. */
  readonly command: readonly string[];
  /** Besides that of this process. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly url: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface PartEvents {
  /** The process started, became ready or unready, or ended. */
  changed(part: Part): void;
  ready(part: Part, afterMs: number): void;
  died(part: Part, reason: string, restartInMs: number): void;
}

const backoffMs = { first: 200, max: 5000, resetAfter: 10_000 };
const probeMs = { starting: 100, ready: 2000, timeout: 1500 };
const stopTimeoutMs = 7000;

export class Part {
  readonly spec: PartSpec;
  readonly #events: PartEvents;
  readonly #log: LogFile;
  #child: ChildProcess | undefined;
  #stopping = false;
  #isReady = false;
  #restarts = 0;
  #startedMs = 0;
  #nextBackoffMs = backoffMs.first;
  #timer: NodeJS.Timeout | undefined;
  #probe: NodeJS.Timeout | undefined;

  constructor(spec: PartSpec, logPath: string, events: PartEvents) {
    this.spec = spec;
    this.#events = events;
    this.#log = new LogFile(logPath);
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** What its Pod manifest shows. Like a pod, it stays while its container is restarted: then pid is 0. */
  running(): RunningPart {
    const pid = this.#child?.pid ?? 0;
    const { name, labels, url } = this.spec;
    return { name, labels, url, pid, restarts: this.#restarts, ready: this.#isReady };
  }

  /** SIGTERM, then SIGKILL; resolves when the process is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#probe);
    const child = this.#child;
    if (child !== undefined) {
      const closed = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
      await closed;
      clearTimeout(killer);
    }
    this.#log.close();
  }

  start(): void {
    const child = spawn(process.execPath, [...this.spec.command], {
      env: { ...process.env, ...this.spec.environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#startedMs = Date.now();
    child.stdin.on('error', () => undefined);
    child.stdout.on('data', (bytes: Buffer) => this.#log.write(bytes));
    child.stderr.on('data', (bytes: Buffer) => this.#log.write(bytes));
    child.on('error', (error) => this.#log.write(Buffer.from(`cannot start: ${error.message}\n`)));
    child.on('close', (code, signal) => this.#closed(signal ?? `exit code ${code}`));
    this.#events.changed(this);
    this.#scheduleProbe(probeMs.starting);
  }

  #closed(reason: string): void {
    this.#child = undefined;
    this.#isReady = false;
    clearTimeout(this.#probe);
    if (this.#stopping) return;
    if (Date.now() - this.#startedMs > backoffMs.resetAfter) this.#nextBackoffMs = backoffMs.first;
    const waitMs = this.#nextBackoffMs;
    this.#nextBackoffMs = Math.min(waitMs * 2, backoffMs.max);
    this.#restarts++;
    this.#timer = setTimeout(() => this.start(), waitMs);
    this.#events.changed(this);
    this.#events.died(this, reason, waitMs);
  }

  #scheduleProbe(afterMs: number): void {
    clearTimeout(this.#probe);
    this.#probe = setTimeout(() => void this.#runProbe(), afterMs);
  }

  async #runProbe(): Promise<void> {
    const child = this.#child;
    const ready = await isReady(this.spec.url);
    if (this.#stopping || child === undefined || child !== this.#child) return;
    if (ready !== this.#isReady) {
      this.#isReady = ready;
      this.#events.changed(this);
      if (ready) this.#events.ready(this, Date.now() - this.#startedMs);
    }
    this.#scheduleProbe(ready ? probeMs.ready : probeMs.starting);
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/-/ready`, { signal: AbortSignal.timeout(probeMs.timeout) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
