// A test that leaves the state of the cluster in e2e/artefacts/cluster/<name>/ when it fails.

import { test } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kubectl, run } from './commands.ts';
import { artefacts, repository, stateFolder } from './environment.ts';
import { get } from './querier.ts';

const collectMs = 60_000;

/** The body gets `timeoutMs`; what explains its failure is collected after that. Skipped with the reason `missing`, if there is one. */
export function proof(name: string, body: () => Promise<void>, timeoutMs: number, missing = ''): void {
  const [register, reason] = missing === '' ? [test, ''] : [test.skip, ` (skipped: ${missing})`];
  const limited = async (): Promise<void> => {
    const over = new AbortController();
    const timeout = sleep(timeoutMs, undefined, { signal: over.signal }).then(() => {
      throw new Error(`${name}: not within ${timeoutMs} ms`);
    });
    try {
      await Promise.race([body(), timeout]);
    } catch (error) {
      await collect(name);
      throw new Error(`${String(error)}\n${await nodesAndPods()}`, { cause: error });
    } finally {
      over.abort();
      await timeout.catch(() => {});
    }
  };
  register(`${name}${reason}`, limited, timeoutMs + collectMs);
}

const inNamespaces = ['flotilla', 'shop'];

/** Where no more than the output can be had, it shows what the cluster looked like. */
function nodesAndPods(): Promise<string> {
  const found = kubectl(['get', 'nodes,pods,endpointslices', '-A', '--no-headers'], { timeoutMs: 20_000 });
  return found.catch((error: unknown) => String(error));
}

async function collect(name: string): Promise<void> {
  const folder = join(artefacts, name.replaceAll(/[^\w.-]+/g, '-').slice(0, 80));
  mkdirSync(folder, { recursive: true });
  const save = async (file: string, output: Promise<string>): Promise<void> => {
    writeFileSync(join(folder, file), await output.catch((error: unknown) => String(error)));
  };
  const short = { timeoutMs: 20_000 };
  await Promise.all([
    save('nodes.txt', run(join(repository, 'e2e/cluster/status.sh'), [stateFolder], short)),
    save('pods.txt', kubectl(['get', 'pods', '-A', '-o', 'wide'], short)),
    save('fleet.yaml', kubectl(['get', 'fleets', '-A', '-o', 'yaml'], short)),
    save('fleet-page.json', answered('/api/v1/fleet')),
    save('targets.json', answered('/api/v1/targets')),
    ...inNamespaces.flatMap((namespace) => {
      const inside = (...args: string[]): Promise<string> => kubectl([...args, '-n', namespace], short);
      const all =
        'pods,statefulsets,deployments,services,endpointslices,pdb,pvc,servicemonitors,prometheusrules';
      return [
        save(`${namespace}-events.txt`, inside('get', 'events', '--sort-by=.lastTimestamp')),
        save(`${namespace}-objects.yaml`, inside('get', all, '-o', 'yaml')),
        save(`${namespace}-describe.txt`, inside('describe', 'pods')),
      ];
    }),
    saveLogs(folder),
  ]);
}

async function answered(path: string): Promise<string> {
  return JSON.stringify((await get(path)).body, undefined, 2);
}

/** Logs of all pods of the fleet, of the containers before the last restart too. */
async function saveLogs(folder: string): Promise<void> {
  const short = { timeoutMs: 20_000 };
  const names = await kubectl(['get', 'pods', '-n', 'flotilla', '-o', 'name'], short).catch(() => '');
  await Promise.all(
    names
      .split('\n')
      .filter((name) => name !== '')
      .flatMap((name) =>
        ['', '--previous'].map(async (previous) => {
          const args = ['logs', '-n', 'flotilla', '--timestamps', '--tail=3000', name];
          const text = await kubectl(previous === '' ? args : [...args, previous], short).catch(() => '');
          if (text !== '') writeFileSync(join(folder, `${name.slice('pod/'.length)}${previous}.log`), text);
        }),
      ),
  );
}
