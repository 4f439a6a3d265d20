// Compares results with expectations, as the test language defines it: relative error, any NaN equal to any other.

import { compareLabels, Labels } from '@flotilla/model';
import type { MatrixSeries, QueryData, VectorSample } from '../engine/result.ts';
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
  for (const [at, { labels, value }] of got.entries()) {
    const want = wanted.get(labels.key);
    if (want === undefined) return `unexpected ${labels.toMetric()} ${value}`;
    if (ordered && want.at !== at) return `expected ${labels.toMetric()} at ${want.at}, got it at ${at}`;
    const item = want.series.items[0];
    if (item?.kind !== 'value' || !almostEqual(item.value, value)) {
      return `expected ${JSON.stringify(item)} for ${labels.toMetric()}, got ${value}`;
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
    if (want === undefined) return `unexpected ${series.labels.toMetric()} ${series.values.join(' ')}`;
    const { startMs, stepMs } = expect.rangeVector ?? statement;
    const points = want.items.flatMap((item, i) =>
      item.kind === 'value' ? [{ timeMs: startMs + i * stepMs, value: item.value }] : [],
    );
    const same =
      points.length === series.values.length &&
      points.every((p, i) => p.timeMs === series.timestampsMs[i] && almostEqual(p.value, series.values[i]!));
    if (!same)
      return `expected ${pointsText(points)} for ${series.labels.toMetric()}, got ${seriesText(series)}`;
    wanted.delete(series.labels.key);
  }
  const missing = wanted.values().next().value;
  return missing === undefined ? undefined : `expected ${missing.labels.toMetric()}, got nothing of it`;
}

function pointsText(points: readonly { readonly timeMs: number; readonly value: number }[]): string {
  return points.map(({ timeMs, value }) => `${value}@${timeMs}`).join(' ');
}

function seriesText({ timestampsMs, values }: MatrixSeries): string {
  return Array.from(values, (value, i) => `${value}@${timestampsMs[i]}`).join(' ');
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
