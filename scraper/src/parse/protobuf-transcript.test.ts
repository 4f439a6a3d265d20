import { describe, expect, test } from '@jest/globals';
import { histogramExpression } from '@flotilla/model';
import { floatHistogramOf } from '@flotilla/tsdb';
import * as fc from 'fast-check';
import { delimitedFamilies, type TestFamily } from '../testing.ts';
import { ParseError } from './parse-error.ts';
import { type HistogramRules, transcribeProtobuf } from './protobuf-transcript.ts';
import { TextParser } from './text-parser.ts';

const rules: HistogramRules = {
  scrapeNativeHistograms: true,
  alwaysScrapeClassicHistograms: false,
  convertClassicHistogramsToNhcb: false,
};
const [COUNTER, GAUGE, SUMMARY, UNTYPED, HISTOGRAM, GAUGE_HISTOGRAM] = [0, 1, 2, 3, 4, 5] as const;

/** Lines but for comments of HELP, with histograms in place of their numbers. */
function linesOf(families: readonly TestFamily[], change: Partial<HistogramRules> = {}): string[] {
  const { body, histograms, error } = transcribeProtobuf(delimitedFamilies(families), {
    ...rules,
    ...change,
  });
  if (error !== undefined) throw error;
  return body
    .toString()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('# HELP'))
    .map((line) =>
      line.replace(/ h(\d+)/, (_, i: string) => {
        const native = histograms[Number(i)]!;
        return ` ${native.isFloat ? 'float' : 'whole'} ${histogramExpression(floatHistogramOf(native))}`;
      }),
    );
}

describe('families', () => {
  function check(families: TestFamily[], ...want: string[]): void {
    expect(linesOf(families)).toEqual(want);
  }

  test('of plain values', () => {
    check(
      [
        { name: 'c_total', type: COUNTER, metric: [{ counter: { value: 1.5 } }, { label: { a: 'x' } }] },
        { name: 'g', type: GAUGE, metric: [{ gauge: { value: -Infinity }, label: { a: '1', b: '"\\\n' } }] },
        { name: 'u', type: UNTYPED, metric: [{ untyped: { value: NaN }, timestampMs: 1500 }] },
        { name: 'empty', type: GAUGE, metric: [] },
        { name: 'z', type: GAUGE, unit: 'bytes', metric: [{ gauge: { value: -0 }, timestampMs: -5 }] },
      ],
      '# TYPE "c_total" counter',
      'c_total 1.5',
      'c_total{a="x",} 0',
      '# TYPE "g" gauge',
      String.raw`g{a="1",b="\"\\\n",} -Inf`,
      '# TYPE "u" unknown',
      'u NaN 1500',
      '# UNIT "z" bytes',
      '# TYPE "z" gauge',
      'z -0 -5',
    );
  });

  test('with names of any UTF-8', () => {
    check(
      [
        {
          name: 'my.Ł',
          type: GAUGE,
          metric: [{ gauge: { value: 1 } }, { label: { 'a.b': 'Ł', c: '', '': '' } }],
        },
      ],
      '# TYPE "my.Ł" gauge',
      '{"my.Ł",} 1',
      '{"my.Ł","a.b"="Ł",c="",} 0',
    );
  });

  test('of summaries and classic histograms', () => {
    const quantile = [
      { quantile: 0.5, value: 2 },
      { quantile: 1, value: 4 },
    ];
    const bucket = [
      { upperBound: 1, cumulativeCount: 3 },
      { upperBound: 1e6, cumulativeCountFloat: 4.5, cumulativeCount: 9 },
    ];
    check(
      [
        { name: 's', type: SUMMARY, metric: [{ summary: { sampleCount: 3, sampleSum: 7, quantile } }] },
        {
          name: 'h',
          type: HISTOGRAM,
          metric: [{ histogram: { sampleCount: 5, sampleSum: 9, bucket }, label: { a: 'b' } }],
        },
        {
          name: 'i',
          type: GAUGE_HISTOGRAM,
          metric: [
            { histogram: { sampleCountFloat: 5.5, bucket: [{ upperBound: Infinity, cumulativeCount: 6 }] } },
          ],
        },
      ],
      '# TYPE "s" summary',
      's_count 3',
      's_sum 7',
      's{quantile="0.5"} 2',
      's{quantile="1.0"} 4',
      '# TYPE "h" histogram',
      'h_count{a="b",} 5',
      'h_sum{a="b",} 9',
      'h_bucket{a="b",le="1.0"} 3',
      'h_bucket{a="b",le="1e+06"} 4.5',
      'h_bucket{a="b",le="+Inf"} 5',
      '# TYPE "i" gaugehistogram',
      'i_count 5.5',
      'i_sum 0',
      'i_bucket{le="+Inf"} 6',
    );
  });
});

