// The functions of alert templates: Go's builtins and Prometheus's.

import { AnchoredRegexp, compareUtf8, parseDuration, parseGoFloat } from '@flotilla/model';
import { Float, formatValue, sprintf, typeName, ValueMap } from './format-value.ts';
import type { Value } from './format-value.ts';
import { isTrue } from './execute-template.ts';
import type { TemplateFunction } from './execute-template.ts';
import {
  humanize,
  humanize1024,
  humanizeDuration,
  humanizePercentage,
  humanizeTimestamp,
} from './humanize.ts';

export interface TemplateSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface TemplateEnvironment {
  readonly externalUrl: string;
  /** Runs an instant query for the template. */
  readonly query: (expr: string) => Promise<readonly TemplateSample[]>;
  readonly nowMs: () => number;
}

export function templateFunctions(environment: TemplateEnvironment): ReadonlyMap<string, TemplateFunction> {
  return new Map<string, TemplateFunction>([
    ...builtins,
    ...textFunctions,
    ...numberFunctions,
    ...sampleFunctions(environment),
  ]);
}

/** A sample as templates see it: `.Labels.x`, `.Value`. */
export function sampleValue({ labels, value }: TemplateSample): ValueMap {
  return new ValueMap(
    new Map<string, Value>([
      ['Labels', labelsValue(labels)],
      ['Value', new Float(value)],
    ]),
    undefined,
  );
}

export function labelsValue(labels: Readonly<Record<string, string>>): ValueMap {
  return new ValueMap(new Map(Object.entries(labels)), '');
}

const builtins: readonly (readonly [string, TemplateFunction])[] = [
  ['not', ([value]) => !isTrue(value)],
  ['len', ([value]) => lengthOf(value)],
  ['index', ([container, ...keys]) => keys.reduce(indexOf, container)],
  ['slice', ([value, from = 0, to]) => sliceOf(value, from, to)],
  ['print', (args) => args.map(formatValue).join('')],
  ['println', (args) => `${args.map(formatValue).join(' ')}\n`],
  ['printf', ([format, ...args]) => sprintf(textOf(format), args)],
  ['html', (args) => escapeHtml(args.map(formatValue).join(''))],
  ['urlquery', (args) => encodeQuery(args.map(formatValue).join(''))],
  ['eq', ([first, ...others]) => others.some((other) => compare(first, other) === 0)],
  ['ne', ([a, b]) => compare(a, b) !== 0],
  ['lt', ([a, b]) => compare(a, b) < 0],
  ['le', ([a, b]) => compare(a, b) <= 0],
  ['gt', ([a, b]) => compare(a, b) > 0],
  ['ge', ([a, b]) => compare(a, b) >= 0],
];

const textFunctions: readonly (readonly [string, TemplateFunction])[] = [
  [
    'title',
    ([text]) =>
      textOf(text).replaceAll(
        /(^|[^\p{L}\p{N}_'])(\p{L})/gu,
        (_, before: string, letter: string) => before + letter.toUpperCase(),
      ),
  ],
  ['toUpper', ([text]) => textOf(text).toUpperCase()],
  ['toLower', ([text]) => textOf(text).toLowerCase()],
  ['safeHtml', ([text]) => textOf(text)],
  [
    'stripPort',
    ([text]) =>
      textOf(text).replace(
        /^\[([^\]]*)\]:\d+$|^([^:]*):\d+$/,
        (_, v6?: string, v4?: string) => v6 ?? v4 ?? '',
      ),
  ],
  ['stripDomain', ([text]) => stripDomain(textOf(text))],
  ['match', ([pattern, text]) => new AnchoredRegexp(`.*(?:${textOf(pattern)}).*`).test(textOf(text))],
  [
    'reReplaceAll',
    ([pattern, replacement, text]) => replaceAll(textOf(pattern), textOf(replacement), textOf(text)),
  ],
  ['urlQueryEscape', ([text]) => encodeQuery(textOf(text))],
  ['args', (args) => new ValueMap(new Map(args.map((arg, index) => [`arg${index}`, arg])), undefined)],
];

const numberFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ['humanize', ([value]) => humanize(numberOf(value))],
  ['humanize1024', ([value]) => humanize1024(numberOf(value))],
  ['humanizeDuration', ([value]) => humanizeDuration(numberOf(value))],
  ['humanizePercentage', ([value]) => humanizePercentage(numberOf(value))],
  ['humanizeTimestamp', ([value]) => humanizeTimestamp(numberOf(value))],
  ['toTime', ([value]) => humanizeTimestamp(numberOf(value))],
  ['toDuration', ([value]) => humanizeDuration(numberOf(value))],
  ['parseDuration', ([text]) => new Float(parseDuration(textOf(text)) / 1000)],
];

