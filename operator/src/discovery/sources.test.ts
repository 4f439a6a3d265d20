// One suite over both sources of objects: whatever happens to objects, and in whatever order, what follows from them is what follows
// from their last state alone, be they files or objects of an API server.

import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterSource } from '../cluster/cluster-source.ts';
import { resourcePath, RESOURCES } from '../cluster/resources.ts';
import { TestApiServer, testLog } from '../cluster/test-api-server.ts';
import { FolderSource } from '../objects/folder-source.ts';
import { FleetDiscovery } from './fleet-discovery.ts';
import { discover, manifest } from './test-discovery.ts';
import { histories } from './test-objects.ts';
import type { Change } from './test-objects.ts';

const fleetSpec = { podMonitorNamespaceSelector: { matchLabels: { app: 'web' } } };
const fleet: Change = {
  kind: 'Fleet',
  namespace: 'fleets',
  name: 'main',
  manifest: manifest('Fleet', 'main', { spec: fleetSpec }, { namespace: 'fleets' }),
};

/** A source that a test changes. */
interface TestSource {
  readonly discovery: FleetDiscovery;
  change(change: Change): void;
  close(): Promise<void>;
}

async function folderSource(): Promise<TestSource> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-sources-'));
  const change = ({ kind, namespace, name, manifest: made }: Change): void => {
    const file = join(folder, `${kind}-${namespace}-${name}.json`);
    if (made === undefined) rmSync(file, { force: true });
    else writeFileSync(file, JSON.stringify(made));
  };
  change(fleet);
  const source = new FolderSource({ folders: [folder], debounceMs: 5 });
  const discovery = new FleetDiscovery({ source, log: testLog });
  await discovery.start();
  const close = async (): Promise<void> => {
    await discovery.stop();
    rmSync(folder, { recursive: true });
  };
  return { discovery, change, close };
}

const pace = { backoffMinMs: 1, backoffMaxMs: 4, relistMinMs: 0, missingMs: 10, refreshMs: 10 };

async function clusterSource(): Promise<TestSource> {
  const server = new TestApiServer();
  const change = ({ kind, namespace, name, manifest: made }: Change): void => {
    const path = resourcePath(RESOURCES[kind], { namespace, name });
    if (made === undefined) server.store.remove(path);
    else server.store.put(path, made);
  };
  change(fleet);
  const client = await server.open();
  const source = new ClusterSource({ client, log: testLog, namespaces: [], debounceMs: 1, pace });
  const discovery = new FleetDiscovery({ source, log: testLog });
  await discovery.start();
  const close = async (): Promise<void> => {
    await discovery.stop();
    await server.close();
  };
  return { discovery, change, close };
}

/** Everything that others make use of. */
function outcome(discovery: FleetDiscovery): string {
  const pools = discovery.pools().map(({ job, droppedCount, targets }) => ({
    job,
    droppedCount,
    targets: targets.map(({ url, labels, intervalMs, timeoutMs, key, everyShard, zone }) => ({
      ...{ url, labels: labels.toRecord(), intervalMs, timeoutMs, key, everyShard, zone },
    })),
  }));
  const problems = discovery
    .problems()
    .map(({ kind, namespace, name, reason }) => `${kind} ${namespace}/${name}: ${reason}`);
  return JSON.stringify({ pools, problems: problems.toSorted(), rules: discovery.ruleFiles() }, undefined, 1);
}

async function expectOutcome({ discovery }: TestSource, want: string): Promise<void> {
  for (let round = 0; round < 400; round++) {
    if (discovery.synced() && outcome(discovery) === want) return;
    await sleep(10);
  }
  expect(outcome(discovery)).toBe(want);
}

test.each([
  ['folder', folderSource],
  ['API server', clusterSource],
])(
  '%s: what follows does not depend on how objects came to be',
  async (_, open) => {
    await fc.assert(
      fc.asyncProperty(histories, async (moments) => {
        const source = await open();
        const objects = new Map<string, object>();
        try {
          for (const moment of moments) {
            for (const change of moment) {
              source.change(change);
              const key = `${change.kind} ${change.namespace}/${change.name}`;
              if (change.manifest === undefined) objects.delete(key);
              else objects.set(key, change.manifest);
            }
            await expectOutcome(source, await discover([...objects.values()], outcome, fleetSpec));
          }
        } finally {
          await source.close();
        }
      }),
      // A failure is made small only as long as the test may take.
      { numRuns: 40, interruptAfterTimeLimit: 30_000 },
    );
  },
  60_000,
);
