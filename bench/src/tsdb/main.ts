// Bench: our database against Prometheus's on the same samples: both start on the same WAL, which ours wrote.
// The two run in turn, never together; the figures are medians over rounds.

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cpuSeconds, median, residentBytes } from '../process-usage.ts';
import { ask, type Side, startOurs, startPrometheus, stopped } from '../sides.ts';
import { type Answers, askLookups, askQueries } from './questions.ts';

interface Size {
  readonly targets: number;
  readonly series: number;
  readonly scrapes: number;
  readonly intervalSeconds: number;
  readonly rounds: number;
  /** How often blocks are written and all is read before that is measured: what takes no second is all compilers. */
  readonly warmUps: number;
  readonly churnSeries: number;
  readonly churnRounds: number;
}

const sizes: Readonly<Record<string, Size>> = {
  small: { targets: 10, series: 2000, scrapes: 130, intervalSeconds: 5, rounds: 1, warmUps: 3, churnSeries: 10_000, churnRounds: 6 }, // prettier-ignore
  full: { targets: 100, series: 10_000, scrapes: 150, intervalSeconds: 5, rounds: 3, warmUps: 0, churnSeries: 200_000, churnRounds: 20 }, // prettier-ignore
};

interface Figures {
  /** Of a start after an orderly stop. */
  readonly restartSeconds: number;
  readonly replaySeconds: number;
  readonly memoryBytes: number;
  readonly chunkBytesPerSample: number;
  /** CPU of writing a block from the head, per million samples. */
  readonly blockCpu: number;
  /** CPU of reading and summing every sample of the head, per million. */
  readonly readCpu: number;
  /** Of ours: decode, rate and sum, from a block, by the engine in one process. */
  readonly rateSamplesPerSecond: number;
  readonly asked: Answers;
}

/** Those of which medians are taken as they are. */
type Plain = Exclude<keyof Figures, 'asked'>;

/** All samples of a step of the full size, at the largest window. */
const SAMPLES_MAX = 1e9;

/** The names in the bodies. */
const metrics = [
  'container_cpu_usage_seconds_total',
  'container_memory_working_set_bytes',
  'kube_pod_status_phase',
  'http_request_duration_seconds_bucket',
  'http_request_duration_seconds_sum',
  'http_request_duration_seconds_count',
];

type Report = Readonly<Record<string, number>>;

const { values: flags } = parseArgs({
  options: {
    size: { type: 'string', default: 'full' },
    peer: { type: 'string', default: '' },
    rounds: { type: 'string' },
  },
});
const size = sizes[flags.size]!;
const rounds = Number(flags.rounds ?? size.rounds);
const loader = fileURLToPath(new URL('load.js', import.meta.url));
const base = mkdtempSync(join(tmpdir(), 'flotilla-bench-tsdb-'));
try {
  const { targets, series, scrapes, intervalSeconds } = size;
  const source = join(base, 'source');
  const written = load('write', source, targets, series, scrapes, intervalSeconds);
  log('append', written);
  const ours: Figures[] = [];
  const theirs: Figures[] = [];
  for (let round = 0; round < rounds; round++) {
    theirs.push(await measureTheirs(source));
    ours.push(await measureOurs(source));
  }
  const churn = load('churn', join(base, 'churn'), size.churnSeries, size.churnRounds);
  log('churn', churn);
  const [own, peer] = [medians(ours), medians(theirs)];
  const asked = askedRatios(ours, theirs);
  const total = targets * series;
  console.log(
    JSON.stringify({
      bench: 'tsdb',
      size: flags.size,
      peer: 'Prometheus 3.15',
      ratios: {
        memory: ratio(own.memoryBytes, peer.memoryBytes),
        bytesPerSample: ratio(own.chunkBytesPerSample, peer.chunkBytesPerSample),
        restartWall: ratio(own.restartSeconds, peer.restartSeconds),
        replayWall: ratio(own.replaySeconds, peer.replaySeconds),
        compactionCpu: ratio(own.blockCpu, peer.blockCpu),
        queryCpu: ratio(own.readCpu, peer.readCpu),
        ...asked,
        churnGrowth: ratio(churn['lastBytes']!, churn['thirdBytes']!),
      },
      appendNsPerSample: nsPerSample(written),
      appendUserNsPerSample: nsPerSample(written, 'userSeconds'),
      decodeRateSum: own.rateSamplesPerSecond,
      closeSeconds: written['closeSeconds']!,
      appendBytesPerSeries: Math.round(written['memoryBytes']! / total),
      ours: own,
      theirs: peer,
    }),
  );
} finally {
  rmSync(base, { recursive: true, force: true });
}