const whole = {
  sampleCount: 12,
  sampleSum: 18.4,
  schema: 1,
  zeroThreshold: 0.001,
  zeroCount: 2,
  positiveSpan: [
    { offset: 0, length: 2 },
    { offset: 1, length: 2 },
  ],
  positiveDelta: [1, 1, -2, 1],
  negativeSpan: [{ offset: -3, length: 1 }],
  negativeDelta: [6],
};
const bucket = [
  { upperBound: 1, cumulativeCount: 2 },
  { upperBound: 2, cumulativeCount: 2 },
  { upperBound: 4, cumulativeCount: 5 },
];

describe('native histograms', () => {
  function check(
    histogram: object,
    type: number | undefined,
    change: Partial<HistogramRules>,
    ...want: string[]
  ): void {
    const families = [{ name: 'h', type: type!, metric: [{ histogram, label: { a: 'b' } }] }];
    expect(linesOf(families, change).slice(1)).toEqual(want);
  }

  test('of whole and of float counts', () => {
    const text =
      '{{schema:1 count:12 sum:18.4 z_bucket:2 z_bucket_w:0.001 buckets:[1 2 0 0 1] n_offset:-3 n_buckets:[6]}}';
    check(whole, HISTOGRAM, {}, `h{a="b",} whole ${text}`);
    check(
      whole,
      GAUGE_HISTOGRAM,
      {},
      `h{a="b",} whole ${text.replace('buckets', 'counter_reset_hint:gauge buckets')}`,
    );
    check(
      {
        sampleCountFloat: 2.5,
        zeroThreshold: 0.5,
        positiveSpan: [{ offset: 3, length: 1 }],
        positiveCount: [2.5],
      },
      HISTOGRAM,
      {},
      'h{a="b",} float {{count:2.5 z_bucket_w:0.5 offset:3 buckets:[2.5]}}',
    );
    check({ positiveSpan: [{ offset: 0, length: 0 }] }, HISTOGRAM, {}, 'h{a="b",} whole {{}}');
  });

  test('are classic ones for a job that does not want them; classic ones may stay beside', () => {
    check(
      whole,
      HISTOGRAM,
      { scrapeNativeHistograms: false },
      'h_count{a="b",} 12',
      'h_sum{a="b",} 18.4',
      'h_bucket{a="b",le="+Inf"} 12',
    );
    const both = { ...whole, bucket: [{ upperBound: 2, cumulativeCount: 5 }] };
    const lines = linesOf([{ name: 'h', type: HISTOGRAM, metric: [{ histogram: both }] }], {
      alwaysScrapeClassicHistograms: true,
    });
    expect(lines.slice(2)).toEqual([
      'h_count 12',
      'h_sum 18.4',
      'h_bucket{le="2.0"} 5',
      'h_bucket{le="+Inf"} 12',
    ]);
  });

  test('are made of classic ones', () => {
    const convert = { convertClassicHistogramsToNhcb: true };
    const text = '{{schema:-53 count:9 sum:3 custom_values:[1 2 4] buckets:[2 0 3 4]}}';
    check({ sampleCount: 9, sampleSum: 3, bucket }, HISTOGRAM, convert, `h{a="b",} whole ${text}`);
    check(
      { sampleCount: 9, sampleSum: 3, bucket: bucket.slice(0, 1) },
      HISTOGRAM,
      { ...convert, alwaysScrapeClassicHistograms: true },
      'h_count{a="b",} 9',
      'h_sum{a="b",} 3',
      'h_bucket{a="b",le="1.0"} 2',
      'h_bucket{a="b",le="+Inf"} 9',
      'h{a="b",} whole {{schema:-53 count:9 sum:3 custom_values:[1] buckets:[2 7]}}',
    );
    check(
      { sampleCountFloat: 2.5, bucket: [{ upperBound: 1, cumulativeCountFloat: 0.5 }] },
      HISTOGRAM,
      convert,
      'h{a="b",} float {{schema:-53 count:2.5 custom_values:[1] buckets:[0.5 2]}}',
    );
    check(
      whole,
      HISTOGRAM,
      { ...convert, scrapeNativeHistograms: false },
      'h{a="b",} whole {{schema:-53 count:12 sum:18.4 custom_values:[] buckets:[12]}}',
    );
  });
});

