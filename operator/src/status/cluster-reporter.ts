// Writes what the operator decided to the API server: the status of the Fleet, an `Accepted` condition on every monitor and
// rule that the Fleet selects (as the Prometheus operator does), and events.
//
// All by server-side apply with a field manager of this Fleet alone, so that others' bindings and conditions stay as they are.

import { errorText } from '@flotilla/chassis';
import type { Logger } from '@flotilla/chassis';
import { KubeApiError } from '../cluster/api-client.ts';
import type { ApiClient } from '../cluster/api-client.ts';
import type { EventRecorder } from '../cluster/event-recorder.ts';
import { resourcePath, RESOURCES } from '../cluster/resources.ts';
import type { Problem, SelectedObject } from '../discovery/findings.ts';
import type { FleetSpec } from '../discovery/fleet-spec.ts';
import type { FleetStatus } from './fleet-status.ts';
import { fleetObjectStatus } from './fleet-object-status.ts';
import type { Reporter } from './reporter.ts';

export interface ClusterReporterOptions {
  readonly client: ApiClient;
  readonly events: EventRecorder;
  readonly log: Logger;
  readonly isLeader: () => boolean;
}

/** A status that only counts on is written this often at most. */
const statusMs = 5000;
const bindingsAtOnce = 8;

type MonitorKind = 'ServiceMonitor' | 'PodMonitor' | 'Probe' | 'ScrapeConfig' | 'PrometheusRule';

export class ClusterReporter implements Reporter {
  readonly #options: ClusterReporterOptions;
  #writtenStatus = '';
  #writtenConditions = '';
  #writtenMs = -Infinity;
  /** What was written on each object, by `Kind/namespace/name`. */
  readonly #bound = new Map<string, string>();
  #lastSelected: readonly SelectedObject[] | undefined;
  #fleetUid = '';

  constructor(options: ClusterReporterOptions) {
    this.#options = options;
  }

