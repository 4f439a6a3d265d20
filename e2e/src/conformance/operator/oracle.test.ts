// Proof: on one real API server, our operator takes the same monitors as the Prometheus operator and refuses the same, and finds the
// same targets, with the same labels, URLs, times, limits, credentials and metric relabelings, as a real Prometheus on its configuration.
// Paths of the peers come in the environment; scripts/conformance.mjs builds them from their pinned Go modules.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { repository } from './child-processes.ts';
import { differences } from './compare.ts';
import type { Difference } from './compare.ts';
import { explain, unguardedJobs, withoutExtras } from './explained.ts';
import type { Explained } from './explained.ts';
import { FlotillaOperator, fleetObject } from './flotilla-operator.ts';
import { oracleView } from './oracle-view.ts';
import { phasesWith } from './phases.ts';
import type { Phase } from './phases.ts';
import {
  OraclePrometheus,
  prometheusObject,
  startPrometheusOperator,
  writtenConfig,
} from './prometheus-operator.ts';
import { TestWorld } from './test-world.ts';
import type { View } from './view.ts';

const settleTimeoutMs = 180_000;
const artefacts = 'operator-oracle';

let world: TestWorld;
let ours: FlotillaOperator;

beforeAll(async () => {
  world = await TestWorld.start();
  await startPrometheusOperator(world.processes, world.binaries.prometheusOperator, world.server);
  await world.server.client.put(fleetObject({}));
  ours = await FlotillaOperator.start(world.processes, world.server, 'flotilla-operator');
}, 120_000);

afterAll(async () => {
  world.processes.keepLogs(artefacts);
  await world.stop();
}, 60_000);

describe('equal to the Prometheus operator and Prometheus', () => {
  test.each(['plain', 'guarded', 'tenants'])(
    'with settings that are %s',
    async (name) => {
      const phase = phasesWith(world.feeds.folder).find((one) => one.name === name)!;
      const prometheus = await startOracle(phase);
      await world.server.client.put(fleetObject(phase.settings));
      const { views, found } = await settle(prometheus, phase);
      report(phase, views, found);
      expect(found.unexplained.map(({ where, what }) => `${where}: ${what}`)).toEqual([]);
      expect(views[0].pools.size).toBeGreaterThan(60);
      expect(views[0].rules.size).toBeGreaterThan(0);
    },
    270_000,
  );
});

test('a second operator, which does not lead, assigns the same targets in the same bytes', async () => {
  const follower = await FlotillaOperator.start(world.processes, world.server, 'flotilla-follower');
  const deadlineMs = Date.now() + 60_000;
  for (;;) {
    const [leading, following] = await Promise.all(
      [ours, follower].map((one) => one.assignment('main', 0).catch(() => new Uint8Array())),
    );
    const isEqual = Buffer.compare(leading!, following!) === 0;
    if ((isEqual && leading!.length > 0) || Date.now() > deadlineMs) {
      expect(isEqual).toBe(true);
      expect(leading!.length).toBeGreaterThan(1_000_000);
      return;
    }
    await sleep(1000);
  }
}, 150_000);

async function startOracle({ name, settings }: Phase): Promise<OraclePrometheus> {
  const { processes, server, binaries } = world;
  await server.client.put(prometheusObject(name, settings));
  const text = await writtenConfig(processes, server, name);
  return OraclePrometheus.start(processes, binaries.prometheus, server, text);
}

interface Settled {
  readonly views: readonly [oracle: View, ours: View];
  readonly found: Explained;
}

/** Compares until nothing is left to explain; what stays different until the end is the result. Ends Prometheus. */
async function settle(prometheus: OraclePrometheus, phase: Phase): Promise<Settled> {
  const unguarded = await unguardedJobs(world.server.client, phase);
  const deadlineMs = Date.now() + settleTimeoutMs;
  try {
    for (let before = -1; ;) {
      const count = await prometheus.targetCount();
      if (count > 0 && count === before) {
        const views = [
          await oracleView(prometheus, world.server.client),
          withoutExtras(await ours.view(world.server.client), unguarded),
        ] as const;
        const found = explain(differences(...views), phase);
        if (found.unexplained.length === 0 || Date.now() > deadlineMs) return { views, found };
      }
      before = count;
      await sleep(2000);
    }
  } finally {
    await prometheus.stop();
  }
}

/** Counts to the log; every difference to a file. */
function report({ name }: Phase, [oracle, mine]: Settled['views'], { unexplained, counts }: Explained): void {
  const targets = (view: View): number =>
    [...view.pools.values()].reduce((sum, pool) => sum + pool.targets.length, 0);
  const sizes = ({ pools, refused }: View): string => `${pools.size} jobs, ${refused.size} refused`;
  console.log(
    [
      `seed ${world.seed}, ${name}: oracle ${sizes(oracle)}, ${targets(oracle)} targets; ours ${sizes(mine)}, ${targets(mine)} targets`,
      ...Object.entries(counts).map(([reason, count]) => `explained ${count}: ${reason}`),
      ...unexplained.slice(0, 40).map(describeDifference),
    ].join('\n'),
  );
  if (unexplained.length === 0) return;
  const folder = join(repository, 'e2e/artefacts', artefacts);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `differences-${name}.json`), JSON.stringify(unexplained, undefined, 1));
}

function describeDifference({ where, what, oracle, ours: mine }: Difference): string {
  const text = (value: unknown): string => JSON.stringify(value)?.slice(0, 300) ?? 'nothing';
  return `${where}: ${what}: oracle ${text(oracle)}, ours ${text(mine)}`;
}