function load(mode: string, dir: string, ...numbers: number[]): Report {
  const output = execFileSync(process.execPath, [loader, mode, dir, ...numbers.map(String)], {
    encoding: 'utf8',
  });
  return JSON.parse(output) as Report;
}

function nsPerSample(report: Report, seconds = 'cpuSeconds'): number {
  return Math.round((report[seconds]! / report['samples']!) * 1e9 * 10) / 10;
}

function log(name: string, report: Report): void {
  console.log(`${name}: ${nsPerSample(report)} ns CPU a sample, ${JSON.stringify(report)}`);
}

function copied(source: string, name: string): string {
  const copy = join(base, name);
  rmSync(copy, { recursive: true, force: true });
  cpSync(source, copy, { recursive: true });
  return copy;
}

async function measureOurs(source: string): Promise<Figures> {
  const dir = copied(source, 'ours');
  const restarted = load('restart', dir);
  const replayed = load('replay', dir);
  const query = load('query', dir, size.warmUps);
  const samples = query['samples']!;
  const blocks = join(dir, 'bench-snapshot');
  const start = (folder: string): Promise<Side> => startOurs(join(base, 'querier'), folder, SAMPLES_MAX);
  const figures = {
    restartSeconds: restarted['wallSeconds']!,
    replaySeconds: replayed['wallSeconds']!,
    memoryBytes: replayed['memoryBytes']!,
    chunkBytesPerSample: query['chunkBytes']! / samples,
    blockCpu: (query['cutCpuSeconds']! / samples) * 1e6,
    readCpu: (query['headCpuSeconds']! / samples) * 1e6,
    rateSamplesPerSecond: query['rateSamplesPerSecond']!,
    asked: joined(
      await askHead(await start(dir), endOf(blocks)),
      await askBlocks(await start(blocks), blocks),
    ),
  };
  console.log(`flotilla: ${JSON.stringify(figures)}, from blocks ${nsPerSample(query)} ns a sample`);
  return figures;
}

async function measureTheirs(source: string): Promise<Figures> {
  const dir = copied(source, 'theirs');
  const start = performance.now();
  const side = await startTheirs(dir);
  const replaySeconds = (performance.now() - start) / 1000;
  try {
    await sleep(3000);
    const memoryBytes = residentBytes(side.child.pid!);
    const snapshot = `${side.url}/api/v1/admin/tsdb/snapshot`;
    const cut = await cpuOf(side, () =>
      fetch(snapshot, { method: 'POST', signal: AbortSignal.timeout(300_000) }),
    );
    const snapshots = join(dir, 'snapshots');
    const blocks = join(snapshots, readdirSync(snapshots)[0]!);
    const { samples, bytes } = sizeOf(blocks);
    // Every sample is decoded and summed; the lookback of the end reaches to the start.
    const query = metrics.map((name) => `sum(sum_over_time(${name}[3h]))`).join(' + ');
    const path = `/api/v1/query?${new URLSearchParams({ query, time: `${endOf(blocks)}` })}`;
    const read = await cpuOf(side, () => ask(side, path));
    const figures = {
      restartSeconds: replaySeconds, // It has no other way.
      replaySeconds,
      memoryBytes,
      chunkBytesPerSample: bytes / samples,
      blockCpu: (cut / samples) * 1e6,
      readCpu: (read / samples) * 1e6,
      rateSamplesPerSecond: NaN,
      asked: joined(await askHead(side, endOf(blocks)), await askBlocks(await startTheirs(blocks), blocks)),
    };
    console.log(`prometheus: ${JSON.stringify(figures)}`);
    return figures;
  } finally {
    await stopped(side);
  }
}

