// Compares results with expectations, as the test language defines it: relative error, any NaN equal to any other.

import {
  compareLabels,
  type FloatHistogram,
  histogramExpression,
  type Labels,
  sameNumbers,
} from '@flotilla/model';
import type { MatrixSeries, QueryData, VectorSample } from '../engine/result.ts';
import type { SequenceItem } from './sequence.ts';
import { matchesPattern, type EvalStatement, type TextPattern } from './statement.ts';

const TOLERANCE = 1e-6;
const SMALLEST_NORMAL = 2 ** -1022;

export function almostEqual(a: number, b: number): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  const sum = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < SMALLEST_NORMAL) return difference < TOLERANCE * SMALLEST_NORMAL;
  return difference / Math.min(sum, Number.MAX_VALUE) < TOLERANCE;
}

/** Without regard to empty buckets; to the hint only if the expectation has one. */
function almostSame(want: SequenceItem & { kind: 'histogram' }, got: FloatHistogram): boolean {
  const a = want.histogram.compact();
  const b = got.compact();
  const near = (x: readonly number[], y: readonly number[]): boolean =>
    x.every((value, i) => almostEqual(value, y[i]!));
  const sameSide = (x: typeof a.positive, y: typeof a.positive): boolean =>
    x.indexes.length === y.indexes.length &&
    x.indexes.every((index, i) => index === y.indexes[i]) &&
    near(x.counts, y.counts);
  return (
    a.schema === b.schema &&
    almostEqual(a.count, b.count) &&
    almostEqual(a.sum, b.sum) &&
    sameNumbers(a.customBounds, b.customBounds) &&
    a.zeroThreshold === b.zeroThreshold &&
    almostEqual(a.zeroCount, b.zeroCount) &&
    sameSide(a.negative, b.negative) &&
    sameSide(a.positive, b.positive) &&
    (!want.hintGiven || a.hint === b.hint)
  );
}

function isSame(
  want: SequenceItem | undefined,
  value: number,
  histogram: FloatHistogram | undefined,
): boolean {
  if (want?.kind === 'histogram') return histogram !== undefined && almostSame(want, histogram);
  return want?.kind === 'value' && histogram === undefined && almostEqual(want.value, value);
}

function sampleText(value: number, histogram: FloatHistogram | undefined): string {
  return histogram === undefined ? String(value) : histogramExpression(histogram);
}

function itemText(item: SequenceItem | undefined): string {
  if (item?.kind === 'histogram') return histogramExpression(item.histogram);
  return item?.kind === 'value' ? String(item.value) : 'nothing';
}

/** What is wrong with a result, or undefined. */
export function compareResult(statement: EvalStatement, data: QueryData): string | undefined {
  const { expect } = statement;
  switch (data.type) {
    case 'string':
      return expect.string === data.value
        ? undefined
        : `expected string "${expect.string}", got "${data.value}"`;
    case 'scalar':
      if (expect.scalar === undefined) return `expected a vector or matrix, got scalar ${data.value}`;
      return almostEqual(expect.scalar, data.value)
        ? undefined
        : `expected ${expect.scalar}, got ${data.value}`;
    case 'vector':
      return compareVector(statement, data.series, expect.ordered);
    case 'matrix':
      break;
  }
  return compareMatrix(statement, data.series);
}

/** As a set, unless the order was asked for. */
export function compareVector(
  { expect }: EvalStatement,
  got: readonly VectorSample[],
  ordered: boolean,
): string | undefined {
  if (expect.scalar !== undefined) return `expected scalar ${expect.scalar}, got a vector`;
  const wanted = new Map(expect.series.map((series, at) => [series.labels.key, { series, at }]));
  for (const [at, { labels, value, histogram }] of got.entries()) {
    const want = wanted.get(labels.key);
    if (want === undefined) return `unexpected ${labels.toMetric()} ${sampleText(value, histogram)}`;
    if (ordered && want.at !== at) return `expected ${labels.toMetric()} at ${want.at}, got it at ${at}`;
    const item = want.series.items[0];
    if (!isSame(item, value, histogram)) {
      return `expected ${itemText(item)} for ${labels.toMetric()}, got ${sampleText(value, histogram)}`;
    }
    wanted.delete(labels.key);
  }
  const missing = wanted.values().next().value;
  return missing === undefined
    ? undefined
    : `expected ${missing.series.labels.toMetric()}, got nothing of it`;
}

