// Bench: CPU seconds and peak memory of range and instant queries, storage and JSON included, against Prometheus over the same
// database. Both servers stay up; queries go to them in turn, and figures are medians over rounds.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { median } from '../process-usage.ts';
import { ask, cpuOfAsking, type Side, startOurs, startPrometheus, stopped } from '../sides.ts';
import { instantCases, rangeCases } from './cases.ts';
import { INTERVAL_MS, STEPS, writeSamples } from './data.ts';

interface Figures {
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

const sizes: Readonly<Record<string, { pods: number; rounds: number }>> = {
  small: { pods: 100, rounds: 3 },
  full: { pods: 1000, rounds: 9 },
};
/** How often each query is asked before any is measured: servers run for months, compilers of theirs for seconds. */
const warmUps = 3;

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
const running: Side[] = [];
try {
  const endMs = await writeSamples(join(folder, 'ours'), size.pods);
  cpSync(join(folder, 'ours'), join(folder, 'theirs'), { recursive: true });
  const theirs = await startPrometheus(flags.peer, folder, join(folder, 'theirs'), [
    '--enable-feature=promql-experimental-functions',
  ]);
  running.push(theirs);
  const ours = await startOurs(folder, join(folder, 'ours'));
  running.push(ours);
  const only = flags.only?.split(',');
  const names = [...Object.keys(rangeCases), ...Object.keys(instantCases)].filter(
    (name) => only?.includes(name) ?? true,
  );
  await warmUp(names, { ours, theirs }, endMs);
  const rows = [];
  for (const name of names) rows.push(await measureCase(name, { ours, theirs }, endMs));
  printReport(rows);
} finally {
  for (const side of running) await stopped(side);
  rmSync(folder, { recursive: true, force: true });
}

async function warmUp(
  names: readonly string[],
  sides: Record<'ours' | 'theirs', Side>,
  endMs: number,
): Promise<void> {
  for (let i = 0; i < warmUps; i++)
    for (const name of names) for (const side of Object.values(sides)) await ask(side, pathOf(name, endMs));
}

function pathOf(name: string, endMs: number): string {
  const instant = instantCases[name];
  if (instant !== undefined)
    return `/api/v1/query?${new URLSearchParams({ query: instant, time: `${endMs / 1000}` })}`;
  const query = new URLSearchParams({
    query: rangeCases[name]!,
    start: `${(endMs - STEPS * INTERVAL_MS) / 1000}`,
    end: `${endMs / 1000}`,
    step: `${INTERVAL_MS / 1000}`,
  });
  return `/api/v1/query_range?${query}`;
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
  const path = pathOf(name, endMs);
  const figures: Record<'ours' | 'theirs', Figures[]> = { ours: [], theirs: [] };
  const series = { ours: 0, theirs: 0 };
  for (let round = 0; round < rounds; round++) {
    for (const side of ['theirs', 'ours'] as const) {
      series[side] = seriesIn(await ask(sides[side], path));
      figures[side].push(await measure(sides[side], path));
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

function seriesIn(answer: string): number {
  return answer.split('"metric":').length - 1;
}

async function measure(side: Side, path: string): Promise<Figures> {
  const pid = side.child.pid!;
  writeFileSync(`/proc/${pid}/clear_refs`, '5'); // The peak of memory begins anew.
  return { cpuSeconds: await cpuOfAsking(side, path), peakBytes: peakBytes(pid) };
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
