// Series descriptions of the test language: a metric, then its samples in shorthand.

import {
  addHistograms,
  type FloatHistogram,
  type Labels,
  parseGoFloat,
  parseHistogram,
  subtractHistograms,
} from '@flotilla/model';
import { parseMetric } from '../parser/parse.ts';

/** One place of a sequence. What is omitted has no sample. `hintGiven`: whether the text says anything of resets. */
export type SequenceItem =
  | { readonly kind: 'value'; readonly value: number }
  | { readonly kind: 'stale' }
  | { readonly kind: 'omitted' }
  | { readonly kind: 'histogram'; readonly histogram: FloatHistogram; readonly hintGiven: boolean };

export interface SeriesDescription {
  readonly labels: Labels;
  readonly items: readonly SequenceItem[];
}

/** More places than any sensible test has. */
const ITEMS_MAX = 1_000_000;

/** Throws SyntaxError. */
export function parseSeriesLine(line: string): SeriesDescription {
  const end = metricEnd(line);
  const labels = parseMetric(line.slice(0, end));
  return { labels, items: parseSequence(line.slice(end)) };
}

/** Where the metric ends: at the first space outside of its braces. */
function metricEnd(line: string): number {
  let quote = '';
  let depth = 0;
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!;
    if (quote !== '') {
      if (c === '\\' && quote !== '`') i++;
      else if (c === quote) quote = '';
    } else if (c === '"' || c === "'" || c === '`') quote = c;
    else if (c === '{') depth++;
    else if (c === '}') depth--;
    else if (depth === 0 && /\s/.test(c) && !/^\s+\{(?!\{)/.test(line.slice(i))) return i;
  }
  return line.length;
}

/** Throws SyntaxError. */
export function parseSequence(text: string): SequenceItem[] {
  const items: SequenceItem[] = [];
  // A histogram may contain spaces; its braces keep it together.
  for (const word of text.trim().match(/(?:\{\{.*?\}\}|\S)+/g) ?? []) items.push(...parseItem(word));
  if (items.length > ITEMS_MAX)
    throw new SyntaxError(`sequence: ${items.length} items, want at most ${ITEMS_MAX}`);
  return items;
}

function repeat(item: SequenceItem, count: number): SequenceItem[] {
  return Array.from({ length: Math.min(count, ITEMS_MAX + 1) }, () => item);
}

function parseItem(word: string): SequenceItem[] {
  const omitted = /^_(?:x(\d+))?$/.exec(word);
  if (omitted !== null) return repeat({ kind: 'omitted' }, Number(omitted[1] ?? 1));
  const stale = /^stale(?:x(\d+))?$/.exec(word);
  if (stale !== null) return repeat({ kind: 'stale' }, stale[1] === undefined ? 1 : Number(stale[1]) + 1);
  return word.startsWith('{{') ? parseHistograms(word) : parseNumbers(word);
}

/** `{{…}}`, `{{…}}x2` (three times), `{{…}}+{{…}}x2`, `{{…}}-{{…}}x2`. */
function parseHistograms(word: string): SequenceItem[] {
  const match = /^\{\{(.*?)\}\}(?:([+-])\{\{(.*?)\}\})?(?:x(\d+))?$/.exec(word);
  if (match === null) throw new SyntaxError(`sequence: "${word}", want {{…}}, {{…}}x3 or {{…}}+{{…}}x3`);
  const [, base = '', sign, change, times] = match;
  const first = parseHistogram(base);
  if (change === undefined) {
    return repeat({ kind: 'histogram', ...first }, times === undefined ? 1 : Number(times) + 1);
  }
  const { histogram: delta, hintGiven } = parseHistogram(change);
  const combine = sign === '-' ? subtractHistograms : addHistograms;
  const items: SequenceItem[] = [{ kind: 'histogram', histogram: first.histogram, hintGiven }];
  let histogram = first.histogram;
  for (let i = 0; i < Math.min(Number(times ?? 0), ITEMS_MAX); i++) {
    const next = combine(histogram, delta);
    if (next === undefined) throw new SyntaxError(`sequence: "${word}", want histograms of one kind`);
    histogram = next.histogram;
    items.push({ kind: 'histogram', histogram, hintGiven });
  }
  return items;
}

/** `3`, `3x2` (three times), `3+1x2` (3 4 5), `3-1x2`. */
function parseNumbers(word: string): SequenceItem[] {
  const single = parseGoFloat(word);
  if (single !== undefined && !/^0x/i.test(word)) return [{ kind: 'value', value: single }];
  const match = /^(.+?)(?:([+-])([^+-].*?))?x(\d+)$/i.exec(word);
  const start = parseGoFloat(match?.[1] ?? '');
  const delta = match?.[3] === undefined ? 0 : parseGoFloat(match[3]);
  if (match === null || start === undefined || delta === undefined) {
    throw new SyntaxError(`sequence: "${word}", want a value such as 1, _, stale, 1x3 or 1+2x3`);
  }
  const step = match[2] === '-' ? -delta : delta;
  const items: SequenceItem[] = [];
  let value = start;
  for (let i = 0; i <= Math.min(Number(match[4]), ITEMS_MAX); i++, value += step)
    items.push({ kind: 'value', value });
  return items;
}