function sampleFunctions({
  externalUrl,
  query,
  nowMs,
}: TemplateEnvironment): (readonly [string, TemplateFunction])[] {
  const link =
    (tab: number): TemplateFunction =>
    ([expr]) =>
      graphPath(textOf(expr), tab);
  return [
    ['query', async ([expr]) => (await query(textOf(expr))).map(sampleValue)],
    ['first', ([samples]) => listOf(samples)[0] ?? fail('first() called on vector with no elements')],
    ['label', ([name, sample]) => fieldOf(fieldOf(sample, 'Labels'), textOf(name))],
    ['value', ([sample]) => fieldOf(sample, 'Value')],
    ['strvalue', ([sample]) => fieldOf(fieldOf(sample, 'Labels'), '__value__')],
    ['sortByLabel', ([name, samples]) => sortByLabel(textOf(name), listOf(samples))],
    ['graphLink', link(0)],
    ['tableLink', link(1)],
    ['externalURL', () => externalUrl],
    ['pathPrefix', () => (externalUrl === '' ? '' : new URL(externalUrl).pathname.replace(/\/$/, ''))],
    ['now', () => new Float(nowMs() / 1000)],
  ];
}

/** Path of the page with an expression: tab 0 shows a graph, 1 a table. */
export function graphPath(expr: string, tab: number): string {
  return `/graph?g0.expr=${encodeQuery(expr)}&g0.tab=${tab}`;
}

function fail(reason: string): never {
  throw new Error(reason);
}

function textOf(value: Value): string {
  return typeof value === 'string'
    ? value
    : fail(`wrong type for value; expected string; got ${typeName(value)}`);
}

/** Prometheus converts strings and all kinds of numbers. */
function numberOf(value: Value): number {
  if (value instanceof Float) return value.value;
  if (typeof value === 'number') return value;
  if (typeof value === 'string')
    return (
      parseGoFloat(value) ?? fail(`strconv.ParseFloat: parsing ${JSON.stringify(value)}: invalid syntax`)
    );
  return fail(`can't convert ${typeName(value)} to float`);
}

function listOf(value: Value): readonly Value[] {
  return Array.isArray(value)
    ? (value as readonly Value[])
    : fail(`want a list of samples, got ${typeName(value)}`);
}

function fieldOf(value: Value, name: string): Value {
  if (!(value instanceof ValueMap)) fail(`want a sample, got ${typeName(value)}`);
  return value.entries.get(name) ?? value.zero;
}

function lengthOf(value: Value): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (value instanceof ValueMap) return value.entries.size;
  return Array.isArray(value) ? value.length : fail(`len of type ${typeName(value)}`);
}

function indexOf(container: Value, key: Value): Value {
  if (container instanceof ValueMap) return container.entries.get(textOf(key)) ?? container.zero;
  const list = listOf(container);
  if (typeof key !== 'number' || key < 0 || key >= list.length)
    fail(`index out of range: ${formatValue(key)}`);
  return list[key];
}

function sliceOf(value: Value, from: Value, to: Value): Value {
  if (typeof from !== 'number' || (to !== undefined && typeof to !== 'number'))
    return fail('slice: want whole numbers');
  return typeof value === 'string' ? value.slice(from, to) : listOf(value).slice(from, to);
}

/** Basic kinds compare only with their own: `gt $value 80` fails in Go, and so here. */
function compare(a: Value, b: Value): number {
  if (a instanceof Float && b instanceof Float)
    return a.value < b.value ? -1 : a.value > b.value ? 1 : a.value === b.value ? 0 : Number.NaN;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return compareUtf8(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  return fail('incompatible types for comparison');
}

/** Every match of an unanchored pattern, found by its anchored form around it. */
function replaceAll(pattern: string, replacement: string, text: string): string {
  const around = new AnchoredRegexp(
    `(?P<flotilla_before>.*?)(?P<flotilla_match>${pattern})(?P<flotilla_after>.*)`,
  );
  let output = '';
  let rest = text;
  for (let rounds = 0; rounds < 10_000; rounds++) {
    const captures = around.capture(rest);
    if (captures === undefined) break;
    const before = around.expand('${flotilla_before}', captures);
    const match = around.expand('${flotilla_match}', captures);
    const shifted = replacement.replaceAll(
      /\$\{?(\d+)\}?/g,
      (_, group: string) => `\${${Number(group) + 2}}`,
    );
    output += before + around.expand(shifted, captures);
    rest = around.expand('${flotilla_after}', captures);
    if (match !== '') continue;
    if (rest === '') return output;
    output += rest[0]!;
    rest = rest.slice(1);
  }
  return output + rest;
}

function sortByLabel(name: string, samples: readonly Value[]): readonly Value[] {
  const labelOf = (sample: Value): string => formatValue(fieldOf(fieldOf(sample, 'Labels'), name));
  return samples.toSorted((a, b) => compareUtf8(labelOf(a), labelOf(b)));
}

function stripDomain(host: string): string {
  const match = /^([^:]*)(:\d+)?$/.exec(host);
  const name = match?.[1] ?? host;
  if (match === null || /^[\d.]+$/.test(name)) return host;
  return name.split('.')[0]! + (match[2] ?? '');
}

function encodeQuery(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&#34;',
    "'": '&#39;',
    '\0': '\uFFFD',
  };
  return text.replaceAll(/[&<>"'\0]/g, (char) => entities[char]!);
}
