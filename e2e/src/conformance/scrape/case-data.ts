// What a database has of a case: each series as one text per sample, the time as the round of the page, so that two
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
/** How far the time of a scrape may be after its request. */
const clockMs = 5;

/** Labels → samples as `round value`, or `@time value` for those with a time of their own. */
export type CaseData = ReadonlyMap<string, readonly string[]>;

export interface FoundCase {
  readonly series: CaseData;
  /** Of the scrape of each round; NaN of one of which it is not known. */
  readonly timesMs: readonly number[];
  /** Rounds whose scrape is not known for sure, and those before a scrape that is of no round. */
  readonly doubtful: ReadonlySet<number>;
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

/** `askedMs`: when the page of each round was asked for, Unix time. A scrape of `lateSeconds` or more has timed out. */
export async function readCase(
  db: ReadOnlyTsdb,
  number: number,
  askedMs: readonly number[],
  lateSeconds: number,
): Promise<FoundCase> {
  const set = await db.select([new Matcher('=', 'case', `${number}`)], 0, 2 ** 50);
  const points = new Map<string, Point[]>();
  let ups: readonly Point[] = [];
  let durations: readonly Point[] = [];
  while (set.next()) {
    const found = set.chunks.flatMap((chunk) => pointsOf(chunk));
    const labels = set.labels.toRecord();
    if (labels['__name__'] === 'up') ups = found;
    if (labels['__name__'] === 'scrape_duration_seconds') durations = found;
    points.set(seriesKey(labels), found);
  }
  set.close();
  const scrapeTimesMs = ups.map(({ timeMs }) => timeMs);
  const isLate = durations.filter(({ value }) => Number(value) >= lateSeconds);
  const late = new Set(isLate.map(({ timeMs }) => scrapeTimesMs.indexOf(timeMs)));
  const { timesMs, doubtful } = roundsOf(scrapeTimesMs, late, askedMs);
  const rounds = new Map(timesMs.map((timeMs, round) => [timeMs, round]));
  const others = new Set(scrapeTimesMs.filter((timeMs) => !rounds.has(timeMs)));
  const texts = [...points].map(([key, list]) => {
    const counted = list.filter(({ timeMs }) => !others.has(timeMs));
    return [key, counted.map((point) => shown(point, rounds.get(point.timeMs)))] as const;
  });
  return { series: new Map(texts.filter(([, list]) => list.length > 0)), timesMs, doubtful };
}

/**
 * A request belongs to the last scrape that began before it. On a busy machine a scrape may time out before its request is read,
 * so that it had no page, and the request of one that has timed out may be read in the time of the next one.
 */
function roundsOf(
  scrapesMs: readonly number[],
  late: ReadonlySet<number>,
  askedMs: readonly number[],
): Pick<FoundCase, 'timesMs' | 'doubtful'> {
  const scrapes = askedMs.map((asked) => scrapesMs.findLastIndex((timeMs) => timeMs <= asked + clockMs));
  const doubtful = new Set<number>();
  scrapes.forEach((scrape, round) => {
    const isShared = scrape === scrapes[round - 1] || scrape === scrapes[round + 1];
    const mayBeOfLast = late.has(scrape - 1) || late.has(scrape);
    if (scrape < 0 || isShared || mayBeOfLast) doubtful.add(round);
    if (round > 0 && scrape !== scrapes[round - 1]! + 1) doubtful.add(round - 1);
  });
  const timesMs = scrapes.map((scrape, round) => {
    const isFirst = scrape !== scrapes[round - 1];
    return isFirst ? (scrapesMs[scrape] ?? NaN) : NaN;
  });
  return { timesMs, doubtful };
}

function shown({ timeMs, value }: Point, round: number | undefined): string {
  return round === undefined ? `@${timeMs} ${value}` : `${round} ${value}`;
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