describe('what is wrong', () => {
  function check(body: Buffer | TestFamily, want: string, change: Partial<HistogramRules> = {}): void {
    const bytes = Buffer.isBuffer(body) ? body : delimitedFamilies([body]);
    expect(transcribeProtobuf(bytes, { ...rules, ...change }).error?.message).toContain(want);
  }

  test("is said in Prometheus's words", () => {
    const gauge = { type: GAUGE, metric: [{ gauge: { value: 1 } }] };
    check({ ...gauge, name: '' }, 'invalid metric name: ');
    check({ ...gauge, name: Buffer.from([0xff]) }, 'invalid metric name: ');
    check({ ...gauge, name: 'a', type: 9 }, 'unknown metric type for metric "a": 9');
    check({ ...gauge, name: 'a', metric: [{ label: { '': 'x' } }] }, 'invalid label name: ');
    check(Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 1]), 'clientpb: invalid varint encountered');
    check(
      Buffer.from([5, 1]),
      'clientpb: insufficient length of buffer, expected at least 6 bytes, got 2 bytes',
    );
    check(Buffer.from([2, 0x0a, 9]), 'MetricFamily: 2 bytes do not decode');
    const histogram = (value: object): TestFamily => ({
      name: 'h',
      type: HISTOGRAM,
      metric: [{ histogram: value }],
    });
    check(
      histogram({ ...whole, positiveDelta: [1] }),
      'histogram "h": positive side: spans require 4 buckets, have 1',
    );
    const convert = { convertClassicHistogramsToNhcb: true };
    const falling = [
      { upperBound: 1, cumulativeCount: 3 },
      { upperBound: 2, cumulativeCount: 1 },
    ];
    check(histogram({ sampleCount: 3, bucket: falling }), 'count is not cumulative: 1 < 3', convert);
    check(
      histogram({ sampleCount: 3, bucket: [{ upperBound: Infinity, cumulativeCount: 2 }] }),
      'count mismatch: count=3 != le=+Inf count=2',
      convert,
    );
  });

  test('leaves what came before it', () => {
    const good: TestFamily = { name: 'a', type: GAUGE, metric: [{ gauge: { value: 1 } }] };
    const { body, error } = transcribeProtobuf(
      Buffer.concat([delimitedFamilies([good]), Buffer.from([9])]),
      rules,
    );
    expect([body.toString(), error !== undefined]).toEqual(['# HELP "a" \n# TYPE "a" gauge\na 1\n', true]);
  });
});

test('any bytes are read or refused', () => {
  const page = delimitedFamilies([
    { name: 'g', type: GAUGE, help: 'x', metric: [{ label: { a: 'b' }, gauge: { value: 1 } }] },
    { name: 'h', type: HISTOGRAM, metric: [{ histogram: { ...whole, bucket } }] },
  ]);
  const change = fc.record({ at: fc.nat(page.length - 1), byte: fc.nat(255) });
  const all = { ...rules, alwaysScrapeClassicHistograms: true, convertClassicHistogramsToNhcb: true };
  fc.assert(
    fc.property(fc.array(change, { maxLength: 6 }), fc.nat(page.length), (changes, length) => {
      const bytes = Buffer.from(page.subarray(0, length));
      for (const { at, byte } of changes) if (at < length) bytes[at] = byte;
      const { body, histograms, error } = transcribeProtobuf(bytes, all);
      expect(error === undefined || error instanceof ParseError).toBe(true);
      const parser = new TextParser('transcript');
      for (let start = 0; start < body.length;) {
        const end = body.indexOf(0x0a, start);
        if (parser.parse(body, start, end) === 'histogram') expect(histograms[parser.value]).toBeDefined();
        start = end + 1;
      }
    }),
    { numRuns: 3000 },
  );
});

test('a body that is made to grow is refused, and cheap', () => {
  const metric = Array.from({ length: 5000 }, () => ({ gauge: { value: 1 } }));
  const { body, error } = transcribeProtobuf(
    delimitedFamilies([{ name: 'n'.repeat(10_000), type: GAUGE, metric }]),
    rules,
  );
  expect(error?.message).toMatch(/^body is more than \d+ bytes as text, want less$/);
  expect(body.at(-1)).toBe(0x0a);
});
