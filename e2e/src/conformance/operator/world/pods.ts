// Pods: ready and not, terminated, with init containers, extra ports, no ports, IPv6, and of every kind of owner.

import type { KubeObject } from '../kube-client.ts';
import { hostIp, nodeNames } from './nodes.ts';
import type { Random } from './random.ts';

export interface Application {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly shape: PodShape;
  readonly ipv6: boolean;
}

export const podShapes = [
  'plain',
  'sidecar',
  'init',
  'portless',
  'udp',
  'unnamed',
  'native-sidecar',
] as const;
export type PodShape = (typeof podShapes)[number];

interface Port {
  readonly name?: string;
  readonly containerPort: number;
  readonly protocol?: string;
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly ports?: readonly Port[];
  readonly restartPolicy?: string;
}

export interface Pod extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly namespace: string };
  readonly spec: { readonly nodeName?: string; readonly containers: readonly unknown[] };
  readonly status: {
    readonly phase: string;
    readonly conditions: readonly object[];
    readonly podIP?: string;
  };
}

const http: Port = { name: 'http', containerPort: 8080 };
const metrics: Port = { name: 'metrics', containerPort: 9090 };

const containersOf: Readonly<Record<PodShape, { init?: Container[]; main: Container[] }>> = {
  plain: { main: [container('app', [http])] },
  sidecar: {
    main: [container('app', [http]), container('proxy', [metrics, { name: 'admin', containerPort: 15000 }])],
  },
  init: {
    init: [container('migrate', [{ name: 'progress', containerPort: 7000 }])],
    main: [container('app', [http, metrics])],
  },
  portless: { main: [container('app'), container('log')] },
  udp: {
    main: [
      container('dns', [
        { name: 'dns', containerPort: 53, protocol: 'UDP' },
        { name: 'dns-tcp', containerPort: 53 },
        metrics,
      ]),
    ],
  },
  unnamed: { main: [container('app', [{ containerPort: 8080 }, { containerPort: 9090 }])] },
  'native-sidecar': {
    init: [{ ...container('mesh', [{ name: 'mesh', containerPort: 15090 }]), restartPolicy: 'Always' }],
    main: [container('app', [http])],
  },
};

function container(name: string, ports?: readonly Port[]): Container {
  return { name, image: `registry.example/${name}:1.${name.length}`, ...(ports && { ports }) };
}

const owners = [
  'ReplicaSet',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'CronJob',
  'none',
  'bare-ReplicaSet',
] as const;

/** Pods number and address are unique over the world through `address`, which counts on. */
export function podsOf(app: Application, count: number, random: Random, address: () => number): Pod[] {
  const owner = random.pick(owners);
  return Array.from({ length: count }, (_, index) =>
    podObject(app, index, ownersOf(owner, app.name), random, address()),
  );
}

function podObject(
  { namespace, name, labels, shape, ipv6 }: Application,
  index: number,
  ownerReferences: readonly object[],
  random: Random,
  address: number,
): Pod {
  const { init, main } = containersOf[shape];
  const node = random.int(0, nodeNames.length - 1);
  const phase = index === 0 ? 'Running' : random.pick(phases);
  const hasNode = phase !== 'Pending' || random.chance(0.5);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${name}-${index}`,
      namespace,
      labels: { ...labels, 'pod-index': `${index}`, ...(random.chance(0.3) && { canary: 'true' }) },
      annotations: { 'example.com/checksum': `c${address}`, 'prometheus.io/port': '9090' },
      ...(ownerReferences.length > 0 && { ownerReferences }),
    },
    spec: {
      ...(hasNode && { nodeName: nodeNames[node]! }),
      ...(init && { initContainers: init }),
      containers: main,
      ...(random.chance(0.1) && { hostNetwork: false }),
    },
    status: statusOf({
      phase,
      node: hasNode ? node : undefined,
      ip: podIp(address, ipv6),
      containers: main,
      init,
      random,
    }),
  };
}

const phases = [
  'Running',
  'Running',
  'Running',
  'Running',
  'Running',
  'Succeeded',
  'Failed',
  'Pending',
  'Unknown',
] as const;

interface StatusInput {
  readonly phase: string;
  readonly node: number | undefined;
  readonly ip: string;
  readonly containers: readonly Container[];
  readonly init: readonly Container[] | undefined;
  readonly random: Random;
}

function statusOf({ phase, node, ip, containers, init = [], random }: StatusInput): Pod['status'] {
  const hasIp = phase !== 'Pending' && (phase === 'Running' || random.chance(0.8));
  const ready = random.pick(['True', 'True', 'True', 'False', 'Unknown']);
  const conditions = random.chance(0.1)
    ? []
    : [{ type: 'Ready', status: ready, lastTransitionTime: '2026-01-01T00:00:00Z' }];
  return {
    phase,
    conditions,
    ...(node !== undefined && { hostIP: hostIp(node), hostIPs: [{ ip: hostIp(node) }] }),
    ...(hasIp && {
      podIP: ip,
      podIPs: [
        { ip },
        ...(random.chance(0.1) && !ip.includes(':') ? [{ ip: `fd00:2::${ip.split('.').at(-1)}` }] : []),
      ],
    }),
    ...(hasIp && {
      containerStatuses: containers.map(containerStatus),
      initContainerStatuses: init.map(containerStatus),
    }),
  };
}

function containerStatus({ name, image }: Container, index: number) {
  const containerID = `containerd://${name}${index}`;
  return {
    name,
    image,
    imageID: image,
    ready: true,
    restartCount: 0,
    containerID,
    state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
  };
}

export function podIp(address: number, ipv6: boolean): string {
  return ipv6 ? `fd00:1::${address.toString(16)}` : `10.1.${address >> 8}.${address & 255}`;
}

function ownersOf(owner: (typeof owners)[number], app: string): object[] {
  const reference = (kind: string, name: string, group = 'apps/v1'): object[] => [
    { apiVersion: group, kind, name, uid: `uid-${name}`, controller: true, blockOwnerDeletion: true },
  ];
  switch (owner) {
    case 'none':
      return [];
    case 'ReplicaSet':
      return reference(owner, `${app}-5d4f8c9b7`);
    case 'bare-ReplicaSet':
      return reference('ReplicaSet', app);
    case 'Job':
      return reference(owner, `${app}-once`, 'batch/v1');
    case 'CronJob':
      return reference('Job', `${app}-28912345`, 'batch/v1');
    default:
      return reference(owner, app);
  }
}
