// The samples that queries are compared over, as a `load` of the test language: what monitoring looks like, and what it
// should not: gaps, resets, stale series, NaN and Inf, buckets of equal bounds, series that change their kind.

import type { Random } from './random.ts';

/** One sample each 15 s. */
export const INTERVAL_MS = 15_000;
export const SAMPLES = 240;

const instances = ['a', 'b', 'c'];

/** Takes the place of samples now and then. */
function withHoles(random: Random, items: readonly string[], share = 0.05): string {
  let holeLeft = 0;
  return items
    .map((item) => {
      if (holeLeft > 0) {
        holeLeft--;
        return '_';
      }
      if (random.chance(share / 4)) holeLeft = random.below(random.chance(0.3) ? 40 : 4);
      return random.chance(share / 20) ? 'stale' : item;
    })
    .join(' ');
}

function counter(random: Random, scale = 10, resets = 0.02): string[] {
  let value = random.chance(0.5) ? 0 : random.below(1000);
  return Array.from({ length: SAMPLES }, () => {
    value = random.chance(resets) ? random.below(scale) : value + random.below(scale) * random.next();
    return String(value);
  });
}

function gauge(random: Random): string[] {
  let value = random.below(100);
  return Array.from({ length: SAMPLES }, () => {
    value += random.next() * 4 - 2;
    return random.chance(0.1) ? String(Math.round(value)) : String(value);
  });
}

const nasty = ['NaN', 'Inf', '-Inf', '0', '-0', '1e300', '-1e300', '1e-300', '1.5', '-3', '1e16', '1'];

function nastyValues(random: Random): string[] {
  return Array.from({ length: SAMPLES }, () => random.pick(nasty));
}

function constant(random: Random): string[] {
  const value = String(random.below(5));
  return Array.from({ length: SAMPLES }, () => value);
}

/** Rows of a classic histogram, by bound. */
function classicRows(random: Random, bounds: readonly string[], monotonic: boolean): Map<string, string[]> {
  const rows = new Map(bounds.map((bound): [string, string[]] => [bound, []]));
  const totals = bounds.map(() => 0);
  for (let i = 0; i < SAMPLES; i++) {
    let cumulative = 0;
    bounds.forEach((bound, b) => {
      totals[b]! += random.below(4);
      cumulative += totals[b]!;
      const wrong = !monotonic && random.chance(0.05) ? random.below(20) : 0;
      rows.get(bound)!.push(String(cumulative - wrong));
    });
  }
  return rows;
}

interface NativeShape {
  readonly schema: string;
  readonly extra?: string;
  readonly hint?: string;
}

function native(random: Random, { schema, extra = '', hint }: NativeShape, resets = 0.03): string[] {
  const custom = schema === '-53';
  let positive = [0, 0, 0];
  let negative = [0, 0];
  let zero = 0;
  let sum = 0;
  return Array.from({ length: SAMPLES }, () => {
    if (random.chance(resets)) {
      positive = [0, 0, 0];
      negative = [0, 0];
      zero = 0;
    }
    positive = positive.map((count) => count + random.below(5));
    if (!custom) negative = negative.map((count) => count + random.below(3));
    if (!custom) zero += random.below(2);
    sum += random.below(50) / 4;
    const total = [...positive, ...negative, zero].reduce((all, count) => all + count, 0);
    const parts = [
      `schema:${schema} count:${total} sum:${sum}`,
      extra,
      hint ? `counter_reset_hint:${hint}` : '',
    ];
    if (!custom) parts.push(`z_bucket:${zero} z_bucket_w:0.001 n_buckets:[${negative.join(' ')}] offset:-1`);
    return `{{${parts.filter(Boolean).join(' ')} buckets:[${positive.join(' ')}]}}`;
  });
}

/** Runs of two kinds of samples. */
function alternating(random: Random, a: readonly string[], b: readonly string[]): string[] {
  let first = true;
  return a.map((item, i) => {
    if (random.chance(0.1)) first = !first;
    return first ? item : b[i]!;
  });
}

export function fuzzLoad(random: Random): string {
  const lines: string[] = [];
  const add = (metric: string, items: readonly string[], holes?: number): void => {
    lines.push(`  ${metric} ${withHoles(random, items, holes)}`);
  };
  for (const instance of instances) {
    for (const job of ['api', 'db']) {
      for (const code of ['200', '500'])
        add(`requests_total{instance="${instance}",job="${job}",code="${code}"}`, counter(random));
      add(`memory_bytes{instance="${instance}",job="${job}"}`, gauge(random));
      add(`up{instance="${instance}",job="${job}"}`, constant(random));
      add(`nasty{instance="${instance}",job="${job}"}`, nastyValues(random));
    }
  }
  addHistograms(random, add);
  addOddities(random, add);
  return `load 15s\n${lines.join('\n')}\n`;
}

type Add = (metric: string, items: readonly string[], holes?: number) => void;

function addHistograms(random: Random, add: Add): void {
  const bounds = ['0.1', '0.5', '1', '1.0', '5', '+Inf'];
  for (const instance of instances) {
    const rows = classicRows(random, instance === 'c' ? bounds.slice(0, 5) : bounds, instance !== 'b');
    for (const [bound, items] of rows)
      add(`latency_bucket{instance="${instance}",le="${bound}"}`, items, 0.02);
    add(`latency_sum{instance="${instance}"}`, counter(random));
    add(`latency_count{instance="${instance}"}`, counter(random, 6));
  }
  add('latency_bucket{instance="a",le="high"}', counter(random));
  add('native{instance="a"}', native(random, { schema: '0' }));
  add('native{instance="b"}', native(random, { schema: '2' }));
  add('native{instance="c"}', native(random, { schema: '0', hint: 'gauge' }));
  add('custom{instance="a"}', native(random, { schema: '-53', extra: 'custom_values:[1 2]' }));
  add('custom{instance="b"}', native(random, { schema: '-53', extra: 'custom_values:[1 5]' }));
  add('custom{instance="c"}', native(random, { schema: '-53', extra: 'custom_values:[1 2]' }));
  const exponential = native(random, { schema: '1' });
  const custom = native(random, { schema: '-53', extra: 'custom_values:[1 2]' });
  add('mixed{instance="a"}', alternating(random, exponential, counter(random)));
  add('mixed{instance="b"}', alternating(random, exponential, custom));
  add('mixed{instance="c"}', counter(random));
}

function addOddities(random: Random, add: Add): void {
  add('{"my.metric",instance="a","label.dot"="x"}', gauge(random));
  add('{"my.metric",instance="b","label.dot"="ü"}', gauge(random));
  add('solo', gauge(random));
  add('short_lived{instance="a"}', gauge(random), 0.8);
  for (const instance of instances) {
    const version = random.pick(['1.0', '1.10', '1.9']);
    add(`target_info{instance="${instance}",job="api",version="${version}"}`, constant(random));
    add(`build_info{instance="${instance}",version="${version}",branch="main"}`, constant(random));
  }
}
