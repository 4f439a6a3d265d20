// Bodies to scrape: those of the tests of Prometheus's parsers, in each format and with each setting of histograms, and
// many small ones that are put together at random, from a fixed seed.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { familyOfText } from './text-proto.ts';

/** Settings by the names of Prometheus's scrape_config. */
export interface JobSettings {
  readonly scrape_native_histograms?: boolean;
  readonly always_scrape_classic_histograms?: boolean;
  readonly convert_classic_histograms_to_nhcb?: boolean;
  readonly native_histogram_bucket_limit?: number;
  readonly native_histogram_min_bucket_factor?: number;
  readonly metric_name_validation_scheme?: string;
  readonly label_limit?: number;
  readonly label_name_length_limit?: number;
  readonly label_value_length_limit?: number;
  readonly honor_labels?: boolean;
}

export const jobs: Readonly<Record<string, JobSettings>> = {
  plain: {},
  native: { scrape_native_histograms: true },
  both: { scrape_native_histograms: true, always_scrape_classic_histograms: true },
  convert: { convert_classic_histograms_to_nhcb: true },
  convertNative: { scrape_native_histograms: true, convert_classic_histograms_to_nhcb: true },
  convertBoth: {
    scrape_native_histograms: true,
    convert_classic_histograms_to_nhcb: true,
    always_scrape_classic_histograms: true,
  },
  fewBuckets: { scrape_native_histograms: true, native_histogram_bucket_limit: 3 },
  coarse: { scrape_native_histograms: true, native_histogram_min_bucket_factor: 1.6 },
  legacy: { metric_name_validation_scheme: 'legacy', label_limit: 3, honor_labels: true },
};

export interface ScrapeCase {
  readonly job: string;
  readonly contentType: string;
  /** In the order of scrapes; the last one again and again. */
  readonly bodies: readonly Buffer[];
}

const text = 'text/plain; version=0.0.4';
const openMetrics = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const protobuf =
  'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';
const randomCases = 1200;

/** `sources`: the folder of Prometheus's sources. */
export function scrapeCases(sources: string): ScrapeCase[] {
  const folder = join(sources, 'model', 'textparse');
  const literals = ['promparse', 'openmetricsparse', 'nhcbparse', 'protobufparse'].flatMap((name) =>
    stringLiterals(readFileSync(join(folder, `${name}_test.go`), 'utf8')),
  );
  const files = ['alltypes.237mfs.prom.txt', 'alltypes.5mfs.om.txt', '1histogram.om.txt'];
  const pages = files.map((name) => readFileSync(join(folder, 'testdata', name), 'utf8'));
  const families = literals.filter((literal) => /^\s*name: ?"/.test(literal));
  const lines = [...literals.filter((literal) => !families.includes(literal)), ...pages];
  return [
    ...lines.flatMap((body) => pageCases(Buffer.from(body, 'latin1'))),
    ...families.flatMap((family) => familyCases(family)),
    ...contentTypeCases(),
    ...Array.from({ length: randomCases }, (_, i) => randomCase(new Random(i + 1))),
  ];
}

function pageCases(body: Buffer): ScrapeCase[] {
  const names = body.includes('histogram')
    ? ['plain', 'convert', 'convertBoth', 'legacy']
    : ['plain', 'legacy'];
  const ended = Buffer.concat([body, Buffer.from('\n# EOF\n')]);
  return names.flatMap((job) => [
    { job, contentType: text, bodies: [body] },
    { job, contentType: openMetrics, bodies: [body] },
    { job, contentType: openMetrics, bodies: [ended] },
  ]);
}

function familyCases(family: string): ScrapeCase[] {
  const body = familyOfText(family);
  const names = family.includes('HISTOGRAM') ? Object.keys(jobs) : ['plain', 'legacy'];
  return names.map((job) => ({ job, contentType: protobuf, bodies: [body] }));
}

function contentTypeCases(): ScrapeCase[] {
  const types = [
    '',
    'nonsense',
    'text/html',
    'TEXT/PLAIN',
    'text/plain; charset=utf-8; charset=x',
    'text/plain;',
  ];
  const newer = ['application/openmetrics-text; version=2.0.0', 'application/openmetrics-text'];
  const body = Buffer.from('a 1\n# EOF\n');
  return [...types, ...newer].map((contentType) => ({ job: 'plain', contentType, bodies: [body] }));
}

/** Values of Go's string literals, one character a byte, that a table or a test gives to a parser. */
function stringLiterals(source: string): string[] {
  const pattern = /(?:input|in)\s*:?=?:?\s*(?:`([^`]*)`|"((?:[^"\\\n]|\\.)*)")|`([^`]*\n[^`]*)`/g;
  const bytes = Buffer.from(source).toString('latin1');
  const found = [...bytes.matchAll(pattern)].map(([, raw, quoted, page]) => raw ?? page ?? unquoted(quoted!));
  return [...new Set(found)];
}

function unquoted(literal: string): string {
  return literal.replace(/\\(x[0-9a-f]{2}|u[0-9a-f]{4}|.)/gi, (_, escape: string) => {
    if (escape.startsWith('x')) return String.fromCharCode(parseInt(escape.slice(1), 16));
    if (escape.startsWith('u'))
      return Buffer.from(String.fromCharCode(parseInt(escape.slice(1), 16))).toString('latin1');
    return { n: '\n', t: '\t', r: '\r' }[escape] ?? escape;
  });
}

const comments = [
  '# TYPE h histogram',
  '# TYPE h summary',
  '# TYPE s summary',
  '# TYPE g gauge',
  '# TYPE h gaugehistogram',
  '# HELP h a \\n b',
  '# UNIT h_bytes bytes',
  '# comment',
  '#',
  '# EOF',
  '',
];
/**
 * Bounds are spelled as they are stored, and no line comes twice in a page: what is known of a series depends on which of its
 * lines came first, here by line and type, there by line alone.
 */
const series = [
  ...[
    'h_bucket{le="1.0"}',
    'h_bucket{le="2.0"}',
    'h_bucket{le="+Inf"}',
    'h_bucket{le="x"}',
    'h_bucket{a="b",le="0.5"}',
  ],
  ...[
    'h_sum',
    'h_count',
    'h_count{a="b"}',
    's{quantile="0.5"}',
    's{quantile="1.0"}',
    's_sum',
    'g',
    'g{a="c",}',
  ],
  ...[
    'g{a="b"}',
    'g{ a="d"}',
    '{"g.x",a="b"}',
    '{"g"}',
    'g{"a.b"="c"}',
    'g{e=""}',
    'g{job="x",instance="y"}',
  ],
  ...['g{a="b",a="c"}', 'g{a="\\"\\\\\\n"}', 'g {a="odd"}'],
];
const cleanSeries = series.filter((one) => !/ |a="c"/.test(one));
const values = [
  '1',
  '2',
  '3',
  '2.5',
  'NaN',
  '+Inf',
  '-1',
  '0x1',
  '1e400',
  '1_0',
  'x',
  '-0',
  '1e-7',
  '3',
  '4',
];
const suffixes = [
  '',
  '',
  '',
  '',
  '',
  ' ',
  '\t',
  ' # {a="b"} 1',
  ' # {a="b"} 1 2',
  ' # {a="b"',
  ' # {} x',
  ' x',
];

/** Without NaN, which equals nothing and is stored at each scrape, and escapes, which Prometheus leaves in labels as they are. */
const exemplars = [
  ' # {a="b"} 1',
  ' # {a="b"} 1 2',
  ' # {a="b"} 2 1.5',
  ' # {b="c",a="d e"} 0.5 1e3',
  ' # {} -0',
  ' # {a=""} -Inf 1000.0625',
  ` # {a="${'x'.repeat(127)}"} 1 3`,
  ` # {a="${'x'.repeat(128)}"} 1 3`,
];

