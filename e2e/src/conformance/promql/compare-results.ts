// Compares what our engine gives with what Prometheus's gave: the type, the series, every sample, the annotations.

import { allBuckets, formatGoG } from '@flotilla/model';
import type { FloatHistogram, Labels } from '@flotilla/model';
import type { MatrixSeries, QueryResult, VectorSample } from '@flotilla/promql';

/** What Prometheus's engine answers through the oracle. */
export interface OracleResult {
  readonly error: string;
  readonly type: string;
  readonly series: readonly OracleSeries[] | null;
  readonly warnings: readonly string[] | null;
  readonly infos: readonly string[] | null;
}

interface OracleSeries {
  readonly labels: Readonly<Record<string, string>> | null;
  readonly floats: readonly { readonly timeMs: number; readonly value: string }[] | null;
  readonly histograms: readonly OracleHistogram[] | null;
}

interface OracleHistogram {
  readonly timeMs: number;
  readonly schema: number;
  readonly count: string;
  readonly sum: string;
  readonly buckets: readonly (readonly [lower: string, upper: string, count: string])[] | null;
}

/** A sample as numbers that are compared one by one. */
interface Point {
  readonly timeMs: number;
  readonly numbers: readonly number[];
}

/** Samples by series; the series' labels as text. */
type Rows = ReadonlyMap<string, readonly Point[]>;

const TOLERANCE = 1e-12;

function parseNumber(text: string): number {
  if (text === '+Inf') return Infinity;
  return text === '-Inf' ? -Infinity : Number(text);
}

function rowsOfOracle({ series }: OracleResult): Rows {
  const points = (one: OracleSeries): Point[] => [
    ...(one.floats ?? []).map(({ timeMs, value }) => ({ timeMs, numbers: [parseNumber(value)] })),
    ...(one.histograms ?? []).map(({ timeMs, schema, count, sum, buckets }) => ({
      timeMs,
      numbers: [schema, ...[count, sum, ...(buckets ?? []).flat()].map(parseNumber)],
    })),
  ];
  return new Map((series ?? []).map((one) => [labelsText(one.labels ?? {}), sorted(points(one))]));
}

function sorted(points: Point[]): Point[] {
  return points.toSorted((a, b) => a.timeMs - b.timeMs);
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function keyOf(labels: Labels): string {
  return labelsText(labels.toRecord());
}

function histogramPoint(timeMs: number, h: FloatHistogram): Point {
  const buckets = allBuckets(h).filter(({ count }) => count !== 0);
  const numbers = buckets.flatMap(({ lower, upper, count }) => [lower, upper, count]);
  return { timeMs, numbers: [h.schema, h.count, h.sum, ...numbers] };
}

function rowsOfResult(result: QueryResult): Rows {
  switch (result.type) {
    case 'scalar':
      return new Map([['[]', [{ timeMs: result.timeMs, numbers: [result.value] }]]]);
    case 'string':
      return new Map();
    case 'vector':
      return new Map(result.series.map((one) => [keyOf(one.labels), [vectorPoint(one)]]));
    case 'matrix':
      break;
  }
  return new Map(result.series.map((one) => [keyOf(one.labels), matrixPoints(one)]));
}

function vectorPoint({ timeMs, value, histogram }: VectorSample): Point {
  return histogram === undefined ? { timeMs, numbers: [value] } : histogramPoint(timeMs, histogram);
}

function matrixPoints({ timestampsMs, values, histograms = [] }: MatrixSeries): Point[] {
  const floats = Array.from(values, (value, i) => ({ timeMs: timestampsMs[i]!, numbers: [value] }));
  return sorted([...floats, ...histograms.map(({ timeMs, histogram }) => histogramPoint(timeMs, histogram))]);
}

function near(a: number, b: number): boolean {
  if (Object.is(a, b) || a === b) return true;
  return Math.abs(a - b) <= TOLERANCE * Math.max(Math.abs(a), Math.abs(b));
}

function pointText({ timeMs, numbers }: Point): string {
  return `${numbers.map(formatGoG).join(' ')} @${timeMs}`;
}

function samePoint(a: Point, b: Point): boolean {
  return (
    a.timeMs === b.timeMs &&
    a.numbers.length === b.numbers.length &&
    a.numbers.every((value, i) => near(value, b.numbers[i]!))
  );
}

function rowsDifference(want: Rows, got: Rows): string | undefined {
  for (const [labels, points] of want) {
    const mine = got.get(labels);
    if (mine === undefined) return `series ${labels} is missing`;
    if (mine.length !== points.length) {
      return `series ${labels}: ${mine.length} samples, want ${points.length}`;
    }
    const wrong = points.findIndex((point, i) => !samePoint(point, mine[i]!));
    if (wrong !== -1)
      return `series ${labels}: ${pointText(mine[wrong]!)}, want ${pointText(points[wrong]!)}`;
  }
  const extra = [...got.keys()].find((labels) => !want.has(labels));
  return extra === undefined ? undefined : `series ${extra} should not be there`;
}

function textsDifference(
  what: string,
  want: readonly string[] | null,
  got: readonly string[],
): string | undefined {
  const wanted = (want ?? []).map(comparable).toSorted();
  const mine = got.map(comparable).toSorted();
  if (wanted.join('\n') === mine.join('\n')) return undefined;
  return `${what}: ${JSON.stringify(mine)}, want ${JSON.stringify(wanted)}`;
}

/**
 * Without what docs/differences.md explains: Prometheus counts the samples of a note again at every step, and the last
 * bit of a transcendental function may differ.
 */
function comparable(text: string): string {
  const number = (_: string, digits: string): string => `got ${Number(digits).toPrecision(12)}`;
  return text
    .replace(/over -?\d+ samples/, 'over some samples')
    .replace(/got (-?[\d.]+(?:e[-+]\d+)?)/, number);
}

/** What is different, or undefined. `got` is our result or our error's message. */
export function difference(want: OracleResult, got: QueryResult | string): string | undefined {
  if (typeof got === 'string') {
    return got === want.error ? undefined : `error "${got}", want ${errorText(want)}`;
  }
  if (want.error !== '') return `no error, want ${errorText(want)}`;
  if (want.type !== got.type) return `type ${got.type}, want ${want.type}`;
  return (
    rowsDifference(rowsOfOracle(want), rowsOfResult(got)) ??
    textsDifference('warnings', want.warnings, got.warnings) ??
    textsDifference('infos', want.infos, got.infos)
  );
}

function errorText({ error }: OracleResult): string {
  return error === '' ? 'no error' : `error "${error}"`;
}
