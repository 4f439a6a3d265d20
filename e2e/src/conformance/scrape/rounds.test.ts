// Proof: pages of real exporters and damaged parts of them, served for many rounds to a real Prometheus and to a fleet with the
// same settings, leave the same series in both databases: samples, histograms, stale markers, `up` and the report.
// FLOTILLA_SCRAPE_ROUNDS, FLOTILLA_SCRAPE_MUTATIONS, FLOTILLA_SCRAPE_SEED: how many rounds and mutated pages, of which seed.
// FLOTILLA_SCRAPE_INTERVAL: seconds; the first scrapes of all pages, with 100 000 new series, must fit into one.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, LocalFleet } from '../../local/fleet.ts';
import { fleetManifest } from '../../local/manifests.ts';
import { type CaseData, type FoundCase, openData, readCase, STALE } from './case-data.ts';
import { mutatedParts, type RoundsCase, wholePages } from './mutations.ts';
import { environment } from './oracle.ts';
import { exemplarKey, seriesKey } from './real-prometheus.ts';
import { recordExporters } from './recordings.ts';
import { type RoundsJob, roundsJobs } from './rounds-jobs.ts';
import { type Progress, RoundsServer } from './rounds-server.ts';

const rounds = Number(process.env['FLOTILLA_SCRAPE_ROUNDS'] ?? 10);
const mutations = Number(process.env['FLOTILLA_SCRAPE_MUTATIONS'] ?? 300);
const seed = Number(process.env['FLOTILLA_SCRAPE_SEED'] ?? 1);
const intervalSeconds = Number(process.env['FLOTILLA_SCRAPE_INTERVAL'] ?? 5);
const folder = mkdtempSync(join(tmpdir(), 'flotilla-rounds-'));
const data = join(folder, 'data');
let cases: readonly RoundsCase[];
let server: RoundsServer;
let fleet: LocalFleet;
let prometheus: ChildProcess;
let wholeCount: number;
let theirUrl: string;
let theirSaid: readonly Said[];
let ourSaid: readonly Said[];

beforeAll(
  async () => {
    const recordings = await recordExporters({
      nodeExporter: environment('FLOTILLA_NODE_EXPORTER'),
      prometheus: environment('FLOTILLA_PROMETHEUS'),
      alertmanager: process.env['FLOTILLA_ALERTMANAGER'],
      cluster: process.env['FLOTILLA_CLUSTER_BINARIES'],
    });
    const baseMs = Date.now() - 300_000;
    const whole = wholePages(recordings, baseMs);
    wholeCount = whole.length;
    cases = [...whole, ...mutatedParts(recordings, mutations, seed, baseMs)];
    const exporters = new Set(recordings.map(({ exporter }) => exporter));
    console.log(`${[...exporters].join(', ')}: ${whole.length} pages; ${mutations} mutated, seed ${seed}`);
    server = new RoundsServer(cases, rounds, ['theirs', 'ours']);
    await server.start();
    await Promise.all([startPrometheus(), startFleet()]);
    await until('every target is known', 120_000, () => server.isKnown);
    server.open();
    await until('every round is served', (rounds + 10) * intervalSeconds * 3000, () => server.isDone);
    theirSaid = await whatIsSaid(theirUrl);
    ourSaid = await whatIsSaid(fleet.url);
    await stopBoth();
  },
  (rounds * 5 * intervalSeconds + 300) * 1000,
);

afterAll(async () => {
  await stopBoth();
  await fleet.remove();
  server.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

async function until(what: string, timeoutMs: number, condition: () => boolean): Promise<void> {
  const endMs = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > endMs) throw new Error(`${what}: not within ${timeoutMs} ms: ${server.state}`);
    await sleep(100);
  }
}

function staticConfigs(system: string, job: RoundsJob): object[] {
  return cases.flatMap((one, i) =>
    one.job === job
      ? [{ targets: [server.address], labels: { case: `${i}`, __metrics_path__: `/${system}/${i}` } }]
      : [],
  );
}

async function startPrometheus(): Promise<void> {
  const times = { scrape_interval: `${intervalSeconds}s`, scrape_timeout: `${intervalSeconds}s` };
  const file = join(folder, 'prometheus.yml');
  const jobs = Object.keys(roundsJobs) as RoundsJob[];
  const configs = jobs.map((job) => ({
    job_name: job,
    ...roundsJobs[job].file,
    static_configs: staticConfigs('theirs', job),
  }));
  writeFileSync(file, JSON.stringify({ global: times, scrape_configs: configs }));
  const args = [`--config.file=${file}`, `--storage.tsdb.path=${data}`];
  const listen = `127.0.0.1:${await freePort()}`;
  theirUrl = `http://${listen}`;
  args.push('--enable-feature=exemplar-storage', `--web.listen-address=${listen}`);
  prometheus = spawn(environment('FLOTILLA_PROMETHEUS'), args, { stdio: 'ignore' });
}

