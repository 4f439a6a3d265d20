// The Kubernetes roles over an ObjectSource. A group stays the same object until something that it is made of changes,
// so that everything downstream can be kept by identity: a change of one pod costs one group, not a fleet.

import type { ObjectSource } from '../objects/object-source.ts';
import { endpointSliceTargets, SERVICE_NAME_LABEL } from './endpoint-slice-targets.ts';
import { ingressTargets } from './ingress-targets.ts';
import { nodeTargets } from './node-targets.ts';
import { podTargets } from './pod-targets.ts';
import { serviceTargets } from './service-targets.ts';
import { LazyTargetGroup } from './target-group.ts';
import type { TargetGroup } from './target-group.ts';
import type { AnyObject, ObjectOf } from '../objects/kinds.ts';
import { keyOf } from '../objects/kube-object.ts';

export type KubernetesRole = 'endpointslice' | 'pod' | 'service' | 'ingress' | 'node';

interface CachedGroup {
  readonly parts: readonly (AnyObject | undefined)[];
  readonly group: TargetGroup;
}

export class KubernetesDiscovery {
  readonly #source: ObjectSource;
  /** Per role and attachment; dropped by refresh() and made again from #cached on demand. */
  readonly #fresh = new Map<string, readonly TargetGroup[]>();
  readonly #cached = new Map<string, ReadonlyMap<AnyObject, CachedGroup>>();

  constructor(source: ObjectSource) {
    this.#source = source;
  }

  /** Has the next groups() look at the source again. */
  refresh(): void {
    this.#fresh.clear();
  }

  groups(role: KubernetesRole, attachNode: boolean): readonly TargetGroup[] {
    const key = `${role} ${attachNode}`;
    let groups = this.#fresh.get(key);
    if (groups === undefined) {
      groups = this.#discover(key, role, attachNode);
      this.#fresh.set(key, groups);
    }
    return groups;
  }

  #discover(key: string, role: KubernetesRole, attachNode: boolean): readonly TargetGroup[] {
    const before = this.#cached.get(key);
    const now = new Map<AnyObject, CachedGroup>();
    const keep = (object: AnyObject, parts: CachedGroup['parts'], make: () => TargetGroup): void => {
      const old = before?.get(object);
      const isSame = old?.parts.every((part, index) => part === parts[index]) === true;
      const lazy = (): TargetGroup =>
        new LazyTargetGroup(
          `${role === 'service' ? 'svc' : role}/${keyOf(object)}`,
          object.metadata.namespace,
          // Of a slice it is its Service that monitors select.
          (role === 'endpointslice' ? parts[0]?.metadata.labels : object.metadata.labels) ?? {},
          make,
        );
      now.set(object, isSame && old.parts.length === parts.length ? old : { parts, group: lazy() });
    };
    this.#visit(role, attachNode, keep);
    this.#cached.set(key, now);
    return [...now.values()].map(({ group }) => group);
  }

  #visit(role: KubernetesRole, attachNode: boolean, keep: Keep): void {
    const source = this.#source;
    const nodeNamed = (name: string): ObjectOf<'Node'> | undefined =>
      attachNode ? source.get('Node', '', name) : undefined;
    switch (role) {
      case 'endpointslice':
        for (const slice of source.list('EndpointSlice')) this.#visitSlice(slice, nodeNamed, keep);
        break;
      case 'pod':
        for (const pod of source.list('Pod')) {
          const node = nodeNamed(pod.spec.nodeName);
          keep(pod, [node], () => podTargets(pod, node));
        }
        break;
      case 'service':
        for (const service of source.list('Service')) keep(service, [], () => serviceTargets(service));
        break;
      case 'ingress':
        for (const ingress of source.list('Ingress')) keep(ingress, [], () => ingressTargets(ingress));
        break;
      case 'node':
        for (const node of source.list('Node')) keep(node, [], () => nodeTargets(node));
        break;
    }
  }

  #visitSlice(
    slice: ObjectOf<'EndpointSlice'>,
    node: (name: string) => ObjectOf<'Node'> | undefined,
    keep: Keep,
  ): void {
    const { namespace, labels } = slice.metadata;
    const service = this.#source.get('Service', namespace, labels[SERVICE_NAME_LABEL] ?? '');
    const pod = (podNamespace: string, name: string): ObjectOf<'Pod'> | undefined =>
      this.#source.get('Pod', podNamespace, name);
    const pods = slice.endpoints.map(({ targetRef }) =>
      targetRef?.kind === 'Pod' ? pod(targetRef.namespace || namespace, targetRef.name) : undefined,
    );
    const nodes = slice.endpoints.map(({ nodeName, targetRef }) =>
      node(targetRef?.kind === 'Node' ? targetRef.name : nodeName),
    );
    keep(slice, [service, ...pods, ...nodes], () => endpointSliceTargets(slice, { service, pod, node }));
  }
}

type Keep = (object: AnyObject, parts: CachedGroup['parts'], make: () => TargetGroup) => void;
