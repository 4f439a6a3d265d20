// Proof: any pod may go, gracefully or by kill -9, and nothing is missing, lost or sent twice.

import { afterAll, expect } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeApiServer } from './api-server.ts';
import { kubectl } from './commands.ts';
import { killContainer, survives, whole } from './faults.ts';
import { intervalMs, isReady, namespace, pods } from './fleet.ts';
import type { PodObject } from './fleet.ts';
import { proof } from './proof.ts';
import { until } from './until.ts';

afterAll(closeApiServer);

/** Waits until as many pods are Ready as there were, without the one that was deleted. */
async function replaced({ metadata }: PodObject, count: number): Promise<void> {
  await until(`${metadata.name} is replaced`, 90_000, async () => {
    const all = await pods();
    expect(all.map((pod) => pod.metadata.uid)).not.toContain(metadata.uid);
    expect([all.length, all.filter(isReady).length]).toEqual([count, count]);
  });
}

proof(
  'every pod deleted in turn',
  () =>
    survives(async () => {
      const all = await pods();
      for (const pod of all) {
        await kubectl(['delete', 'pod', pod.metadata.name, '--namespace', namespace, '--wait=false']);
        await replaced(pod, all.length);
        await sleep(intervalMs);
      }
    }),
  400_000,
);

proof(
  'kill -9 of one replica of every shard at once, and then of the others',
  () =>
    survives(async () => {
      for (const replica of [0, 1]) {
        const half = (await pods('scraper')).filter(({ metadata }) => metadata.name.endsWith(`-${replica}`));
        for (const pod of half) killContainer(pod);
        // Until what was scraped before is not fresh any more, so that the fleet is whole by what it scrapes now.
        await sleep(3 * intervalMs);
        await whole();
        await sleep(2 * intervalMs);
      }
    }),
  200_000,
);
