// Exemplars from a target to its store, in every form that a body has them.

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Matcher } from '@flotilla/model';
import { delimitedFamilies, testJob, TestServer, TestShard, testTarget } from '../testing.ts';

const openMetrics = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const protobuf =
  'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';

let shard: TestShard;
let server: TestServer;
let body: string | Buffer;
let contentType: string;

beforeEach(async () => {
  shard = await TestShard.start();
  contentType = openMetrics;
  server = await TestServer.start((_req, res) => {
    res.setHeader('content-type', contentType);
    res.end(body);
  });
});

afterEach(async () => {
  await shard.stop();
  await server.stop();
});

async function scrape(next: string | Buffer): Promise<void> {
  body = next;
  expect((await shard.tick()).get(1)?.error).toBe('');
}

/** Series → `labels value time`; times after 2001 are those of scrapes. */
async function exemplars(): Promise<Record<string, string[]>> {
  const all = await shard.tsdb.selectExemplars([[new Matcher('=~', '__name__', '.*')]], -1e15, 1e15);
  return Object.fromEntries(
    all.map(({ labels, exemplars: list }) => [
      labels.toMetric().replaceAll(/instance="[^"]*",? ?|job="[^"]*",? ?|, (?=})/g, ''),
      list.map((one) => `${one.labels.toString()} ${one.value} ${one.timeMs > 1e12 ? 'scrape' : one.timeMs}`),
    ]),
  );
}

test('of two lines of one series, those of the first one', async () => {
  await shard.apply([testJob()], [testTarget(server.url)]);
  await scrape('c_total 1 # {a="1"} 1 1.5\nc_total 1 # {a="2"} 2 2.5\n# EOF\n');
  await scrape('c_total 2 # {a="3"} 3 3.5\nc_total 2 # {a="4"} 4 4.5\n# EOF\n');
  expect(await exemplars()).toEqual({ 'c_total{}': ['{a="1"} 1 1500', '{a="3"} 3 3500'] });
});

test('of two lines of one series with times of their own, those of both, though the second sample is the older one', async () => {
  await shard.apply([testJob()], [testTarget(server.url)]);
  await scrape('c_total 1 5 # {a="1"} 1 1.5\nc_total 1 4 # {a="2"} 2 2.5\n# EOF\n');
  await scrape('c_total 2 3 # {a="3"} 3 3.5\n# EOF\n');
  expect(await exemplars()).toEqual({ 'c_total{}': ['{a="1"} 1 1500', '{a="2"} 2 2500'] });
});

test('of OpenMetrics: known lines and new ones, with times and without', async () => {
  await shard.apply([testJob()], [testTarget(server.url)]);
  const page = (n: number, trace: string): string => `# TYPE c counter
c_total{a="1"} ${n} # {trace="${trace}",span="s\\"}"} 0.5 ${n}.5
c_total{a="2"} ${n} # {trace="${trace}"} 7
c_total{a="3"} ${n} 1500.5 # {} 8
c_total{a="4"} ${n}
# EOF
`;
  for (const [n, trace] of [
    [1, 'x'],
    [2, 'x'],
    [3, 'y'],
  ] as const)
    await scrape(page(n, trace));
  expect(await exemplars()).toEqual({
    'c_total{a="1", }': [1, 2, 3].map((n) => `{span="s\\"}", trace="${n < 3 ? 'x' : 'y'}"} 0.5 ${n}500`),
    'c_total{a="2", }': ['{trace="x"} 7 scrape', '{trace="y"} 7 scrape'],
    'c_total{a="3", }': ['{} 8 1500500'],
  });
  expect(shard.counters.exemplarsOutOfOrder).toBe(0);
  await scrape(page(1, 'z'));
  expect(shard.counters.exemplarsOutOfOrder).toBe(1);
});

const exemplar = (trace: string, value: number, seconds?: number): object => ({
  label: [{ name: Buffer.from('trace'), value: Buffer.from(trace) }],
  value,
  ...(seconds !== undefined && { timestamp: { seconds, nanos: 250_900_000 } }),
});

const histogram = {
  sampleCount: 3,
  sampleSum: 4,
  bucket: [
    { cumulativeCount: 1, upperBound: 1, exemplar: exemplar('b1', 0.5) },
    { cumulativeCount: 2, upperBound: 2, exemplar: exemplar('b2', 1.5, 20) },
    { cumulativeCount: 3, upperBound: 4, exemplar: exemplar('b3', 2.5, 10) },
  ],
};
const native = { ...histogram, schema: 0, zeroThreshold: 0.5, positiveSpan: [{ offset: 0, length: 1 }] };

function families(shape: object): Buffer {
  return delimitedFamilies([
    { name: 'c_total', type: 0, metric: [{ counter: { value: 1, exemplar: exemplar('c', 1, 5) } as never }] },
    { name: 'h', type: 4, metric: [{ histogram: shape }] },
  ]);
}

test('of protobuf: counters, classic buckets, native histograms with times of their own', async () => {
  contentType = protobuf;
  await shard.apply([testJob({ scrapeNativeHistograms: true })], [testTarget(server.url)]);
  await scrape(families(histogram));
  await scrape(families({ ...native, positiveDelta: [3] }));
  await scrape(
    families({
      ...native,
      positiveDelta: [3],
      exemplars: [exemplar('n2', 2, 31), exemplar('n1', 1, 31), exemplar('lost', 9), exemplar('n0', 0, 30)],
    }),
  );
  expect(await exemplars()).toEqual({
    'c_total{}': ['{trace="c"} 1 5250'],
    'h_bucket{le="1.0"}': ['{trace="b1"} 0.5 scrape'],
    'h_bucket{le="2.0"}': ['{trace="b2"} 1.5 20250'],
    'h_bucket{le="4.0"}': ['{trace="b3"} 2.5 10250'],
    'h{}': [
      '{trace="b3"} 2.5 10250',
      '{trace="b2"} 1.5 20250',
      '{trace="n0"} 0 30250',
      '{trace="n1"} 1 31250',
      '{trace="n2"} 2 31250',
    ],
  });
});

test('of classic histograms that become native ones', async () => {
  await shard.apply([testJob({ convertClassicHistogramsToNhcb: true })], [testTarget(server.url)]);
  await scrape(`# TYPE h histogram
h_bucket{le="1"} 1 # {trace="a"} 0.5 20
h_bucket{le="+Inf"} 2 # {trace="b"} 3 10
h_count 2
h_sum 3.5
# TYPE c counter
c_total 1 # {trace="c"} 1
# EOF
`);
  expect(await exemplars()).toEqual({
    'c_total{}': ['{trace="c"} 1 scrape'],
    'h{}': ['{trace="b"} 3 10000', '{trace="a"} 0.5 20000'],
  });
});
