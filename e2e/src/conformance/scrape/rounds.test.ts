// Proof: pages of real exporters and damaged parts of them, served for many rounds to a real Prometheus and to a fleet with the
// same settings, leave the same series in both databases: samples, histograms, stale markers, `up` and the report.
// FLOTILLA_SCRAPE_ROUNDS, FLOTILLA_SCRAPE_MUTATIONS, FLOTILLA_SCRAPE_SEED: how many rounds and mutated pages, of which seed.
// FLOTILLA_SCRAPE_INTERVAL: seconds; the first scrapes of all pages, with 100 000 new series, must fit into one.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePort } from '@flotilla/chassis';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalFleet } from '../../local/fleet.ts';
import { fleetManifest } from '../../local/manifests.ts';
import { openData, readCase } from './case-data.ts';
import { mutatedParts, type RoundsCase, wholePages } from './mutations.ts';
import { type FailureRecord, failuresOf, readFailures } from './failure-record.ts';
import { environment } from './oracle.ts';
import { recordExporters } from './recordings.ts';
import {
  compareCase,
  durationOf,
  endedByFailure,
  failedScrapes,
  lateScrapes,
  type ServedCase,
} from './rounds-compare.ts';
import { type RoundsJob, roundsJobs } from './rounds-jobs.ts';
import { type Said, whatIsSaid } from './rounds-said.ts';
import { type Progress, RoundsServer } from './rounds-server.ts';

const rounds = Number(process.env['FLOTILLA_SCRAPE_ROUNDS'] ?? 10);
const mutations = Number(process.env['FLOTILLA_SCRAPE_MUTATIONS'] ?? 300);
const seed = Number(process.env['FLOTILLA_SCRAPE_SEED'] ?? 1);
const intervalSeconds = Number(process.env['FLOTILLA_SCRAPE_INTERVAL'] ?? 5);
const folder = mkdtempSync(join(tmpdir(), 'flotilla-rounds-'));
const data = join(folder, 'data');
const theirFailureLog = join(folder, 'failures.json');
const ourFailureLog = 'failures.json';
/** How long metadata is known after it stood in a page, and some more. */
const metadataScrapes = 14;
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
      cadvisor: process.env['FLOTILLA_CADVISOR'],
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
    theirSaid = await whatIsSaid(theirUrl, cases.length);
    ourSaid = await whatIsSaid(fleet.url, cases.length);
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
  const times = {
    scrape_interval: `${intervalSeconds}s`,
    scrape_timeout: `${intervalSeconds}s`,
    scrape_failure_log_file: theirFailureLog,
    extra_scrape_metrics: true,
  };
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
    'fleet.yaml': `${fleetManifest({ shards: 1, replicas: 1, rulers: 0 })}  scrapeFailureLogFile: ${ourFailureLog}\n  extraScrapeMetrics: true\n`,
    ...Object.fromEntries(manifests.filter(([, text]) => text.includes('"targets"'))),
  });
}

/** Neither writes stale markers when it ends. */
async function stopBoth(): Promise<void> {
  const isOver = prometheus.exitCode !== null || prometheus.signalCode !== null;
  const exited = isOver ? undefined : new Promise((resolve) => prometheus.once('exit', resolve));
  prometheus.kill('SIGTERM');
  await Promise.all([exited, fleet.stop()]);
}

/** Scrapes of each case that failed on either side. */
const failedOf: ReadonlySet<number>[] = [];
const hasLate: boolean[] = [];
/** Series of each case of which samples, and so exemplars, are refused there. */
const endedOf: ReadonlySet<string>[] = [];

