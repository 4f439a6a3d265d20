// Proof: a Deployment with a Service and a ServiceMonitor is scraped within two intervals of Ready; its end ends its series.

import { afterAll, expect } from '@jest/globals';
import { eventually } from '../local/fleet.ts';
import { closeApiServer, list } from './api-server.ts';
import { apply, remove } from './commands.ts';
import { intervalMs } from './fleet.ts';
import type { PodObject } from './fleet.ts';
import { app, serviceMonitor, shop } from './manifests.ts';
import { proof } from './proof.ts';
import { query } from './querier.ts';
import { until } from './until.ts';

afterAll(closeApiServer);
const web = app('web');
const monitor = serviceMonitor('web', {
  selector: { matchLabels: { app: 'web' } },
  endpoints: [{ port: 'http', interval: '2s' }],
});

async function webPod(): Promise<PodObject | undefined> {
  const found = await list<PodObject>(`/api/v1/namespaces/${shop}/pods?labelSelector=app%3Dweb`);
  return found[0];
}

function readyMs(pod: PodObject | undefined): number | undefined {
  const conditions = pod?.status.conditions as
    | readonly { type: string; status: string; lastTransitionTime: string }[]
    | undefined;
  const ready = conditions?.find(({ type, status }) => type === 'Ready' && status === 'True');
  return ready === undefined ? undefined : Date.parse(ready.lastTransitionTime);
}

proof(
  'a new Deployment is in the answer within two intervals of Ready, with the labels of its objects',
  async () => {
    await apply(...web, monitor);
    const sinceMs = await eventually('the pod is Ready', 60_000, async () => readyMs(await webPod()));
    const [sample] = await eventually('up is in the querier', 30_000, async () => {
      const { result } = (await query('up{job="web"}[2m]')).body.data;
      return result.length > 0 ? result : undefined;
    });
    // The time of Ready is written in whole seconds.
    const firstUp = sample?.values?.find(([, text]) => text === '1') ?? [Infinity, ''];
    expect(firstUp[0] * 1000 - sinceMs).toBeLessThan(2 * intervalMs + 1000);
    const pod = await webPod();
    expect(sample?.metric).toMatchObject({
      namespace: shop,
      service: 'web',
      endpoint: 'http',
      container: 'app',
      pod: pod?.metadata.name,
      instance: `${pod?.status.podIP}:8080`,
    });
  },
  120_000,
);

proof(
  'deleting it ends its series at once with a stale marker',
  async () => {
    await remove(...web);
    await until('the series has ended', 20_000, async () => {
      // Without a marker an instant query would find the last sample for another five minutes.
      expect((await query('load_seconds_total{job="web"}')).body.data.result).toEqual([]);
      expect((await query('up{job="web"}')).body.data.result).toEqual([]);
    });
    const past = await query('count_over_time(up{job="web"}[5m])');
    expect(Number(past.body.data.result[0]?.value?.[1])).toBeGreaterThan(0);
    await remove(monitor);
  },
  60_000,
);
