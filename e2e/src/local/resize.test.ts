// Proof: 2 → 3 → 2 shards under load lose no slot, move only what the plan names, and keep old data in the answer.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { startExporters, stopExporters } from './exporter.ts';
import type { Exporter } from './exporter.ts';
import { eventually, LocalFleet } from './fleet.ts';
import { fleetManifest, scrapeConfig } from './manifests.ts';
import { missingSlots, slotOf } from './slots.ts';

const targetCount = 40;
let exporters: Exporter[];
let fleet: LocalFleet;

beforeAll(async () => {
  exporters = await startExporters(targetCount);
  fleet = await LocalFleet.start({
    'fleet.yaml': fleetManifest({ shards: 2, rulers: 1 }),
    'app.yaml': scrapeConfig(
      'app',
      exporters.map(({ address }) => address),
    ),
  });
  await eventually('all targets are up', 30_000, async () => {
    const answer = await fleet.query('count(up{job="app"} == 1)');
    return answer.body.data.result[0]?.value?.[1] === String(targetCount) ? true : undefined;
  });
}, 120_000);

afterAll(async () => {
  await fleet.remove();
  await stopExporters(exporters);
}, 30_000);

async function shardByInstance(): Promise<Map<string, number>> {
  const targets = (await fleet.targets()).filter(({ labels }) => labels['job'] === 'app');
  return new Map(targets.map(({ labels, shard }) => [labels['instance']!, shard]));
}

async function scaleTo(shards: number, epoch: number): Promise<void> {
  fleet.write('fleet.yaml', fleetManifest({ shards, rulers: 1 }));
  await eventually(
    `epoch ${epoch} with ${shards} shards is in force and the hand-off is over`,
    90_000,
    async () => {
      const { topology, operator } = await fleet.status();
      const current = topology.epochs.at(-1);
      return current?.id === epoch && current.shards === shards && operator?.resize.phase === 'stable'
        ? true
        : undefined;
    },
  );
}

/** Every target is where the table of the newest epoch puts its slot, and those that moved are those whose slot moved. */
async function expectMovesAsPlanned(before: ReadonlyMap<string, number>): Promise<void> {
  const { topology } = await fleet.status();
  const [old, current] = [topology.epochs.at(-2)!, topology.epochs.at(-1)!];
  const movedSlots = current.table.filter((shard, slot) => shard !== old.table[slot]).length;
  const fewest = Math.max(old.shards, current.shards) === 3 ? [341, 342] : [];
  expect(fewest).toContain(movedSlots);
  const after = await eventually('both old and new owners have settled', 15_000, async () => {
    const shards = await shardByInstance();
    const settled = [...shards].every(([instance, shard]) => shard === current.table[slotOf(instance)]);
    return settled && shards.size === targetCount ? shards : undefined;
  });
  const moved = [...after]
    .filter(([instance, shard]) => before.get(instance) !== shard)
    .map(([instance]) => instance);
  const planned = [...before.keys()].filter(
    (instance) => old.table[slotOf(instance)] !== current.table[slotOf(instance)],
  );
  expect(moved.toSorted()).toEqual(planned.toSorted());
}

test('2 → 3 → 2 shards: no slot missing, fewest moves, old data answers, the drained shard stays queryable', async () => {
  await sleep(3000);
  const startedMs = Date.now() - 2000;
  const atTwo = await shardByInstance();
  await scaleTo(3, 2);
  await expectMovesAsPlanned(atTwo);
  const atThree = await shardByInstance();
  await sleep(3000);
  const middleMs = Date.now() - 1500;
  await scaleTo(2, 3);
  await expectMovesAsPlanned(atThree);
  await sleep(4000);
  const endMs = Date.now() - 2000;

  const seconds = Math.floor((endMs - startedMs) / 1000);
  const answer = await fleet.query(`test_seconds_total{job="app"}[${seconds}s]`, endMs);
  expect(answer.body.data.result).toHaveLength(targetCount);
  const missing = answer.body.data.result
    .map(
      ({ metric, values }) =>
        [metric['instance'], missingSlots(values ?? [], endMs - seconds * 1000, endMs)] as const,
    )
    .filter(([, slots]) => slots.length > 0);
  expect(missing).toEqual([]);

  const rates = await fleet.query(`rate(test_seconds_total{job="app"}[${seconds}s])`, endMs);
  for (const { value } of rates.body.data.result) expect(Math.abs(Number(value?.[1]) - 1)).toBeLessThan(0.1);
  const resets = await fleet.query(`sum(resets(test_seconds_total{job="app"}[${seconds}s]))`, endMs);
  expect(resets.body.data.result[0]?.value?.[1]).toBe('0');

  const old = await fleet.query('count(test_seconds_total{job="app"})', middleMs);
  expect([old.body.data.result[0]?.value?.[1], old.body.warnings]).toEqual([String(targetCount), undefined]);
  expect(old.completeness?.shards.map(({ shard, state }) => `${shard} ${state}`)).toContain('2 all');
}, 240_000);
