// Proof: a native histogram of a target that speaks protobuf goes through scrapers and databases of two replicas to the API,
// and through recording rules of two rulers back into it, without loss, with a stale marker at its end.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { encodeMetricFamily, type ExposedFamily } from '@flotilla/wire';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually, LocalFleet } from './fleet.ts';
import { fleetManifest, prometheusRule, scrapeConfig } from './manifests.ts';

let server: Server;
let fleet: LocalFleet;
let isExposed = true;
const accepted = new Set<string | undefined>();

/** A histogram that makes three observations a second since the start of the test: one of (1,2], two of (2,4]. */
const startedMs = Date.now();
function body(): Buffer {
  const seconds = Math.round((Date.now() - startedMs) / 1000);
  const family = {
    name: Buffer.from('requests_seconds'),
    type: 4,
    metric: [
      {
        histogram: {
          sampleCount: 3 * seconds,
          sampleSum: 7 * seconds,
          schema: 0,
          zeroThreshold: 1e-9,
          positiveSpan: [{ offset: 1, length: 2 }],
          positiveDelta: [seconds, seconds],
        },
      },
    ],
  };
  const message = encodeMetricFamily(family as unknown as Partial<ExposedFamily>);
  return Buffer.concat([Buffer.from([message.length]), message]);
}

beforeAll(async () => {
  server = createServer((request, response) => {
    accepted.add(request.headers.accept);
    response.setHeader(
      'content-type',
      'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
    );
    response.end(isExposed ? body() : '');
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  fleet = await LocalFleet.start({
    'fleet.yaml': fleetManifest({ shards: 1, replicas: 2, rulers: 2 }),
    'rule.yaml': prometheusRule(
      'latency',
      `        - record: requests:rate
          expr: rate(requests_seconds{job="app"}[5s])
        - record: requests:now
          expr: requests_seconds and on() vector(1) == vector(1)
`,
    ),
    'app.yaml': scrapeConfig('app', [address], '  scrapeNativeHistograms: true\n'),
  });
}, 120_000);

afterAll(async () => {
  await fleet.remove();
  server.closeAllConnections();
  server.close();
}, 30_000);

test('rates and quantiles of it are answered, and the histogram itself', async () => {
  const samples = await eventually('eight samples', 40_000, async () => {
    const { body: answer } = await fleet.query('count_over_time(requests_seconds[8s]) == 8');
    return answer.data.result.length === 1 ? answer.data.result : undefined;
  });
  expect(samples[0]?.metric['job']).toBe('app');
  const value = async (expr: string): Promise<number> => {
    const { body: answer } = await fleet.query(expr);
    expect([answer.error, answer.warnings]).toEqual([undefined, undefined]);
    return Number(answer.data.result[0]?.value?.[1]);
  };
  expect(await value('histogram_count(rate(requests_seconds[8s]))')).toBeGreaterThan(1.5);
  expect(await value('resets(requests_seconds[8s])')).toBe(0);
  expect(await value('histogram_quantile(1/3, requests_seconds)')).toBeCloseTo(2);
  expect(await value('histogram_avg(requests_seconds)')).toBeCloseTo(7 / 3);
  const { body: raw } = await fleet.query('requests_seconds');
  expect(JSON.stringify(raw.data.result)).toMatch(
    /"histogram":\[[\d.]+,{"count":"\d+","sum":"\d+","buckets":\[\[0,"1","2","(\d+)"\],\[0,"2","4","\d+"\]\]}\]/,
  );
  expect([...accepted]).toEqual([expect.stringMatching(/^application\/vnd\.google\.protobuf;/)]);
});

test('recording rules record it exactly, and end it with its source', async () => {
  const atMs = await eventually('a recorded rate', 40_000, async () => {
    const { body: answer } = await fleet.query(
      'timestamp(requests:rate) and count_over_time(requests:rate[4s]) >= 3',
    );
    const [sample] = answer.data.result;
    return sample === undefined ? undefined : Number(sample.value?.[1]) * 1000;
  });
  const exact = async (expr: string): Promise<unknown> => {
    const { body: answer } = await fleet.query(expr, atMs, '&histograms=exact');
    expect([answer.error, answer.warnings]).toEqual([undefined, undefined]);
    return (answer.data.result as unknown as { exactHistogram?: unknown }[])[0]?.exactHistogram;
  };
  const recorded = await exact('requests:rate');
  expect(recorded).toEqual([atMs / 1000, expect.objectContaining({ hint: 'gauge', schema: 0 })]);
  expect(recorded).toEqual(await exact('rate(requests_seconds{job="app"}[5s])'));
  expect(await exact('requests:now')).toEqual(await exact('requests_seconds'));

  isExposed = false;
  await eventually('the recorded series ends', 20_000, async () => {
    const [now, before] = await Promise.all([
      fleet.query('requests:now'),
      fleet.query('count_over_time(requests:now[30s])'),
    ]);
    return now.body.data.result.length === 0 && before.body.data.result.length === 1 ? true : undefined;
  });
}, 70_000);
