// Native histograms from a target to its store.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type FloatHistogram, histogramText, Matcher } from '@flotilla/model';
import { decodeHistogramChunk, floatHistogramOf } from '@flotilla/tsdb';
import type { Job } from '@flotilla/wire';
import { delimitedFamilies, testJob, TestServer, TestShard, testTarget } from '../testing.ts';

const native = {
  sampleCount: 6,
  sampleSum: 10,
  schema: 2,
  zeroThreshold: 0.5,
  zeroCount: 1,
  positiveSpan: [{ offset: 1, length: 3 }],
  positiveDelta: [2, -1, 1],
  bucket: [{ upperBound: 2, cumulativeCount: 3 }],
};

let body: string | Buffer;
let contentType: string;
let server: TestServer;
let shard: TestShard;

beforeEach(async () => {
  contentType =
    'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';
  server = await TestServer.start((_req, res) => {
    res.setHeader('content-type', contentType);
    res.end(body);
  });
  shard = await TestShard.start();
});

afterEach(async () => {
  await shard.stop();
  await server.stop();
});

function expose(histogram: object, name = 'h'): void {
  body = delimitedFamilies([
    { name: 'c_total', type: 0, help: 'A\ncounter.', metric: [{ counter: { value: 7 } }] },
    { name, type: 4, help: 'A histogram.', metric: [{ histogram }] },
  ]);
}

async function scrapeAs(change: Partial<Job>): Promise<string | undefined> {
  await shard.apply([testJob({ scrapeNativeHistograms: true, ...change })], [testTarget(server.url)]);
  return (await shard.tick()).get(1)?.error;
}

/** Histograms by name, as text; stale markers as 'stale'. */
async function histograms(): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  const set = await shard.tsdb.select([new Matcher('!=', '__name__', '')], 0, 2 ** 50);
  while (set.next()) {
    const samples = set.chunks.flatMap((chunk) => decodeHistogramChunk(chunk));
    const texts = samples.map(({ histogram }) =>
      histogram.isStale ? 'stale' : text(floatHistogramOf(histogram)),
    );
    if (texts.length > 0) found[set.labels.get('__name__')] = texts;
  }
  set.close();
  return found;
}

function text(histogram: FloatHistogram): string {
  return `${histogram.schema} ${histogramText(histogram)}`;
}

