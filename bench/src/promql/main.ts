// Bench: CPU seconds and peak memory of range queries, storage and JSON included, against Prometheus over the same
// database. Both servers stay up; queries go to them in turn, and figures are medians over rounds.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cpuSeconds, median } from '../process-usage.ts';
import { cases } from './cases.ts';
import { INTERVAL_MS, STEPS, writeSamples } from './data.ts';

interface Side {
  readonly url: string;
  readonly child: ChildProcess;
}

interface Figures {
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

const sizes: Readonly<Record<string, { pods: number; rounds: number }>> = {
  small: { pods: 100, rounds: 3 },
  full: { pods: 1000, rounds: 9 },
};
/** As the operator gives them to the pods of stores and queriers. */
const nodeFlags = ['--max-semi-space-size=2'];
const mallocSettings = { MALLOC_MMAP_THRESHOLD_: '262144', MALLOC_ARENA_MAX: '2' };
/** How often each query is asked before any is measured: servers run for months, compilers of theirs for seconds. */
const warmUps = 3;
/** Queries of one measurement go on for this long, so that the clock's ticks are fine enough. */
const measureMs = 250;

const { values: flags } = parseArgs({
  options: {
    size: { type: 'string', default: 'full' },
    peer: { type: 'string', default: '' },
    rounds: { type: 'string' },
    only: { type: 'string' },
  },
});
const size = sizes[flags.size]!;
const rounds = Number(flags.rounds ?? size.rounds);
const folder = mkdtempSync(join(tmpdir(), 'flotilla-bench-promql-'));
const children: ChildProcess[] = [];
try {
  const endMs = await writeSamples(join(folder, 'ours'), size.pods);
  cpSync(join(folder, 'ours'), join(folder, 'theirs'), { recursive: true });
  const theirs = await startPrometheus();
  const ours = await startOurs();
  const names = Object.keys(cases).filter((name) => flags.only === undefined || name === flags.only);
  await warmUp(names, { ours, theirs }, endMs);
  const rows = [];
  for (const name of names) rows.push(await measureCase(name, { ours, theirs }, endMs));
  printReport(rows);
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}

function startChild(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } });
  children.push(child);
  return child;
}

async function startOurs(): Promise<Side> {
  const script = fileURLToPath(new URL('server.js', import.meta.url));
  const child = startChild(
    process.execPath,
    [...nodeFlags, script, folder, join(folder, 'ours')],
    mallocSettings,
  );
  for await (const line of createInterface({ input: child.stdout! })) return { url: line, child };
  throw new Error('server: ended before it printed its address');
}

async function startPrometheus(): Promise<Side> {
  writeFileSync(join(folder, 'prometheus.yml'), 'global: {}\n');
  const port = await freePort();
  const child = startChild(flags.peer, [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'theirs')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=error',
  ]);
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 600; attempt++) {
    const ready = await fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) return { url, child };
    await sleep(100);
  }
  throw new Error('prometheus: not ready after a minute');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

async function warmUp(
  names: readonly string[],
  sides: Record<'ours' | 'theirs', Side>,
  endMs: number,
): Promise<void> {
  for (let i = 0; i < warmUps; i++)
    for (const name of names) for (const side of Object.values(sides)) await ask(side, queryOf(name, endMs));
}

function queryOf(name: string, endMs: number): URLSearchParams {
  return new URLSearchParams({
    query: cases[name]!,
    start: `${(endMs - STEPS * INTERVAL_MS) / 1000}`,
    end: `${endMs / 1000}`,
    step: `${INTERVAL_MS / 1000}`,
  });
}

interface CaseRow {
  readonly name: string;
  readonly ours: Figures;
  readonly theirs: Figures;
}

async function measureCase(
  name: string,
  sides: Record<'ours' | 'theirs', Side>,
  endMs: number,
): Promise<CaseRow> {
  const query = queryOf(name, endMs);
  const figures: Record<'ours' | 'theirs', Figures[]> = { ours: [], theirs: [] };
  const series = { ours: 0, theirs: 0 };
  for (let round = 0; round < rounds; round++) {
    for (const side of ['theirs', 'ours'] as const) {
      series[side] = await ask(sides[side], query);
      figures[side].push(await measure(sides[side], query));
    }
  }
  if (series.ours !== series.theirs)
    throw new Error(`${name}: ${series.ours} series, want ${series.theirs}, as Prometheus gives`);
  const row = { name, ours: medians(figures.ours), theirs: medians(figures.theirs) };
  console.log(
    `${name}: ${ratio(row.ours.cpuSeconds, row.theirs.cpuSeconds)} of ${row.theirs.cpuSeconds.toFixed(3)} CPU-s`,
  );
  return row;
}

/** The number of series in the answer. */
async function ask({ url }: Side, query: URLSearchParams): Promise<number> {
  const response = await fetch(`${url}/api/v1/query_range?${query}`, {
    signal: AbortSignal.timeout(120_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text.slice(0, 300)}`);
  return text.split('"metric":').length - 1;
}

async function measure(side: Side, query: URLSearchParams): Promise<Figures> {
  const pid = side.child.pid!;
  writeFileSync(`/proc/${pid}/clear_refs`, '5'); // The peak of memory begins anew.
  const before = cpuSeconds(pid);
  const endMs = performance.now() + measureMs;
  let count = 0;
  for (; count === 0 || performance.now() < endMs; count++) await ask(side, query);
  return { cpuSeconds: (cpuSeconds(pid) - before) / count, peakBytes: peakBytes(pid) };
}

function peakBytes(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

function medians(figures: readonly Figures[]): Figures {
  return {
    cpuSeconds: median(figures.map((one) => one.cpuSeconds)),
    peakBytes: median(figures.map((one) => one.peakBytes)),
  };
}

function printReport(rows: readonly CaseRow[]): void {
  const cpu = (row: CaseRow): number => ratio(row.ours.cpuSeconds, row.theirs.cpuSeconds);
  const sumByRate = rows.filter(({ name }) => name.startsWith('sumByRate'));
  const report = {
    bench: 'promql',
    size: flags.size,
    peer: 'Prometheus 3.15',
    ratios: {
      medianCpu: median(rows.map(cpu)),
      sumByRateCpu: median(sumByRate.length > 0 ? sumByRate.map(cpu) : [NaN]),
      worstCpu: Math.max(...rows.map(cpu)),
      peakMemory: median(rows.map(({ ours, theirs }) => ratio(ours.peakBytes, theirs.peakBytes))),
      ...Object.fromEntries(rows.map((row) => [row.name, cpu(row)])),
    },
    cases: rows,
  };
  console.log(JSON.stringify(report));
}

function ratio(ours: number, theirs: number): number {
  return Math.round((ours / theirs) * 1000) / 1000;
}
