// Namespaces, and nodes with every kind of address and with or without a zone.

import type { KubeObject } from '../kube-client.ts';

export const namespaces = ['monitoring', 'team-a', 'team-b', 'team-c', 'shop'];
const zones = ['zone-a', 'zone-b', 'zone-c'];
export const nodeNames = Array.from({ length: 12 }, (_, index) => `node-${index}`);

export function namespaceObjects(): KubeObject[] {
  return namespaces.map((name, index) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { tenant: index % 2 === 0 ? 'even' : 'odd', 'kept.by/whom': name } },
  }));
}

export function nodeObjects(): KubeObject[] {
  return nodeNames.map((name, index) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        ...(index % 4 !== 3 && { 'topology.kubernetes.io/zone': zones[index % 3]! }),
        ...(index < 3 && { 'node-role.kubernetes.io/control-plane': '' }),
      },
      annotations: { 'example.com/rack': `rack-${index % 5}` },
    },
    spec: {
      podCIDR: `10.1.${index}.0/24`,
      ...(index === 5 && { unschedulable: true, providerID: 'cloud:///five' }),
    },
    status: {
      addresses: addressesOf(index, name),
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 + (index % 2) } },
      conditions: [
        { type: 'Ready', status: index % 3 === 2 ? 'Unknown' : 'True' },
        { type: 'MemoryPressure', status: 'False' },
      ],
    },
  }));
}

/** Which address a node is known by depends on which it has. */
function addressesOf(index: number, name: string): { type: string; address: string }[] {
  const internal = { type: 'InternalIP', address: hostIp(index) };
  const external = { type: 'ExternalIP', address: `203.0.113.${index + 1}` };
  const host = { type: 'Hostname', address: name };
  switch (index % 6) {
    case 0:
      return [internal, host];
    case 1:
      return [external, internal, host];
    case 2:
      return [host];
    case 3:
      return [internal, { type: 'InternalIP', address: `fd00::${index + 1}` }, host];
    case 4:
      return [external, { type: 'ExternalDNS', address: `${name}.example.com` }];
    default:
      return [{ type: 'InternalIP', address: `fd00::${index + 1}` }, host];
  }
}

export function hostIp(index: number): string {
  return `10.0.0.${index + 10}`;
}