function compareMatrix(statement: EvalStatement, got: readonly MatrixSeries[]): string | undefined {
  const { expect } = statement;
  if (expect.ordered) return 'expected an ordered result, got a matrix';
  if (expect.scalar !== undefined) return `expected scalar ${expect.scalar}, got a matrix`;
  const unsorted = unsortedSeries(got);
  if (unsorted !== undefined) return unsorted;
  const wanted = new Map(expect.series.map((series) => [series.labels.key, series]));
  for (const series of got) {
    const want = wanted.get(series.labels.key);
    if (want === undefined) return `unexpected ${series.labels.toMetric()} ${pointsText(pointsOf(series))}`;
    const { startMs, stepMs } = expect.rangeVector ?? statement;
    const items = want.items
      .map((item, i) => ({ item, timeMs: startMs + i * stepMs }))
      .filter(({ item }) => item.kind !== 'omitted');
    const points = pointsOf(series);
    const same =
      points.length === items.length &&
      items.every(({ item, timeMs }, i) => {
        const point = points[i]!;
        return timeMs === point.timeMs && isSame(item, point.value, point.histogram);
      });
    if (!same) {
      const wantText = items.map(({ item, timeMs }) => `${itemText(item)}@${timeMs}`).join(' ');
      return `expected ${wantText} for ${series.labels.toMetric()}, got ${pointsText(points)}`;
    }
    wanted.delete(series.labels.key);
  }
  const missing = wanted.values().next().value;
  return missing === undefined ? undefined : `expected ${missing.labels.toMetric()}, got nothing of it`;
}

interface Point {
  readonly timeMs: number;
  readonly value: number;
  readonly histogram?: FloatHistogram;
}

/** Floats and histograms together, by time. */
function pointsOf({ timestampsMs, values, histograms = [] }: MatrixSeries): Point[] {
  const floats = Array.from(values, (value, i) => ({ timeMs: timestampsMs[i]!, value }));
  const others = histograms.map((point) => ({ ...point, value: 0 }));
  return [...floats, ...others].toSorted((a, b) => a.timeMs - b.timeMs);
}

function pointsText(points: readonly Point[]): string {
  return points.map(({ timeMs, value, histogram }) => `${sampleText(value, histogram)}@${timeMs}`).join(' ');
}

export function unsortedSeries(series: readonly { readonly labels: Labels }[]): string | undefined {
  for (let i = 1; i < series.length; i++) {
    if (compareLabels(series[i - 1]!.labels, series[i]!.labels) > 0) {
      return `expected ${series[i]!.labels.toMetric()} before ${series[i - 1]!.labels.toMetric()}`;
    }
  }
  return undefined;
}

/** Warnings and infos: if any is expected, expected and actual ones must cover each other. */
export function compareAnnotations(
  { expect }: EvalStatement,
  warnings: readonly string[],
  infos: readonly string[],
): string | undefined {
  if (expect.noWarn && warnings.length > 0) return `expected no warnings, got ${warnings.join('; ')}`;
  if (expect.noInfo && infos.length > 0) return `expected no infos, got ${infos.join('; ')}`;
  return compareTexts('warning', expect.warn, warnings) ?? compareTexts('info', expect.info, infos);
}

function compareTexts(
  what: string,
  patterns: readonly TextPattern[],
  texts: readonly string[],
): string | undefined {
  if (patterns.length === 0) return undefined;
  const missing = patterns.find((pattern) => !texts.some((text) => matchesPattern(pattern, text)));
  if (missing !== undefined)
    return `expected ${what} ${missing.text ?? missing.regexp?.source ?? ''}, got ${texts.join('; ')}`;
  const extra = texts.find((text) => !patterns.some((pattern) => matchesPattern(pattern, text)));
  return extra === undefined ? undefined : `unexpected ${what} ${extra}`;
}
