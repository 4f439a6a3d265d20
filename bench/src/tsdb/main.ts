// Bench: our database against Prometheus's on the same samples: both start on the same WAL, which ours wrote.
// The two run in turn, never together; the figures are medians over rounds.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cpuSeconds, median, residentBytes } from '../process-usage.ts';

interface Size {
  readonly targets: number;
  readonly series: number;
  readonly scrapes: number;
  readonly intervalSeconds: number;
  readonly rounds: number;
  readonly churnSeries: number;
  readonly churnRounds: number;
}

const sizes: Readonly<Record<string, Size>> = {
  small: { targets: 10, series: 2000, scrapes: 130, intervalSeconds: 5, rounds: 1, churnSeries: 10_000, churnRounds: 6 }, // prettier-ignore
  full: { targets: 100, series: 10_000, scrapes: 150, intervalSeconds: 5, rounds: 3, churnSeries: 200_000, churnRounds: 20 }, // prettier-ignore
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
}

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
    ours.push(measureOurs(source));
  }
  const churn = load('churn', join(base, 'churn'), size.churnSeries, size.churnRounds);
  log('churn', churn);
  const [own, peer] = [medians(ours), medians(theirs)];
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
        churnGrowth: ratio(churn['lastBytes']!, churn['thirdBytes']!),
      },
      appendNsPerSample: nsPerSample(written),
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

function nsPerSample(report: Report): number {
  return Math.round((report['cpuSeconds']! / report['samples']!) * 1e9 * 10) / 10;
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

function measureOurs(source: string): Figures {
  const dir = copied(source, 'ours');
  const restarted = load('restart', dir);
  const replayed = load('replay', dir);
  const query = load('query', dir);
  const samples = query['samples']!;
  const figures = {
    restartSeconds: restarted['wallSeconds']!,
    replaySeconds: replayed['wallSeconds']!,
    memoryBytes: replayed['memoryBytes']!,
    chunkBytesPerSample: query['chunkBytes']! / samples,
    blockCpu: (query['cutCpuSeconds']! / samples) * 1e6,
    readCpu: (query['headCpuSeconds']! / samples) * 1e6,
  };
  console.log(`flotilla: ${JSON.stringify(figures)}, from blocks ${nsPerSample(query)} ns a sample`);
  return figures;
}

async function measureTheirs(source: string): Promise<Figures> {
  const dir = copied(source, 'theirs');
  const start = performance.now();
  const { child, url } = await startPeer(dir);
  try {
    await untilReady(url);
    const replaySeconds = (performance.now() - start) / 1000;
    await sleep(3000);
    const memoryBytes = residentBytes(child.pid!);
    const cut = await cpuOf(child, () => fetchOk(`${url}/api/v1/admin/tsdb/snapshot`, 'POST'));
    const { samples, bytes } = snapshotOf(dir);
    // Every sample is decoded and summed; the lookback of the end reaches to the start.
    const text = metrics.map((name) => `sum(sum_over_time(${name}[3h]))`).join(' + ');
    const read = await cpuOf(child, () =>
      fetchOk(`${url}/api/v1/query?query=${encodeURIComponent(text)}&time=${endSeconds(dir)}`),
    );
    const figures = {
      restartSeconds: replaySeconds, // It has no other way.
      replaySeconds,
      memoryBytes,
      chunkBytesPerSample: bytes / samples,
      blockCpu: (cut / samples) * 1e6,
      readCpu: (read / samples) * 1e6,
    };
    console.log(`prometheus: ${JSON.stringify(figures)}`);
    return figures;
  } finally {
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
  }
}

async function startPeer(dir: string): Promise<{ child: ChildProcess; url: string }> {
  const port = await freePort();
  const config = join(base, 'prometheus.yml');
  writeFileSync(config, 'scrape_configs: []\n');
  const args = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${dir}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--web.enable-admin-api',
    '--query.max-samples=1000000000',
  ];
  return { child: spawn(flags.peer, args, { stdio: 'ignore' }), url: `http://127.0.0.1:${port}` };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function untilReady(url: string): Promise<void> {
  for (let left = 6000; left > 0; left--) {
    const answer = await fetch(`${url}/-/ready`).catch(() => undefined);
    if (answer?.status === 200) return;
    await sleep(50);
  }
  throw new Error('Prometheus is not ready after five minutes');
}

async function fetchOk(url: string, method = 'GET'): Promise<void> {
  const answer = await fetch(url, { method, signal: AbortSignal.timeout(300_000) });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${text.slice(0, 300)}`);
}

async function cpuOf(child: ChildProcess, work: () => Promise<void>): Promise<number> {
  const before = cpuSeconds(child.pid!);
  await work();
  return cpuSeconds(child.pid!) - before;
}

function snapshotBlocks(dir: string): string[] {
  const snapshots = join(dir, 'snapshots');
  const folder = join(snapshots, readdirSync(snapshots)[0]!);
  return readdirSync(folder).map((name) => join(folder, name));
}

function metaOf(block: string): { maxTime: number; stats: { numSamples: number } } {
  return JSON.parse(execFileSync('cat', [join(block, 'meta.json')], { encoding: 'utf8' }));
}

function snapshotOf(dir: string): { samples: number; bytes: number } {
  let samples = 0;
  let bytes = 0;
  for (const block of snapshotBlocks(dir)) {
    samples += metaOf(block).stats.numSamples;
    for (const name of readdirSync(join(block, 'chunks')))
      bytes += statSync(join(block, 'chunks', name)).size;
  }
  return { samples, bytes };
}

function endSeconds(dir: string): number {
  return Math.max(...snapshotBlocks(dir).map((block) => metaOf(block).maxTime)) / 1000;
}

function medians(figures: readonly Figures[]): Figures {
  const names = Object.keys(figures[0]!) as (keyof Figures)[];
  return Object.fromEntries(
    names.map((name) => [name, median(figures.map((one) => one[name]))]),
  ) as unknown as Figures;
}

function ratio(ours: number, theirs: number): number {
  return Math.round((ours / theirs) * 1000) / 1000;
}
