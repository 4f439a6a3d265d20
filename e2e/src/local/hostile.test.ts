// Proof: a hostile target costs itself only. Each is down with a reason that can be read; the good ones keep their slots.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { sendText, startExporter, startExporters, stopExporters } from './exporter.ts';
import type { Exporter, Handler } from './exporter.ts';
import { eventually, LocalFleet } from './fleet.ts';
import { fleetManifest, scrapeConfig } from './manifests.ts';
import { missingSlots } from './slots.ts';

const residentLimitMiB = 700;
const textHeader = { 'content-type': 'text/plain; version=0.0.4' };

/** Writes forever, as fast as the reader takes it, until the reader goes away. */
function endless(response: ServerResponse): void {
  response.writeHead(200, textHeader);
  const line = 'endless_metric{label="value"} 1\n'.repeat(2000);
  const write = (): void => {
    while (!response.destroyed && response.write(line));
  };
  response.on('drain', write);
  write();
}

const hostile: Readonly<Record<string, { readonly handler: Handler; readonly reason: RegExp }>> = {
  garbage: {
    handler: (_, response) => sendText(response, '\u0000\u0001 {{{{ not = metrics\n<html>\n'),
    reason: /invalid|expected|unexpected|parse|unsupported/i,
  },
  endless: {
    handler: (_, response) => endless(response),
    reason: /body size limit exceeded|deadline exceeded|timed? ?out/i,
  },
  slow: {
    handler: (_, response) => {
      response.writeHead(200, textHeader);
      const timer = setInterval(() => response.write('# slow\n'), 100);
      response.on('close', () => clearInterval(timer));
    },
    reason: /deadline exceeded|timed? ?out/i,
  },
  failing: {
    handler: (_, response) => response.writeHead(500, textHeader).end('boom'),
    reason: /server returned HTTP status 500/i,
  },
  looping: {
    handler: (_, response) => response.writeHead(302, { location: '/again' }).end(),
    reason: /redirect/i,
  },
  hugeLabel: {
    handler: (_, response) => sendText(response, `huge{label="${'x'.repeat(10 << 20)}"} 1\n`),
    reason: /too long|limit/i,
  },
};

let good: Exporter[];
let fleet: LocalFleet;
const bad = new Map<string, Exporter>();

beforeAll(async () => {
  good = await startExporters(10);
  for (const [name, { handler }] of Object.entries(hostile)) bad.set(name, await startExporter(handler));
  const configs = [...bad].map(([name, { address }]) => scrapeConfig(name.toLowerCase(), [address]));
  fleet = await LocalFleet.start({
    'fleet.yaml': fleetManifest({ shards: 1, replicas: 2, rulers: 1 }),
    'good.yaml': scrapeConfig(
      'good',
      good.map(({ address }) => address),
    ),
    'bad.yaml': configs.join('---\n'),
  });
}, 120_000);

afterAll(async () => {
  await fleet.remove();
  await stopExporters([...good, ...bad.values()]);
}, 30_000);

function residentMiB(name: string): number {
  const status = readFileSync(`/proc/${fleet.pid(name)}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

test('hostile targets are down with the reason, all others unaffected, memory bounded', async () => {
  await eventually('all good targets are up and all hostile ones were tried', 30_000, async () => {
    const targets = await fleet.targets();
    const up = targets.filter(({ labels, health }) => labels['job'] === 'good' && health === 'up');
    const tried = targets.filter(({ labels, lastError }) => labels['job'] !== 'good' && lastError !== '');
    return up.length === good.length && tried.length === bad.size ? true : undefined;
  });
  await sleep(12_000);
  const endMs = Date.now() - 2000;
  const targets = await fleet.targets();
  for (const [name, { reason }] of Object.entries(hostile)) {
    const target = targets.find(({ labels }) => labels['job'] === name.toLowerCase());
    expect([name, target?.health]).toEqual([name, 'down']);
    expect(target?.lastError).toMatch(reason);
  }
  const answer = await fleet.query('test_seconds_total{job="good"}[10s]', endMs);
  expect(answer.body.data.result).toHaveLength(good.length);
  for (const { values } of answer.body.data.result)
    expect(missingSlots(values ?? [], endMs - 10_000, endMs)).toEqual([]);
  const down = await fleet.query('count(up{job!="good"} == 0)', endMs);
  expect(down.body.data.result[0]?.value?.[1]).toBe(String(bad.size));
  const resident = ['scraper-main-0-0', 'scraper-main-0-1'].map(residentMiB);
  expect(Math.max(...resident)).toBeLessThan(residentLimitMiB);
}, 90_000);
