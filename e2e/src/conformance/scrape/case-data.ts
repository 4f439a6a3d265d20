// What a database has of a case: each series as one text per sample, the time as the number of its scrape, so that two
// databases that scraped at different times compare. Both are read by the same reader, bit by bit.

import { formatSampleValue, histogramText, isStale, Matcher } from '@flotilla/model';
import {
  decodeChunk,
  decodeHistogramChunk,
  floatHistogramOf,
  type RawChunk,
  ReadOnlyTsdb,
} from '@flotilla/tsdb';
import { seriesKey } from './real-prometheus.ts';

export const STALE = 'stale';

/** Labels → samples as `scrape value`, or `@time value` for those with a time of their own. */
export type CaseData = ReadonlyMap<string, readonly string[]>;

export interface FoundCase {
  readonly series: CaseData;
  /** Of all times. */
  readonly scrapes: number;
}

interface Point {
  readonly timeMs: number;
  readonly value: string;
}

export function openData(dir: string): ReadOnlyTsdb {
  const db = new ReadOnlyTsdb(dir, { info() {}, warn() {}, error() {} });
  if (db.corruptions.length > 0) throw new Error(`${dir}: ${JSON.stringify(db.corruptions)}`);
  return db;
}

/** `skipped`: scrapes before the first one that counts; `rounds` do. */
export async function readCase(
  db: ReadOnlyTsdb,
  number: number,
  skipped: number,
  rounds: number,
): Promise<FoundCase> {
  const set = await db.select([new Matcher('=', 'case', `${number}`)], 0, 2 ** 50);
  const points = new Map<string, Point[]>();
  let ups: readonly Point[] = [];
  while (set.next()) {
    const found = set.chunks.flatMap((chunk) => pointsOf(chunk));
    const labels = set.labels.toRecord();
    if (labels['__name__'] === 'up') ups = found;
    points.set(seriesKey(labels), found);
  }
  set.close();
  const scrapes = new Map(ups.slice(skipped, skipped + rounds).map(({ timeMs }, i) => [timeMs, i]));
  const others = new Set(ups.map(({ timeMs }) => timeMs).filter((timeMs) => !scrapes.has(timeMs)));
  const texts = [...points].map(([key, list]) => {
    const counted = list.filter(({ timeMs }) => !others.has(timeMs));
    return [key, counted.map((point) => shown(point, scrapes.get(point.timeMs)))] as const;
  });
  return { series: new Map(texts.filter(([, list]) => list.length > 0)), scrapes: ups.length };
}

function shown({ timeMs, value }: Point, scrape: number | undefined): string {
  return scrape === undefined ? `@${timeMs} ${value}` : `${scrape} ${value}`;
}

function pointsOf(chunk: RawChunk): Point[] {
  const times = new Float64Array(chunk.samples);
  const values = new Float64Array(chunk.samples);
  const count = decodeChunk(chunk, times, values);
  if (count > 0)
    return Array.from({ length: count }, (_, i) => ({
      timeMs: times[i]!,
      value: isStale(values, i) ? STALE : formatSampleValue(values[i]!),
    }));
  return decodeHistogramChunk(chunk).map(({ timeMs, histogram }) => ({
    timeMs,
    value: histogram.isStale ? STALE : `${histogram.schema} ${histogramText(floatHistogramOf(histogram))}`,
  }));
}
