// A real local fleet under test: the command `flotilla up` on a temporary folder of manifests, its processes and its API.

import { freePort } from '@flotilla/chassis';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const startTimeoutMs = 60_000;

/** Fleets that are up, whose logs belong to what did not happen. */
const running = new Set<LocalFleet>();

/** A sample of an instant vector or a series of a matrix, as the API writes it. */
export interface ApiSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [number, string];
  readonly values?: readonly (readonly [number, string])[];
}

export interface ApiAnswer {
  readonly status: number;
  readonly completeness:
    | { readonly shards: readonly { readonly shard: string; readonly state: string }[] }
    | undefined;
  readonly body: {
    readonly status: string;
    readonly data: { readonly resultType: string; readonly result: readonly ApiSeries[] };
    readonly warnings?: readonly string[];
    readonly infos?: readonly string[];
    readonly error?: string;
    readonly errorType?: string;
  };
}

/** A target of /api/v1/targets, merged over its replicas. */
export interface ApiTarget {
  readonly labels: Readonly<Record<string, string>>;
  readonly scrapeUrl: string;
  readonly health: string;
  readonly lastError: string;
  readonly shard: number;
  readonly slot: number;
  readonly replicas: readonly {
    readonly replica: number;
    readonly health: string;
    readonly lastError: string;
  }[];
}

export interface FleetStatus {
  readonly topology: {
    readonly epochs: readonly {
      readonly id: number;
      readonly shards: number;
      readonly table: readonly number[];
    }[];
    readonly stores: readonly {
      readonly name: string;
      readonly shard: number;
      readonly kind: string;
      readonly url: string;
    }[];
  };
  readonly operator?: {
    readonly resize: { readonly phase: string };
    readonly shards: readonly { readonly shard: number; readonly state: string; readonly assigned: number }[];
  };
}

/** Calls `probe` until it returns a value that is not undefined; fails with what it waited for, the last error and the logs. */
export async function eventually<T>(
  what: string,
  timeoutMs: number,
  probe: () => Promise<T | undefined>,
): Promise<T> {
  const deadlineMs = Date.now() + timeoutMs;
  let last = '';
  while (Date.now() < deadlineMs) {
    try {
      const value = await probe();
      if (value !== undefined) return value;
    } catch (error) {
      last = String(error);
    }
    await sleep(200);
  }
  const logs = [...running].map((fleet) => `\n${fleet.output()}\n${fleet.logTail()}`).join('');
  throw new Error(`${what}: not within ${timeoutMs} ms${last === '' ? '' : `: ${last}`}${logs}`);
}

export class LocalFleet {
  readonly folder: string;
  readonly data: string;
  readonly url: string;
  readonly #output: string[] = [];
  #process: ChildProcess | undefined;

  private constructor(folder: string, port: number) {
    this.folder = join(folder, 'manifests');
    this.data = join(folder, 'data');
    this.url = `http://127.0.0.1:${port}`;
    mkdirSync(this.folder);
  }

  /** Writes the manifests and waits until `up` has printed the page's address. */
  static async start(manifests: Readonly<Record<string, string>>): Promise<LocalFleet> {
    const fleet = new LocalFleet(mkdtempSync(join(tmpdir(), 'flotilla-e2e-')), await freePort());
    for (const [file, text] of Object.entries(manifests)) fleet.write(file, text);
    await fleet.up();
    return fleet;
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text);
  }

  async up(): Promise<void> {
    const main = join(repository, 'cli/dist/main.js');
    const args = [main, 'up', this.folder, '--data', this.data, '--listen', this.url.slice('http://'.length)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.#output.push(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.#output.push(text));
    this.#process = child;
    running.add(this);
    await eventually('flotilla up prints the page', startTimeoutMs, async () => {
      if (child.exitCode !== null) throw new Error(`flotilla up: exit ${child.exitCode}`);
      return this.output().includes(`page`) && this.output().includes(this.url) ? true : undefined;
    });
  }

  output(): string {
    return this.#output.join('');
  }

  /** The last lines of every part's log, for the message of a failed test. */
  logTail(): string {
    const folder = join(this.data, 'logs');
    try {
      return readdirSync(folder)
        .map(
          (name) =>
            `--- ${name}\n${readFileSync(join(folder, name), 'utf8').split('\n').slice(-12).join('\n')}`,
        )
        .join('\n');
    } catch {
      return '';
    }
  }

  /** Ctrl-C, as the terminal sends it; resolves to the exit code. */
  async stop(): Promise<number> {
    running.delete(this);
    const child = this.#process;
    if (child === undefined || child.exitCode !== null) return child?.exitCode ?? 0;
    const closed = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 1)));
    child.kill('SIGINT');
    const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
    const code = await closed;
    clearTimeout(timer);
    return code;
  }

  /** Stops the fleet and removes its files. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(join(this.folder, '..'), { recursive: true, force: true });
  }

  /** Process id of a part, from the Pod manifest that the supervisor publishes; undefined while it is not running. */
  pid(name: string): number | undefined {
    try {
      const text = readFileSync(join(this.data, 'pods', `${name}.yaml`), 'utf8');
      const match = /flotilla\.dev\/pid": "([1-9]\d*)/.exec(text);
      return match ? Number(match[1]) : undefined;
    } catch {
      return undefined;
    }
  }

  parts(): string[] {
    return readdirSync(join(this.data, 'pods'))
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => name.slice(0, -'.yaml'.length))
      .toSorted();
  }

  /** kill -9. */
  kill(name: string): void {
    const pid = this.pid(name);
    if (pid === undefined) throw new Error(`kill ${name}: not running`);
    process.kill(pid, 'SIGKILL');
  }

  /** Kills parts as often as the supervisor starts them, until the returned function is called. */
  keepDead(names: readonly string[]): () => void {
    const strike = (): void => {
      for (const name of names) {
        const pid = this.pid(name);
        if (pid !== undefined) tryKill(pid);
      }
    };
    strike();
    const timer = setInterval(strike, 50);
    return () => clearInterval(timer);
  }

  async get(path: string): Promise<ApiAnswer> {
    const response = await fetch(this.url + path, { signal: AbortSignal.timeout(20_000) });
    const header = response.headers.get('x-flotilla-completeness');
    return {
      status: response.status,
      completeness: header === null ? undefined : (JSON.parse(header) as ApiAnswer['completeness']),
      body: (await response.json()) as ApiAnswer['body'],
    };
  }

  query(expr: string, timeMs?: number, extra = ''): Promise<ApiAnswer> {
    const time = timeMs === undefined ? '' : `&time=${timeMs / 1000}`;
    return this.get(`/api/v1/query?query=${encodeURIComponent(expr)}${time}${extra}`);
  }

  async targets(): Promise<readonly ApiTarget[]> {
    const answer = await this.get('/api/v1/targets?state=active');
    return (answer.body.data as unknown as { activeTargets: readonly ApiTarget[] }).activeTargets;
  }

  async status(): Promise<FleetStatus> {
    return (await this.get('/api/v1/fleet')).body.data as unknown as FleetStatus;
  }
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}
