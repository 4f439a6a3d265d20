// Proof: nodes are drained, die and come back, and their container runtime restarts: the other replica has what one misses.

import { afterAll, expect } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeApiServer, read } from './api-server.ts';
import { component, kubectl, nodePower } from './commands.ts';
import { loadTargets, nodeName, nodeNumbers } from './environment.ts';
import { survives, whole } from './faults.ts';
import { isReady, namespace, pods } from './fleet.ts';
import { proof } from './proof.ts';
import { value } from './querier.ts';
import { until } from './until.ts';

afterAll(closeApiServer);

/** The other replica of a scraper's shard. */
function partner(name: string): string {
  return name.replace(/[01]$/, (replica) => String(1 - Number(replica)));
}

/** What the API server says to an eviction that is only tried. */
async function tryEviction(name: string): Promise<string> {
  const eviction = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name, namespace },
    deleteOptions: { dryRun: ['All'] },
  };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
  try {
    return await kubectl(['create', '--raw', path, '-f', '-'], { input: JSON.stringify(eviction) });
  } catch (error) {
    return String(error);
  }
}

proof(
  'no node has both replicas of a shard',
  async () => {
    for (const { metadata, spec } of await pods('scraper')) {
      const other = (await pods('scraper')).find((pod) => pod.metadata.name === partner(metadata.name));
      expect([metadata.name, spec.nodeName === other?.spec.nodeName]).toEqual([metadata.name, false]);
    }
  },
  30_000,
);

proof(
  'every node drained in turn; while one of a pair is away, the budget holds the other',
  () =>
    survives(async () => {
      for (const node of nodeNumbers.map(nodeName)) {
        const away = (await pods('scraper')).filter(({ spec }) => spec.nodeName === node);
        await kubectl(
          ['drain', node, '--delete-emptydir-data', '--ignore-daemonsets', '--force', '--timeout=90s'],
          { timeoutMs: 100_000 },
        );
        for (const { metadata } of away)
          expect(await tryEviction(partner(metadata.name))).toMatch(/disruption budget/);
        await kubectl(['uncordon', node]);
        await whole();
      }
    }),
  400_000,
);

proof(
  'containerd restarts on every node; no container restarts with it',
  async () => {
    const restarts = async (): Promise<string> =>
      kubectl([
        'get',
        'pods',
        '--namespace',
        namespace,
        '--no-headers',
        '-o',
        'custom-columns=N:.metadata.name,R:.status.containerStatuses[*].restartCount',
      ]);
    const before = await restarts();
    await survives(async () => {
      for (const node of nodeNumbers) await component('restart', 'containerd', node);
      await sleep(5000);
    });
    expect(await restarts()).toBe(before);
  },
  120_000,
);

proof(
  'a node dies at once, stays away until its pods are given up, and comes back',
  () =>
    survives(async () => {
      const dead = 2;
      await nodePower('kill', dead);
      try {
        await until('the node is NotReady', 40_000, async () => {
          const { status } = await read(`/api/v1/nodes/${nodeName(dead)}`);
          const conditions = status['conditions'] as readonly { type: string; status: string }[];
          expect(conditions.find(({ type }) => type === 'Ready')?.status).toBe('Unknown');
        });
        await until('operators, queriers are complete on the other nodes', 60_000, async () => {
          for (const part of ['operator', 'querier'] as const) {
            const elsewhere = (await pods(part)).filter(
              (pod) => isReady(pod) && pod.spec.nodeName !== nodeName(dead),
            );
            expect([part, elsewhere.length]).toEqual([part, 2]);
          }
        });
        // The connection that this process kept open may be to the querier that is dead.
        await until('queries are answered', 60_000, async () => {
          expect(await value('count(up{job="load"} == 1)')).toBe(loadTargets);
        });
      } finally {
        await nodePower('start', dead);
      }
    }, 180_000),
  400_000,
);
