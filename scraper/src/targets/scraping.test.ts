import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { testJob, TestServer, TestShard, testTarget, until } from '../testing.ts';

let shard: TestShard;
let server: TestServer;
let body: string;

beforeEach(async () => {
  shard = await TestShard.start();
  server = await TestServer.page(() => body);
});

afterEach(async () => {
  await shard.stop();
  await server.stop();
});

const own = 'instance="target-1", job="job"';

async function values(metric: string): Promise<unknown[]> {
  const series = await shard.series(metric);
  return series[`${metric}{${own}}`]?.map(([, value]) => value) ?? [];
}

describe('a scrape', () => {
  test('writes samples and report series at the time of the slot', async () => {
    body = '# HELP a x\n# TYPE a counter\na 1\na{x="y"} 2.5\n';
    await shard.apply([testJob()], [testTarget(server.url)]);
    await shard.tick();
    const slot = shard.slot(1);
    expect(await shard.series('a')).toEqual({
      [`a{${own}}`]: [[slot, 1]],
      [`a{${own}, x="y"}`]: [[slot, 2.5]],
    });
    const reports = await shard.series('up|scrape_.*');
    expect(reports).toEqual({
      [`scrape_duration_seconds{${own}}`]: [[slot, expect.any(Number)]],
      [`scrape_samples_post_metric_relabeling{${own}}`]: [[slot, 2]],
      [`scrape_samples_scraped{${own}}`]: [[slot, 2]],
      [`scrape_series_added{${own}}`]: [[slot, 2]],
      [`up{${own}}`]: [[slot, 1]],
    });
    expect(shard.metadata.get('', 0).metadata).toEqual({ a: [{ type: 'counter', help: 'x', unit: '' }] });
  });

  test('after scrape adds a sample a slot to the same series', async () => {
    await shard.apply([testJob()], [testTarget(server.url)]);
    for (let i = 0; i < 4; i++) {
      body = `a ${i}\nb NaN\nc +Inf\n`;
      await shard.tick();
    }
    const slot = shard.slot(1);
    expect(await shard.series('a')).toEqual({
      [`a{${own}}`]: [0, 1, 2, 3].map((i) => [slot - (3 - i) * 10_000, i]),
    });
    expect(await values('b')).toEqual([NaN, NaN, NaN, NaN]);
    expect(await values('c')).toEqual([Infinity, Infinity, Infinity, Infinity]);
    expect(await values('scrape_series_added')).toEqual([3, 0, 0, 0]);
  });

  test('knows series again and ends them whatever blanks are in their lines', async () => {
    await shard.apply([testJob()], [testTarget(server.url)]);
    for (const page of ['a {b="c"}  1\nb 1\n', 'a {b="c"}  2\nb 2\n', 'b 3\n', 'b 4\n']) {
      body = page;
      await shard.tick();
    }
    expect(Object.values(await shard.series('a'))[0]?.map(([, value]) => value)).toEqual([1, 2, 'stale']);
    expect(await values('scrape_series_added')).toEqual([2, 0, 0, 0]);
  });

  test('of what is no URL fails, like any other', async () => {
    await shard.apply([testJob()], [testTarget('http://fd00:1::204/metrics')]);
    await shard.tick();
    expect(await values('up')).toEqual([0]);
    expect(shard.targets.health().map(({ up, error }) => [up, error])).toEqual([
      [false, 'parse "http://fd00:1::204/metrics": not a URL'],
    ]);
  });

  test('gives every series the schedule of its target', async () => {
    body = 'a 1\n';
    await shard.apply([testJob()], [testTarget(server.url, { id: 4_000_000_123 })]);
    await shard.tick();
    const { Matcher } = await import('@flotilla/model');
    const set = await shard.tsdb.select([new Matcher('=~', '__name__', 'a|up')], 0, 2 ** 50);
    for (let i = 0; i < 2; i++) {
      expect(set.next()).toBe(true);
      expect(set.schedule).toEqual({ targetId: 4_000_000_123, intervalMs: 10_000, phaseMs: 123 });
    }
    expect(set.next()).toBe(false);
  });

  test('that starts late carries its true time', async () => {
    body = 'a 1\n';
    await shard.apply([testJob()], [testTarget(server.url)]);
    await shard.tick();
    const slot = shard.slot(1);
    shard.clock.advance(shard.slot(1) + 9_990 - shard.clock.now);
    shard.clock.jump(3010);
    shard.clock.advance(0);
    await until(() => shard.targets.health()[0]!.lastScrapeMs === shard.clock.now);
    await shard.tick();
    const times = (await shard.series('a'))[`a{${own}}`]!.map(([time]) => time - slot);
    expect(times).toEqual([0, 13_000, 20_000]);
    expect(shard.counters.late).toBe(1);
  });

  test('of two replicas carries the same times', async () => {
    body = 'a 1\n';
    const other = await TestShard.start({ replica: 1 });
    try {
      for (const each of [shard, other]) {
        await each.apply([testJob()], [testTarget(server.url)]);
        await each.tick();
        await each.tick();
      }
      const times = async (each: TestShard): Promise<number[]> =>
        (await each.series('a'))[`a{${own}}`]!.map(([time]) => time % 10_000);
      expect(await times(shard)).toEqual([1, 1]);
      expect(await times(other)).toEqual([1, 1]);
    } finally {
      await other.stop();
    }
  });
});

