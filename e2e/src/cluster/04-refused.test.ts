// Proof: what a user gets wrong is refused with a reason on the object, as an event and in the Fleet's status, and costs nobody else.

import { afterAll, expect } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeApiServer, list, read } from './api-server.ts';
import type { KubeObject } from './api-server.ts';
import { apply, kubectl, remove } from './commands.ts';
import { expectEverySlot, loadIsUp, settledMs } from './every-slot.ts';
import { fleetObject, intervalMs } from './fleet.ts';
import { app, secret, serviceMonitor, shop } from './manifests.ts';
import { proof } from './proof.ts';
import { value } from './querier.ts';
import { until } from './until.ts';

afterAll(closeApiServer);
const selector = { matchLabels: { app: 'refused' } };
const endpoint = { port: 'http', interval: '2s' };
const token = { name: 'late-token', key: 'token' };
/** What is wrong, and what the reason must name. */
const refused = {
  'regex-bomb': {
    spec: {
      selector,
      endpoints: [
        {
          ...endpoint,
          metricRelabelings: [
            { action: 'drop', sourceLabels: ['__name__'], regex: '((a{1,100}){1,100}){1,100}' },
          ],
        },
      ],
    },
    reason: /regex|repetition|repeat|size/i,
  },
  'missing-secret': {
    spec: { selector, endpoints: [{ ...endpoint, authorization: { credentials: token } }] },
    reason: /late-token/,
  },
  'bad-relabel-rule': {
    spec: {
      selector,
      endpoints: [
        { ...endpoint, relabelings: [{ action: 'hashmod', sourceLabels: ['pod'], targetLabel: 'x' }] },
      ],
    },
    reason: /modulus/i,
  },
} as const;
const monitors = Object.entries(refused).map(([name, { spec }]) => serviceMonitor(name, spec));
const startedMs = Date.now();

interface Bound extends KubeObject {
  readonly status: {
    readonly bindings?: readonly {
      readonly name: string;
      readonly conditions: readonly {
        readonly type: string;
        readonly status: string;
        readonly reason: string;
        readonly message: string;
      }[];
    }[];
  };
}

async function accepted(name: string) {
  const path = `/apis/monitoring.coreos.com/v1/namespaces/${shop}/servicemonitors/${name}`;
  const { status } = await read<Bound>(path);
  return status?.bindings
    ?.find((one) => one.name === 'main')
    ?.conditions.find(({ type }) => type === 'Accepted');
}

proof(
  'a regex bomb, a missing secret and a bad relabel rule are refused, each with its reason in three places',
  async () => {
    await loadIsUp();
    await apply(...app('refused'), ...monitors);
    for (const [name, { reason }] of Object.entries(refused)) {
      await until(`${name} is refused`, 40_000, async () => {
        const condition = await accepted(name);
        expect([condition?.status, condition?.reason]).toEqual(['False', 'InvalidConfiguration']);
        expect(condition?.message).toMatch(reason);
        expect(await notesOf(name)).toMatch(reason);
        const { conditions } = (await fleetObject()).status;
        const degraded = conditions?.find(({ type }) => type === 'Degraded');
        expect(degraded).toMatchObject({ status: 'True' });
        expect(degraded?.message).toContain(`ServiceMonitor ${shop}/${name}`);
      });
    }
    expect(await kubectl(['describe', 'servicemonitor', 'regex-bomb', '-n', shop])).toMatch(
      /Warning\s+InvalidConfiguration/,
    );
    expect(await value('count(up{job="refused"})')).toBe(undefined);
  },
  120_000,
);

async function notesOf(name: string): Promise<string> {
  const events = await list<{ regarding: { name: string }; note: string }>(
    `/apis/events.k8s.io/v1/namespaces/${shop}/events`,
  );
  return events
    .filter(({ regarding }) => regarding.name === name)
    .map(({ note }) => note)
    .join('\n');
}

proof(
  'the monitor is accepted as soon as the secret is there',
  async () => {
    await apply(secret(token.name, { token: 'anything' }));
    await until('missing-secret is accepted and its target is up', 40_000, async () => {
      expect(await accepted('missing-secret')).toMatchObject({ status: 'True' });
      expect(await value('up{job="refused"}')).toBe(1);
    });
  },
  60_000,
);

proof(
  'meanwhile the other monitors lost no slot',
  async () => {
    await sleep(5 * intervalMs);
    await expectEverySlot(startedMs, settledMs());
    await remove(...app('refused'), ...monitors, secret(token.name, {}));
    await until('nothing is refused any more', 30_000, async () => {
      const { conditions } = (await fleetObject()).status;
      expect(conditions?.find(({ type }) => type === 'Degraded')).toMatchObject({ status: 'False' });
    });
  },
  60_000,
);
