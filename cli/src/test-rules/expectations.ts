// Compares alerts and query results with what a unit test expects; what differs is told in promtool's words.

import { compareLabels, formatDuration, goQuote, histogramExpression, Labels } from '@flotilla/model';
import { parseMetric, parseSequence } from '@flotilla/promql';
import type { QueryResult } from '@flotilla/promql';
import type { Alert } from '@flotilla/ruler';
import { alertDiff } from './alert-diff.ts';
import type { LabelsAndAnnotations } from './alert-diff.ts';
import type { AlertTest, ExpectedSample, ExprTest } from './unit-test-file.ts';

interface ParsedSample {
  readonly labels: Labels;
  readonly value: number;
  /** '' for a float. */
  readonly histogram: string;
}

/** What is wrong, or undefined. `groupName` is that of the test. */
export function compareAlerts(
  test: AlertTest,
  firing: readonly Alert[],
  groupName: string,
  isDiff: boolean,
): string | undefined {
  const got = sorted(firing);
  const named = test.alerts.map((alert) => ({
    ...alert,
    labels: { ...alert.labels, alertname: test.alertname },
  }));
  const want = sorted(named);
  const isEqual =
    got.length === want.length &&
    got.every(({ labels, annotations }, i) => {
      const other = want[i];
      return labels.key === other?.labels.key && annotations.key === other.annotations.key;
    });
  if (isEqual) return undefined;
  const name = groupName === '' ? '' : `    name: ${groupName},\n`;
  const where = `${name}    alertname: ${test.alertname}, time: ${formatDuration(test.evalTimeMs)}, \n`;
  const indent = ' '.repeat(12);
  if (isDiff) return `${where}        diff: ${indented(alertDiff(want, got), indent)}`;
  return `${where}        exp:${indented(alertsText(want), indent)}, \n        got:${indented(alertsText(got), indent)}`;
}

function sorted(
  alerts: readonly {
    labels: Readonly<Record<string, string>>;
    annotations: Readonly<Record<string, string>>;
  }[],
): LabelsAndAnnotations[] {
  return alerts
    .map(({ labels, annotations }) => ({
      labels: Labels.fromRecord(labels),
      annotations: Labels.fromRecord(annotations),
    }))
    .toSorted((a, b) => compareLabels(a.labels, b.labels) || compareLabels(a.annotations, b.annotations));
}

function alertsText(alerts: readonly LabelsAndAnnotations[]): string {
  if (alerts.length === 0) return '[]';
  const texts = alerts.map(({ labels, annotations }, i) => {
    const text = `\nLabels:${labels.toString()}\nAnnotations:${annotations.toString()}`;
    return `${i}:${indented(text, '  ')}`;
  });
  return `[\n${texts.join(',\n')}\n]`;
}

/** Every line but the first. */
function indented(text: string, indent: string): string {
  return text.replaceAll('\n', `\n${indent}`);
}

/** What is wrong, or undefined. Fuzzy: values may be neighbours. */
export function compareSamples(test: ExprTest, result: QueryResult, isFuzzy: boolean): string | undefined {
  const where = exprWhere(test);
  let want: ParsedSample[];
  try {
    want = test.samples.map(parseExpected).toSorted((a, b) => compareLabels(a.labels, b.labels));
  } catch (error) {
    return `${where} err: ${(error as Error).message}`;
  }
  const got = samplesOf(result).toSorted((a, b) => compareLabels(a.labels, b.labels));
  const isEqual = got.length === want.length && got.every((sample, i) => isSame(sample, want[i]!, isFuzzy));
  if (isEqual) return undefined;
  return `${where}\n        exp: ${samplesText(want)}\n        got: ${samplesText(got)}`;
}

export function exprWhere({ expr, evalTimeMs }: ExprTest): string {
  return `    expr: ${goQuote(expr)}, time: ${formatDuration(evalTimeMs)},`;
}

function isSame(a: ParsedSample, b: ParsedSample, isFuzzy: boolean): boolean {
  if (a.labels.key !== b.labels.key || a.histogram !== b.histogram) return false;
  return a.value === b.value || (isFuzzy && areNeighbours(a.value, b.value));
}

/** Whether no number is between the two. */
function areNeighbours(a: number, b: number): boolean {
  const bits = new BigInt64Array(Float64Array.of(a, b).buffer);
  // Two's complement, so that order is that of numbers.
  const [x, y] = Array.from(bits, (one) => (one < 0n ? -(one & 0x7fffffffffffffffn) : one));
  const distance = x! - y!;
  return !Number.isNaN(a) && !Number.isNaN(b) && distance >= -1n && distance <= 1n;
}

/** Throws SyntaxError or ParseError. */
function parseExpected({ labels, value, histogram }: ExpectedSample): ParsedSample {
  try {
    const parsed = parseMetric(labels);
    if (histogram === '') return { labels: parsed, value, histogram: '' };
    const [item, ...rest] = parseSequence(histogram);
    if (rest.length > 0) throw new SyntaxError(`expected 1 value, got ${rest.length + 1}`);
    if (item?.kind !== 'histogram') throw new SyntaxError(`expected histogram, got ${histogram}`);
    return { labels: parsed, value, histogram: histogramExpression(item.histogram) };
  } catch (error) {
    throw new SyntaxError(`labels ${goQuote(labels)}: ${(error as Error).message}`, { cause: error });
  }
}

/** Throws Error for what is neither a vector nor a scalar. */
function samplesOf(result: QueryResult): ParsedSample[] {
  if (result.type === 'scalar')
    return [{ labels: Labels.fromRecord({}), value: result.value, histogram: '' }];
  if (result.type !== 'vector') throw new Error('rule result is not a vector or scalar');
  return result.series.map(({ labels, value, histogram }) => ({
    labels,
    value,
    histogram: histogram === undefined ? '' : histogramExpression(histogram),
  }));
}

function samplesText(samples: readonly ParsedSample[]): string {
  if (samples.length === 0) return 'nil';
  return samples
    .map(({ labels, value, histogram }) => `${labels.toString()} ${histogram || scientific(value)}`)
    .join(', ');
}

/** As Go's format 'E': 1E+00, 2.5E-07. */
function scientific(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  const text = Object.is(value, -0) ? '-0e+0' : value.toExponential();
  return text.replace(
    /e([+-])(\d+)$/,
    (_, sign: string, digits: string) => `E${sign}${digits.padStart(2, '0')}`,
  );
}