describe('stale markers', () => {
  test('end what a page does not have any more', async () => {
    await shard.apply([testJob()], [testTarget(server.url)]);
    body = 'a 1\nb 1\n';
    await shard.tick();
    body = 'b 2\nc 1\n';
    await shard.tick();
    body = 'b 3\nc 2\na 3\n';
    await shard.tick();
    expect(await values('a')).toEqual([1, 'stale', 3]);
    expect(await values('b')).toEqual([1, 2, 3]);
    expect(await values('c')).toEqual([1, 2]);
    expect((await values('scrape_series_added')).slice(0, 2)).toEqual([2, 1]);
  });

  test('end everything when a scrape fails, in the same slot as up 0', async () => {
    await shard.apply([testJob()], [testTarget(server.url)]);
    body = 'a 1\nb 1\n';
    await shard.tick();
    body = 'a 2\nthis is no metric\n';
    await shard.tick();
    await shard.tick();
    body = 'a 3\nb 3\n';
    await shard.tick();
    expect(await values('a')).toEqual([1, 'stale', 3]);
    expect(await values('b')).toEqual([1, 'stale', 3]);
    expect(await values('up')).toEqual([1, 0, 0, 1]);
    const times = (series: Record<string, (readonly [number, unknown])[]>): number[] =>
      Object.values(series)[0]!.map(([time]) => time);
    expect(times(await shard.series('a'))[1]).toBe(times(await shard.series('up'))[1]);
  });

  test('are not for samples with timestamps of their own, unless asked for', async () => {
    const now = shard.clock.now;
    const strict = testTarget(server.url, { id: 2, job: 'strict', labels: [['job', 'strict']] });
    await shard.apply(
      [testJob(), testJob({ name: 'strict', trackTimestampsStaleness: true })],
      [testTarget(server.url), strict],
    );
    body = `a 1 ${now - 5000}\nb 1\n`;
    await shard.tick();
    body = 'b 2\n';
    await shard.tick();
    expect(await values('a')).toEqual([1]);
    expect((await shard.series('a'))['a{job="strict"}']).toEqual([
      [now - 5000, 1],
      [shard.slot(2), 'stale'],
    ]);
  });

  test('are for samples whose timestamps are not honoured', async () => {
    await shard.apply([testJob({ honorTimestamps: false })], [testTarget(server.url)]);
    body = `a 1 ${shard.clock.now - 5000}\nb 1\n`;
    await shard.tick();
    const first = shard.slot(1);
    await shard.tick();
    body = 'b 2\n';
    await shard.tick();
    expect((await shard.series('a'))[`a{${own}}`]).toEqual([
      [first, 1],
      [first + 10_000, 1],
      [first + 20_000, 'stale'],
    ]);
  });

  test('end a target that is gone, at its next slot, with its report series', async () => {
    body = 'a 1\n';
    await shard.apply([testJob()], [testTarget(server.url)]);
    await shard.tick();
    const slot = shard.slot(1);
    await shard.apply([testJob()], []);
    shard.clock.advance(10_000);
    await new Promise(setImmediate);
    for (const metric of ['a', 'up', 'scrape_duration_seconds']) {
      expect((await shard.series(metric))[`${metric}{${own}}`]!.at(-1)).toEqual([slot + 10_000, 'stale']);
    }
  });

  test('are not written when the target comes back before that', async () => {
    body = 'a 1\nb 1\n';
    await shard.apply([testJob()], [testTarget(server.url)]);
    await shard.tick();
    await shard.apply([testJob()], []);
    await shard.apply([testJob()], [testTarget(server.url)]);
    body = 'a 2\n';
    await shard.tick();
    expect(await values('a')).toEqual([1, 2]);
    expect(await values('b')).toEqual([1, 'stale']);
    expect(await values('up')).toEqual([1, 1]);
  });

  test('are not written for a target that another shard has now, nor at shutdown', async () => {
    body = 'a 1\n';
    const other = testTarget(server.url, { id: 2, labels: [['job', 'other']] });
    await shard.apply([testJob()], [testTarget(server.url), other]);
    await shard.tick();
    await shard.apply([testJob()], [other], { 1: 'handoff' });
    await shard.tick();
    expect(await values('a')).toEqual([1]);
    expect(await values('up')).toEqual([1]);
    await shard.targets.stop();
    expect((await shard.series('a'))['a{job="other"}']!.map(([, value]) => value)).toEqual([1, 1]);
  });

  test('end what new rules of the job drop', async () => {
    body = 'a 1\nb 1\n';
    await shard.apply([testJob()], [testTarget(server.url)]);
    await shard.tick();
    const metricRelabelings = [{ sourceLabels: ['__name__'], regex: 'b', action: 'drop' }];
    await shard.apply([testJob({ metricRelabelings })], [testTarget(server.url)]);
    await shard.tick();
    expect(await values('a')).toEqual([1, 1]);
    expect(await values('b')).toEqual([1, 'stale']);
    expect(await values('scrape_samples_scraped')).toEqual([2, 2]);
    expect(await values('scrape_samples_post_metric_relabeling')).toEqual([2, 1]);
  });
});

