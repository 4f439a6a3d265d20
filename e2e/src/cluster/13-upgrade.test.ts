// Proof: `helm upgrade` and `helm rollback` replace every pod without a missing slot and keep what `kubectl scale` has set;
// `helm uninstall` leaves volumes and CRDs, and installing again finds the data.

import { afterAll, expect } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { closeApiServer, list } from './api-server.ts';
import { helm, run } from './commands.ts';
import { image, loadTargets, nodeNumbers, stateFolder } from './environment.ts';
import { loadIsUp, settledMs } from './every-slot.ts';
import { survives } from './faults.ts';
import { fleetObject, namespace, pods, release } from './fleet.ts';
import { install, upgrade } from './install.ts';
import { proof } from './proof.ts';
import { querierUrl, value } from './querier.ts';
import { until } from './until.ts';

afterAll(closeApiServer);
const newTag = 'e2e-next';
const newImage = image.replace(/:.*$/, `:${newTag}`);

/** The same image by another name, on every node. */
async function tagImage(): Promise<void> {
  for (const node of nodeNumbers) {
    const [pid = ''] = readFileSync(join(stateFolder, `node-${node}/init`), 'utf8').split(' ');
    const inside = [
      '--target',
      pid,
      '--mount',
      '--net',
      '--pid',
      '--',
      'ctr',
      '-n',
      'k8s.io',
      'images',
      'tag',
      '--force',
    ];
    await run('nsenter', [...inside, image, newImage]);
  }
}

function rolledTo(wanted: string): Promise<void> {
  return until(`every pod runs ${wanted}`, 300_000, async () => {
    const images = (await pods()).map(({ metadata, spec }) => `${metadata.name} ${imagesOf(spec)}`);
    expect(images.filter((line) => !line.endsWith(` ${wanted}`))).toEqual([]);
  });
}

function imagesOf(spec: object): string {
  const { containers } = spec as { containers: readonly { image: string }[] };
  return containers.map((container) => container.image).join(' ');
}

proof(
  'helm upgrade to another image rolls every pod, one replica of a shard at a time, and keeps the shard count',
  async () => {
    await tagImage();
    const { spec } = await fleetObject();
    await survives(async () => {
      await upgrade(`image.tag=${newTag}`);
      await rolledTo(newImage);
    }, 180_000);
    expect((await fleetObject()).spec.shards).toBe(spec.shards);
  },
  500_000,
);

proof(
  'helm rollback brings the first image back in the same way',
  () =>
    survives(async () => {
      await helm(['rollback', release, '1', '--namespace', namespace, '--wait', '--timeout', '120s']);
      await rolledTo(image);
    }, 180_000),
  500_000,
);

async function namesOf(path: string): Promise<string[]> {
  return (await list(path)).map(({ metadata }) => metadata.name).toSorted();
}

const claims = `/api/v1/namespaces/${namespace}/persistentvolumeclaims`;
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

proof(
  'helm uninstall leaves volumes, CRDs and the users’ monitors; installing again finds the data',
  async () => {
    const askedMs = settledMs();
    const [claimsBefore, definitionsBefore] = [await namesOf(claims), await namesOf(definitions)];
    await helm(['uninstall', release, '--namespace', namespace, '--wait', '--timeout', '120s']);
    await until('all pods are gone', 150_000, async () => expect(await pods()).toEqual([]));
    expect(await namesOf(claims)).toEqual(claimsBefore);
    expect(await namesOf(definitions)).toEqual(definitionsBefore);
    expect(await namesOf('/apis/monitoring.coreos.com/v1/namespaces/shop/servicemonitors')).toContain('load');
    await install();
    await until('the operator has made the querier’s Service', 60_000, async () => {
      await querierUrl({ anew: true });
    });
    await loadIsUp(120_000);
    await until('the data from before is in the answer', 120_000, async () => {
      expect(await value('count(load_seconds_total{job="load"})', askedMs)).toBe(loadTargets);
    });
  },
  500_000,
);
