// Proof: real receivers have, sample for sample, what our shards have, after a run in which both sides are killed again and
// again. FLOTILLA_REMOTE_WRITE_SECONDS: how long.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Exporter, stopExporters } from '../../local/exporter.ts';
import { eventually, LocalFleet } from '../../local/fleet.ts';
import { fleetManifest, scrapeConfig } from '../../local/manifests.ts';
import { ownDump } from '../tsdb/peer.ts';
import { PrometheusReceiver, type Receiver, VictoriaMetricsReceiver } from './receivers.ts';
import { PrometheusSender, type SenderOptions } from './sender.ts';
import { startTargets } from './targets.ts';

const runSeconds = Number(process.env['FLOTILLA_REMOTE_WRITE_SECONDS'] ?? 60);
const prometheus = process.env['FLOTILLA_PROMETHEUS'];
const victoriaMetrics = process.env['FLOTILLA_VICTORIA_METRICS'];
const folder = mkdtempSync(join(tmpdir(), 'flotilla-remote-write-'));
const scrapers = ['scraper-main-0-0', 'scraper-main-1-0'];

let targets: Exporter[];
let fleet: LocalFleet;
const receivers: Receiver[] = [];
/** Receivers that had to have everything. */
const compared: string[] = [];

beforeAll(async () => {
  if (prometheus === undefined) throw new Error('FLOTILLA_PROMETHEUS: missing, want a binary');
  receivers.push(
    await PrometheusReceiver.create(prometheus, folder, 'V1.0'),
    await PrometheusReceiver.create(prometheus, folder, 'V2.0'),
  );
  if (victoriaMetrics !== undefined)
    receivers.push(await VictoriaMetricsReceiver.create(victoriaMetrics, folder));
  for (const receiver of receivers) await receiver.start();
  targets = await startTargets();
  fleet = await LocalFleet.start({ 'fleet.yaml': manifest(), 'targets.yaml': scrapeConfigs() });
}, 180_000);

afterAll(async () => {
  await fleet.remove();
  for (const receiver of receivers) await receiver.kill();
  await stopExporters(targets);
  rmSync(folder, { recursive: true });
}, 60_000);

function manifest(): string {
  const destinations = receivers.map(
    ({ name, url, messageVersion }) => `
    - name: ${name}
      url: ${url}
      messageVersion: ${messageVersion}
      queueConfig: { batchSendDeadline: 1s, maxSamplesPerSend: 50, maxShards: 4 }`,
  );
  return `${fleetManifest({ shards: 2, replicas: 1, rulers: 0 })}  receiver: true
  remoteWrite:${destinations.join('')}\n`;
}

function scrapeConfigs(): string {
  const addresses = targets.map(({ address }) => address);
  return scrapeConfig('app', addresses, '  scrapeNativeHistograms: true\n');
}

/** One of the processes dies now, a receiver for some seconds. */
async function strike(round: number): Promise<void> {
  const victims = [...scrapers, ...receivers];
  const victim = victims[round % victims.length]!;
  if (typeof victim === 'string') fleet.kill(victim);
  else {
    await victim.kill();
    await sleep(500 + ((round * 1700) % 6000));
    await victim.start();
  }
}

async function own(): Promise<string[]> {
  const dumps = await Promise.all(scrapers.map((name) => ownDump(join(fleet.data, name, 'tsdb'))));
  return dumps.flat().toSorted();
}

test(
  `every sample of ${runSeconds} s, although both sides are killed`,
  async () => {
    const endMs = Date.now() + runSeconds * 1000;
    let strikes = 0;
    await sleep(5000);
    while (Date.now() < endMs - 5000) {
      await strike(strikes++);
      await sleep(3000 + ((strikes * 977) % 4000));
    }
    await sleep(Math.max(0, endMs - Date.now()));
    fleet.write('targets.yaml', '');
    await eventually('nothing is scraped', 60_000, async () =>
      (await fleet.targets()).length === 0 ? true : undefined,
    );
    const differences: (Difference & { readonly name: string })[] = [];
    await eventually('every receiver has everything', 90_000, async () => {
      const want = await own();
      expect(want.length).toBeGreaterThan(runSeconds * 50);
      differences.splice(0);
      for (const receiver of receivers) {
        const wanted = want.map((line) => receiver.keeps(line)).filter((line) => line !== undefined);
        differences.push({ name: receiver.name, ...compare(wanted, await receiver.dump()) });
      }
      return differences.every(
        ({ missing, others, doubles }) => missing.length + others.length + doubles === 0,
      )
        ? true
        : undefined;
    }).catch(() => undefined);
    compared.push(...differences.map(({ name }) => name));
    console.log(
      differences.map(({ name, samples }) => `${name}: ${samples} samples`).join(', '),
      `${strikes} kills`,
    );
    expect(differences).toEqual(
      differences.map(({ name, samples }) => ({ name, missing: [], others: [], doubles: 0, samples })),
    );
  },
  (runSeconds + 300) * 1000,
);

function expectCompared(receiver: string): void {
  expect(compared).toContain(receiver);
}

const withVictoriaMetrics = victoriaMetrics === undefined ? test.skip : test;
withVictoriaMetrics('VictoriaMetrics is among them (skipped without its Debian package)', () =>
  expectCompared('victoria-metrics'),
);

const messages: readonly SenderOptions['message'][] = [
  'prometheus.WriteRequest',
  'io.prometheus.write.v2.Request',
];

test.each(messages)(
  'the shards have every sample that a Prometheus pushes as %s to one of them',
  async (message) => {
    const { topology } = await fleet.status();
    const { url } = topology.stores.find(({ name }) => name === scrapers[1])!;
    const sender = await PrometheusSender.start({
      binary: prometheus!,
      dir: join(folder, message),
      url: `${url}/api/v1/write`,
      tokenFile: join(fleet.data, 'token'),
      message,
    });
    await sleep(10_000);
    await sender.stop();
    const pushed = (lines: readonly string[]): string[] =>
      lines.filter((line) => line.includes(`job="pushed-${message}"`));
    const dumps = await Promise.all(scrapers.map((name) => ownDump(join(fleet.data, name, 'tsdb'))));
    const want = pushed(sender.dump());
    console.log(`${message}: ${want.length} samples, in shards ${dumps.map((dump) => pushed(dump).length)}`);
    expect(Math.min(...dumps.map((dump) => pushed(dump).length))).toBeGreaterThan(100);
    const { missing, others, doubles } = compare(want, pushed(dumps.flat()));
    expect({ missing, others, doubles }).toEqual({ missing: [], others: [], doubles: 0 });
  },
  120_000,
);

interface Difference {
  readonly missing: readonly string[];
  readonly others: readonly string[];
  /** Samples that are there twice. */
  readonly doubles: number;
  readonly samples: number;
}

/** Lines that one side has and the other has not, the first ones. */
function compare(want: readonly string[], got: readonly string[]): Difference {
  const wanted = new Set(want);
  const had = new Set(got);
  return {
    missing: want.filter((line) => !had.has(line)).slice(0, 20),
    others: got.filter((line) => !wanted.has(line)).slice(0, 20),
    doubles: got.length - had.size,
    samples: got.length,
  };
}
