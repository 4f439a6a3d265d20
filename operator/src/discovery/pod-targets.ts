// The pod role: a target per container port; a container without ports gives one whose address is the pod's IP alone.

import { Labels } from '@flotilla/model';
import type { ObjectOf } from '../objects/kinds.ts';
import { keyOf } from '../objects/kube-object.ts';
import { ADDRESS, joinHostPort, type LabelRecord, META, objectLabels } from './meta-labels.ts';
import { nodeLabels } from './node-targets.ts';
import type { TargetGroup } from './target-group.ts';

type Pod = ObjectOf<'Pod'>;
type Container = Pod['spec']['containers'][number];

/** A pod without an IP (starting, evicted) has no targets. */
export function podTargets(pod: Pod, node?: ObjectOf<'Node'>): TargetGroup {
  const group = { source: `pod/${keyOf(pod)}`, namespace: pod.metadata.namespace };
  const { podIP } = pod.status;
  if (podIP === '') return { ...group, targets: [] };
  const shared = { ...podLabels(pod), ...(node && nodeLabels(node)) };
  const records = podContainers(pod).flatMap(({ container, isInit }): LabelRecord[] => {
    const own = { ...shared, ...containerLabels(container, isInit), ...containerId(pod, container, isInit) };
    if (container.ports.length === 0) return [{ ...own, [ADDRESS]: podIP }];
    return container.ports.map((port) => ({
      ...own,
      ...portLabels(port),
      [ADDRESS]: joinHostPort(podIP, port.containerPort),
    }));
  });
  return { ...group, targets: records.map((record) => Labels.fromRecord(record)) };
}

export function podContainers({ spec }: Pod): { container: Container; isInit: boolean }[] {
  return [
    ...spec.containers.map((container) => ({ container, isInit: false })),
    ...spec.initContainers.map((container) => ({ container, isInit: true })),
  ];
}

export function podLabels({ metadata, spec, status }: Pod): LabelRecord {
  const controller = metadata.ownerReferences.find((owner) => owner.controller);
  const ready = status.conditions.find(({ type }) => type === 'Ready')?.status.toLowerCase() ?? 'unknown';
  return {
    ...objectLabels('pod', metadata),
    [`${META}namespace`]: metadata.namespace,
    [`${META}pod_ip`]: status.podIP,
    [`${META}pod_ready`]: ready,
    [`${META}pod_phase`]: status.phase,
    [`${META}pod_node_name`]: spec.nodeName,
    [`${META}pod_host_ip`]: status.hostIP,
    [`${META}pod_uid`]: metadata.uid,
    [`${META}pod_controller_kind`]: controller?.kind ?? '',
    [`${META}pod_controller_name`]: controller?.name ?? '',
  };
}

export function containerLabels({ name, image }: Container, isInit: boolean): LabelRecord {
  return {
    [`${META}pod_container_name`]: name,
    [`${META}pod_container_image`]: image,
    [`${META}pod_container_init`]: String(isInit),
  };
}

/** Of this role only. */
function containerId({ status }: Pod, container: Container, isInit: boolean): LabelRecord {
  const ids = isInit ? status.initContainerStatuses : status.containerStatuses;
  const id = Object.hasOwn(ids, container.name) ? ids[container.name]! : '';
  return { [`${META}pod_container_id`]: id };
}

export function portLabels({ name, containerPort, protocol }: Container['ports'][number]): LabelRecord {
  return {
    [`${META}pod_container_port_name`]: name,
    [`${META}pod_container_port_number`]: String(containerPort),
    [`${META}pod_container_port_protocol`]: protocol,
  };
}
