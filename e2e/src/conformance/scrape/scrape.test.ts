// Proof: what a real Prometheus makes of a body, our scraper makes of it, in every format and with every setting of histograms.
// Paths come in FLOTILLA_PROMETHEUS and FLOTILLA_PROMETHEUS_SOURCES; scripts/conformance.mjs sets them.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ScrapeCase, scrapeCases } from './cases.ts';
import { scrapeCasesOurselves } from './our-scrapes.ts';
import { RealPrometheus, type Scraped } from './real-prometheus.ts';

function environment(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run \`npm run conformance\``);
  return value;
}

const all = scrapeCases(environment('FLOTILLA_PROMETHEUS_SOURCES'));
const prometheus = new RealPrometheus(all);
/** Without those that Prometheus gave up on. */
let cases: readonly ScrapeCase[];
let theirs: Scraped[];
let ours: Scraped[];

beforeAll(async () => {
  await prometheus.scrapeAll(environment('FLOTILLA_PROMETHEUS'));
  const gaveUp = prometheus.gaveUp();
  const isRead = (_: unknown, number: number): boolean => !gaveUp.has(number);
  if (gaveUp.size > 0) console.log(`${gaveUp.size} cases are not compared: Prometheus timed out`);
  cases = all.filter(isRead);
  theirs = (await prometheus.results()).filter(isRead);
  ours = (await scrapeCasesOurselves(all, prometheus.instance)).filter(isRead);
}, 120_000);

afterAll(() => prometheus.stop());

test('the same errors', () => {
  const different = cases.flatMap((one, i) => {
    const [their, our] = [theirs[i]!.error, ours[i]!.error];
    return their === our ? [] : [{ of: shown(one), their, our }];
  });
  expect(different.map(({ of, our }) => [of, our])).toEqual(different.map(({ of, their }) => [of, their]));
});

test('the same series with the same values', () => {
  expect(cases.length).toBeGreaterThan(2000);
  const different = cases.flatMap((one, i) => {
    const [their, our] = [comparable(theirs[i]!), comparable(ours[i]!)];
    return JSON.stringify(their) === JSON.stringify(our) ? [] : [{ of: shown(one), our, their }];
  });
  expect(different.map(({ of, our }) => [of, our])).toEqual(different.map(({ of, their }) => [of, their]));
});

test('the same exemplars', () => {
  const different = cases.flatMap((one, i) => {
    const [their, our] = [theirs[i]!.exemplars, ours[i]!.exemplars];
    const isSame = JSON.stringify(byName(their)) === JSON.stringify(byName(our));
    return isSame ? [] : [{ of: shown(one), our: byName(our), their: byName(their) }];
  });
  expect(theirs.flatMap(({ exemplars }) => Object.values(exemplars).flat()).length).toBeGreaterThan(200);
  expect(different.map(({ of, our }) => [of, our])).toEqual(different.map(({ of, their }) => [of, their]));
});

function byName<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** Of bodies that stay as they are: what an older body said, Prometheus forgets after ten scrapes. */
test('the same metadata', () => {
  const compared = cases
    .map((one, i) => i)
    .filter((i) => theirs[i]!.error === '' && cases[i]!.bodies.length === 1);
  const different = compared.filter(
    (i) => JSON.stringify(sorted(theirs[i]!)) !== JSON.stringify(sorted(ours[i]!)),
  );
  const seen = (of: readonly Scraped[]): unknown[] =>
    different.map((i) => [shown(cases[i]!), sorted(of[i]!)]);
  expect(compared.flatMap((i) => sorted(theirs[i]!)).length).toBeGreaterThan(500);
  expect(seen(ours)).toEqual(seen(theirs));
});

function sorted({ metadata }: Scraped): unknown[] {
  const entries = Object.entries(metadata).map(([metric, { type, help, unit }]) => [
    metric,
    type,
    help,
    unit,
  ]);
  return entries.toSorted(([a], [b]) => (a! < b! ? -1 : 1));
}

/**
 * Sorted, without what measures time. After a scrape that failed, Prometheus leaves those series alive that stood before
 * the error, and we end all, as its documentation says: only `up` is compared.
 */
function comparable({ error, series }: Scraped): Record<string, string> {
  const entries = Object.entries(series).filter(([key]) =>
    error === '' ? !key.includes('"scrape_duration_seconds"') : key.includes('"__name__":"up"'),
  );
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function shown({ job, contentType, bodies }: ScrapeCase): string {
  const texts = bodies.map((body) => JSON.stringify(body.toString('latin1').slice(0, 300)));
  return `${job}, ${contentType}: ${texts.join(', then ')}`;
}
