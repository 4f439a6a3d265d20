// Proof: a target whose labels explode fails by its limit with a reason, others go on, and the API and the command show who it is.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually, LocalFleet } from './fleet.ts';
import { fleetManifest, scrapeConfig } from './manifests.ts';

const flotilla = fileURLToPath(new URL('../../../cli/dist/main.js', import.meta.url));
let servers: Server[];
let fleet: LocalFleet;
let next = 0;

/** Every scrape has ten series that no scrape had before. */
function churn(): string {
  next += 10;
  return Array.from({ length: 10 }, (_, i) => `churn{id="${next + i}"} 1\n`).join('');
}

async function serve(page: () => string): Promise<string> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(page());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  servers.push(server);
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  servers = [];
  const calm = await Promise.all(['a', 'b', 'c'].map((name) => serve(() => `calm{name="${name}"} 1\n`)));
  const wild = await serve(churn);
  fleet = await LocalFleet.start({
    'fleet.yaml': `${fleetManifest({ rulers: 0 })}  targetSeriesLimit: 60\n`,
    'calm.yaml': scrapeConfig('calm', calm),
    'wild.yaml': scrapeConfig('wild', [wild]),
  });
}, 120_000);

afterAll(async () => {
  await fleet.remove();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
}, 30_000);

test('the target is named, with its series, and alone in failing', async () => {
  const targets = await eventually('the limit is reached on both replicas', 40_000, async () => {
    const all = await fleet.targets();
    const wild = all.find(({ labels }) => labels['job'] === 'wild');
    const errors = wild?.replicas.map(({ lastError }) => lastError) ?? [];
    if (errors.length === 2 && errors.every((error) => error.startsWith('series_limit exceeded'))) return all;
    throw new Error(`the targets are ${JSON.stringify(all)}`);
  });
  const states = targets.map(({ labels, health }) => [labels['job'], health]);
  expect(states).toEqual([...Array.from({ length: 3 }, () => ['calm', 'up']), ['wild', 'down']]);

  const { body } = await fleet.get('/api/v1/status/tsdb?limit=2');
  const data = body.data as unknown as Record<string, { name: string; value: number }[]>;
  expect(data['seriesCountByTarget']![0]).toEqual({
    name: expect.stringContaining('job="wild"'),
    value: expect.any(Number),
  });
  const { value: ofWild } = data['seriesCountByTarget']![0]!;
  expect(ofWild).toBeGreaterThan(50);
  expect(ofWild).toBeLessThanOrEqual(60 + 5);
  expect(data['seriesCountByMetricName']![0]!.name).toBe('churn');
  expect(data['labelValueCountByLabelName']![0]!.name).toBe('id');

  const args = [flotilla, 'cardinality', '--server', fleet.url, '--limit', '3'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(stdout).toMatch(/series by metric name\n +\d+ {2}churn\n[^]*\n +\d+ {2}{.*job="wild"/);
}, 60_000);
