// What the line cache may not survive: transactions that came to nothing, and series that have left the head.

import { describe, expect, test } from '@jest/globals';
import { diskIo, type Io } from '@flotilla/tsdb';
import { testJob, TestServer, TestShard, testTarget, type TestSample, until } from '../testing.ts';

const labels = [['job', 'j']] as const;

async function values(shard: TestShard, metric: string): Promise<TestSample[1][]> {
  const series = await shard.series(metric);
  return (series[`${metric}{job="j"}`] ?? []).map(([, value]) => value);
}

test('a full disk fails scrapes, loses no series, and is over when it is over', async () => {
  let isFull = false;
  const io: Io = {
    ...diskIo,
    write: (fd, bytes) => {
      if (isFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      diskIo.write(fd, bytes);
    },
  };
  let body = 'a 1\n';
  const server = await TestServer.page(() => body);
  const shard = await TestShard.start({ io });
  try {
    await shard.apply([testJob()], [testTarget(server.url, { labels })]);
    await shard.tick();
    isFull = true;
    body = 'a 2\nnew 2\n';
    expect((await shard.tick()).get(1)).toMatchObject({
      up: false,
      error: expect.stringMatching(/^append: .*no space left/),
    });
    body = 'this fails, too\n';
    expect((await shard.tick()).get(1)!.error).toMatch(/^append: .*no space left/);
    expect(shard.counters.appendFailures).toBe(2);
    isFull = false;
    body = 'a 4\nnew 4\n';
    expect((await shard.tick()).get(1)).toMatchObject({ up: true, error: '' });
    body = 'a 5\n';
    await shard.tick();
    expect(await values(shard, 'a')).toEqual([1, 4, 5]);
    expect(await values(shard, 'new')).toEqual([4, 'stale']);
    expect(await values(shard, 'up')).toEqual([1, 1, 1]);
  } finally {
    await shard.stop();
    await server.stop();
  }
});

describe('series that left the head', () => {
  async function check(minutes: number): Promise<void> {
    let body = 'a 1\nb 1\n';
    const server = await TestServer.page(() => body);
    const shard = await TestShard.start({ blockDurationMs: 60_000 });
    try {
      const other = testTarget(server.url, { id: 2, job: 'other', labels: [['job', 'other']] });
      await shard.apply([testJob(), testJob({ name: 'other' })], [testTarget(server.url, { labels }), other]);
      await shard.tick();
      await shard.tick();
      body = 'bad\n';
      await shard.tick();
      for (let minute = 0; minute < minutes; minute += 5) {
        shard.clock.advance(300_000);
        await until(() =>
          shard.targets.health().every(({ lastScrapeMs }) => lastScrapeMs > shard.clock.now - 600_000),
        );
        await shard.tsdb.maintain();
      }
      body = 'a 2\nb 2\n';
      await shard.tick();
      await shard.tick();
      expect(await values(shard, 'a')).toEqual([1, 1, 'stale', 2, 2]);
      expect(await values(shard, 'b')).toEqual([1, 1, 'stale', 2, 2]);
      expect((await values(shard, 'up')).slice(-2)).toEqual([1, 1]);
      expect(Object.keys(await shard.series('a'))).toEqual(['a{job="j"}', 'a{job="other"}']);
    } finally {
      await shard.stop();
      await server.stop();
    }
  }

  test('come back under their own name after a short outage', () => check(20));
  test('and after a long one', () => check(60));
});

/** Scrapes pages in turn, and looks at what is left of them. */
async function afterPages(
  pages: readonly string[],
  look: (shard: TestShard) => Promise<void>,
): Promise<void> {
  let body = '';
  const server = await TestServer.page(() => body);
  const shard = await TestShard.start();
  try {
    await shard.apply([testJob()], [testTarget(server.url, { labels })]);
    for (body of pages) await shard.tick();
    await look(shard);
  } finally {
    await shard.stop();
    await server.stop();
  }
}

test('a rolled back scrape teaches the cache nothing', async () => {
  const ends = ['bad line\n', 'c{x="y"} 1\nc{x="y"\n', ''];
  const pages = ends.map((end) => `n${end.length} 1\na 2\nm${end.length} 1\n${end}`);
  await afterPages(['a 1\nb 1\n', ...pages], async (shard) => {
    expect(await values(shard, 'a')).toEqual([1, 'stale', 2]);
    expect(Object.keys(await shard.series('n.*|m.*|c'))).toEqual(['m0{job="j"}', 'n0{job="j"}']);
    expect(await values(shard, 'scrape_samples_scraped')).toEqual([2, 3, 4, 3]);
  });
});

test('of two lines of one series the first one counts, whichever the cache knows', async () => {
  const pages = [
    'a 1\nb 1\n',
    'a  2\na 20\nb 2\n',
    'a 3\na  30\nb 3\n',
    'a 4.00000000000000000000001\na 40\nb 4\n',
    'a{} 5\na 50\nb 5\n',
  ];
  await afterPages(pages, async (shard) => {
    expect(await values(shard, 'a')).toEqual([1, 2, 3, 4, 5]);
    expect(await values(shard, 'b')).toEqual([1, 2, 3, 4, 5]);
    expect(await values(shard, 'up')).toEqual([1, 1, 1, 1, 1]);
  });
});

test('blanks where they need not be make no new series', async () => {
  const pages = ['a{b="c"} 1\n', 'a{b="c"}2\n', 'a{b="c"}  3\n', 'a{b="c"} 4\n'];
  await afterPages(pages, async (shard) => {
    expect(await values(shard, 'scrape_series_added')).toEqual([1, 0, 0, 0]);
  });
});