  async report(fleet: FleetSpec, status: FleetStatus, selected: readonly SelectedObject[]): Promise<void> {
    if (fleet.uid !== this.#fleetUid) this.#forget();
    this.#fleetUid = fleet.uid;
    await this.#writeStatus(fleet, status);
    await this.#writeBindings(fleet, selected);
  }

  phaseChanged(fleet: FleetSpec, message: string): void {
    const { namespace, name, uid } = fleet;
    const regarding = { apiVersion: 'flotilla.dev/v1alpha1', kind: 'Fleet', namespace, name, uid };
    this.#options.events.record({
      regarding,
      type: 'Normal',
      reason: 'Resize',
      action: 'Resize',
      note: message,
    });
  }

  refused({ apiVersion, kind, namespace, name, uid, reason }: Problem): void {
    this.#options.events.record({
      regarding: { apiVersion, kind, namespace, name, uid },
      type: 'Warning',
      reason: 'InvalidConfiguration',
      action: 'SelectingObject',
      note: reason.slice(0, 1000),
    });
  }

  /** Conditions at once; counts of targets and series when their time has come. */
  async #writeStatus(fleet: FleetSpec, status: FleetStatus): Promise<void> {
    const { name, namespace } = fleet;
    const wanted = fleetObjectStatus(fleet, status);
    const text = JSON.stringify(wanted);
    const conditions = JSON.stringify([wanted.conditions, wanted.observedGeneration, wanted.shards]);
    const nowMs = performance.now();
    if (text === this.#writtenStatus) return;
    if (conditions === this.#writtenConditions && nowMs - this.#writtenMs < statusMs) return;
    await this.#options.client.apply(
      resourcePath(RESOURCES.Fleet, { namespace, name, subresource: 'status' }),
      { apiVersion: 'flotilla.dev/v1alpha1', kind: 'Fleet', metadata: { name, namespace }, status: wanted },
      { fieldManager: 'flotilla-operator', force: true },
    );
    this.#writtenStatus = text;
    this.#writtenConditions = conditions;
    this.#writtenMs = nowMs;
  }

  async #writeBindings(fleet: FleetSpec, selected: readonly SelectedObject[]): Promise<void> {
    if (selected === this.#lastSelected) return;
    const open = selected.filter((object) => this.#bound.get(keyOf(object)) !== verdictOf(object));
    const keys = new Set(selected.map(keyOf));
    const left = [...this.#bound.keys()].filter((key) => !keys.has(key));
    let failures = 0;
    for (let index = 0; index < open.length && this.#options.isLeader(); index += bindingsAtOnce) {
      const written = open.slice(index, index + bindingsAtOnce).map((object) => this.#bind(fleet, object));
      failures += (await Promise.all(written)).filter((isWritten) => !isWritten).length;
    }
    for (const key of left) if (!(await this.#unbind(fleet, key))) failures++;
    // One that stopped leading in the midst has written a part, and the next leader may write otherwise.
    if (!this.#options.isLeader()) this.#forget();
    else if (failures === 0) this.#lastSelected = selected;
  }

  #forget(): void {
    this.#bound.clear();
    this.#lastSelected = undefined;
  }

  /** False when it is to be tried again. */
  async #bind(fleet: FleetSpec, object: SelectedObject): Promise<boolean> {
    const { apiVersion, kind, namespace, name, generation, accepted, reason } = object;
    const lastTransitionTime = await this.#transitionTime(fleet, object);
    const condition = {
      type: 'Accepted',
      status: accepted ? 'True' : 'False',
      reason: accepted ? '' : 'InvalidConfiguration',
      message: reason.slice(0, 32_000),
      lastTransitionTime,
      ...(generation !== undefined && { observedGeneration: generation }),
    };
    const body = {
      apiVersion,
      kind,
      metadata: { name, namespace },
      status: { bindings: [{ ...bindingOf(fleet), conditions: [condition] }] },
    };
    const isWritten = await this.#apply(fleet, object, body);
    if (isWritten) this.#bound.set(keyOf(object), verdictOf(object));
    return isWritten;
  }

  /** By a patch of what others have there: of a list that an apply leaves empty an API server makes null, and then refuses it. */
  async #unbind(fleet: FleetSpec, key: string): Promise<boolean> {
    const [kind = '', namespace = '', name = ''] = key.split('/');
    const resource = RESOURCES[kind as MonitorKind];
    const { client, log } = this.#options;
    try {
      const { metadata, status } = await client.get<Bound>(resourcePath(resource, { namespace, name }));
      const bindings = status?.bindings ?? [];
      const others = bindings.filter((one) => !isOf(fleet, one));
      const { resourceVersion } = metadata;
      const path = resourcePath(resource, { namespace, name, subresource: 'status' });
      if (others.length < bindings.length)
        await client.patch(path, { metadata: { resourceVersion }, status: { bindings: others } });
    } catch (error) {
      if (!(error instanceof KubeApiError && error.status === 404)) {
        log.warn('status of a monitor not taken back', { kind, namespace, name, err: errorText(error) });
        return false;
      }
    }
    this.#bound.delete(key);
    return true;
  }

  /** An object that is gone, or a CRD that has no status, is nothing to try again. */
  async #apply(
    fleet: FleetSpec,
    { kind, namespace, name }: Pick<SelectedObject, 'kind' | 'namespace' | 'name'>,
    body: object,
  ): Promise<boolean> {
    const path = resourcePath(RESOURCES[kind as MonitorKind], { namespace, name, subresource: 'status' });
    try {
      await this.#options.client.apply(path, body, { fieldManager: managerOf(fleet), force: true });
      return true;
    } catch (error) {
      if (error instanceof KubeApiError && error.status === 404) return true;
      this.#options.log.warn('status of a monitor not written', {
        kind,
        namespace,
        name,
        err: errorText(error),
      });
      return error instanceof KubeApiError && error.status >= 400 && error.status < 500;
    }
  }

  /** The one that is there when the verdict is the same, else now. */
  async #transitionTime(fleet: FleetSpec, object: SelectedObject): Promise<string> {
    const { kind, namespace, name, accepted } = object;
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    try {
      const path = resourcePath(RESOURCES[kind as MonitorKind], { namespace, name });
      const { status } = await this.#options.client.get<Bound>(path);
      const binding = status?.bindings?.find((one) => isOf(fleet, one));
      const condition = binding?.conditions?.find(({ type }) => type === 'Accepted');
      return condition?.status === (accepted ? 'True' : 'False') ? condition.lastTransitionTime : now;
    } catch {
      return now;
    }
  }
}

interface Binding {
  readonly resource: string;
  readonly name: string;
  readonly namespace: string;
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly lastTransitionTime: string;
  }[];
}

interface Bound {
  readonly metadata: { readonly resourceVersion: string };
  readonly status?: { readonly bindings?: readonly Binding[] };
}

/** The CRDs of these kinds allow no other group and resource than the Prometheus operator's. */
function bindingOf({ name, namespace }: FleetSpec) {
  return { group: 'monitoring.coreos.com', resource: 'prometheuses', name, namespace };
}

function isOf(fleet: FleetSpec, { resource, name, namespace }: Binding): boolean {
  const own = bindingOf(fleet);
  return resource === own.resource && name === own.name && namespace === own.namespace;
}

function managerOf({ name, namespace }: FleetSpec): string {
  return `flotilla-operator/${namespace}/${name}`;
}

function keyOf({ kind, namespace, name }: SelectedObject): string {
  return `${kind}/${namespace}/${name}`;
}

function verdictOf({ uid, generation, accepted, reason }: SelectedObject): string {
  return `${uid} ${generation} ${accepted} ${reason}`;
}
