// What every fault has in common: the fleet is whole before it, comes back alone, and nobody outside has noticed.

import { expect } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { noAlertmanager, notifications, received } from './alerts.ts';
import { list, read } from './api-server.ts';
import type { KubeObject } from './api-server.ts';
import { expectEverySlot, loadIsUp, settledMs } from './every-slot.ts';
import { intervalMs, isReady, namespace, pods } from './fleet.ts';
import type { Conditions, PodObject } from './fleet.ts';
import { until } from './until.ts';

interface Workload extends KubeObject {
  readonly spec: { readonly replicas: number };
  readonly status: {
    readonly readyReplicas?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
  };
}

/** Waits until every node is ready, every StatefulSet and Deployment of the fleet has all its pods, and both replicas scrape. */
export async function whole(timeoutMs = 120_000): Promise<void> {
  await until('the fleet is whole', timeoutMs, async () => {
    const lost = (await list<KubeObject & Conditions>('/api/v1/nodes')).filter((node) => !isReady(node));
    if (lost.length > 0)
      throw new Error(`not ready: ${lost.map(({ metadata }) => metadata.name).join(', ')}`);
    const all = await workloads();
    expect(all.length).toBeGreaterThan(3);
    const behind = all.filter(
      ({ spec, status }) =>
        status.readyReplicas !== spec.replicas || status.updatedReplicas !== spec.replicas,
    );
    if (behind.length > 0)
      throw new Error(`not ready: ${behind.map(({ metadata }) => metadata.name).join(', ')}`);
    const open = (await pods()).filter((pod) => !isReady(pod));
    if (open.length > 0)
      throw new Error(`not ready: ${open.map(({ metadata }) => metadata.name).join(', ')}`);
  });
  await loadIsUp(timeoutMs);
}

async function workloads(): Promise<readonly Workload[]> {
  const base = `/apis/apps/v1/namespaces/${namespace}`;
  return (
    await Promise.all([list<Workload>(`${base}/statefulsets`), list<Workload>(`${base}/deployments`)])
  ).flat();
}

/** Runs a fault and what ends it: no slot may be missing over all of it, and no alert lost, resolved or sent again. */
export async function survives(fault: () => Promise<void>, backWithinMs = 120_000): Promise<void> {
  await whole();
  const startedMs = Date.now() - 2 * intervalMs;
  await fault();
  await whole(backWithinMs);
  await sleep(2 * intervalMs);
  await expectEverySlot(startedMs, settledMs());
  await expectAlertsHeld();
}

/** The alert that always fires has been sent once since the beginning; the one that must not fire, never. */
export async function expectAlertsHeld(): Promise<void> {
  if (noAlertmanager !== '') return;
  expect(await received('Watching')).toHaveLength(1);
  expect((await notifications('Watching')).map(({ status }) => status)).toEqual(['firing']);
  expect(await notifications('TargetsMissing')).toEqual([]);
}

/** kill -9 of a pod's main process, as seen from this machine; the kubelet starts the container again. */
export function killContainer({ metadata: { name, uid } }: PodObject): void {
  const found = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && isMainProcess(pid, uid));
  if (found.length === 0) throw new Error(`kill ${name}: no process of pod ${uid}, want one`);
  for (const pid of found) process.kill(Number(pid), 'SIGKILL');
}

function isMainProcess(pid: string, podUid: string): boolean {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return command.includes('/app/') && readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(`pod${podUid}`);
  } catch {
    return false;
  }
}

/** Name of the pod that leads the operators. */
export async function leader(): Promise<string> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/flotilla-operator`;
  return (await read<{ spec: { holderIdentity: string } }>(path)).spec.holderIdentity;
}

/** Phase of the resize as the operator has saved it; what the next leader goes on with. */
export async function savedPhase(): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/configmaps/main-operator-state`;
  const { data } = await read<{ data: Readonly<Record<string, string>> }>(path);
  return (JSON.parse(data['state.json']!) as { phase: string }).phase;
}
