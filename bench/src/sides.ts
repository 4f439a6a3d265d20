// The two sides of benches that ask questions: a Prometheus over a folder, and a store and a querier of ours in one process.

import { freePort, processSettings } from '@flotilla/chassis';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cpuSeconds } from './process-usage.ts';

export interface Side {
  readonly url: string;
  readonly child: ChildProcess;
}

/** As a querier sets them itself. */
const ownFlags = ['--heap-growing-percent=50', '--no-allocation-site-pretenuring'];
const settings = processSettings('querier');
/** Queries of one measurement go on for this long, so that the clock's ticks are fine enough. */
const measureMs = 250;
const askTimeoutMs = 300_000;

/** `dir`: a database. `folder`: for files of the server's own. */
export async function startPrometheus(
  binary: string,
  folder: string,
  dir: string,
  args: readonly string[] = [],
): Promise<Side> {
  mkdirSync(folder, { recursive: true });
  const config = join(folder, 'prometheus.yml');
  writeFileSync(config, 'scrape_configs: []\n');
  const port = await freePort();
  const child = spawn(
    binary,
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${dir}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
      ...args,
    ],
    { stdio: 'ignore' },
  );
  const url = `http://127.0.0.1:${port}`;
  for (let left = 6000; left > 0; left--) {
    const answer = await fetch(`${url}/-/ready`).catch(() => undefined);
    if (answer?.status === 200) return { url, child };
    await sleep(50);
  }
  child.kill('SIGKILL');
  throw new Error('Prometheus is not ready after five minutes');
}

export async function startOurs(folder: string, dir: string, maxSamples = 5e7): Promise<Side> {
  mkdirSync(folder, { recursive: true });
  const script = bundledServer(join(folder, 'image'));
  const child = spawn(
    process.execPath,
    [...settings.nodeFlags, ...ownFlags, script, folder, dir, String(maxSamples)],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...settings.environment },
    },
  );
  for await (const line of createInterface({ input: child.stdout })) return { url: line, child };
  throw new Error('server: ended before it printed its address');
}

/** As the image would have it: one file, and one for each kind of thread. Modules of their own take 11 MiB more. */
function bundledServer(folder: string): string {
  const image = fileURLToPath(new URL('../../scripts/image.mjs', import.meta.url));
  const source = 'bench/src/promql/server.ts';
  execFileSync(process.execPath, [image, folder, source], { stdio: ['ignore', 'ignore', 'inherit'] });
  return join(folder, 'app/bench/dist/promql/server.js');
}

/** Kills it and waits for its end. */
export async function stopped({ child }: Side): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const end = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await end;
}

/** The text of an answer. `path` begins with /api. */
export async function ask({ url }: Side, path: string): Promise<string> {
  const response = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(askTimeoutMs) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}${path}: ${response.status} ${text.slice(0, 300)}`);
  return text;
}

/** CPU seconds of the whole process for one question, which is asked as often as a measurement needs. */
export async function cpuOfAsking(side: Side, path: string): Promise<number> {
  const pid = side.child.pid!;
  const before = cpuSeconds(pid);
  const endMs = performance.now() + measureMs;
  let count = 0;
  for (; count === 0 || performance.now() < endMs; count++) await ask(side, path);
  return (cpuSeconds(pid) - before) / count;
}
