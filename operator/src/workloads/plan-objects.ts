// From a Fleet and its workloads to the Kubernetes objects that run them. Pure: equal inputs give equal objects. Each has only the
// fields that we decide on, so that server-side apply leaves others' alone.

import type { FleetSpec } from '../discovery/fleet-spec.ts';
import { ownLabels, PORT, selectorLabels, workloadName } from './kube-manifest.ts';
import type { ClusterPlace, Component, Manifest } from './kube-manifest.ts';
import { networkPolicies } from './network-policies.ts';
import { podTemplate } from './pod-template.ts';
import type { WorkloadAddress, WorkloadSpec } from './workloads.ts';

/** One that has lost its disk learns its targets in this time: until then, an upgrade leaves the other one of its pair alone. */
const settleSeconds = 10;
const fleetNameMax = 40;

/** Services first, then what runs, then what protects it. */
export function planObjects(
  fleet: FleetSpec,
  specs: readonly WorkloadSpec[],
  place: ClusterPlace,
): readonly Manifest[] {
  checkName(fleet.name);
  const make = new Maker(fleet, place);
  const sets = firstOfEach(specs).map((spec) => make.workload(spec));
  const components = [...new Set(specs.map(({ binary }) => binary))];
  return [
    ...components.map((component) => make.service(component)),
    ...sets,
    ...firstOfEach(specs).map((spec) => make.budget(spec)),
    ...(fleet.networkPolicy.enabled
      ? networkPolicies(fleet).map(({ name, component, spec }) =>
          make.object('networking.k8s.io/v1', 'NetworkPolicy', name, component, undefined, spec),
        )
      : []),
  ];
}

/** Names of Services, and labels with the names of StatefulSets and their revisions, may have 63 characters. */
function checkName(name: string): void {
  if (name.length > fleetNameMax || !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name))
    throw new Error(
      `Fleet ${name}: name, want at most ${fleetNameMax} of a to z, 0 to 9 and -, no - at the ends`,
    );
}

/** Stable over restarts and rescheduling: names of pods for stores, of the Service for queriers. */
export function planAddresses(
  fleet: FleetSpec,
  specs: readonly WorkloadSpec[],
  { namespace }: ClusterPlace,
): readonly WorkloadAddress[] {
  return specs.map(({ name, binary }) => {
    const service = `${workloadName(binary, fleet.name)}.${namespace}.svc:${PORT}`;
    return { name, url: binary === 'querier' ? `http://${service}` : `http://${name}.${service}` };
  });
}

/** Replicas of one workload differ only in their number. */
function firstOfEach(specs: readonly WorkloadSpec[]): WorkloadSpec[] {
  return specs.filter(({ replica }) => replica === 0);
}

function shardOf({ binary, shard }: WorkloadSpec): number | undefined {
  return binary === 'scraper' ? shard : undefined;
}

class Maker {
  readonly #fleet: FleetSpec;
  readonly #place: ClusterPlace;

  constructor(fleet: FleetSpec, place: ClusterPlace) {
    this.#fleet = fleet;
    this.#place = place;
  }

  object(
    apiVersion: string,
    kind: Manifest['kind'],
    name: string,
    component: Component,
    shard: number | undefined,
    spec: object,
  ): Manifest {
    const { namespace } = this.#place;
    const labels = ownLabels(component, this.#fleet.name, shard);
    return {
      apiVersion,
      kind,
      metadata: { name, namespace, labels, ownerReferences: [this.#owner()] },
      spec,
    };
  }

  service(component: Component): Manifest {
    const { name } = this.#fleet;
    const isStore = component !== 'querier';
    return this.object('v1', 'Service', workloadName(component, name), component, undefined, {
      selector: selectorLabels(component, name),
      ports: [{ name: 'http', port: PORT, targetPort: 'http', protocol: 'TCP', appProtocol: 'http' }],
      // Stores are reached by the names of their pods, also while they replay.
      ...(isStore ? { clusterIP: 'None', publishNotReadyAddresses: true } : { type: 'ClusterIP' }),
    });
  }

  workload(spec: WorkloadSpec): Manifest {
    return spec.binary === 'querier' ? this.#deployment(spec) : this.#statefulSet(spec);
  }

  #deployment(spec: WorkloadSpec): Manifest {
    const { name, querier } = this.#fleet;
    return this.object('apps/v1', 'Deployment', workloadName('querier', name), 'querier', undefined, {
      replicas: querier.replicas,
      selector: { matchLabels: selectorLabels('querier', name) },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: podTemplate(this.#fleet, spec, this.#place),
    });
  }

  #statefulSet(spec: WorkloadSpec): Manifest {
    const { name, storage } = this.#fleet;
    const component = spec.binary;
    const shard = shardOf(spec);
    return this.object('apps/v1', 'StatefulSet', workloadName(component, name, shard), component, shard, {
      replicas: component === 'scraper' ? this.#fleet.replicas : this.#fleet.ruler.replicas,
      serviceName: workloadName(component, name),
      podManagementPolicy: 'Parallel',
      minReadySeconds: settleSeconds,
      updateStrategy: { type: 'RollingUpdate' },
      selector: { matchLabels: selectorLabels(component, name, shard) },
      persistentVolumeClaimRetentionPolicy: {
        whenDeleted: storage?.whenDeleted ?? 'Retain',
        whenScaled: 'Retain',
      },
      template: podTemplate(this.#fleet, spec, this.#place),
      ...(storage !== undefined && { volumeClaimTemplates: [this.#claim(component, shard)] }),
    });
  }

  #claim(component: Component, shard: number | undefined): object {
    const { name, storage } = this.#fleet;
    const { size, storageClassName } = storage!;
    return {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', labels: ownLabels(component, name, shard) },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: size } },
        ...(storageClassName !== undefined && { storageClassName }),
      },
    };
  }

  /** One pod of a pair at a time; a pod that is broken anyway does not block a drain. */
  budget(spec: WorkloadSpec): Manifest {
    const { name } = this.#fleet;
    const { binary } = spec;
    const shard = shardOf(spec);
    const budget = workloadName(binary, name, shard);
    return this.object('policy/v1', 'PodDisruptionBudget', budget, binary, shard, {
      maxUnavailable: 1,
      selector: { matchLabels: selectorLabels(binary, name, shard) },
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    });
  }

  #owner(): object {
    const { name, uid } = this.#fleet;
    const apiVersion = 'flotilla.dev/v1alpha1';
    return { apiVersion, kind: 'Fleet', name, uid, controller: true, blockOwnerDeletion: true };
  }
}
