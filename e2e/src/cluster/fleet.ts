// The fleet in the cluster: its names, its pods, and what "whole" means.

import { eventually } from '../local/fleet.ts';
import { list, read } from './api-server.ts';
import type { KubeObject } from './api-server.ts';
import { until } from './until.ts';

export const namespace = 'flotilla';
export const release = 'flotilla';
/** Of the load and the rules; a slot of every target is due this often. */
export const intervalMs = 2000;

/** Of pods and nodes. */
export interface Conditions {
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

export interface PodObject extends KubeObject, Conditions {
  readonly spec: { readonly nodeName?: string; readonly serviceAccountName?: string };
  readonly status: Conditions['status'] & {
    readonly podIP?: string;
    readonly phase?: string;
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

interface ContainerStatus {
  readonly restartCount: number;
  readonly state?: { readonly running?: { readonly startedAt: string } };
  readonly lastState?: { readonly terminated?: { readonly exitCode: number; readonly finishedAt: string } };
}

export interface FleetObject extends KubeObject {
  readonly spec: { readonly shards?: number; readonly replicas?: number };
  readonly status: {
    readonly shards?: number;
    readonly epoch?: number;
    readonly targets?: number;
    readonly resize?: { readonly phase: string; readonly waitingFor: string };
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly message: string;
    }[];
  };
}

const fleetPath = `/apis/flotilla.dev/v1alpha1/namespaces/${namespace}/fleets/main`;

export function fleetObject(): Promise<FleetObject> {
  return read<FleetObject>(fleetPath);
}

export type Component = 'operator' | 'scraper' | 'querier' | 'ruler';

/** Pods of a component, or of all of them, by name; not those that have done their work, as that of `helm test`. */
export async function pods(component?: Component): Promise<readonly PodObject[]> {
  const selector = component === undefined ? '' : `,app.kubernetes.io/component=${component}`;
  const query = encodeURIComponent(`app.kubernetes.io/name=flotilla${selector}`);
  const found = await list<PodObject>(`/api/v1/namespaces/${namespace}/pods?labelSelector=${query}`);
  return found
    .filter(({ status }) => status.phase !== 'Succeeded')
    .toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name));
}

export function isReady({ metadata, status }: KubeObject & Conditions): boolean {
  const isTrue = status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True');
  return metadata.deletionTimestamp === undefined && isTrue === true;
}

/** How many ready pods a fleet of so many shards has: pairs of scrapers, and two of everything else. */
export function podsOf(shards: number): Readonly<Record<Component, number>> {
  return { operator: 2, scraper: 2 * shards, querier: 2, ruler: 2 };
}

/** Waits until every component has exactly its pods, all Ready. */
export function podsReady(expected: Readonly<Record<Component, number>>, timeoutMs = 90_000): Promise<void> {
  return until('all pods are Ready', timeoutMs, async () => {
    const found = await pods();
    const ready = found.filter(isReady);
    const wrong = Object.entries(expected).filter(
      ([component, count]) => ready.filter((pod) => componentOf(pod) === component).length !== count,
    );
    if (wrong.length === 0 && ready.length === found.length) return;
    const states = found.map((pod) => `${pod.metadata.name} ${isReady(pod) ? 'ready' : pod.status.phase}`);
    throw new Error(`want ${JSON.stringify(expected)}, found ${states.join(', ')}`);
  });
}

/** When a pod's containers started and ended, in words. */
export function livesOf({ metadata, status }: PodObject): string {
  const lives = (status.containerStatuses ?? []).map(({ restartCount, state, lastState }) => {
    const { exitCode, finishedAt } = lastState?.terminated ?? {};
    const last = finishedAt === undefined ? '' : `, before that exit ${exitCode} at ${finishedAt}`;
    return `runs since ${state?.running?.startedAt ?? '-'}, ${restartCount} restarts${last}`;
  });
  return `${metadata.name}: ${lives.join('; ')}`;
}

export function componentOf({ metadata }: PodObject): string | undefined {
  return metadata.labels?.['app.kubernetes.io/component'];
}

/** Waits until the Fleet's status says that it has so many shards and that nothing moves. */
export function stableAt(shards: number, timeoutMs = 120_000): Promise<FleetObject> {
  return eventually(`the fleet is stable at ${shards} shards`, timeoutMs, async () => {
    const fleet = await fleetObject();
    const { resize } = fleet.status;
    if (fleet.status.shards === shards && resize?.phase === 'stable') return fleet;
    throw new Error(
      `status.shards ${fleet.status.shards}, ${resize?.phase}, waiting for ${resize?.waitingFor}`,
    );
  });
}
