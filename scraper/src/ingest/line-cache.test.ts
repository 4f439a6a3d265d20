// The line cache is an optimisation: with it and without it, the same pages must make the same series.

import { expect, test } from '@jest/globals';
import { LineScanner } from '@flotilla/kernel';
import { Labels, parseRelabelRule } from '@flotilla/model';
import { Tsdb } from '@flotilla/tsdb';
import * as fc from 'fast-check';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lineParser } from '../parse/line-formats.ts';
import { scheduleOf } from '../schedule/slots.ts';
import { readSeries, silentLog, type TestSample } from '../testing.ts';
import type { BodyRules } from './body-ingest.ts';
import { MetadataStore } from './metadata-store.ts';
import { ScrapeCounters } from './scrape-counters.ts';
import { SeriesGuard } from './series-guard.ts';
import { type IngestContext, type ScrapeOutcome, type ScrapeTime, TargetIngest } from './target-ingest.ts';

const startMs = 1_700_000_000_000;

function rulesOf(target: string, change: Partial<BodyRules>): BodyRules {
  return {
    target: Labels.fromRecord({ target }),
    honorLabels: false,
    relabelings: [parseRelabelRule({ sourceLabels: ['drop'], regex: 'me', action: 'drop' })],
    limits: { labels: 0, labelNameLength: 0, labelValueLength: 0 },
    hasLegacyNames: false,
    scrapeNativeHistograms: true,
    alwaysScrapeClassicHistograms: false,
    convertClassicHistogramsToNhcb: false,
    histogramBuckets: 0,
    seriesLimits: { series: 0, shardSeries: 0 },
    histogramSchemaMax: 8,
    schedule: scheduleOf(1, 1000),
    honorTimestamps: true,
    trackTimestampsStaleness: false,
    samplesMax: 12,
    lineBytesMax: 100,
    linesMax: 1000,
    ...change,
  };
}

const series = fc.constantFrom(
  'a',
  'a ',
  ' a',
  'a\t',
  'a{}',
  'a{x="1"}',
  'a {x="1"}',
  'a {x="2"}',
  'a{x="} 1"}',
  String.raw`a{x="\"} "}`,
  'a{drop="me"}',
  'a{drop="me",x="2"}',
  '{"a"}',
  '{"a.b",x="1"}',
  'h{le="1"}',
  'h{le="2"}',
  'b',
  'c',
  'd{target="x"}',
);
const value = fc.constantFrom(
  '1',
  '2',
  '0.1',
  '-1e-7',
  'NaN',
  '+Inf',
  '-inf',
  '123456789012345678901234567890',
  '1 ',
  '.5',
);
const stamp = fc.oneof(
  { weight: 5, arbitrary: fc.constant('') },
  fc.constantFrom(' 1699999999000', '\t1700000000500 ', ' 1'),
);
const line = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.tuple(series, value, stamp).map(([name, number, at]) => `${name} ${number}${at}`),
  },
  {
    weight: 6,
    arbitrary: fc.constantFrom(' # HELP a y', '# HELP a x', '#', '', ' '),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('bad', 'a', 'a{', 'a 1_0', 'a 0x1', `a{x="${'y'.repeat(100)}"} 1`),
  },
);
/** Pages of a target resemble each other: each changes a few lines of the one before. */
const pages = fc
  .tuple(
    fc.array(line, { maxLength: 12 }),
    fc.array(fc.array(fc.tuple(fc.nat(12), fc.nat(2), line), { maxLength: 4 }), {
      minLength: 1,
      maxLength: 6,
    }),
  )
  .map(([first, edits]) => {
    const all = [first];
    for (const edit of edits) {
      const next = [...all.at(-1)!];
      for (const [at, removed, added] of edit) next.splice(at, removed, added);
      all.push(next);
    }
    return all.map((lines) => Buffer.from(['# TYPE h histogram', ...withoutTwins(lines)].join('\n')));
  });

/** Which line of a series wins is the one thing that depends on what the cache knows. */
function withoutTwins(lines: readonly string[]): string[] {
  const seen = new Set<string>();
  return lines.filter((text) => {
    const key = seriesKey(text);
    if (key !== undefined && seen.has(key)) return false;
    if (key !== undefined) seen.add(key);
    return true;
  });
}

function seriesKey(text: string): string | undefined {
  const parser = lineParser('text');
  try {
    if (parser.parse(Buffer.from(text), 0, Buffer.byteLength(text)) !== 'series') return undefined;
    return JSON.stringify([parser.metric, ...parser.pairs]);
  } catch {
    return undefined;
  }
}

test('pages read with a cache and without make the same series', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'flotilla-lines-'));
  const tsdb = await Tsdb.open({
    dir,
    retentionMs: 2 ** 40,
    log: silentLog,
    clock: () => startMs + 3_600_000,
  });
  const context: IngestContext = {
    tsdb,
    scanner: new LineScanner(),
    counters: new ScrapeCounters(),
    metadata: new MetadataStore(),
    guard: new SeriesGuard(tsdb, new ScrapeCounters()),
  };
  const change = fc.record({ honorTimestamps: fc.boolean(), trackTimestampsStaleness: fc.boolean() });
  // An empty head takes any time; from here on, what is too old is too old for both.
  const first = new TargetIngest(context, rulesOf('first', {}));
  first.commitPage({ body: Buffer.from('a 1\n'), format: 'text' }, { timeMs: startMs, durationMs: () => 1 });
  first.release();
  let round = 0;
  await fc.assert(
    fc.asyncProperty(pages, change, async (bodies, rules) => {
      const [withCache, without] = [`with-${++round}`, `without-${round}`];
      const cached = new TargetIngest(context, rulesOf(withCache, rules));
      let waiting = new Uint32Array(0);
      for (const [i, body] of bodies.entries()) {
        const time: ScrapeTime = { timeMs: startMs + i * 1000, durationMs: () => 1 };
        const fresh = new TargetIngest(context, rulesOf(without, rules), waiting);
        const want = fresh.commitPage({ body, format: 'text' }, time);
        const got = cached.commitPage({ body, format: 'text' }, time);
        expect(shown(got)).toEqual(shown(want));
        waiting = Uint32Array.from(fresh.release());
      }
      cached.release();
      expect(await seriesOf(tsdb, withCache)).toEqual(await seriesOf(tsdb, without));
    }),
    { numRuns: 300 },
  );
  expect(context.metadata.size).toBe(0);
  await tsdb.close();
  await rm(dir, { recursive: true });
}, 120_000);

/** Counts of a scrape that failed are what was seen until then: with a cache, known lines are seen first. */
function shown({ up, error, scraped, kept }: ScrapeOutcome): Partial<ScrapeOutcome> {
  return up ? { up, error, scraped, kept } : { up, error };
}

/** Of one target, without its label and without counts. */
async function seriesOf(tsdb: Tsdb, target: string): Promise<Record<string, TestSample[]>> {
  const all = await readSeries(tsdb, '.+', target);
  const entries = Object.entries(all)
    .filter(([name]) => !name.startsWith('scrape_s'))
    .map(([name, samples]) => [name.replace(`target="${target}"`, 'target'), samples] as const);
  return Object.fromEntries(entries);
}
