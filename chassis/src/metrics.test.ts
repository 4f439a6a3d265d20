import { describe, expect, test } from '@jest/globals';
import { collectFrom, createMetrics } from './metrics.ts';

describe('collectFrom', () => {
  test('asks for the values at each scrape', async () => {
    const metrics = createMetrics('demo');
    const samples = new Map([['a', 1]]);
    collectFrom(metrics, 'demo_samples_total', 'Samples.', 'counter', ['shard', 'kind'], (emit) => {
      for (const [shard, count] of samples) emit(count, shard, 'float');
    });
    collectFrom(metrics, 'demo_bytes', 'Bytes.', 'gauge', [], async (emit) => {
      await Promise.resolve();
      emit(samples.size);
    });
    const linesOf = async (): Promise<string[]> =>
      (await metrics.metrics()).split('\n').filter((line) => line.startsWith('demo_'));
    expect(await linesOf()).toEqual(['demo_samples_total{shard="a",kind="float"} 1', 'demo_bytes 1']);
    samples.set('a', 5).set('b', 2);
    expect(await linesOf()).toEqual([
      'demo_samples_total{shard="a",kind="float"} 5',
      'demo_samples_total{shard="b",kind="float"} 2',
      'demo_bytes 2',
    ]);
    samples.clear();
    expect(await linesOf()).toEqual(['demo_bytes 0']);
  });
});
