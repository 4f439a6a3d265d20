// The pods of a fleet, as far as the operator needs them: whether they are ready, why not, and where queriers answer.

import { errorText } from '@flotilla/chassis';
import type { Logger } from '@flotilla/chassis';
import type { ApiClient } from '../cluster/api-client.ts';
import { KubeApiError } from '../cluster/api-client.ts';
import { Reflector } from '../cluster/reflector.ts';
import { resourcePath, RESOURCES } from '../cluster/resources.ts';
import type { Reader } from '../topology/readers.ts';
import { fleetSelector, PORT, workloadName } from './kube-manifest.ts';
import type { Component } from './kube-manifest.ts';
import type { Readiness, WorkloadSpec } from './workloads.ts';

interface FleetPod {
  readonly name: string;
  readonly component: string;
  readonly ip: string;
  readonly isEnding: boolean;
  readonly ready: boolean;
  readonly reason: string;
  readonly annotations: Readonly<Record<string, string>>;
}

interface PodObject {
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly message?: string;
    }[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

interface ContainerStatus {
  readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
  readonly lastState?: { readonly terminated?: { readonly reason?: string; readonly exitCode?: number } };
}

const reasonLengthMax = 200;

export class FleetPods {
  readonly #client: ApiClient;
  readonly #namespace: string;
  readonly #fleet: string;
  readonly #log: Logger;
  readonly #pods: Reflector<FleetPod>;

  constructor(client: ApiClient, namespace: string, fleet: string, log: Logger) {
    this.#client = client;
    this.#namespace = namespace;
    this.#fleet = fleet;
    this.#log = log;
    this.#pods = new Reflector<FleetPod>({
      client,
      resource: RESOURCES.Pod,
      namespace,
      labelSelector: fleetSelector(fleet),
      project: (raw) => podOf(raw),
      onChange: () => {},
      log,
    });
    this.#pods.start();
  }

  stop(): Promise<void> {
    return this.#pods.stop();
  }

  readyOf(component: Component): Reader[] {
    return this.#of(component)
      .filter(({ ready, isEnding }) => ready && !isEnding)
      .map(({ name, ip }) => ({ name, url: `http://${ip.includes(':') ? `[${ip}]` : ip}:${PORT}` }));
  }

  /** A pod whose annotation changes is looked at by its kubelet at once, and so are the ConfigMaps that it mounts. */
  async annotate(component: Component, annotation: string, value: string): Promise<void> {
    for (const { name, annotations, isEnding } of this.#of(component)) {
      if (annotations[annotation] === value || isEnding) continue;
      const path = resourcePath(RESOURCES.Pod, { namespace: this.#namespace, name });
      try {
        await this.#client.patch(path, { metadata: { annotations: { [annotation]: value } } });
      } catch (error) {
        if (error instanceof KubeApiError && error.status === 404) continue;
        this.#log.warn('pod not annotated', { name, err: errorText(error) });
      }
    }
  }

  /** Stores by the name of their pod; queriers all together, since none of their pods has a name that lasts. */
  readiness(specs: readonly WorkloadSpec[]): ReadonlyMap<string, Readiness> {
    const readiness = new Map<string, Readiness>();
    if (!this.#pods.synced) return readiness;
    const byName = this.#pods.items();
    const queriers = specs.filter(({ binary }) => binary === 'querier').length;
    for (const { name, binary } of specs) {
      if (binary === 'querier') continue;
      const pod = byName.get(`${this.#namespace}/${name}`);
      readiness.set(name, pod === undefined ? { ready: false, reason: 'no pod' } : pod);
    }
    readiness.set(workloadName('querier', this.#fleet), this.#queriers(queriers));
    return readiness;
  }

  #queriers(wanted: number): Readiness {
    const pods = this.#of('querier');
    const ready = pods.filter((pod) => pod.ready).length;
    if (ready >= wanted) return { ready: true, reason: '' };
    const why = pods.find((pod) => !pod.ready)?.reason ?? 'no pod';
    return { ready: false, reason: `${ready} of ${wanted}: ${why}` };
  }

  #of(component: Component): FleetPod[] {
    return [...this.#pods.items().values()].filter((pod) => pod.component === component);
  }
}

function podOf({ metadata, status }: PodObject): FleetPod {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
  return {
    name: metadata.name,
    component: metadata.labels?.['app.kubernetes.io/component'] ?? '',
    ip: status?.podIP ?? '',
    isEnding: metadata.deletionTimestamp !== undefined,
    ready,
    reason: ready ? '' : whyNotReady(status),
    annotations: metadata.annotations ?? {},
  };
}

function whyNotReady(status: PodObject['status']): string {
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const waiting = containers.find(
    ({ state }) => state?.waiting !== undefined && !isBeginning(state.waiting.reason),
  );
  if (waiting !== undefined) return whyWaiting(waiting).slice(0, reasonLengthMax);
  const unscheduled = status?.conditions?.find(
    (one) => one.type === 'PodScheduled' && one.status === 'False',
  );
  if (unscheduled !== undefined)
    return `Unschedulable: ${unscheduled.message ?? ''}`.slice(0, reasonLengthMax);
  return status?.phase === 'Running' ? 'not ready' : (status?.phase ?? 'unknown');
}

/** What every pod waits for, if only for a moment. */
function isBeginning(reason: string | undefined): boolean {
  return reason === 'ContainerCreating' || reason === 'PodInitializing';
}

/** `CrashLoopBackOff (OOMKilled, exit 137)`: how it ended says more than that it will be tried again. */
function whyWaiting({ state, lastState }: ContainerStatus): string {
  const { reason = 'Waiting', message } = state!.waiting!;
  const ended = lastState?.terminated;
  if (ended !== undefined) return `${reason} (${ended.reason ?? 'ended'}, exit ${ended.exitCode ?? '?'})`;
  return message === undefined ? reason : `${reason}: ${message}`;
}
