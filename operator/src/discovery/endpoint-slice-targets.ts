// The endpointslice role: a target per address and port, then one per container port of the backing pods that no port of
// the slice covers. The extra ones lack a port name: `port:` filters them out, `targetPort:` may pick them.
//
// Slices give the metas of the endpoints role too, since relabelings in the wild use either.

import { Labels } from '@flotilla/model';
import type { ObjectOf } from '../objects/kinds.ts';
import { keyOf } from '../objects/kube-object.ts';
import { ADDRESS, joinHostPort, type LabelRecord, META, objectLabels } from './meta-labels.ts';
import { nodeLabels } from './node-targets.ts';
import { containerLabels, podContainers, podLabels, portLabels } from './pod-targets.ts';
import { serviceLabels } from './service-targets.ts';
import type { TargetGroup } from './target-group.ts';

type Slice = ObjectOf<'EndpointSlice'>;
type Endpoint = Slice['endpoints'][number];
type Port = Slice['ports'][number];
type Pod = ObjectOf<'Pod'>;

export interface SliceBackground {
  readonly service: ObjectOf<'Service'> | undefined;
  pod(namespace: string, name: string): Pod | undefined;
  /** undefined unless node metadata is to be attached. */
  node(name: string): ObjectOf<'Node'> | undefined;
}

export function endpointSliceTargets(slice: Slice, background: SliceBackground): TargetGroup {
  const group = { source: `endpointslice/${keyOf(slice)}`, namespace: slice.metadata.namespace };
  if (isSecondFamily(slice, background.service)) return { ...group, targets: [] };
  const shared = sliceLabels(slice, background.service);
  const covered = new Map<Pod, Set<number>>();
  const records: LabelRecord[] = [];
  for (const endpoint of slice.endpoints) {
    const pod = podOf(slice, endpoint, background);
    const own = { ...shared, ...endpointLabels(endpoint, background) };
    for (const port of slice.ports) {
      if (pod !== undefined) cover(covered, pod, port);
      for (const address of endpoint.addresses) {
        records.push({ ...own, ...addressLabels(address, port), ...(pod && podPortLabels(pod, port)) });
      }
    }
  }
  for (const [pod, ports] of covered) records.push(...uncoveredPorts(pod, ports, shared));
  return { ...group, targets: records.map((record) => Labels.fromRecord(record)) };
}

/** A dual-stack service counts once, by its first family. */
function isSecondFamily({ addressType }: Slice, service: ObjectOf<'Service'> | undefined): boolean {
  const first = service?.spec.ipFamilies[0];
  return first !== undefined && service!.spec.ipFamilies.length > 1 && addressType !== first;
}

export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

function sliceLabels(slice: Slice, service: ObjectOf<'Service'> | undefined): LabelRecord {
  return {
    ...objectLabels('endpointslice', slice.metadata),
    [`${META}namespace`]: slice.metadata.namespace,
    [`${META}endpointslice_address_type`]: slice.addressType,
    [`${META}endpoints_name`]: slice.metadata.labels[SERVICE_NAME_LABEL] ?? '',
    ...(service && serviceLabels(service)),
  };
}

function endpointLabels(endpoint: Endpoint, background: SliceBackground): LabelRecord {
  const { conditions, hostname, nodeName, zone, targetRef } = endpoint;
  const attached = background.node(targetRef?.kind === 'Node' ? targetRef.name : nodeName);
  return {
    ...(attached && nodeLabels(attached)),
    [`${META}endpointslice_endpoint_conditions_ready`]: flag(conditions.ready),
    [`${META}endpointslice_endpoint_conditions_serving`]: flag(conditions.serving),
    [`${META}endpointslice_endpoint_conditions_terminating`]: flag(conditions.terminating),
    [`${META}endpointslice_endpoint_hostname`]: hostname,
    [`${META}endpointslice_endpoint_node_name`]: nodeName,
    [`${META}endpointslice_endpoint_zone`]: zone,
    [`${META}endpointslice_address_target_kind`]: targetRef?.kind ?? '',
    [`${META}endpointslice_address_target_name`]: targetRef?.name ?? '',
    [`${META}endpoint_ready`]: String(conditions.ready !== false),
    [`${META}endpoint_hostname`]: hostname,
    [`${META}endpoint_node_name`]: nodeName,
    [`${META}endpoint_address_target_kind`]: targetRef?.kind ?? '',
    [`${META}endpoint_address_target_name`]: targetRef?.name ?? '',
  };
}

function flag(value: boolean | undefined): string {
  return value === undefined ? '' : String(value);
}

function addressLabels(address: string, port: Port): LabelRecord {
  return {
    [ADDRESS]: port.port === undefined ? address : joinHostPort(address, port.port),
    [`${META}endpointslice_port`]: port.port === undefined ? '' : String(port.port),
    [`${META}endpointslice_port_name`]: port.name,
    [`${META}endpointslice_port_protocol`]: port.protocol,
    [`${META}endpointslice_port_app_protocol`]: port.appProtocol,
    [`${META}endpoint_port_name`]: port.name,
    [`${META}endpoint_port_protocol`]: port.protocol,
  };
}

function podOf(slice: Slice, { targetRef }: Endpoint, background: SliceBackground): Pod | undefined {
  if (targetRef?.kind !== 'Pod') return undefined;
  return background.pod(targetRef.namespace || slice.metadata.namespace, targetRef.name);
}

function cover(covered: Map<Pod, Set<number>>, pod: Pod, { port }: Port): void {
  const ports = covered.get(pod) ?? new Set();
  if (port !== undefined) ports.add(port);
  covered.set(pod, ports);
}

/** The pod's labels, and those of the container port that the slice's port leads to; the last container wins. */
function podPortLabels(pod: Pod, { port }: Port): LabelRecord {
  const record = podLabels(pod);
  for (const { container, isInit } of podContainers(pod)) {
    const match = container.ports.find(({ containerPort }) => containerPort === port);
    if (match !== undefined) Object.assign(record, containerLabels(container, isInit), portLabels(match));
  }
  return record;
}

function uncoveredPorts(pod: Pod, covered: ReadonlySet<number>, shared: LabelRecord): LabelRecord[] {
  const { podIP } = pod.status;
  if (podIP === '') return [];
  return podContainers(pod).flatMap(({ container, isInit }) =>
    container.ports
      .filter(({ containerPort }) => !covered.has(containerPort))
      .map((port) => ({
        ...shared,
        ...podLabels(pod),
        ...containerLabels(container, isInit),
        ...portLabels(port),
        [ADDRESS]: joinHostPort(podIP, port.containerPort),
      })),
  );
}
