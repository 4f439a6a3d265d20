// Proof: `kubectl scale` 1 → 2 → 4 → 3 under load: no slot is missing, the fewest targets move, old data answers.

import { afterAll, expect } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { slotOf } from '../local/slots.ts';
import { closeApiServer } from './api-server.ts';
import { kubectl } from './commands.ts';
import { loadTargets } from './environment.ts';
import { expectEverySlot, loadInstances, loadIsUp, settledMs } from './every-slot.ts';
import { intervalMs, namespace, podsOf, podsReady, stableAt } from './fleet.ts';
import { proof } from './proof.ts';
import { query, targets, topology, value } from './querier.ts';
import { until } from './until.ts';

afterAll(closeApiServer);
let startedMs = 0;
/** An instant at each shard count, to ask for later. */
const instants: { readonly shards: number; readonly timeMs: number }[] = [];

async function shardByInstance(): Promise<ReadonlyMap<string, number>> {
  const load = (await targets()).filter(({ labels }) => labels['job'] === 'load');
  return new Map(load.map(({ labels, shard }) => [labels['instance']!, shard]));
}

/** The fewest of the 1024 slots that a change of the shard count can move. */
function fewestSlots(from: number, to: number): number[] {
  const share = 1024 / Math.max(from, to);
  const count = Math.abs(to - from);
  return [Math.floor(share) * count, Math.ceil(share) * count];
}

async function scaleTo(shards: number, scrapers: number): Promise<void> {
  const before = await shardByInstance();
  const scaledMs = Date.now();
  await kubectl(['scale', 'fleet/main', `--replicas=${shards}`, '--namespace', namespace]);
  await stableAt(shards);
  await podsReady({ ...podsOf(shards), scraper: scrapers });
  const [old, current] = (await topology()).epochs.slice(-2);
  const movedSlots = current!.table.filter((shard, slot) => shard !== old!.table[slot]).length;
  const [fewest = 0, most = 0] = fewestSlots(old!.shards, current!.shards);
  expect([movedSlots >= fewest && movedSlots <= most, current!.shards]).toEqual([true, shards]);
  await until('every target is where its slot is', 20_000, async () => {
    const after = await shardByInstance();
    const planned = loadInstances.map((instance) => [instance, current!.table[slotOf(instance)]!]);
    expect([...after].toSorted()).toEqual(planned.toSorted());
    const moved = loadInstances.filter((instance) => before.get(instance) !== after.get(instance));
    expect(moved).toEqual(
      loadInstances.filter((instance) => old!.table[slotOf(instance)] !== current!.table[slotOf(instance)]),
    );
  });
  await loadIsUp();
  await sleep(2 * intervalMs);
  instants.push({ shards, timeMs: settledMs() });
  await expectEverySlot(scaledMs - 2 * intervalMs, settledMs());
}

proof(
  '1 → 2 shards',
  async () => {
    await loadIsUp();
    startedMs = Date.now() - 4 * intervalMs;
    instants.push({ shards: 1, timeMs: Date.now() - 2 * intervalMs });
    await scaleTo(2, 4);
  },
  180_000,
);
proof('2 → 4 shards', () => scaleTo(4, 8), 180_000);
proof('4 → 3 shards; the fourth stays, as its data is still asked for', () => scaleTo(3, 8), 180_000);

proof(
  'every slot of every target is in the answer, from before the first change until now, and rates hold',
  async () => {
    const endMs = settledMs();
    await expectEverySlot(startedMs, endMs);
    const seconds = Math.floor((endMs - startedMs) / 1000);
    const rates = await query(`rate(load_seconds_total{job="load"}[${seconds}s])`, endMs);
    expect(rates.body.data.result).toHaveLength(loadTargets);
    for (const { value: rate } of rates.body.data.result)
      expect(Math.abs(Number(rate?.[1]) - 1)).toBeLessThan(0.1);
  },
  60_000,
);

proof(
  'old data answers whole from the shards that had it',
  async () => {
    for (const { shards, timeMs } of instants) {
      expect([shards, await value('count(load_seconds_total{job="load"})', timeMs)]).toEqual([
        shards,
        loadTargets,
      ]);
      const answer = await query('count(load_seconds_total{job="load"})', timeMs);
      const heard = answer.completeness?.shards.map(({ shard, state }) => `${shard} ${state}`) ?? [];
      for (let shard = 0; shard < shards; shard++) expect(heard).toContain(`${shard} all`);
      expect(answer.body.warnings).toBe(undefined);
    }
  },
  30_000,
);
