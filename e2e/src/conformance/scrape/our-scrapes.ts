// The same cases by our scraper: each body once, and the last one once more, into a database.

import { createLogger } from '@flotilla/chassis';
import { LineScanner } from '@flotilla/kernel';
import { formatSampleValue, histogramToJson, isStale, Labels, Matcher } from '@flotilla/model';
import {
  expositionFormat,
  type IngestContext,
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
import { jobs, type JobSettings, type ScrapeCase } from './cases.ts';
import { exemplarKey, type Scraped, seriesKey } from './real-prometheus.ts';

type BodySettings = ConstructorParameters<typeof TargetIngest>[1];

const lookbackMs = 300_000;
const times = new Float64Array(1000);
const values = new Float64Array(1000);

/** `instance`: the label of all targets. */
export async function scrapeCasesOurselves(
  cases: readonly ScrapeCase[],
  instance: string,
): Promise<Scraped[]> {
  const dir = mkdtempSync(join(tmpdir(), 'flotilla-scrape-'));
  const log = createLogger({ name: 'test', write: () => undefined });
  const tsdb = await Tsdb.open({ dir, retentionMs: 1e9, log });
  const counters = new ScrapeCounters();
  const shared = { tsdb, scanner: new LineScanner(), counters, guard: new SeriesGuard(tsdb, counters) };
  const metadata = cases.map(() => new MetadataStore());
  const nowMs = Date.now();
  // An empty head takes any time.
  const appender = tsdb.appender();
  appender.append(appender.series(Labels.fromRecord({ __name__: 'now' })), nowMs - 3000, 1);
  appender.commit();
  const errors = cases.map((one, i) =>
    scrapeInOrder({ ...shared, metadata: metadata[i]! }, one, i, instance, nowMs),
  );
  const series = cases.map((): Record<string, string> => ({}));
  const set = await tsdb.select([new Matcher('!=', 'case', '')], 0, 2 ** 50);
  while (set.next()) {
    const value = liveValue(set.chunks, nowMs);
    if (value !== undefined)
      series[Number(set.labels.get('case'))]![seriesKey(set.labels.toRecord())] = value;
  }
  set.close();
  const exemplars = cases.map((): Record<string, string[]> => ({}));
  for (const { labels, exemplars: list } of await tsdb.selectExemplars(
    [[new Matcher('!=', 'case', '')]],
    0,
    2 ** 50,
  ))
    exemplars[Number(labels.get('case'))]![seriesKey(labels.toRecord())] = list.map((one) =>
      exemplarKey(one.labels.toRecord(), formatSampleValue(one.value), one.timeMs),
    );
  await tsdb.close();
  rmSync(dir, { recursive: true });
  return series.map((of, i) => ({
    error: errors[i]!,
    series: of,
    metadata: metadataOf(metadata[i]!),
    exemplars: exemplars[i]!,
  }));
}

function scrapeInOrder(
  context: IngestContext,
  { job, contentType, bodies }: ScrapeCase,
  number: number,
  instance: string,
  nowMs: number,
): string {
  const target = Labels.fromRecord({ case: `${number}`, instance, job });
  const ingest = new TargetIngest(context, ingestSettings(target, jobs[job]!, number + 1));
  let error = '';
  for (const [i, body] of [...bodies, bodies.at(-1)!].entries()) {
    const time = { timeMs: nowMs - 2000 + 100 * i, durationMs: () => 1 };
    try {
      const format = body.length === 0 ? 'text' : expositionFormat(contentType, '');
      ({ error } = ingest.commitPage({ body, format }, time));
    } catch (err) {
      if (!(err instanceof ParseError)) throw err;
      ({ error } = ingest.commitFailure(err.message, time));
    }
  }
  return error;
}

/** `targetId` is not 0. */
export function ingestSettings(target: Labels, settings: JobSettings, targetId: number): BodySettings {
  return {
    target,
    honorLabels: settings.honor_labels ?? false,
    relabelings: [],
    limits: {
      labels: settings.label_limit ?? 0,
      labelNameLength: settings.label_name_length_limit ?? 0,
      labelValueLength: settings.label_value_length_limit ?? 0,
    },
    hasLegacyNames: settings.metric_name_validation_scheme === 'legacy',
    scrapeNativeHistograms: settings.scrape_native_histograms ?? false,
    alwaysScrapeClassicHistograms: settings.always_scrape_classic_histograms ?? false,
    convertClassicHistogramsToNhcb: settings.convert_classic_histograms_to_nhcb ?? false,
    histogramBuckets: settings.native_histogram_bucket_limit ?? 0,
    histogramSchemaMax: schemaOfFactor(settings.native_histogram_min_bucket_factor ?? 0),
    schedule: { targetId, intervalMs: 1000, phaseMs: 0 },
    honorTimestamps: true,
    trackTimestampsStaleness: false,
    samplesMax: 1e6,
    seriesLimits: { series: 0, shardSeries: 0 },
    lineBytesMax: 1 << 20,
    linesMax: 1e6,
  };
}

function metadataOf(store: MetadataStore): Scraped['metadata'] {
  const { metadata } = store.get('', 0);
  return Object.fromEntries(Object.entries(metadata).map(([metric, [said]]) => [metric, said!]));
}

/** The last sample, as the API writes it; undefined if the series has ended. */
function liveValue(chunks: readonly RawChunk[], nowMs: number): string | undefined {
  const last = chunks.at(-1)!;
  if (last.maxTimeMs < nowMs - lookbackMs) return undefined;
  const count = decodeChunk(last, times, values);
  if (count > 0) return isStale(values, count - 1) ? undefined : formatSampleValue(values[count - 1]!);
  const { histogram } = decodeHistogramChunk(last).at(-1)!;
  return histogram.isStale ? undefined : JSON.stringify(histogramToJson(floatHistogramOf(histogram)));
}
