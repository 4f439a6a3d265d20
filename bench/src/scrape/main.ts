// Bench: CPU per scraped sample and resident memory per series, whole process, against Prometheus on the same targets.
// The two run in turn, never together; the figures are medians over rounds. Both must have scraped the same load in full.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cpuSeconds, median, readMetric, residentBytes } from '../process-usage.ts';
import { registered, startFlotilla, startPrometheus } from './sides.ts';
import type { Load, Side } from './sides.ts';

interface Size {
  readonly targets: number;
  readonly series: number;
  readonly intervalSeconds: number;
  readonly warmSeconds: number;
  readonly measureSeconds: number;
  readonly rounds: number;
}

interface Figures {
  /** CPU seconds per million samples. */
  readonly cpu: number;
  readonly bytesPerSeries: number;
}

const sizes: Readonly<Record<string, Size>> = {
  small: { targets: 20, series: 2000, intervalSeconds: 1, warmSeconds: 4, measureSeconds: 8, rounds: 1 },
  full: { targets: 100, series: 10_000, intervalSeconds: 5, warmSeconds: 15, measureSeconds: 60, rounds: 3 },
};
/** Less than this share of the samples that were due means that the side did not do the work. */
const workShareMin = 0.8;

const { values: flags } = parseArgs({
  options: {
    size: { type: 'string', default: 'full' },
    peer: { type: 'string', default: '' },
    rounds: { type: 'string' },
  },
});
const chosen = sizes[flags.size]!;
const size: Size = { ...chosen, rounds: Number(flags.rounds ?? chosen.rounds) };
const generator = spawn(
  process.execPath,
  [fileURLToPath(new URL('generator.js', import.meta.url)), `${size.targets}`, `${size.series}`, '12'],
  { stdio: ['pipe', 'pipe', 'inherit'] },
);
try {
  const addresses = JSON.parse(await firstLine()) as string[];
  const plain = await compare({ addresses, intervalSeconds: size.intervalSeconds, gzip: false });
  const gzip = await compare({ addresses, intervalSeconds: size.intervalSeconds, gzip: true });
  const report = {
    bench: 'scrape',
    size: flags.size,
    peer: 'Prometheus 3.15',
    ratios: {
      cpuPlain: ratio(plain.ours.cpu, plain.theirs.cpu),
      cpuGzip: ratio(gzip.ours.cpu, gzip.theirs.cpu),
      memoryPerSeries: ratio(plain.ours.bytesPerSeries, plain.theirs.bytesPerSeries),
    },
    ours: { plain: plain.ours, gzip: gzip.ours },
    theirs: { plain: plain.theirs, gzip: gzip.theirs },
  };
  console.log(JSON.stringify(report));
} finally {
  generator.stdin.end();
}

async function firstLine(): Promise<string> {
  for await (const line of createInterface({ input: generator.stdout })) return line;
  throw new Error('generator: ended before it printed its addresses');
}

/** Medians over rounds of peer and ours, alternating. */
async function compare(load: Load): Promise<{ ours: Figures; theirs: Figures }> {
  const ours: Figures[] = [];
  const theirs: Figures[] = [];
  for (let round = 0; round < size.rounds; round++) {
    theirs.push(await measure('prometheus', load, await startPrometheus(flags.peer, load)));
    ours.push(await measure('flotilla', load, await startFlotilla(load)));
  }
  return { ours: medians(ours), theirs: medians(theirs) };
}

async function measure(name: string, load: Load, side: Side): Promise<Figures> {
  try {
    const series = size.targets * size.series;
    await registered(side, series);
    await sleep(size.warmSeconds * 1000);
    const before = await snapshot(side);
    await sleep(size.measureSeconds * 1000);
    const after = await snapshot(side);
    const samples = after.samples - before.samples;
    const due = (series * size.measureSeconds) / size.intervalSeconds;
    if (samples < due * workShareMin)
      throw new Error(`${name}: ${samples} samples scraped, want about ${due}`);
    const figures = {
      cpu: ((after.cpu - before.cpu) / samples) * 1e6,
      bytesPerSeries: residentBytes(side.pid) / series,
    };
    const encoding = load.gzip ? 'gzip' : 'plain';
    console.log(
      `${name} ${encoding}: ${samples} samples, ${figures.cpu.toFixed(3)} CPU-s/M, ${Math.round(figures.bytesPerSeries)} B/series`,
    );
    return figures;
  } finally {
    await side.stop();
  }
}

async function snapshot({ pid, url }: Side): Promise<{ cpu: number; samples: number }> {
  return {
    cpu: cpuSeconds(pid),
    samples: await readMetric(url, 'prometheus_tsdb_head_samples_appended_total'),
  };
}

function medians(figures: readonly Figures[]): Figures {
  return {
    cpu: median(figures.map(({ cpu }) => cpu)),
    bytesPerSeries: median(figures.map(({ bytesPerSeries }) => bytesPerSeries)),
  };
}

function ratio(ours: number, theirs: number): number {
  return Math.round((ours / theirs) * 1000) / 1000;
}
