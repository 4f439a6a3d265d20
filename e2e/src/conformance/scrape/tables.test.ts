// Proof: what the tables in the tests of Prometheus's scrape package want holds for ours: labels of targets, of samples and of
// their collisions, samples with exemplars and histograms of each format, limits of labels, schemas, what a scrape accepts.

import { afterAll, expect, test } from '@jest/globals';
import { createLogger } from '@flotilla/chassis';
import { LineScanner } from '@flotilla/kernel';
import {
  histogramText,
  Labels,
  LabelsBuilder,
  Matcher,
  parseDuration,
  parseRelabelRule,
} from '@flotilla/model';
import { relabelTarget, type ScrapeJob, withDefaults } from '@flotilla/operator';
import {
  acceptHeader,
  expositionFormat,
  MetadataStore,
  ParseError,
  schemaOfFactor,
  ScrapeCounters,
  SeriesGuard,
  TargetIngest,
} from '@flotilla/scraper';
import { decodeChunk, decodeHistogramChunk, floatHistogramOf, type RawChunk, Tsdb } from '@flotilla/tsdb';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobSettings } from './cases.ts';
import { environment, readTables } from './oracle.ts';
import { ingestSettings } from './our-scrapes.ts';
import { familyOfText } from './text-proto.ts';

const folder = mkdtempSync(join(tmpdir(), 'flotilla-tables-'));
const tables = readTables(environment('FLOTILLA_SCRAPE_TABLES'), [
  'TestAcceptHeader',
  'TestPickSchema',
  'TestPopulateLabels',
  'TestScrapeLoopAppend',
  'TestScrapeLoopAppendForConflictingPrefixedLabels',
  'TestScrapeLoopAppend_HonorLabels',
  'TestScrapeLoopLabelLimit',
]);

afterAll(() => rmSync(folder, { recursive: true }));

type LabelRecord = Readonly<Record<string, string>>;

function rows(table: string, atLeast: number): readonly object[] {
  const found = tables.get(table) ?? [];
  expect(found.length).toBeGreaterThanOrEqual(atLeast);
  return found;
}

interface Sample {
  readonly L: LabelRecord;
  /** 0: of the scrape. */
  readonly T?: number;
  readonly V?: number | 'NaN';
  readonly H?: string;
  readonly FH?: string;
  readonly ES?: readonly { readonly Labels: LabelRecord; readonly Value: number; readonly Ts?: number }[];
}

interface Scrape {
  readonly target: readonly string[];
  readonly body: Buffer;
  readonly contentType: string;
  readonly settings: JobSettings;
}

const nowMs = Date.now();
let scrapes = 0;

/** One scrape into a database of its own: the samples without those of the report, or the error. */
async function scrapeOnce({ target, body, contentType, settings }: Scrape): Promise<Sample[] | string> {
  const log = createLogger({ name: 'test', write: () => undefined });
  const tsdb = await Tsdb.open({ dir: join(folder, `${scrapes++}`), retentionMs: 1e14, log });
  try {
    const counters = new ScrapeCounters();
    const guard = new SeriesGuard(tsdb, counters);
    const context = { tsdb, scanner: new LineScanner(), counters, guard, metadata: new MetadataStore() };
    const ingest = new TargetIngest(context, ingestSettings(labelsOf(target), settings, 1));
    const time = { timeMs: nowMs, durationMs: () => 1 };
    const { error } = ingest.commitPage({ body, format: expositionFormat(contentType, '') }, time);
    return error === '' ? await samplesOf(tsdb) : error;
  } catch (err) {
    if (err instanceof ParseError) return err.message;
    throw err;
  } finally {
    await tsdb.close();
  }
}

function labelsOf(flat: readonly string[]): Labels {
  return flat
    .reduce(
      (builder, name, i) => (i % 2 === 0 ? builder.set(name, flat[i + 1]!) : builder),
      new LabelsBuilder(),
    )
    .labels();
}

async function samplesOf(tsdb: Tsdb): Promise<Sample[]> {
  const all = [new Matcher('!~', '__name__', 'up|scrape_.*')];
  const exemplars = await tsdb.selectExemplars([all], 0, 2 ** 50);
  const set = await tsdb.select(all, 0, 2 ** 50);
  const found: Sample[] = [];
  while (set.next()) {
    const { labels } = set;
    const own = exemplars.find((one) => one.labels.key === labels.key)?.exemplars ?? [];
    const ES = own.map((one) => ({
      Labels: one.labels.toRecord(),
      Value: one.value,
      ...(one.timeMs !== nowMs && { Ts: one.timeMs }),
    }));
    const more = { L: labels.toRecord(), ...(ES.length > 0 && { ES }) };
    for (const chunk of set.chunks) found.push(...valuesOf(chunk).map((value) => ({ ...more, ...value })));
  }
  return found;
}