/** Up to three pages that have lines in common; in most there is nothing wrong. */
function randomCase(random: Random): ScrapeCase {
  const isOpenMetrics = random.below(2) === 0;
  const lines = randomLines(random, 1 + random.below(12));
  const bodies = Array.from({ length: 1 + random.below(3) }, (_, i) => {
    const kept = i === 0 ? lines : lines.filter(() => random.below(4) > 0);
    return randomBody(random, kept, isOpenMetrics);
  });
  const job = random.of(['plain', 'plain', 'convert', 'convertBoth']);
  return { job, contentType: isOpenMetrics ? openMetrics : text, bodies };
}

function randomBody(random: Random, lines: readonly string[], isOpenMetrics: boolean): Buffer {
  const isCut = random.below(16) === 0;
  const end = isOpenMetrics && random.below(16) > 0 ? '# EOF\n' : '';
  // An exemplar without a time gets that of another one where Prometheus makes a histogram of lines.
  const known = lines.includes('# TYPE h histogram')
    ? exemplars.filter((one) => /\} \S+ \S+$/.test(one))
    : exemplars;
  const shown = lines.map((line) => {
    const has = isOpenMetrics && /^[hs][^# ]* \S+$/.test(line) && random.below(3) === 0;
    return has ? line + random.of(known) : line;
  });
  return Buffer.from(`${shown.join('\n')}${isCut ? '' : '\n'}${end}`);
}

function randomLines(random: Random, length: number): string[] {
  const isClean = random.below(3) > 0;
  const left = [...(isClean ? cleanSeries : series)];
  return Array.from({ length }, () => {
    if (random.below(3) === 0) return random.of(isClean ? comments.slice(0, 6) : comments);
    const value = random.of(isClean ? values.slice(0, 6) : values);
    const suffix = !isClean && random.below(4) === 0 ? random.of(suffixes) : '';
    return `${left.splice(random.below(left.length), 1)[0] ?? 'last'} ${value}${suffix}`;
  });
}

/** The same numbers for the same seed. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed, 0x9e3779b1) >>> 0;
  }

  below(limit: number): number {
    this.#state = (Math.imul(this.#state ^ (this.#state >>> 15), 0x2c1b3c6d) + 0x1234567) >>> 0;
    return (this.#state >>> 8) % limit;
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}
