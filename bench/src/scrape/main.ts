// Bench: CPU per scraped sample and resident memory per series, whole process, against Prometheus on the same targets.
// The two run in turn, never together; the figures are medians over rounds. Both must have scraped the same load in full.
// --cases Plain,Gzip: only these. --warm SECONDS: how long before the measurement, such as 690 for 150 scrapes at full size.
// --interval SECONDS: of all cases, for machines on which the peer cannot keep up.

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { cpuSeconds, median, readMetric, residentBytes } from '../process-usage.ts';
import { Generator } from './generator-process.ts';
import { type Load, sizes } from './loads.ts';
import { registered, type Side, startFlotilla, startPrometheus } from './sides.ts';

interface Figures {
  /** CPU seconds per million samples. */
  readonly cpu: number;
  readonly bytesPerSeries: number;
  /** Scrapes that began late, and that did not begin at all. */
  readonly late: number;
  readonly missed: number;
}

interface Sides {
  readonly ours: Figures;
  readonly theirs: Figures;
}

type Start = (load: Load, addresses: readonly string[]) => Promise<Side>;

/** Less than this share of the samples that were due means that the side did not do the work. */
const workShareMin = 0.8;

const { values: flags } = parseArgs({
  options: {
    size: { type: 'string', default: 'full' },
    peer: { type: 'string', default: '' },
    rounds: { type: 'string' },
    cases: { type: 'string' },
    warm: { type: 'string' },
    interval: { type: 'string' },
  },
});
const size = sizes[flags.size]!;
const rounds = Number(flags.rounds ?? size.rounds);
const warmSeconds = Number(flags.warm ?? size.warmSeconds);
const names = flags.cases?.split(',') ?? Object.keys(size.loads);
const ratios: Record<string, number> = {};
const cases: Record<string, Sides> = {};
for (const name of names) {
  const load = size.loads[name]!;
  const intervalSeconds = Number(flags.interval ?? load.intervalSeconds);
  const sides = await compare(name, { ...load, intervalSeconds });
  cases[name] = sides;
  ratios[`cpu${name}`] = ratio(sides.ours.cpu, sides.theirs.cpu);
}
const plain = cases['Plain'];
if (plain !== undefined)
  ratios['memoryPerSeries'] = ratio(plain.ours.bytesPerSeries, plain.theirs.bytesPerSeries);
console.log(JSON.stringify({ bench: 'scrape', size: flags.size, peer: 'Prometheus 3.15', ratios, cases }));

/** Medians over rounds of peer and ours, alternating. */
async function compare(name: string, load: Load): Promise<Sides> {
  const figures: Record<'ours' | 'theirs', Figures[]> = { ours: [], theirs: [] };
  const generator = await Generator.start(load);
  try {
    for (let round = 0; round < rounds; round++) {
      const peer: Start = (...args) => startPrometheus(flags.peer, ...args);
      figures.theirs.push(await measure(`prometheus ${name}`, load, generator, peer));
      figures.ours.push(await measure(`flotilla ${name}`, load, generator, startFlotilla));
    }
  } finally {
    generator.stop();
  }
  return { ours: medians(figures.ours), theirs: medians(figures.theirs) };
}

async function measure(name: string, load: Load, generator: Generator, start: Start): Promise<Figures> {
  const side = await start(load, generator.addresses);
  try {
    const series = load.targets * load.series;
    await registered(side, series);
    await sleep(warmSeconds * 1000);
    await generator.takeLateness();
    const before = await snapshot(side);
    await sleep(size.measureSeconds * 1000);
    const after = await snapshot(side);
    const { late, missed } = await generator.takeLateness();
    const samples = after.samples - before.samples;
    const due = (series * size.measureSeconds) / load.intervalSeconds;
    if (samples < due * workShareMin)
      throw new Error(`${name}: ${samples} samples scraped, want about ${due}`);
    const cpu = ((after.cpu - before.cpu) / samples) * 1e6;
    const bytesPerSeries = residentBytes(side.pid) / series;
    const shown = `${cpu.toFixed(3)} CPU-s/M, ${Math.round(bytesPerSeries)} B/series`;
    console.log(`${name}: ${samples} samples, ${shown}, ${late} late, ${missed} missed`);
    return { cpu, bytesPerSeries, late, missed };
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
  const of = (key: keyof Figures): number => median(figures.map((one) => one[key]));
  return {
    cpu: of('cpu'),
    bytesPerSeries: of('bytesPerSeries'),
    late: of('late'),
    missed: of('missed'),
  };
}

function ratio(mine: number, peer: number): number {
  return Math.round((mine / peer) * 1000) / 1000;
}
