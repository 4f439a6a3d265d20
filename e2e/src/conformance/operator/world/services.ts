// Services and their EndpointSlices: named, numbered and unnamed ports, headless, external, dual stack, slices in parts, slices
// whose pods are elsewhere, not ready or gone, slices without Services.

import type { KubeObject } from '../kube-client.ts';
import { nodeNames } from './nodes.ts';
import { podIp } from './pods.ts';
import type { Application, Pod } from './pods.ts';
import type { Random } from './random.ts';

export const serviceShapes = [
  'plain',
  'two-ports',
  'unnamed-port',
  'headless',
  'external-name',
  'dual-stack',
  'dual-stack-v6-first',
  'split',
  'no-pods',
  'other-port',
] as const;
export type ServiceShape = (typeof serviceShapes)[number];

interface SlicePort {
  readonly name?: string;
  readonly port?: number;
  readonly protocol?: string;
  readonly appProtocol?: string;
}

/** A Service of these pods, and what a controller, or a person, would write as its EndpointSlices. */
export function serviceObjects(
  app: Application,
  shape: ServiceShape,
  pods: readonly Pod[],
  random: Random,
): KubeObject[] {
  const service = serviceObject(app, shape, random);
  if (shape === 'external-name') return [service];
  const ports = slicePorts(shape);
  const endpoints = shape === 'no-pods' ? bareEndpoints(random) : pods.map((pod) => podEndpoint(pod, random));
  const slices = shape === 'split' ? parts(endpoints) : [endpoints];
  const family = app.ipv6 ? 'IPv6' : 'IPv4';
  const objects = slices.map((part, index) => sliceObject(app, `${app.name}-s${index}`, family, ports, part));
  if (!shape.startsWith('dual-stack')) return [service, ...objects];
  const other = pods.map((pod, index) => ({
    ...podEndpoint(pod, random),
    addresses: [podIp(0x4000 + index, !app.ipv6)],
  }));
  return [
    service,
    ...objects,
    sliceObject(app, `${app.name}-other`, app.ipv6 ? 'IPv4' : 'IPv6', ports, other),
  ];
}

function serviceObject(
  { namespace, name, labels, ipv6 }: Application,
  shape: ServiceShape,
  random: Random,
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      namespace,
      labels: {
        ...labels,
        'job-name': `job-of-${name}`,
        ...(random.chance(0.2) && { 'empty-value': '' }),
        ...(random.chance(0.3) && { release: random.pick(['stable', 'edge']) }),
      },
      annotations: { 'prometheus.io/scrape': `${random.chance(0.5)}`, 'example.com/owner': name },
    },
    spec: serviceSpec(shape, name, ipv6),
  };
}

function serviceSpec(shape: ServiceShape, name: string, ipv6: boolean): object {
  const port = (
    portName: string | undefined,
    number: number,
    targetPort: number | string = number,
  ): object => ({
    ...(portName !== undefined && { name: portName }),
    port: number,
    targetPort,
  });
  const [http, metrics] = [port('http', 80, 8080), port('metrics', 9090, 'metrics')];
  const selector = { app: name };
  const families = ipv6 ? ['IPv6'] : ['IPv4'];
  switch (shape) {
    case 'two-ports':
      return { selector, ports: [http, metrics], ipFamilies: families, type: 'NodePort' };
    case 'unnamed-port':
      return { selector, ports: [port(undefined, 80, 8080)], ipFamilies: families };
    case 'headless':
      return { selector, ports: [http, metrics], clusterIP: 'None', ipFamilies: families };
    case 'external-name':
      return { type: 'ExternalName', externalName: `${name}.example.com`, ports: [http] };
    case 'dual-stack':
    case 'dual-stack-v6-first':
      return {
        selector,
        ports: [http],
        ipFamilyPolicy: 'RequireDualStack',
        ipFamilies: dualFamilies(ipv6, shape),
      };
    case 'other-port':
      return { selector, ports: [port('web', 8000)], ipFamilies: families, type: 'LoadBalancer' };
    default:
      return { selector, ports: [http], ipFamilies: families };
  }
}

function dualFamilies(ipv6: boolean, shape: ServiceShape): string[] {
  const isV6First = ipv6 !== (shape === 'dual-stack-v6-first');
  return isV6First ? ['IPv6', 'IPv4'] : ['IPv4', 'IPv6'];
}

function slicePorts(shape: ServiceShape): SlicePort[] {
  const http: SlicePort = { name: 'http', port: 8080, protocol: 'TCP' };
  const metrics: SlicePort = { name: 'metrics', port: 9090, protocol: 'TCP', appProtocol: 'http' };
  switch (shape) {
    case 'two-ports':
      return [http, metrics];
    case 'unnamed-port':
      return [{ name: '', port: 8080, protocol: 'TCP' }];
    case 'headless':
      return [http, metrics];
    case 'other-port':
      return [{ name: 'web', port: 8000, protocol: 'TCP' }];
    default:
      return [http];
  }
}

interface Endpoint {
  readonly addresses: readonly string[];
  readonly conditions: object;
  readonly targetRef?: object;
}

function podEndpoint({ metadata, spec, status }: Pod, random: Random): Endpoint {
  const { nodeName } = spec;
  const node = nodeNames.indexOf(nodeName ?? '');
  const isGone = random.chance(0.05);
  return {
    addresses: [status.podIP ?? podIp(0x3f00 + random.int(0, 255), false)],
    conditions: conditionsOf(random),
    targetRef: {
      kind: 'Pod',
      namespace: metadata.namespace,
      name: isGone ? `${metadata.name}-gone` : metadata.name,
    },
    ...(nodeName !== undefined && { nodeName, zone: `zone-${'abc'[node % 3]}` }),
    ...(random.chance(0.2) && { hostname: metadata.name }),
  };
}

function conditionsOf(random: Random): object {
  if (random.chance(0.1)) return {};
  const ready = random.chance(0.7);
  return { ready, serving: ready || random.chance(0.5), terminating: !ready && random.chance(0.3) };
}

/** Addresses that no pod has: of machines outside, and of nodes. */
function bareEndpoints(random: Random): Endpoint[] {
  const node = random.pick(nodeNames);
  return [
    { addresses: [`192.0.2.${random.int(1, 250)}`], conditions: {} },
    { addresses: [`192.0.2.${random.int(1, 250)}`], conditions: { ready: false } },
    {
      addresses: [`10.0.0.${random.int(1, 250)}`],
      conditions: { ready: true },
      targetRef: { kind: 'Node', name: node },
    },
  ];
}

function parts<T>(items: readonly T[]): T[][] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
}

export function sliceObject(
  { namespace, name, labels }: Pick<Application, 'namespace' | 'name' | 'labels'>,
  sliceName: string,
  addressType: string,
  ports: readonly SlicePort[],
  endpoints: readonly Endpoint[],
): KubeObject {
  const fitting = endpoints.filter(
    ({ addresses }) => addresses[0]!.includes(':') === (addressType === 'IPv6'),
  );
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: sliceName,
      namespace,
      labels: {
        ...labels,
        'kubernetes.io/service-name': name,
        'endpointslice.kubernetes.io/managed-by': 'world',
      },
    },
    addressType,
    ports,
    endpoints: fitting,
  };
  return slice;
}
