import { expect, test } from '@jest/globals';
import { Labels } from '@flotilla/model';
import { testJob, TestServer, TestShard, testTarget } from '../testing.ts';
import { familyMetadata } from './metric-family.ts';

test('a series belongs to a family by name, and suffixes that its type has', () => {
  const check = (name: string, family: string, type: string, want: boolean): void =>
    expect(familyMetadata(name, new Map([[family, { type, help: '', unit: '' }]])) !== undefined).toBe(want);
  check('c_total', 'c', 'counter', true);
  check('c_total', 'c_total', 'counter', true);
  check('c', 'c', 'counter', true);
  check('c_created', 'c', 'counter', false);
  check('h_bucket', 'h', 'histogram', true);
  check('h_gsum', 'h', 'histogram', false);
  check('h_gsum', 'h', 'gaugehistogram', true);
  check('s_count', 's', 'summary', true);
  check('s_bucket', 's', 'summary', false);
  check('g_total', 'g', 'gauge', false);
  check('v_info', 'v', 'info', true);
  check('other', 'c', 'counter', false);
});

test('metadata of series are recorded when they are new, and when more is said', async () => {
  let body = '';
  const server = await TestServer.page(() => body);
  const shard = await TestShard.start({ metadataRecords: true });
  const labels = [['job', 'j']] as const;
  const said = (name: string): unknown =>
    shard.tsdb.metadataOf(Labels.fromRecord({ __name__: name, job: 'j' }));
  try {
    await shard.apply([testJob()], [testTarget(server.url, { labels })]);
    const scrape = async (next: string): Promise<void> => {
      body = next;
      expect((await shard.tick()).get(1)?.error).toBe('');
    };
    await scrape('# TYPE c counter\n# HELP c Old.\nc_total 1\nx 1\n');
    expect([said('c_total'), said('x')]).toEqual([{ type: 'counter', help: 'Old.', unit: '' }, undefined]);
    await scrape('# TYPE c counter\n# HELP c New.\nc_total 2\nx 1\n# TYPE y gauge\ny 1\n');
    expect(said('c_total')).toEqual({ type: 'counter', help: 'New.', unit: '' });
    expect(said('y')).toEqual({ type: 'gauge', help: '', unit: '' });
    expect(await shard.series('c_total')).toEqual({
      'c_total{job="j"}': [1, 2].map((value) => [expect.any(Number), value]),
    });
  } finally {
    await shard.stop();
    await server.stop();
  }
});