describe('samples that the head refuses', () => {
  test('are counted, and the scrape goes on', async () => {
    const now = shard.clock.now;
    await shard.apply([testJob()], [testTarget(server.url)]);
    body = `a 1\na 2\nb 1 ${now}\nc 1 ${now + 3_600_000}\n`;
    await shard.tick();
    body = `a 3\na 4\nb 1 ${now - 1000}\nc 1\n`;
    await shard.tick();
    expect(await values('a')).toEqual([1, 3]);
    expect(await values('b')).toEqual([1]);
    expect(await values('up')).toEqual([1, 1]);
    expect(await values('scrape_samples_post_metric_relabeling')).toEqual([4, 4]);
    expect(shard.counters).toMatchObject({ duplicateTimestamp: 2, outOfOrder: 1, outOfBounds: 1 });
  });
});

describe('limits', () => {
  async function check(limits: Partial<ReturnType<typeof testJob>['limits']>, error: string): Promise<void> {
    await shard.apply([testJob({ limits: { ...testJob().limits, ...limits } })], [testTarget(server.url)]);
    const health = await shard.tick();
    expect(health.get(1)).toMatchObject({ up: error === '', error });
    expect(await values('a')).toEqual(error === '' ? [1] : []);
    expect(await values('up')).toEqual([error === '' ? 1 : 0]);
  }

  test('of samples: the whole scrape fails, counts stay exact', async () => {
    body = 'a 1\nb 1\nc 1\n';
    await check({ samples: 2 }, 'sample limit exceeded');
    expect(await values('scrape_samples_scraped')).toEqual([3]);
    expect(await values('scrape_samples_post_metric_relabeling')).toEqual([3]);
    expect(shard.counters.exceededSampleLimit).toBe(1);
    const metricRelabelings = [{ sourceLabels: ['__name__'], regex: 'c', action: 'drop' }];
    const limits = { ...testJob().limits, samples: 2 };
    await shard.apply([testJob({ limits, metricRelabelings })], [testTarget(server.url)]);
    await shard.tick();
    expect(await values('up')).toEqual([0, 1]);
  });

  test('of samples, reached just so', async () => {
    body = 'a 1\nb 1\n';
    await check({ samples: 2 }, '');
  });

  test('of labels', async () => {
    body = 'a{x="y"} 1\n';
    await check({ labels: 3 }, 'label_limit exceeded (metric: a, number of labels: 4, limit: 3)');
    expect(shard.counters.exceededLabelLimits).toBe(1);
  });

  test('of the body', async () => {
    body = `a 1\n# ${'x'.repeat(1000)}\n`;
    await check({ bodySizeBytes: 1000 }, 'body size limit exceeded');
    expect(shard.counters.exceededBodySizeLimit).toBe(1);
  });

  test('of targets: all of the job fail', async () => {
    body = 'a 1\n';
    const limits = { ...testJob().limits, targets: 1 };
    const targets = [1, 2].map((id) => testTarget(server.url, { id, labels: [['id', String(id)]] }));
    await shard.apply([testJob({ limits })], targets);
    const health = await shard.tick();
    const error = 'target_limit exceeded (number of targets: 2, limit: 1)';
    expect([...health.values()].map((each) => each.error)).toEqual([error, error]);
    await shard.apply([testJob({ limits })], targets.slice(0, 1));
    expect((await shard.tick()).get(1)).toMatchObject({ up: true, error: '' });
  });
});

test('le and quantile have one spelling', async () => {
  body = [
    '# TYPE h histogram',
    'h_bucket{le="1"} 1',
    'h_bucket{le="1000000"} 1',
    'h_bucket{le="+Inf"} 1',
    '# TYPE s summary',
    's{quantile="1"} 1',
    's{le="1"} 1',
    '# TYPE g gauge',
    'g{le="1"} 1',
  ].join('\n');
  await shard.apply([testJob()], [testTarget(server.url, { labels: [['job', 'j']] })]);
  await shard.tick();
  await shard.tick();
  expect(Object.keys(await shard.series('h_bucket|s|g'))).toEqual([
    'g{job="j", le="1"}',
    'h_bucket{job="j", le="+Inf"}',
    'h_bucket{job="j", le="1.0"}',
    'h_bucket{job="j", le="1e+06"}',
    's{job="j", le="1"}',
    's{job="j", quantile="1.0"}',
  ]);
});
