// Labels: the immutable identity of a series or target.
//
// Invariant: names are unique and ascend in bytewise UTF-8 order; no value is empty, because an empty value means that
// the label is absent. Everything that builds Labels keeps it; readers, merges and encoders rely on it.
//
// Cost: one flat array a label set. Lookup is linear: label sets are short, and comparing strings by length fails fast.

import { goQuote } from './go-quote.ts';
import { isValidLegacyLabelName, isValidLegacyMetricName, METRIC_NAME } from './label-name.ts';
import { compareUtf8 } from './utf8-order.ts';

export class Labels implements Iterable<[string, string]> {
  static readonly EMPTY = new Labels([]);

  /** [name0, value0, name1, value1, …]. Shared: never change it. */
  readonly flat: readonly string[];
  // Not plain fields: two equal label sets must stay equal to a test's toEqual when only one has its key.
  #key: string | undefined;
  #json: string | undefined;
  #anonymous: Labels | undefined;
  #part: { readonly names: readonly string[]; readonly labels: Labels } | undefined;

  private constructor(flat: readonly string[]) {
    this.flat = flat;
  }

  /** Takes `flat` over. The caller vouches for order, uniqueness and non-empty values. */
  static fromSorted(flat: readonly string[]): Labels {
    return flat.length === 0 ? Labels.EMPTY : new Labels(flat);
  }

  static fromRecord(record: Readonly<Record<string, string>>): Labels {
    return Labels.fromPairs(Object.entries(record));
  }

  /** Sorts; leaves out empty values. Throws RangeError if a name comes twice with a value. */
  static fromPairs(pairs: Iterable<readonly [string, string]>): Labels {
    const sorted = [...pairs].filter(([, value]) => value !== '').toSorted(([a], [b]) => compareUtf8(a, b));
    const flat: string[] = [];
    for (const [name, value] of sorted) {
      if (flat.length > 0 && flat.at(-2) === name) {
        throw new RangeError(`labels: ${goQuote(name)} comes twice, want each label name once`);
      }
      flat.push(name, value);
    }
    return Labels.fromSorted(flat);
  }

  /** How many labels there are. */
  get length(): number {
    return this.flat.length >> 1;
  }

  /** The name of label `i`, 0 ≤ i < length. */
  name(i: number): string {
    return this.flat[2 * i]!;
  }

  /** The value of label `i`, 0 ≤ i < length. */
  value(i: number): string {
    return this.flat[2 * i + 1]!;
  }

  /** The label's value, or '' when it is absent. */
  get(name: string): string {
    const { flat } = this;
    for (let i = 0; i < flat.length; i += 2) if (flat[i] === name) return flat[i + 1]!;
    return '';
  }

  has(name: string): boolean {
    return this.get(name) !== '';
  }

  /** A string that is equal exactly for equal labels. For maps and hashes; not for people, and not for disk. */
  get key(): string {
    this.#key ??= this.flat.map(escapeKeyPart).join('\0');
    return this.#key;
  }

  equals(other: Labels): boolean {
    if (this === other) return true;
    const { flat } = this;
    if (flat.length !== other.flat.length) return false;
    for (let i = 0; i < flat.length; i++) if (flat[i] !== other.flat[i]) return false;
    return true;
  }

  *[Symbol.iterator](): Generator<[string, string]> {
    for (let i = 0; i < this.length; i++) yield [this.name(i), this.value(i)];
  }

  toRecord(): Record<string, string> {
    return Object.fromEntries(this);
  }

  toJSON(): Record<string, string> {
    return this.toRecord();
  }

  /** The text of a JSON object. Made once: series are asked for again and again. */
  get json(): string {
    return (this.#json ??= jsonText(this.flat));
  }

  /** Without what describes the metric rather than the series; the same object if there is nothing of that. Made once. */
  withoutMetadata(): Labels {
    return (this.#anonymous ??= withoutMetadata(this));
  }

  /** Those of the names that it has; the same object if that is all. What was asked last is kept: panels ask for it again and again. */
  only(names: readonly string[]): Labels {
    if (this.#part === undefined || !isSameList(this.#part.names, names))
      this.#part = { names, labels: only(this, names) };
    return this.#part.labels;
  }

  /** Every label in braces, the metric name too: `{__name__="up", job="x"}`. */
  toString(): string {
    return `{${[...this].map(labelText).join(', ')}}`;
  }

  /** As PromQL prints a series: `up{job="x"}`, `{job="x"}`, `{"my.metric", job="x"}`. */
  toMetric(): string {
    const metric = this.get(METRIC_NAME);
    const parts = [...this].filter(([name]) => name !== METRIC_NAME).map(labelText);
    const bare = isValidLegacyMetricName(metric);
    if (metric !== '' && !bare) parts.unshift(goQuote(metric));
    if (bare && parts.length === 0) return metric;
    return `${bare ? metric : ''}{${parts.join(', ')}}`;
  }
}

/** The labels that describe the metric, in their order; arithmetic and functions take them away. */
export const METADATA_LABELS: readonly string[] = [METRIC_NAME, '__type__', '__unit__'];

const UNDERSCORE = 0x5f;

/**
 * The metric's name if no other label describes the metric; undefined says nothing. Series of one such name stay different
 * without it.
 */
export function soleMetadata({ flat }: Labels): string | undefined {
  // By one character: comparing two texts takes much longer.
  const isSole = flat[0] === METRIC_NAME && (flat.length === 2 || flat[2]!.charCodeAt(0) > UNDERSCORE);
  return isSole ? flat[1] : undefined;
}

function withoutMetadata(labels: Labels): Labels {
  const { flat } = labels;
  const kept: string[] = [];
  for (let i = 0; i < flat.length; i += 2)
    if (!METADATA_LABELS.includes(flat[i]!)) kept.push(flat[i]!, flat[i + 1]!);
  return kept.length === flat.length ? labels : Labels.fromSorted(kept);
}

function only(labels: Labels, names: readonly string[]): Labels {
  const { flat } = labels;
  const kept: string[] = [];
  for (let i = 0; i < flat.length; i += 2) if (names.includes(flat[i]!)) kept.push(flat[i]!, flat[i + 1]!);
  return kept.length === flat.length ? labels : Labels.fromSorted(kept);
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i]);
}

/** In one piece: who keeps it reads it often. */
function jsonText(flat: readonly string[]): string {
  const parts: string[] = [];
  for (let i = 0; i < flat.length; i += 2)
    parts.push(i === 0 ? '{' : ',', JSON.stringify(flat[i]), ':', JSON.stringify(flat[i + 1]));
  return parts.length === 0 ? '{}' : parts.concat('}').join('');
}

function labelText([name, value]: readonly [string, string]): string {
  return `${isValidLegacyLabelName(name) ? name : goQuote(name)}=${goQuote(value)}`;
}

function escapeKeyPart(part: string): string {
  if (!part.includes('\0') && !part.includes('\x01')) return part;
  return part.replaceAll('\x01', '\x01\x01').replaceAll('\0', '\x01\x02');
}

/** Prometheus's series order: name, value, name, value …, bytewise; a prefix comes first. */
export function compareLabels(a: Labels, b: Labels): number {
  const length = Math.min(a.flat.length, b.flat.length);
  for (let i = 0; i < length; i++) {
    const order = compareUtf8(a.flat[i]!, b.flat[i]!);
    if (order !== 0) return order;
  }
  return a.flat.length - b.flat.length;
}