test('the same series, samples, histograms and stale markers', async () => {
  const ourFolder = join(fleet.data, 'scraper-main-0-0');
  const theirs = new System('theirs', data, [theirFailureLog]);
  const ours = new System('ours', join(ourFolder, 'tsdb'), [
    join(ourFolder, `${ourFailureLog}.1`),
    join(ourFolder, ourFailureLog),
  ]);
  const counts = { late: 0, series: 0, samples: 0, stale: 0, histograms: 0, failed: 0 };
  let brokenQuotes = 0;
  const different: unknown[] = [];
  for (const [i, { shown, contentType, isTimed, body }] of cases.entries()) {
    const [their, our] = [await theirs.read(i), await ours.read(i)];
    const rules = { rounds, intervalSeconds, isTimed };
    failedOf[i] = new Set([...failedScrapes(their, rules), ...failedScrapes(our, rules)]);
    endedOf[i] = isTimed ? endedByFailure(their.series) : new Set();
    hasLate[i] = [their, our].some((found) => lateScrapes(found, rules).length > 0);
    const difference = compareCase(their, our, rules, counts);
    if (difference === undefined) continue;
    const isText = !contentType.includes('protobuf');
    const page = body(difference.scrape).toString(isText ? 'latin1' : 'hex');
    const [theirRecord, ourRecord] = [
      theirs.recordOf(i, their, difference.scrape),
      ours.recordOf(i, our, difference.scrape),
    ];
    const isOurFailure = ourRecord.failures.length > 0 && theirRecord.failures.length === 0;
    if (isText && isOurFailure && breaksInQuotes(page)) {
      brokenQuotes++;
      continue;
    }
    different.push({
      case: `${i}: ${shown}, ${contentType}`,
      ...difference,
      theirs: theirRecord,
      ours: ourRecord,
      page: page.slice(0, 1500),
    });
  }
  const found = { ...counts, brokenQuotes, different: different.length };
  console.log(JSON.stringify({ rounds, cases: cases.length, ...found }));
  expect(different.slice(0, 20)).toEqual([]);
  expect(brokenQuotes).toBeLessThanOrEqual(cases.length / 200);
  // Where the machine is too busy for so many targets, a longer interval helps.
  expect(counts.late).toBeLessThan((cases.length * rounds) / 4);
  expect(counts.samples).toBeGreaterThan(cases.length * rounds);
}, 300_000);

test('the same metadata and exemplars', () => {
  const counts = { metadata: 0, exemplars: 0, foreign: 0, different: 0 };
  const different: unknown[] = [];
  for (const [i, one] of cases.entries()) {
    const foreign = foreignSeries(i);
    counts.foreign += foreign.size;
    const [want, got] = [saidLines(theirSaid[i]!, i, foreign), saidLines(ourSaid[i]!, i, foreign)];
    counts.metadata += want.metadata.length;
    counts.exemplars += want.exemplars.length;
    const isTold = saidOnce(i);
    const [missing, others] = [lacking(want, got).filter(isTold), lacking(got, want).filter(isTold)];
    if (missing.length + others.length > 0)
      different.push({
        case: `${i}: ${one.shown}`,
        missing: missing.slice(0, 3),
        others: others.slice(0, 3),
        comments: commentsOf(i),
      });
  }
  counts.different = different.length;
  console.log(JSON.stringify(counts));
  expect(different.slice(0, 20)).toEqual([]);
  expect(counts.metadata).toBeGreaterThan(wholeCount * 20);
  expect(counts.exemplars).toBeGreaterThan(rounds);
  expect(counts.foreign).toBeLessThan(counts.exemplars / 10);
});

/** A page in which a line ends inside quotes: the scrape fails, and with luck not there (docs/differences.md). */
function breaksInQuotes(page: string): boolean {
  const quotes = (line: string): number => line.replaceAll(/\\./g, '').split('"').length - 1;
  return page.split('\n').some((line) => !line.startsWith('#') && quotes(line) % 2 === 1);
}

/**
 * Where the buckets of a classic histogram make no native one, Prometheus keeps their exemplars, and gives them to the next histogram
 * that is made of buckets, in place of its own. The exemplars of such a series are not compared.
 */
