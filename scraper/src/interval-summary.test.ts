import { createMetrics } from '@flotilla/chassis';
import { expect, test } from '@jest/globals';
import { IntervalSummary } from './interval-summary.ts';

async function linesOf(metrics: ReturnType<typeof createMetrics>): Promise<string[]> {
  const text = await metrics.getSingleMetricAsString('prometheus_target_interval_length_seconds');
  return text.split('\n').filter((line) => line.startsWith('prometheus_target_interval_length_seconds'));
}

test('tells quantiles, sum and count by interval, and forgets old quantiles', async () => {
  const metrics = createMetrics('scraper');
  let nowMs = 1000;
  const summary = new IntervalSummary(metrics, () => nowMs);
  for (let i = 0; i < 100; i++) summary.add(15_000, 14_950 + i);
  summary.add(1000, 1001);
  const name = 'prometheus_target_interval_length_seconds';
  expect(await linesOf(metrics)).toEqual([
    `${name}{quantile="0.01",interval="15s"} 14.95`,
    `${name}{quantile="0.05",interval="15s"} 14.954`,
    `${name}{quantile="0.5",interval="15s"} 14.999`,
    `${name}{quantile="0.9",interval="15s"} 15.039`,
    `${name}{quantile="0.99",interval="15s"} 15.048`,
    expect.stringMatching(`^${name}_sum{interval="15s"} 1499.9`),
    `${name}_count{interval="15s"} 100`,
    ...['0.01', '0.05', '0.5', '0.9', '0.99'].map((q) => `${name}{quantile="${q}",interval="1s"} 1.001`),
    `${name}_sum{interval="1s"} 1.001`,
    `${name}_count{interval="1s"} 1`,
  ]);
  nowMs += 300_000;
  summary.add(1000, 1003);
  expect(await linesOf(metrics)).toContain(`${name}{quantile="0.99",interval="1s"} 1.003`);
  nowMs += 700_000;
  expect(await linesOf(metrics)).toContain(`${name}{quantile="0.5",interval="1s"} 0`);
  expect(await linesOf(metrics)).toContain(`${name}_count{interval="1s"} 2`);
});

test('bounds how many times it tells apart', async () => {
  const metrics = createMetrics('scraper');
  const summary = new IntervalSummary(metrics);
  for (let i = 0; i < 10_000; i++) summary.add(60_000, 60_000 + i);
  expect((await linesOf(metrics))[3]).toMatch(/ 69$/);
});
