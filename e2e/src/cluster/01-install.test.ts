// Proof: `helm install` into a namespace that enforces `restricted` gives a fleet that is Ready and scrapes itself and the load.

import { afterAll, expect } from '@jest/globals';
import { closeApiServer } from './api-server.ts';
import { apply, helm, kubectl } from './commands.ts';
import { loadIsUp } from './every-slot.ts';
import { fleetObject, namespace, podsOf, podsReady, release, stableAt } from './fleet.ts';
import { install } from './install.ts';
import { load, namespaceObject, shop, watchRules } from './manifests.ts';
import { proof } from './proof.ts';
import { value } from './querier.ts';
import { until } from './until.ts';

afterAll(closeApiServer);
const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' };

proof(
  'helm install brings up a fleet of one shard, and says the next step',
  async () => {
    await apply(namespaceObject(namespace, restricted), namespaceObject(shop, restricted));
    expect(await install()).toMatch(/kubectl/);
    await podsReady(podsOf(1));
    await stableAt(1);
    await until('the Fleet is Ready', 30_000, async () => {
      const { conditions } = (await fleetObject()).status;
      expect(conditions?.find(({ type }) => type === 'Ready')).toMatchObject({ status: 'True' });
    });
    expect(await kubectl(['get', 'fleets', '--namespace', namespace])).toMatch(/main\s+1\s/);
  },
  240_000,
);

proof(
  'an applied Service and ServiceMonitor are scraped by both replicas',
  async () => {
    await apply(...load(), watchRules());
    await loadIsUp();
  },
  90_000,
);

proof(
  'it scrapes its own parts by the monitors of the chart',
  async () => {
    await until('10 pods are up', 40_000, async () => {
      expect(await value(`count(up{namespace="${namespace}"} == 1)`)).toBe(8);
    });
  },
  60_000,
);

proof(
  'helm test passes',
  async () => {
    expect(await helm(['test', release, '--namespace', namespace, '--timeout', '60s'])).toMatch(/Succeeded/);
  },
  90_000,
);
