// Native histograms as text: the short form of labels and messages, the test language's, and the API's JSON.

import { type CounterResetHint, FloatHistogram, type HistogramFields } from './histogram.ts';
import { type BucketList, NO_BUCKETS } from './histogram-buckets.ts';
import {
  allBuckets,
  type HistogramBucket,
  negativeBucket,
  positiveBucket,
  zeroBucket,
} from './histogram-iterate.ts';
import { formatGoG, formatSampleValue, parseGoFloat } from './number-format.ts';

/** `{count:4, sum:5, (0.5,1]:2, (1,2]:2}`. */
export function histogramText(h: FloatHistogram): string {
  const positions = (list: BucketList): number[] =>
    [...list.counts.keys()].filter((i) => list.counts[i] !== 0);
  const buckets = [
    ...positions(h.negative)
      .toReversed()
      .map((i) => negativeBucket(h, i)),
    ...(h.zeroCount === 0 ? [] : [zeroBucket(h)]),
    ...positions(h.positive).map((i) => positiveBucket(h, i)),
  ];
  const texts = [`count:${formatGoG(h.count)}`, `sum:${formatGoG(h.sum)}`, ...buckets.map(bucketText)];
  return `{${texts.join(', ')}}`;
}

function bucketText({ lower, upper, lowerInclusive, upperInclusive, count }: HistogramBucket): string {
  const [open, close] = [lowerInclusive ? '[' : '(', upperInclusive ? ']' : ')'];
  return `${open}${formatGoG(lower)},${formatGoG(upper)}${close}:${formatGoG(count)}`;
}

/** A histogram as an API's JSON has it; numbers as strings. */
export interface HistogramJson {
  readonly count: string;
  readonly sum: string;
  /** Which bounds are inclusive (0: upper, 1: lower, 2: none, 3: both), lower, upper, count; without empty ones. */
  readonly buckets?: readonly (readonly [number, string, string, string])[];
}

export function histogramToJson(h: FloatHistogram): HistogramJson {
  const totals = { count: formatSampleValue(h.count), sum: formatSampleValue(h.sum) };
  const buckets = allBuckets(h)
    .filter(({ count }) => count !== 0)
    .map(
      (b) =>
        [
          boundaryRule(b),
          formatSampleValue(b.lower),
          formatSampleValue(b.upper),
          formatSampleValue(b.count),
        ] as const,
    );
  return buckets.length === 0 ? totals : { ...totals, buckets };
}

/** What a bucket in JSON begins with, up to its count: `[0,"1","2","`. At most 60 bytes, ASCII. */
export function bucketJsonHead(bucket: HistogramBucket): string {
  return `[${boundaryRule(bucket)},"${formatSampleValue(bucket.lower)}","${formatSampleValue(bucket.upper)}","`;
}

function boundaryRule({ lowerInclusive, upperInclusive }: HistogramBucket): number {
  if (lowerInclusive) return upperInclusive ? 3 : 1;
  return upperInclusive ? 0 : 2;
}

/** `{{schema:1 count:4 sum:5 buckets:[1 2 1]}}`, what parseHistogram reads. */
export function histogramExpression(h: FloatHistogram): string {
  const parts: string[] = [];
  const add = (key: string, value: number): void => {
    if (value !== 0) parts.push(`${key}:${formatGoG(value)}`);
  };
  add('schema', h.schema);
  add('count', h.count);
  add('sum', h.sum);
  add('z_bucket', h.zeroCount);
  add('z_bucket_w', h.zeroThreshold);
  if (h.isCustom) parts.push(`custom_values:[${h.customBounds.map(formatGoG).join(' ')}]`);
  if (h.hint !== 'unknown') parts.push(`counter_reset_hint:${h.hint}`);
  parts.push(...sideExpression(h.positive, 'buckets', 'offset'));
  parts.push(...sideExpression(h.negative, 'n_buckets', 'n_offset'));
  return `{{${parts.join(' ')}}}`;
}

function sideExpression({ indexes, counts }: BucketList, key: string, offsetKey: string): string[] {
  const populated = [...counts.keys()].filter((i) => counts[i] !== 0);
  const first = populated[0];
  if (first === undefined) return [];
  const from = indexes[first]!;
  const dense = Array.from({ length: indexes[populated.at(-1)!]! - from + 1 }, () => 0);
  for (const i of populated) dense[indexes[i]! - from] = counts[i]!;
  const list = `${key}:[${dense.map(formatGoG).join(' ')}]`;
  return from === 0 ? [list] : [`${offsetKey}:${from}`, list];
}

const HINTS: ReadonlySet<string> = new Set(['unknown', 'reset', 'not_reset', 'gauge']);
const ITEM = /\s*([a-z_]+):(\[[^\]]*\]|[^\s\]]+)/y;

/** What was written between `{{` and `}}`; `hintGiven` if that says anything of resets. Throws SyntaxError. */
export function parseHistogram(text: string): {
  readonly histogram: FloatHistogram;
  readonly hintGiven: boolean;
} {
  const items = new Map<string, string>();
  const body = text.trim();
  ITEM.lastIndex = 0;
  for (let at = 0; at < body.length; at = ITEM.lastIndex) {
    const match = ITEM.exec(body);
    if (match === null) throw new SyntaxError(`histogram: "${body.slice(at)}", want <key>:<value>`);
    items.set(match[1]!, match[2]!);
  }
  return { histogram: new FloatHistogram(fieldsOf(items)), hintGiven: items.has('counter_reset_hint') };
}

function fieldsOf(items: ReadonlyMap<string, string>): HistogramFields {
  const known = ['schema', 'sum', 'count', 'z_bucket', 'z_bucket_w', 'custom_values', 'buckets', 'offset'];
  const keys = new Set([...known, 'n_buckets', 'n_offset', 'counter_reset_hint']);
  for (const key of items.keys()) {
    if (!keys.has(key)) throw new SyntaxError(`histogram: key "${key}", want one of ${[...keys].join(', ')}`);
  }
  const number = (key: string): number => parseNumber(key, items.get(key) ?? '0');
  const list = (key: string): number[] => parseList(key, items.get(key) ?? '[]');
  const hint = items.get('counter_reset_hint') ?? 'unknown';
  if (!isHint(hint)) throw new SyntaxError(`histogram: hint "${hint}", want ${[...HINTS].join(', ')}`);
  return {
    hint,
    schema: number('schema'),
    sum: number('sum'),
    count: number('count'),
    zeroCount: number('z_bucket'),
    zeroThreshold: number('z_bucket_w'),
    customBounds: list('custom_values'),
    positive: sideOf(list('buckets'), number('offset')),
    negative: sideOf(list('n_buckets'), number('n_offset')),
  };
}

function isHint(text: string): text is CounterResetHint {
  return HINTS.has(text);
}

function parseNumber(key: string, text: string): number {
  const number = parseGoFloat(text);
  if (number === undefined) throw new SyntaxError(`histogram: ${key} "${text}", want a number`);
  return number;
}

function parseList(key: string, text: string): number[] {
  const words = text.slice(1, -1).trim();
  if (!text.startsWith('[')) throw new SyntaxError(`histogram: ${key} "${text}", want [<number> …]`);
  return words === '' ? [] : words.split(/\s+/).map((word) => parseNumber(key, word));
}

function sideOf(counts: readonly number[], offset: number): BucketList {
  if (counts.length === 0) return NO_BUCKETS;
  return { indexes: counts.map((_, i) => i + offset), counts };
}