async function startFleet(): Promise<void> {
  const manifests = (Object.keys(roundsJobs) as RoundsJob[]).map((job) => {
    const spec = {
      jobName: job,
      scrapeInterval: `${intervalSeconds}s`,
      scrapeTimeout: `${intervalSeconds}s`,
      ...roundsJobs[job].object,
      staticConfigs: staticConfigs('ours', job),
    };
    const kind = { apiVersion: 'monitoring.coreos.com/v1alpha1', kind: 'ScrapeConfig' };
    const object = { ...kind, metadata: { name: job.toLowerCase() }, spec };
    return [`${job}.yaml`, JSON.stringify(object)] as const;
  });
  fleet = await LocalFleet.start({
    'fleet.yaml': fleetManifest({ shards: 1, replicas: 1, rulers: 0 }),
    ...Object.fromEntries(manifests.filter(([, text]) => text.includes('"targets"'))),
  });
}

/** What a system says of a whole page, sorted. */
interface Said {
  readonly metadata: readonly string[];
  readonly exemplars: readonly string[];
}

interface ApiSaid {
  readonly data: readonly (Readonly<Record<string, unknown>> & {
    readonly seriesLabels?: Readonly<Record<string, string>>;
    readonly exemplars?: readonly ApiExemplar[];
  })[];
}

interface ApiExemplar {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: string;
  readonly timestamp: number;
}

async function whatIsSaid(url: string): Promise<Said[]> {
  const get = async (path: string): Promise<ApiSaid['data']> =>
    ((await (await fetch(`${url}/api/v1/${path}`)).json()) as ApiSaid).data;
  const found: Said[] = [];
  for (let i = 0; i < wholeCount; i++) {
    const selector = encodeURIComponent(`{case="${i}"}`);
    const metadata = await get(`targets/metadata?match_target=${selector}`);
    // Of some that the buckets of one classic histogram have at once, it is another one there that stays.
    const isConverted = cases[i]!.job.startsWith('convert');
    const exemplars = isConverted ? [] : await get(`query_exemplars?query=${selector}`);
    const lines = exemplars.flatMap(({ seriesLabels = {}, exemplars: list = [] }) =>
      list.map((one) => {
        const key = exemplarKey(one.labels, one.value, Math.round(one.timestamp * 1000));
        return `${seriesKey(seriesLabels)} ${key}`;
      }),
    );
    const texts = metadata.map(({ metric, type, help, unit }) => JSON.stringify([metric, type, help, unit]));
    found.push({ metadata: texts.toSorted(), exemplars: lines.toSorted() });
  }
  return found;
}

/** Neither writes stale markers when it ends. */
async function stopBoth(): Promise<void> {
  const isOver = prometheus.exitCode !== null || prometheus.signalCode !== null;
  const exited = isOver ? undefined : new Promise((resolve) => prometheus.once('exit', resolve));
  prometheus.kill('SIGTERM');
  await Promise.all([exited, fleet.stop()]);
}

test('the same series, samples, histograms and stale markers', async () => {
  const their = openData(data);
  const our = openData(join(fleet.data, 'scraper-main-0-0', 'tsdb'));
  const counts = {
    broken: 0,
    late: 0,
    lenient: 0,
    series: 0,
    samples: 0,
    stale: 0,
    histograms: 0,
    failed: 0,
  };
  const different: unknown[] = [];
  for (const [i, { shown, contentType, isTimed, body }] of cases.entries()) {
    const [theirs, ours] = [server.progress('theirs'), server.progress('ours')];
    if (theirs.broken.has(i) || ours.broken.has(i)) {
      counts.broken++;
      continue;
    }
    const theirCase = await readCase(their, i, theirs.refused[i]!, rounds);
    const ourCase = await readCase(our, i, ours.refused[i]!, rounds);
    if (!isWhole(theirCase, theirs, i) || !isWhole(ourCase, ours, i)) {
      counts.broken++;
      continue;
    }
    const [found, own] = [theirCase.series, ourCase.series];
    const late = new Set([...lateScrapes(found), ...lateScrapes(own)]);
    counts.late += late.size;
    if (contentType.includes('protobuf')) {
      const lenient = readHereOnly(found, own).filter((scrape) => !late.has(scrape));
      counts.lenient += lenient.length;
      for (const scrape of lenient) late.add(scrape);
    }
    const [want, got] = [comparable(found, late, isTimed), comparable(own, late, isTimed)];
    count(want, counts);
    const keys = [...new Set([...want.keys(), ...got.keys()])].toSorted((a, b) => rank(a) - rank(b));
    const unequal = keys.filter((key) => want.get(key)?.join() !== got.get(key)?.join());
    if (unequal.length === 0) continue;
    const [series = ''] = unequal;
    const difference = differenceOf(want.get(series), got.get(series));
    const up = [...want].find(([key]) => rank(key) === 0)?.[1].join(', ');
    const isText = !contentType.includes('protobuf');
    const page = body(difference.scrape)
      .toString(isText ? 'latin1' : 'hex')
      .slice(0, 1500);
    different.push({
      case: `${i}: ${shown}, ${contentType}`,
      unequal: unequal.length,
      series,
      ...difference,
      up,
      page,
    });
  }
  console.log(JSON.stringify({ rounds, cases: cases.length, ...counts, different: different.length }));
  expect(different.slice(0, 20)).toEqual([]);
  // Where the machine is too busy for so many targets, a longer interval helps.
  expect(counts.broken).toBeLessThan(cases.length / 20);
  expect(counts.late).toBeLessThan((cases.length * rounds) / 10);
  expect(counts.lenient).toBeLessThan((cases.length * rounds) / 200);
  expect(counts.samples).toBeGreaterThan(cases.length * rounds);
}, 300_000);

