// Bench: CPU per scraped sample and resident memory per series, whole process, against Prometheus on the same targets, and against
// VictoriaMetrics where there is one. They run in turn, never together; the figures are medians over rounds. Each must have scraped
// the same load in full.
// --cases Plain,Gzip: only these. --warm SECONDS: how long before the measurement, such as 690 for 150 scrapes at full size.
// Plain is measured a second time with a client beside that asks for all series again and again (heavy-queries.ts).
// --interval SECONDS: of all cases, for machines on which the peer cannot keep up. --targets N: of all cases.
// --alone: ours without peers, so that it has figures and no ratios.

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type CpuTimes, cpuTimes, median, readMetric, residentBytes } from '../process-usage.ts';
import { Generator } from './generator-process.ts';
import { askAgainAndAgain, type Beside } from './heavy-queries.ts';
import { type Load, sizes } from './loads.ts';
import { registered, type Side, startFlotilla, startPrometheus, startVictoriaMetrics } from './sides.ts';

interface Figures {
  /** CPU seconds per million samples. */
  readonly cpu: number;
  /** Parts of it, in microseconds per scrape. */
  readonly userUs: number;
  readonly systemUs: number;
  readonly bytesPerSeries: number;
  /** Scrapes that began late, and that did not begin at all. */
  readonly late: number;
  readonly missed: number;
  /** The same with heavy queries beside. */
  readonly beside?: Beside;
}

/** `vm`: VictoriaMetrics, if there is one. */
interface Sides {
  readonly ours: Figures;
  readonly theirs?: Figures;
  readonly vm?: Figures;
}

type Start = (load: Load, addresses: readonly string[]) => Promise<Side>;

/** Less than this share of the samples that were due means that the side did not do the work. */
const workShareMin = 0.8;

/** A side did less than the work that was due. */
class FellBehindError extends Error {}
/** A machine that stood still for a second is no result: a side that fell behind is measured this often at most. */
const attemptsMax = 3;

const { values: flags } = parseArgs({
  options: {
    size: { type: 'string', default: 'full' },
    peer: { type: 'string', default: '' },
    victoria: { type: 'string', default: '' },
    rounds: { type: 'string' },
    cases: { type: 'string' },
    warm: { type: 'string' },
    interval: { type: 'string' },
    targets: { type: 'string' },
    alone: { type: 'boolean', default: false },
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
  const targets = Number(flags.targets ?? load.targets);
  const sides = await compare(name, { ...load, intervalSeconds, targets });
  cases[name] = sides;
  const { ours, theirs, vm } = sides;
  if (theirs !== undefined) ratios[`cpu${name}`] = ratio(ours.cpu, theirs.cpu);
  if (vm !== undefined) ratios[`vmCpu${name}`] = ratio(ours.cpu, vm.cpu);
}
const plain = cases['Plain'];
if (plain?.theirs !== undefined)
  ratios['memoryPerSeries'] = ratio(plain.ours.bytesPerSeries, plain.theirs.bytesPerSeries);
if (plain?.vm !== undefined)
  ratios['vmMemoryPerSeries'] = ratio(plain.ours.bytesPerSeries, plain.vm.bytesPerSeries);
console.log(JSON.stringify({ bench: 'scrape', size: flags.size, peer: 'Prometheus 3.15', ratios, cases }));

/** Medians over rounds of peer and ours, alternating. VictoriaMetrics, which is extra, is left out where it falls behind. */
async function compare(name: string, load: Load): Promise<Sides> {
  const figures: Record<'ours' | 'theirs' | 'vm', Figures[]> = { ours: [], theirs: [], vm: [] };
  const generator = await Generator.start(load);
  let hasVm = !flags.alone && flags.victoria !== '';
  try {
    for (let round = 0; round < rounds; round++) {
      const peer: Start = (...args) => startPrometheus(flags.peer, ...args);
      const vm: Start = (...args) => startVictoriaMetrics(flags.victoria, ...args);
      if (!flags.alone) figures.theirs.push(await measure(`prometheus ${name}`, load, generator, peer));
      if (hasVm) {
        const measured = await measure(`victoria ${name}`, load, generator, vm).catch(leftOut);
        hasVm = measured !== undefined;
        if (measured !== undefined) figures.vm.push(measured);
      }
      figures.ours.push(await measure(`flotilla ${name}`, load, generator, startFlotilla));
    }
  } finally {
    generator.stop();
  }
  const { ours, theirs, vm } = figures;
  return {
    ours: medians(ours),
    ...(theirs.length > 0 && { theirs: medians(theirs) }),
    ...(vm.length > 0 && { vm: medians(vm) }),
  };
}

function leftOut(err: unknown): undefined {
  if (!(err instanceof FellBehindError)) throw err;
  console.log(`no figures: ${err.message}`);
}

async function measure(name: string, load: Load, generator: Generator, start: Start): Promise<Figures> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await measureOnce(name, load, generator, start);
    } catch (err) {
      if (!(err instanceof FellBehindError) || attempt === attemptsMax) throw err;
      console.log(`measured again: ${err.message}`);
    }
  }
}

