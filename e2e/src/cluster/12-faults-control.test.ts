// Proof: the control plane may be away or change hands at any moment: operators killed within a resize, API server gone.

import { afterAll, expect } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../local/fleet.ts';
import { closeApiServer, list } from './api-server.ts';
import type { KubeObject } from './api-server.ts';
import { component, kubectl } from './commands.ts';
import { apiOutageMs, loadTargets } from './environment.ts';
import { expectEverySlot, settledMs } from './every-slot.ts';
import { killContainer, leader, savedPhase, survives } from './faults.ts';
import { fleetObject, intervalMs, namespace, pods, stableAt } from './fleet.ts';
import { shop } from './manifests.ts';
import { proof } from './proof.ts';
import { query, value } from './querier.ts';

afterAll(closeApiServer);

async function killLeader(): Promise<string> {
  const name = await leader();
  const pod = (await pods('operator')).find(({ metadata }) => metadata.name === name);
  if (pod === undefined) throw new Error(`leader ${name}: no such pod`);
  killContainer(pod);
  return name;
}

proof(
  'the operator that leads is killed in every step of a resize; another one, or itself, goes on',
  () =>
    survives(async () => {
      const { shards = 0 } = (await fleetObject()).status;
      // The shard that is to come back starts anew, so that there is a time of waiting for it.
      await kubectl([
        'delete',
        'pods',
        '--namespace',
        namespace,
        '--wait=false',
        '-l',
        `flotilla.dev/shard=${shards}`,
      ]);
      await kubectl(['scale', 'fleet/main', `--replicas=${shards + 1}`, '--namespace', namespace]);
      for (const phase of ['starting', 'adding', 'switching']) {
        await eventually(`the resize is ${phase}`, 60_000, async () =>
          (await savedPhase()) === phase ? true : undefined,
        );
        await killLeader();
        expect(await savedPhase()).toBe(phase);
      }
      await stableAt(shards + 1);
    }),
  400_000,
);

proof(
  `the API server is away for ${apiOutageMs / 1000} s; a scraper is killed meanwhile`,
  () =>
    survives(async () => {
      const [scraper] = await pods('scraper');
      const goneMs = Date.now();
      await component('kill', 'apiserver');
      try {
        await sleep(apiOutageMs / 3);
        killContainer(scraper!);
        await sleep(apiOutageMs / 3);
        expect(await value('count(up{job="load"} == 1)')).toBe(loadTargets);
        expect((await query('up{job="load"}')).body.warnings).toBe(undefined);
        await sleep(apiOutageMs / 3);
        await expectEverySlot(goneMs, settledMs());
      } finally {
        await component('start', 'apiserver');
      }
    }, 300_000),
  apiOutageMs + 500_000,
);

proof(
  'over all faults together, no slot of any target is missing',
  async () => {
    const services = await list<KubeObject & { metadata: { creationTimestamp: string } }>(
      `/api/v1/namespaces/${shop}/services`,
    );
    const load = services.find(({ metadata }) => metadata.name === 'load');
    const firstMs = Date.parse(load!.metadata.creationTimestamp) + 15 * intervalMs;
    await expectEverySlot(firstMs, settledMs());
  },
  60_000,
);
