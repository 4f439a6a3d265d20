// Proof: rules fire in a real Alertmanager; the death of either ruler leaves no gap in their results and sends nothing twice.
// Needs the Debian package prometheus-alertmanager.

import { afterAll, expect } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { alerts, noAlertmanager, notifications, received } from './alerts.ts';
import { closeApiServer } from './api-server.ts';
import { apply, kubectl, remove } from './commands.ts';
import type { Manifest } from './commands.ts';
import { missingSlots, settledMs } from './every-slot.ts';
import { intervalMs, namespace, podsOf, podsReady } from './fleet.ts';
import { prometheusRule } from './manifests.ts';
import { proof } from './proof.ts';
import { query } from './querier.ts';
import { until } from './until.ts';

afterAll(closeApiServer);

function hello(expr: string): Manifest {
  const annotations = { summary: 'value {{ $value }}' };
  return prometheusRule('hello', [{ alert: 'Hello', expr, labels: { severity: 'info' }, annotations }]);
}

proof(
  'an alert of an applied PrometheusRule arrives in Alertmanager once, and no pod restarts for it',
  async () => {
    const before = await podIdentities();
    await apply(hello('vector(42)'));
    await until('Alertmanager has notified', 40_000, async () => {
      const [notification, ...others] = await notifications('Hello');
      expect(others).toEqual([]);
      expect(notification?.alerts).toHaveLength(1);
      expect(notification?.alerts[0]).toMatchObject({
        status: 'firing',
        annotations: { summary: 'value 42' },
      });
      // The rule's namespace is enforced on what it yields.
      expect(notification?.alerts[0]?.labels).toMatchObject({ alertname: 'Hello', severity: 'info' });
    });
    await apply(hello('vector(42) > 50'));
    await until('the alert is resolved', 40_000, async () => {
      expect((await notifications('Hello')).map(({ status }) => status)).toEqual(['firing', 'resolved']);
    });
    await remove(hello(''));
    expect(await podIdentities()).toEqual(before);
  },
  120_000,
  noAlertmanager,
);

async function podIdentities(): Promise<string> {
  const columns = 'custom-columns=U:.metadata.uid,R:.status.containerStatuses[*].restartCount';
  return kubectl(['get', 'pods', '--namespace', namespace, '--no-headers', '-o', columns]);
}

proof(
  'with one ruler pod after the other deleted, rule results have every slot and nothing is sent twice',
  async () => {
    await until('the watching alert fires', 40_000, async () => {
      expect(await received('Watching')).toHaveLength(1);
      expect(await alerts('Watching')).not.toEqual([]);
    });
    const startedMs = Date.now() - 5 * intervalMs;
    const [alertBefore] = await received('Watching');
    for (const replica of [0, 1]) {
      await kubectl(['delete', 'pod', `ruler-main-${replica}`, '--namespace', namespace, '--wait=true'], {
        timeoutMs: 60_000,
      });
      await podsReady(podsOf(1));
      await sleep(3 * intervalMs);
    }
    const endMs = settledMs();
    const range = `load:up:count[${Math.ceil((endMs - startedMs) / 1000)}s]`;
    const [series, ...others] = (await query(range, endMs)).body.data.result;
    expect(others).toEqual([]);
    expect(missingSlots(series?.values ?? [], startedMs, endMs)).toEqual([]);
    expect(await notifications('Watching')).toHaveLength(1);
    expect(await received('Watching')).toEqual([
      expect.objectContaining({ startsAt: alertBefore?.startsAt }),
    ]);
    expect(await notifications('TargetsMissing')).toEqual([]);
  },
  180_000,
  noAlertmanager,
);
