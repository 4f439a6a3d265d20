// Proofs on one fleet of 2 shards × 2 replicas with 40 targets: ownership by the hash rule, no slot lost while a replica
// dies and returns, honest answers while a whole shard is dead, scraping without an operator.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { startExporters, stopExporters } from './exporter.ts';
import type { Exporter } from './exporter.ts';
import { eventually, LocalFleet } from './fleet.ts';
import { fleetManifest, prometheusRule, scrapeConfig } from './manifests.ts';
import { missingSlots, murmur3, slotOf } from './slots.ts';

const targetCount = 40;
const alertRule = `        - alert: TargetsMissing
          expr: count(up{job="app"} == 1) < ${targetCount}
          for: 2s
        - alert: Watching
          expr: sum(up{job="app"}) > 0
`;

let exporters: Exporter[];
let fleet: LocalFleet;

beforeAll(async () => {
  exporters = await startExporters(targetCount);
  const addresses = exporters.map(({ address }) => address);
  fleet = await LocalFleet.start({
    'fleet.yaml': fleetManifest(),
    'app.yaml': scrapeConfig('app', addresses),
    'rules.yaml': prometheusRule('app', alertRule),
  });
  await eventually('all targets are up on both replicas', 30_000, async () => {
    const targets = (await fleet.targets()).filter(({ labels }) => labels['job'] === 'app');
    const up = targets.filter(
      ({ replicas }) => replicas.length === 2 && replicas.every(({ health }) => health === 'up'),
    );
    return up.length === targetCount ? true : undefined;
  });
}, 120_000);

afterAll(async () => {
  await fleet.remove();
  await stopExporters(exporters);
}, 30_000);

/** Samples of every target over the `seconds` before `atMs`, by instance. */
async function samplesByInstance(
  atMs: number,
  seconds: number,
): Promise<Map<string, readonly (readonly [number, string])[]>> {
  const answer = await fleet.query(`test_seconds_total{job="app"}[${seconds}s]`, atMs);
  expect(answer.body.error ?? '').toBe('');
  return new Map(answer.body.data.result.map(({ metric, values }) => [metric['instance']!, values ?? []]));
}

async function expectEverySlot(atMs: number, seconds: number): Promise<void> {
  const byInstance = await samplesByInstance(atMs, seconds);
  const missing = exporters
    .map(
      ({ address }) =>
        [address, missingSlots(byInstance.get(address) ?? [], atMs - seconds * 1000, atMs)] as const,
    )
    .filter(([, slots]) => slots.length > 0);
  expect(missing).toEqual([]);
}

async function alertState(name: string): Promise<string> {
  const answer = await fleet.get('/api/v1/alerts');
  const { alerts } = answer.body.data as unknown as {
    alerts: { labels: Record<string, string>; state: string; activeAt: string }[];
  };
  const found = alerts.find(({ labels }) => labels['alertname'] === name);
  return found === undefined ? 'inactive' : `${found.state} since ${found.activeAt}`;
}