/** Of whole pages; what is said of metrics of damaged ones depends on which scrapes failed. */
test('the same metadata and exemplars of whole pages', () => {
  const counts = { metadata: 0, exemplars: 0 };
  for (const [i, { metadata, exemplars }] of theirSaid.entries()) {
    counts.metadata += metadata.length;
    counts.exemplars += exemplars.length;
    expect([cases[i]!.shown, ourSaid[i]]).toEqual([cases[i]!.shown, { metadata, exemplars }]);
  }
  console.log(JSON.stringify(counts));
  expect(counts.metadata).toBeGreaterThan(wholeCount * 20);
  expect(counts.exemplars).toBeGreaterThan(rounds);
});

function count(
  found: CaseData,
  counts: Record<'series' | 'samples' | 'stale' | 'histograms' | 'failed', number>,
): void {
  for (const [key, samples] of found) {
    const ofEnd = (end: string): number => samples.filter((sample) => sample.endsWith(end)).length;
    counts.series++;
    counts.samples += samples.length;
    counts.stale += ofEnd(STALE);
    counts.histograms += ofEnd('}');
    if (rank(key) === 0) counts.failed += ofEnd(' 0');
  }
}

/** Whether each scrape came to the server; the last one may not have come to its end. */
function isWhole({ scrapes }: FoundCase, { refused, served }: Progress, number: number): boolean {
  const requests = refused[number]! + served[number]!;
  return scrapes === requests || scrapes === requests - 1;
}

/** What explains the rest comes first. */
function rank(key: string): number {
  return key.includes('"__name__":"up"') ? 0 : key.includes('"__name__":"scrape_') ? 2 : 1;
}

/** Those that took all their time: the machine was too busy, and what was served did not count. */
function lateScrapes(found: CaseData): number[] {
  const durations = [...found].find(([key]) => key.includes('"scrape_duration_seconds"'))?.[1] ?? [];
  const late = durations.filter((sample) => Number(sample.split(' ')[1]) > 0.9 * intervalSeconds);
  return late.map((sample) => scrapeOf(sample));
}

/** Fields of a damaged message that are of another type than they should be are passed over here, and refused there. */
function readHereOnly(their: CaseData, our: CaseData): number[] {
  const scrapesOf = (found: CaseData, end: string): number[] =>
    [...found]
      .filter(([key]) => rank(key) === 0)
      .flatMap(([, samples]) => samples.filter((sample) => sample.endsWith(end)).map(scrapeOf));
  const failed = new Set(scrapesOf(their, ' 0'));
  return scrapesOf(our, ' 1').filter((scrape) => failed.has(scrape));
}

/**
 * Without what measures time. After a scrape that failed, Prometheus leaves those series alive that stood before the error:
 * stale markers of such scrapes, and of the next one that is well, are not compared, nor is what the report counts of them.
 * A series whose first samples are out of order is new there when the first one is taken.
 */
function comparable(found: CaseData, late: ReadonlySet<number>, isTimed: boolean): CaseData {
  const ups = [...found].find(([key]) => rank(key) === 0)?.[1] ?? [];
  const failed = new Set(ups.filter((sample) => sample.endsWith(' 0')).map((sample) => scrapeOf(sample)));
  for (const scrape of late) failed.add(scrape);
  const isAfter = (scrape: number): boolean => failed.has(scrape) || failed.has(scrape - 1);
  const kept = [...found].flatMap(([key, samples]) => {
    if (key.includes('"scrape_duration_seconds"')) return [];
    if (isTimed && key.includes('"scrape_series_added"')) return [];
    const list = samples.filter((sample) => {
      const scrape = scrapeOf(sample);
      if (late.has(scrape)) return false;
      return !isAfter(scrape) || (rank(key) < 2 && !sample.endsWith(STALE));
    });
    return list.length === 0 ? [] : [[key, list] as const];
  });
  return new Map(kept);
}

/** NaN for a sample with a time of its own. */
function scrapeOf(sample: string): number {
  return Number(sample.slice(0, sample.indexOf(' ')));
}

interface Difference {
  readonly want: readonly string[];
  readonly got: readonly string[];
  /** The first that differs. */
  readonly scrape: number;
}

function differenceOf(want: readonly string[] = [], got: readonly string[] = []): Difference {
  const [wanted, had] = [new Set(want), new Set(got)];
  const missing = want.filter((sample) => !had.has(sample)).slice(0, 4);
  const others = got.filter((sample) => !wanted.has(sample)).slice(0, 4);
  const scrapes = [...missing, ...others].map((sample) => scrapeOf(sample));
  return { want: missing, got: others, scrape: Math.min(...scrapes.filter((one) => one >= 0), rounds - 1) };
}