function foreignSeries(number: number): ReadonlySet<string> {
  if (!cases[number]!.job.startsWith('convert')) return new Set();
  const foreign = theirSaid[number]!.exemplars.filter(({ isForeign }) => isForeign);
  return new Set(foreign.map(({ series }) => series));
}

interface SaidLines {
  readonly metadata: readonly string[];
  readonly exemplars: readonly string[];
}

/**
 * Not the exemplars of cases that were not read in full, and for the metadata of damaged pages, those metrics alone that stand
 * once in the last one, and none after failed scrapes: what stood before an error is known there, and for how many scrapes varies.
 */
function saidLines({ metadata, exemplars }: Said, number: number, foreign: ReadonlySet<string>): SaidLines {
  const failed = failedOf[number]!;
  const compared = exemplars.filter(({ series }) => !foreign.has(series) && !endedOf[number]!.has(series));
  const lines = hasLate[number] ? [] : compared.map(({ line }) => line);
  if (number < wholeCount) return { metadata, exemplars: lines };
  const { contentType, body } = cases[number]!;
  const isKnown = [...failed].every((scrape) => scrape < rounds - metadataScrapes);
  if (!isKnown || contentType.includes('protobuf')) return { metadata: [], exemplars: lines };
  const page = body(rounds - 1).toString('latin1');
  const times = (text: string): number => page.split(text).length - 1;
  const stands = (line: string): boolean => {
    const [metric] = JSON.parse(line) as string[];
    return times(`# TYPE ${metric} `) === 1 && times(`# HELP ${metric} `) === 1;
  };
  return { metadata: metadata.filter(stands), exemplars: lines };
}

/** Where a page has two comments on a metric, which one is taken, and for how long, is another one. Exemplars are not concerned. */
function saidOnce(number: number): (line: string) => boolean {
  return (line) => {
    if (!line.startsWith('[')) return true;
    const [metric] = JSON.parse(line) as string[];
    const pages = Array.from({ length: rounds }, (_, round) => cases[number]!.body(round).toString('latin1'));
    return pages.every((page) => page.split(`# HELP ${metric} `).length <= 2);
  };
}

/** Of the last pages. */
function commentsOf(number: number): string[] {
  return [3, 2, 1].map((back) => {
    const lines = cases[number]!.body(rounds - back)
      .toString('latin1')
      .split('\n');
    return lines
      .filter((line) => line.startsWith('# HELP'))
      .join('\n')
      .slice(0, 600);
  });
}

function lacking(from: SaidLines, other: SaidLines): string[] {
  const all = new Set([...other.metadata, ...other.exemplars]);
  return [...from.metadata, ...from.exemplars].filter((line) => !all.has(line));
}

/** What one of the two has of the cases. */
class System {
  readonly #db: ReturnType<typeof openData>;
  readonly #progress: Progress;
  readonly #failures: FailureRecord;

  constructor(name: string, dataFolder: string, failureLogs: readonly string[]) {
    this.#db = openData(dataFolder);
    this.#progress = server.progress(name);
    this.#failures = readFailures(failureLogs);
  }

  async read(number: number): Promise<ServedCase> {
    const asked = this.#progress.answers[number]!.slice(0, rounds).map(({ askedMs }) => askedMs);
    const found = await readCase(this.#db, number, asked, 0.9 * intervalSeconds);
    return { ...found, broken: this.#progress.broken[number]! };
  }

  /** What the server and the system tell of one scrape. */
  recordOf(
    number: number,
    found: ServedCase,
    scrape: number,
  ): { readonly failures: readonly string[]; readonly [detail: string]: unknown } {
    const timeMs = found.timesMs[scrape]!;
    const { askedMs = 0, writtenMs } = this.#progress.answers[number]![scrape] ?? {};
    return {
      timeMs,
      askedAfterMs: askedMs - timeMs,
      writtenMs,
      duration: durationOf(found, scrape),
      failures: failuresOf(this.#failures, number, timeMs, intervalSeconds * 1000),
    };
  }
}