describe('a fleet of two shards', () => {
  test('the hash of the tests agrees with published vectors', () => {
    expect([murmur3(''), murmur3('test'), murmur3('Hello, world!')]).toEqual([0, 0xba6bd213, 0xc0363e43]);
  });

  test('each target is on the shard that the hash rule names, on both its replicas and nowhere else', async () => {
    const targets = (await fleet.targets()).filter(({ labels }) => labels['job'] === 'app');
    expect(targets.map(({ labels }) => labels['instance']).toSorted()).toEqual(
      exporters.map(({ address }) => address).toSorted(),
    );
    for (const target of targets) {
      const slot = slotOf(target.labels['instance']!);
      expect([target.slot, target.shard, target.replicas.map(({ replica }) => replica).toSorted()]).toEqual([
        slot,
        slot % 2,
        [0, 1],
      ]);
    }
    const separate = await fleet.query('count by (instance) (up{job="app"})', undefined, '&dedup=false');
    expect(separate.body.data.result.map(({ value }) => value?.[1])).toEqual(exporters.map(() => '2'));
  });

  test('every slot of a counter is in the answer once while a replica is killed and comes back', async () => {
    await sleep(6000);
    fleet.kill('scraper-main-0-0');
    await sleep(5000);
    fleet.kill('scraper-main-1-1');
    await sleep(6000);
    const atMs = Date.now() - 2000;
    await expectEverySlot(atMs, 15);
    const counts = await fleet.query('count_over_time(test_seconds_total{job="app"}[15s])', atMs);
    expect(new Set(counts.body.data.result.map(({ value }) => value?.[1]))).toEqual(new Set(['15']));
    const rates = await fleet.query('rate(test_seconds_total{job="app"}[10s])', atMs);
    expect(rates.body.data.result).toHaveLength(targetCount);
    for (const { value } of rates.body.data.result)
      expect(Math.abs(Number(value?.[1]) - 1)).toBeLessThan(0.25);
    const resets = await fleet.query('sum(resets(test_seconds_total{job="app"}[15s]))', atMs);
    expect(resets.body.data.result[0]?.value?.[1]).toBe('0');
  }, 60_000);

  test('scraping goes on from the persisted assignment while no operator runs', async () => {
    const revive = fleet.keepDead(['operator-main-0']);
    try {
      await sleep(1000);
      const killedMs = Date.now();
      for (const name of fleet.parts().filter((part) => part.startsWith('scraper-'))) fleet.kill(name);
      const atMs = await eventually('samples newer than the kill', 30_000, async () => {
        const answer = await fleet.query(
          'min(timestamp(test_seconds_total{job="app"})) and count(test_seconds_total{job="app"}) == 40',
        );
        return Number(answer.body.data.result[0]?.value?.[1]) * 1000 > killedMs + 3000
          ? Date.now()
          : undefined;
      });
      expect((await samplesByInstance(atMs, 3)).size).toBe(targetCount);
    } finally {
      revive();
    }
  }, 60_000);

  test('with both replicas of a shard dead, answers name it, refuse when asked to, and no alert changes', async () => {
    await eventually('the fleet is whole', 30_000, async () => {
      const [whole, firing, pending] = await Promise.all([
        fleet.query('count(up{job="app"} == 1)'),
        alertState('Watching'),
        alertState('TargetsMissing'),
      ]);
      const complete = whole.completeness?.shards.every(({ state }) => state === 'all') === true;
      const settled = firing.startsWith('firing') && pending === 'inactive';
      return complete && settled && whole.body.data.result[0]?.value?.[1] === String(targetCount)
        ? true
        : undefined;
    });
    const before = await alertState('Watching');
    const revive = fleet.keepDead(['scraper-main-1-0', 'scraper-main-1-1']);
    try {
      await sleep(1000);
      const partial = await fleet.query('count(up{job="app"})');
      expect(partial.status).toBe(200);
      expect(partial.body.warnings?.join(' ')).toContain('shard "1"');
      expect(partial.completeness?.shards.find(({ shard }) => shard === '1')?.state).toBe('none');
      const refused = await fleet.query('count(up{job="app"})', undefined, '&partial_response=false');
      expect([refused.status, refused.body.errorType]).toEqual([503, 'unavailable']);
      expect(refused.body.error).toContain('shard "1"');
      await sleep(6000);
      expect([await alertState('Watching'), await alertState('TargetsMissing')]).toEqual([
        before,
        'inactive',
      ]);
    } finally {
      revive();
    }
    await eventually('the warning clears', 40_000, async () => {
      const answer = await fleet.query('count(up{job="app"} == 1)');
      const clear =
        answer.body.warnings === undefined && answer.body.data.result[0]?.value?.[1] === String(targetCount);
      return clear ? true : undefined;
    });
    await sleep(3000);
    expect(await alertState('Watching')).toBe(before);
  }, 120_000);

  test('Ctrl-C stops all, nothing stays behind', async () => {
    const pids = fleet.parts().map((part) => fleet.pid(part)!);
    expect(pids.length).toBeGreaterThanOrEqual(7);
    expect(await fleet.stop()).toBe(0);
    const alive = pids.filter((pid) => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    });
    expect(alive).toEqual([]);
  }, 30_000);
});