async function measureOnce(name: string, load: Load, generator: Generator, start: Start): Promise<Figures> {
  const side = await start(load, generator.addresses);
  try {
    const series = load.targets * load.series;
    await registered(side, series);
    await sleep(warmSeconds * 1000);
    await generator.takeLateness();
    const before = await snapshot(side);
    await sleep(size.measureSeconds * 1000);
    const after = await snapshot(side);
    const { scrapes, late, missed } = await generator.takeLateness();
    const samples = after.samples - before.samples;
    const due = (series * size.measureSeconds) / load.intervalSeconds;
    if (samples < due * workShareMin)
      throw new FellBehindError(`${name}: ${samples} samples scraped, want about ${due}`);
    const [user, system] = [after.cpu.user - before.cpu.user, after.cpu.system - before.cpu.system];
    const cpu = ((user + system) / samples) * 1e6;
    const [userUs, systemUs] = [(user / scrapes) * 1e6, (system / scrapes) * 1e6];
    const bytesPerSeries = residentBytes(side.pid) / series;
    const split = `a scrape ${userUs.toFixed(0)} us user, ${systemUs.toFixed(0)} us system`;
    const shown = `${cpu.toFixed(3)} CPU-s/M, ${split}, ${Math.round(bytesPerSeries)} B/series`;
    console.log(`${name}: ${samples} samples, ${shown}, ${late} late, ${missed} missed`);
    const figures = { cpu, userUs, systemUs, bytesPerSeries, late, missed };
    if (!load.queriesBeside) return figures;
    const beside = await askAgainAndAgain(side, generator, size.measureSeconds);
    console.log(
      `${name}, queries beside: ${beside.queries} of ${beside.querySeconds} s, ${beside.refused} refused, ${beside.late} late, ${beside.missed} missed`,
    );
    return { ...figures, beside };
  } finally {
    await side.stop();
  }
}

async function snapshot({ pid, url, samplesMetric }: Side): Promise<{ cpu: CpuTimes; samples: number }> {
  return {
    cpu: cpuTimes(pid),
    samples: await readMetric(url, samplesMetric),
  };
}

function medians(figures: readonly Figures[]): Figures {
  const of = (key: Exclude<keyof Figures, 'beside'>): number => median(figures.map((one) => one[key]));
  const { beside } = figures.at(-1)!;
  return {
    cpu: of('cpu'),
    userUs: of('userUs'),
    systemUs: of('systemUs'),
    bytesPerSeries: of('bytesPerSeries'),
    late: of('late'),
    missed: of('missed'),
    ...(beside !== undefined && { beside }),
  };
}

function ratio(mine: number, peer: number): number {
  return Math.round((mine / peer) * 1000) / 1000;
}
