// Whether two databases have the same of a case, and what to show where they do not.

import { type CaseData, type FoundCase, STALE } from './case-data.ts';

export interface Counts {
  series: number;
  samples: number;
  stale: number;
  histograms: number;
  failed: number;
  late: number;
}

/** What a system has of a case, and what the server knows of it. */
export interface ServedCase extends FoundCase {
  /** Scrapes that did not read the page to its end. */
  readonly broken: ReadonlySet<number>;
}

export interface CaseRules {
  readonly rounds: number;
  readonly intervalSeconds: number;
  /** Some of its samples have times of their own. */
  readonly isTimed: boolean;
}

export interface Difference {
  readonly series: string;
  readonly unequal: number;
  readonly want: readonly string[];
  readonly got: readonly string[];
  /** The first that differs. */
  readonly scrape: number;
  readonly up: string;
}

/** undefined if they are the same. Adds to `counts`. */
export function compareCase(
  their: ServedCase,
  our: ServedCase,
  rules: CaseRules,
  counts: Counts,
): Difference | undefined {
  const late = new Set([...lateScrapes(their, rules), ...lateScrapes(our, rules)]);
  const want = comparable(their.series, late, rules);
  const got = comparable(our.series, late, rules);
  counts.late += late.size;
  count(want, counts);
  const ended = rules.isTimed ? endedByFailure(their.series) : new Set();
  const keys = [...new Set([...want.keys(), ...got.keys()])]
    .filter((key) => !ended.has(key))
    .toSorted((a, b) => rank(a) - rank(b));
  const unequal = keys.filter((key) => want.get(key)?.join() !== got.get(key)?.join());
  const [series] = unequal;
  if (series === undefined) return undefined;
  const up = upsOf(want).join(', ');
  return {
    series,
    unequal: unequal.length,
    ...differenceOf(want.get(series), got.get(series), rules.rounds),
    up,
  };
}

/**
 * Series with times of their own whose line lost its time in a scrape that failed: Prometheus ends them at the time of the scrape,
 * although it has no sample of it, and then refuses what is older.
 */
export function endedByFailure(found: CaseData): ReadonlySet<string> {
  const isEnded = (samples: readonly string[]): boolean =>
    samples.some((sample) => sample.startsWith('@')) &&
    samples.some((sample) => !sample.startsWith('@') && sample.endsWith(STALE));
  return new Set([...found].flatMap(([key, samples]) => (isEnded(samples) ? [key] : [])));
}

/** Scrapes that failed, or that were late. */
export function failedScrapes(found: ServedCase, rules: CaseRules): ReadonlySet<number> {
  return new Set([...zeroScrapes(upsOf(found.series)), ...lateScrapes(found, rules)]);
}

export function durationOf({ series }: FoundCase, scrape: number): string {
  const durations = samplesOf(series, 'scrape_duration_seconds');
  const found = durations.find((sample) => scrapeOf(sample) === scrape);
  return found === undefined ? 'unknown' : `${found.split(' ')[1]} s`;
}

function count(found: CaseData, counts: Counts): void {
  for (const [key, samples] of found) {
    const ofEnd = (end: string): number => samples.filter((sample) => sample.endsWith(end)).length;
    counts.series++;
    counts.samples += samples.length;
    counts.stale += ofEnd(STALE);
    counts.histograms += ofEnd('}');
    if (rank(key) === 0) counts.failed += ofEnd(' 0');
  }
}

/** What explains the rest comes first. */
function rank(key: string): number {
  return key.includes('"__name__":"up"') ? 0 : key.includes('"__name__":"scrape_') ? 2 : 1;
}

function samplesOf(found: CaseData, name: string): readonly string[] {
  return [...found].find(([key]) => key.includes(`"__name__":"${name}"`))?.[1] ?? [];
}

function upsOf(found: CaseData): readonly string[] {
  return samplesOf(found, 'up');
}

/** Those that took all their time, or that cannot be told: the machine was too busy, and what was served did not count. */
export function lateScrapes(
  { series, broken, doubtful }: ServedCase,
  { intervalSeconds }: CaseRules,
): number[] {
  const durations = samplesOf(series, 'scrape_duration_seconds');
  const late = durations.filter((sample) => Number(sample.split(' ')[1]) > 0.9 * intervalSeconds);
  return [...broken, ...doubtful, ...late.map((sample) => scrapeOf(sample))];
}

/**
 * Without what measures time. After a scrape that failed, Prometheus leaves those series alive that stood before the error:
 * stale markers of such scrapes, and of the next one that is well, are not compared, nor is what the report counts of them.
 * A series whose first samples are out of order is new there when the first one is taken. After a late scrape, which one system
 * had in time, it is new at different times, and of samples with times of their own nobody knows which scrape they are of.
 */
function comparable(found: CaseData, late: ReadonlySet<number>, { isTimed }: CaseRules): CaseData {
  const failed = new Set([...zeroScrapes(upsOf(found)), ...late]);
  const isAfter = (scrape: number): boolean => failed.has(scrape) || failed.has(scrape - 1);
  // What a failed scrape made known there stays so over empty ones.
  const empty = new Set(zeroScrapes(samplesOf(found, 'scrape_samples_scraped')));
  const isAfterAll = (scrape: number): boolean =>
    isAfter(scrape) || (empty.has(scrape - 1) && isAfterAll(scrape - 1));
  const kept = [...found].flatMap(([key, samples]) => {
    if (key.includes('"scrape_duration_seconds"')) return [];
    if ((isTimed || late.size > 0) && key.includes('"scrape_series_added"')) return [];
    const list = samples.filter((sample) => {
      const scrape = scrapeOf(sample);
      if (late.has(scrape) || (late.size > 0 && Number.isNaN(scrape))) return false;
      if (key.includes('"scrape_series_added"')) return !isAfterAll(scrape);
      return !isAfter(scrape) || (rank(key) < 2 && !sample.endsWith(STALE));
    });
    return list.length === 0 ? [] : [[key, list] as const];
  });
  return new Map(kept);
}

/** Those of the samples that are 0. */
function zeroScrapes(samples: readonly string[]): number[] {
  return samples.filter((sample) => sample.endsWith(' 0')).map((sample) => scrapeOf(sample));
}

/** NaN for a sample with a time of its own. */
function scrapeOf(sample: string): number {
  return Number(sample.slice(0, sample.indexOf(' ')));
}

function differenceOf(
  want: readonly string[] = [],
  got: readonly string[] = [],
  rounds: number,
): Pick<Difference, 'want' | 'got' | 'scrape'> {
  const [wanted, had] = [new Set(want), new Set(got)];
  const missing = want.filter((sample) => !had.has(sample)).slice(0, 4);
  const others = got.filter((sample) => !wanted.has(sample)).slice(0, 4);
  const scrapes = [...missing, ...others].map((sample) => scrapeOf(sample));
  return { want: missing, got: others, scrape: Math.min(...scrapes.filter((one) => one >= 0), rounds - 1) };
}