describe('native histograms', () => {
  const fine =
    '2 {count:6, sum:10, [-0.5,0.5]:1, (1,1.189207115002721]:2, (1.189207115002721,1.414213562373095]:1, (1.414213562373095,1.6817928305074288]:2}';

  test('are read as their target says, whatever its job says, from the next scrape on', async () => {
    const as = async (scrapeNativeHistograms: boolean): Promise<void> => {
      const others = { alwaysScrapeClassicHistograms: false, convertClassicHistogramsToNhcb: false };
      const target = { ...testTarget(server.url), histograms: { scrapeNativeHistograms, ...others } };
      await shard.apply([testJob({ scrapeNativeHistograms: true })], [target]);
      expect((await shard.tick()).get(1)?.error).toBe('');
    };
    expose(native);
    await as(false);
    expect(await histograms()).toEqual({});
    await as(true);
    expect(Object.keys(await histograms())).toEqual(['h']);
  });

  test('of protobuf are stored, end, and come again', async () => {
    expose(native);
    expect(await scrapeAs({})).toBe('');
    expect(await scrapeAs({})).toBe('');
    body = '';
    expect((await shard.tick()).get(1)?.error).toBe('');
    expose(native);
    await shard.tick();
    const { h, ...others } = await histograms();
    expect(others).toEqual({});
    expect(h?.map((one) => one.slice(0, 17))).toEqual(
      [fine, fine, 'stale', fine].map((one) => one.slice(0, 17)),
    );
    expect(Object.values(await shard.series('c_total'))[0]?.map(([, value]) => value)).toEqual([
      7,
      7,
      'stale',
      7,
    ]);
    expect(Object.values(await shard.series('scrape_samples_scraped'))[0]?.map(([, value]) => value)).toEqual(
      [2, 2, 0, 2],
    );
    expect(Object.values(await shard.series('scrape_series_added'))[0]?.map(([, value]) => value)).toEqual([
      2, 0, 0, 0,
    ]);
    expect(shard.metadata.get('', 0).metadata).toEqual({
      c_total: [{ type: 'counter', help: 'A\ncounter.', unit: '' }],
      h: [{ type: 'histogram', help: 'A histogram.', unit: '' }],
    });
  });

  test('end with a scrape that fails', async () => {
    expose(native);
    await scrapeAs({});
    expose({ ...native, positiveDelta: [2] });
    expect((await shard.tick()).get(1)?.error).toBe(
      'histogram "h": positive side: spans require 3 buckets, have 1',
    );
    expect((await histograms())['h']).toEqual([fine, 'stale']);
    expect(Object.values(await shard.series('scrape_samples_scraped'))[0]?.map(([, value]) => value)).toEqual(
      [2, 1],
    );
  });

  test('are not asked for, and classic, unless the job says so', async () => {
    expose(native);
    expect(await scrapeAs({ scrapeNativeHistograms: false })).toBe('');
    expect(await histograms()).toEqual({});
    expect(Object.keys(await shard.series('h.*'))).toHaveLength(4);
  });

  test('have fewer buckets where there is a limit or a factor', async () => {
    expose(native);
    const limited = async (histogramBuckets: number): Promise<string | undefined> =>
      scrapeAs({ limits: { ...testJob().limits, histogramBuckets } });
    expect(await limited(2)).toBe('');
    expect((await histograms())['h']?.[0]).toMatch(
      /^1 \{count:6, sum:10, \[-0.5,0.5\]:1, \(1,1.414213562373095\d*\]:3, /,
    );
    expect(await limited(1)).toBe('');
    expect((await histograms())['h']?.[1]).toBe('0 {count:6, sum:10, [-0.5,0.5]:1, (1,2]:5}');
    expect(await scrapeAs({ nativeHistogramMinBucketFactor: 4 })).toBe('');
    expect((await histograms())['h']?.[2]).toMatch(/^-1 /);
    expose({
      ...native,
      positiveSpan: [...native.positiveSpan, { offset: 1e6, length: 1 }],
      positiveDelta: [2, -1, 1, 0],
      sampleCount: 8,
    });
    expect(await limited(1)).toBe('histogram bucket limit exceeded');
    expect(shard.counters.exceededBucketLimit).toBe(1);
  });

  test('that contradict themselves fail the scrape', async () => {
    const check = async (change: object, want: string): Promise<void> => {
      expose({ ...native, ...change });
      expect(await scrapeAs({})).toBe(want);
    };
    await check(
      { sampleCount: 7 },
      "6 observations found in buckets, but the Count field is 7: histogram's observation count should equal the number of observations found in the buckets (in absence of NaN)",
    );
    await check(
      { sampleCount: 3, sampleSum: NaN },
      "6 observations found in buckets, but the Count field is 3: histogram's observation count should be at least the number of observations found in the buckets",
    );
    await check(
      { positiveDelta: [2, -3, 1] },
      'positive side: bucket number 2 has observation count of -1: histogram has a bucket whose observation count is negative',
    );
    await check(
      { schema: -9 },
      'histogram has an invalid schema, which must be between -4 and 8 for exponential buckets, or -53 for custom buckets, got schema -9',
    );
    await check(
      { schema: -53, zeroCount: 0, zeroThreshold: 0, sampleCount: 5 },
      'custom buckets: only 0 custom bounds defined which is insufficient to cover total span length of 4: histogram custom bounds are too few',
    );
    await check(
      { positiveSpan: [{ offset: 2 ** 31 - 2, length: 3 }] },
      'histogram "h": positive side: bucket index 2147483649, want at most 1073741824',
    );
    await check({ sampleCount: 2 ** 60, sampleSum: NaN }, 'histogram: a count that is none');
    await check({ sampleCount: 7, sampleSum: NaN }, '');
    await check({ schema: 9 }, '');
  });

  test('and lines of text of the same series take turns', async () => {
    expose({ sampleCount: 3, bucket: native.bucket });
    await scrapeAs({});
    contentType = 'text/plain';
    body = 'c_total 8\n# TYPE h histogram\nh_count 4\nh_sum 1\nh_bucket{le="2"} 4\nh_bucket{le="+Inf"} 4\n';
    expect((await shard.tick()).get(1)?.error).toBe('');
    const [bucket] = Object.values(await shard.series('h_bucket'));
    expect(bucket?.map(([, value]) => value)).toEqual([3, 4]);
    expect(Object.values(await shard.series('scrape_series_added'))[0]?.map(([, value]) => value)).toEqual([
      5, 1,
    ]);
  });

  test('with custom buckets are made of classic ones', async () => {
    contentType = 'text/plain';
    const page = (n: number): string =>
      `# TYPE h histogram\nh_bucket{le="2"} ${n}\nh_bucket{le="+Inf"} ${n}\nh_count ${n}\nh_sum 1\na 1\n`;
    const convert = { convertClassicHistogramsToNhcb: true };
    body = page(3);
    expect(await scrapeAs(convert)).toBe('');
    body = page(4);
    await shard.tick();
    expect((await histograms())['h']).toEqual([
      '-53 {count:3, sum:1, [-Inf,2]:3}',
      '-53 {count:4, sum:1, [-Inf,2]:4}',
    ]);
    expect(await shard.series('h_.*')).toEqual({});
    expect(Object.values(await shard.series('a'))[0]?.map(([, value]) => value)).toEqual([1, 1]);
    expect(Object.values(await shard.series('scrape_series_added'))[0]?.map(([, value]) => value)).toEqual([
      2, 0,
    ]);
    await scrapeAs({ ...convert, alwaysScrapeClassicHistograms: true });
    expect(Object.keys(await shard.series('h_.*'))).toHaveLength(4);
  });
});