function startTheirs(dir: string): Promise<Side> {
  const args = ['--web.enable-admin-api', `--query.max-samples=${SAMPLES_MAX}`];
  return startPrometheus(flags.peer, join(base, 'peer'), dir, args);
}

/** Ends the side. */
async function askHead(side: Side, endSeconds: number): Promise<Answers> {
  try {
    return joined(await askQueries(side, 'Head', endSeconds), await askLookups(side, endSeconds));
  } finally {
    await stopped(side);
  }
}

/** Ends the side, which has nothing but blocks. */
async function askBlocks(side: Side, blocks: string): Promise<Answers> {
  try {
    return await askQueries(side, 'Blocks', endOf(blocks));
  } finally {
    await stopped(side);
  }
}

function joined(a: Answers, b: Answers): Answers {
  return { cpu: { ...a.cpu, ...b.cpu }, sizes: { ...a.sizes, ...b.sizes } };
}

async function cpuOf({ child }: Side, work: () => Promise<unknown>): Promise<number> {
  for (let i = 0; i < size.warmUps; i++) await work();
  const before = cpuSeconds(child.pid!);
  await work();
  return cpuSeconds(child.pid!) - before;
}

function blocksIn(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'meta.json')));
  return names.map((name) => join(folder, name));
}

function metaOf(block: string): { maxTime: number; stats: { numSamples: number } } {
  return JSON.parse(readFileSync(join(block, 'meta.json'), 'utf8'));
}

function sizeOf(folder: string): { samples: number; bytes: number } {
  let samples = 0;
  let bytes = 0;
  for (const block of blocksIn(folder)) {
    samples += metaOf(block).stats.numSamples;
    for (const name of readdirSync(join(block, 'chunks')))
      bytes += statSync(join(block, 'chunks', name)).size;
  }
  return { samples, bytes };
}

function endOf(folder: string): number {
  return Math.floor(Math.max(...blocksIn(folder).map((block) => metaOf(block).maxTime)) / 1000);
}

/** By question; throws if the answers differ. */
function askedRatios(ours: readonly Figures[], theirs: readonly Figures[]): Record<string, number> {
  const [own, peer] = [ours[0]!.asked, theirs[0]!.asked];
  const of = (figures: readonly Figures[], name: string): number =>
    median(figures.map(({ asked }) => asked.cpu[name]!));
  const ratios: Record<string, number> = {};
  for (const name of Object.keys(own.cpu)) {
    if (own.sizes[name] !== peer.sizes[name])
      throw new Error(`${name}: ${own.sizes[name]}, want ${peer.sizes[name]}, as Prometheus gives`);
    ratios[name] = ratio(of(ours, name), of(theirs, name));
  }
  return ratios;
}

function medians(figures: readonly Figures[]): Record<Plain, number> {
  const of = (name: Plain): number => median(figures.map((one) => one[name]));
  return {
    restartSeconds: of('restartSeconds'),
    replaySeconds: of('replaySeconds'),
    memoryBytes: of('memoryBytes'),
    chunkBytesPerSample: of('chunkBytesPerSample'),
    blockCpu: of('blockCpu'),
    readCpu: of('readCpu'),
    rateSamplesPerSecond: of('rateSamplesPerSecond'),
  };
}

function ratio(ours: number, theirs: number): number {
  return Math.round((ours / theirs) * 1000) / 1000;
}