function valuesOf(chunk: RawChunk): Pick<Sample, 'T' | 'V' | 'H'>[] {
  const times = new Float64Array(chunk.samples);
  const values = new Float64Array(chunk.samples);
  const at = (timeMs: number): { T?: number } => (timeMs === nowMs ? {} : { T: timeMs });
  if (decodeChunk(chunk, times, values) > 0)
    return [...values].map((value, i) => ({ ...at(times[i]!), V: Number.isNaN(value) ? 'NaN' : value }));
  return decodeHistogramChunk(chunk).map(({ timeMs, histogram }) => ({
    ...at(timeMs),
    H: histogramText(floatHistogramOf(histogram)),
  }));
}

/** As ours are: sorted, a value where there is no histogram, without start times and the names of families. */
function wanted(samples: readonly Sample[]): Sample[] {
  return sorted(
    samples.map(({ L, T, V = 0, H, FH, ES }) => ({
      L,
      ...(T !== undefined && { T }),
      ...(H === undefined && FH === undefined ? { V } : { H: H ?? FH! }),
      ...(ES !== undefined && {
        ES: ES.map(({ Labels: of, Value, Ts }) => ({
          Labels: of,
          Value,
          ...(Ts !== undefined && { Ts }),
        })),
      }),
    })),
  );
}

function sorted(samples: readonly Sample[]): Sample[] {
  const key = ({ L }: Sample): string => JSON.stringify(Object.entries(L).toSorted());
  return samples.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

test('samples of a page', async () => {
  interface Row {
    readonly title: string;
    readonly scrapeText: string;
    readonly contentType: string;
    readonly discoveryLabels?: readonly string[];
    readonly alwaysScrapeClassicHist?: boolean;
    readonly enableNativeHistogramsIngestion?: boolean;
    readonly samples: readonly Sample[];
  }
  // The native histograms of the table contradict themselves: the tests have no database, and every database refuses them.
  const table = (rows('testScrapeLoopAppend', 10) as readonly Row[]).filter(
    (row) => !row.enableNativeHistogramsIngestion,
  );
  for (const row of table) {
    const isProtobuf = row.contentType === 'application/vnd.google.protobuf';
    const got = await scrapeOnce({
      target: row.discoveryLabels ?? [],
      body: isProtobuf ? familyOfText(row.scrapeText) : Buffer.from(`${row.scrapeText}\n`),
      contentType: isProtobuf
        ? `${row.contentType}; proto=io.prometheus.client.MetricFamily; encoding=delimited`
        : row.contentType,
      settings: {
        always_scrape_classic_histograms: row.alwaysScrapeClassicHist ?? false,
      },
    });
    expect([row.title, typeof got === 'string' ? got : sorted(got)]).toEqual([
      row.title,
      wanted(row.samples),
    ]);
  }
});

test('labels of targets that samples have, too', async () => {
  interface Honored {
    readonly title: string;
    readonly honorLabels?: boolean;
    readonly scrapeText: string;
    readonly discoveryLabels?: readonly string[];
    readonly expLset: LabelRecord;
  }
  interface Conflict {
    readonly name: string;
    readonly targetLabels: readonly string[];
    readonly exposedLabels: string;
    readonly expected: readonly string[];
  }
  const honored = (rows('testScrapeLoopAppendHonorLabels', 4) as readonly Honored[]).map((row) => ({
    title: row.title,
    honor: row.honorLabels ?? false,
    text: row.scrapeText,
    target: row.discoveryLabels ?? [],
    want: row.expLset,
  }));
  const conflicts = (rows('testScrapeLoopAppendForConflictingPrefixedLabels', 6) as readonly Conflict[]).map(
    (row) => ({
      title: row.name,
      honor: false,
      text: row.exposedLabels,
      target: row.targetLabels,
      want: labelsOf(row.expected).toRecord(),
    }),
  );
  for (const { title, honor, text, target, want } of [...honored, ...conflicts]) {
    const body = Buffer.from(`${text}\n`);
    const settings = { honor_labels: honor };
    const got = await scrapeOnce({ target, body, contentType: 'text/plain', settings });
    expect([title, typeof got === 'string' ? got : got.map(({ L }) => L)]).toEqual([title, [want]]);
  }
});

test('limits of labels', async () => {
  interface Row {
    readonly title: string;
    readonly scrapeLabels: string;
    readonly discoveryLabels?: readonly string[];
    readonly labelLimits: {
      readonly labelLimit?: number;
      readonly labelNameLengthLimit?: number;
      readonly labelValueLengthLimit?: number;
    };
    readonly expectErr?: boolean;
  }
  for (const { title, scrapeLabels, discoveryLabels = [], labelLimits, expectErr } of rows(
    'testScrapeLoopLabelLimit',
    9,
  ) as readonly Row[]) {
    const settings = {
      label_limit: labelLimits.labelLimit ?? 0,
      label_name_length_limit: labelLimits.labelNameLengthLimit ?? 0,
      label_value_length_limit: labelLimits.labelValueLengthLimit ?? 0,
    };
    const body = Buffer.from(`${scrapeLabels}\n`);
    const got = await scrapeOnce({ target: discoveryLabels, body, contentType: 'text/plain', settings });
    expect([title, typeof got === 'string']).toEqual([title, expectErr ?? false]);
  }
});

test('what a scrape accepts', () => {
  interface Row {
    readonly scrapeProtocols: readonly string[];
    readonly scheme?: number;
    readonly expectedHeader: string;
  }
  const schemes = ['allow-utf-8', 'underscores', 'dots', 'values'];
  // OpenMetrics 2.0 is not read.
  const known = (rows('TestAcceptHeader', 5) as readonly Row[]).filter(
    ({ scrapeProtocols }) => !scrapeProtocols.includes('OpenMetricsText2.0.0'),
  );
  const headers = known.map(({ scrapeProtocols, scheme = 0 }) =>
    acceptHeader({
      scrapeProtocols,
      scrapeNativeHistograms: false,
      nameValidationScheme: '',
      nameEscapingScheme: schemes[scheme]!,
    }),
  );
  expect(known.length).toBeGreaterThanOrEqual(4);
  expect(headers).toEqual(known.map(({ expectedHeader }) => expectedHeader));
});

test('schemas of bucket factors', () => {
  const want = rows('TestPickSchema', 14) as readonly {
    readonly factor?: number;
    readonly schema?: number;
  }[];
  expect(want.map(({ factor = 0 }) => schemaOfFactor(factor) + 0)).toEqual(
    want.map(({ schema = 0 }) => schema),
  );
});

interface PopulateRow {
  readonly in: LabelRecord;
  readonly cfg: {
    readonly JobName: string;
    readonly Scheme: string;
    readonly MetricsPath: string;
    readonly ScrapeInterval: string;
    readonly ScrapeTimeout: string;
    readonly ConvertClassicHistogramsToNHCB?: boolean;
    readonly RelabelConfigs?: readonly {
      readonly Action: string;
      readonly Regex: string;
      readonly Replacement: string;
      readonly SourceLabels: readonly string[];
      readonly TargetLabel: string;
    }[];
  };
  readonly res?: LabelRecord;
  readonly resOrig?: LabelRecord;
  readonly err?: string;
}

function jobOf({ cfg }: PopulateRow): ScrapeJob {
  const rules = (cfg.RelabelConfigs ?? []).map((rule) => ({
    text: '',
    rule: parseRelabelRule({
      action: rule.Action,
      regex: rule.Regex,
      replacement: rule.Replacement,
      sourceLabels: rule.SourceLabels,
      targetLabel: rule.TargetLabel,
    }),
  }));
  const job = {
    name: cfg.JobName,
    intervalMs: parseDuration(cfg.ScrapeInterval),
    timeoutMs: parseDuration(cfg.ScrapeTimeout),
    scrapeNativeHistograms: false,
    alwaysScrapeClassicHistograms: false,
    convertClassicHistogramsToNhcb: cfg.ConvertClassicHistogramsToNHCB ?? false,
  };
  const { Scheme: scheme, MetricsPath: metricsPath } = cfg;
  return { job, scheme, metricsPath, params: {}, rules, isProbe: false } as unknown as ScrapeJob;
}

test('labels of targets', () => {
  // A value that is no UTF-8 is for discovery to refuse.
  const table = (rows('TestPopulateLabels', 15) as readonly PopulateRow[]).filter(
    (row) => !Object.values(row.in).some((value) => value.includes('\ufffd')),
  );
  for (const row of table) {
    const discovered = Labels.fromRecord(row.in);
    const shown = JSON.stringify(row.in);
    if (row.err !== undefined) {
      expect([shown, refusal(() => relabelTarget(jobOf(row), discovered))]).toEqual([shown, row.err]);
      continue;
    }
    expect([shown, withDefaults(jobOf(row), discovered).toRecord()]).toEqual([shown, row.resOrig]);
    const { target } = relabelTarget(jobOf(row), discovered);
    const shownLabels = Object.entries(row.res!).filter(([name]) => !name.startsWith('__'));
    expect([shown, target?.labels.toRecord()]).toEqual([shown, Object.fromEntries(shownLabels)]);
    const { __scheme__, __address__, __metrics_path__ } = row.res!;
    expect(target?.url).toBe(`${__scheme__}://${__address__}${__metrics_path__}`);
    const want = [row.res!['__scrape_interval__']!, row.res!['__scrape_timeout__']!].map(parseDuration);
    expect([target?.intervalMs, target?.timeoutMs]).toEqual(want);
  }
});

function refusal(run: () => unknown): string {
  try {
    run();
    return '';
  } catch (err) {
    return (err as Error).message;
  }
}
