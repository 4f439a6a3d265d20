// What there is to discover: some 1 500 objects of a seed.

import type { KubeObject } from '../kube-client.ts';
import { credentialObjects } from './credentials.ts';
import type { CertificatePair } from './credentials.ts';
import { ingressObjects } from './ingresses.ts';
import { namespaceObjects, namespaces, nodeObjects } from './nodes.ts';
import { podShapes, podsOf } from './pods.ts';
import type { Application } from './pods.ts';
import type { Random } from './random.ts';
import { serviceObjects, serviceShapes, sliceObject } from './services.ts';

const applicationCount = 140;
const podsMax = 9;

/** In an order in which they can be created: each list needs those before it. */
export function worldObjects(random: Random, certificates: CertificatePair): KubeObject[][] {
  let address = 1;
  const applications = Array.from({ length: applicationCount }, (_, index) => application(index, random));
  const discovered = applications.flatMap((app, index) => {
    const pods = podsOf(app, random.int(1, podsMax), random, () => address++);
    const shape = serviceShapes[index % serviceShapes.length]!;
    return [...pods, ...serviceObjects(app, shape, pods, random)];
  });
  return [
    namespaceObjects(),
    [...nodeObjects(), ...credentialObjects(certificates)],
    [...discovered, ...ingressObjects(random), ...orphanSlices(), apiServerSlice()],
  ];
}

/** Labels that selectors of monitors fit, or fit nearly. */
function application(index: number, random: Random): Application {
  const name = `app-${index}`;
  return {
    namespace: namespaces[random.int(0, namespaces.length - 1)]!,
    name,
    shape: podShapes[Math.floor(index / serviceShapes.length) % podShapes.length]!,
    ipv6: index % 9 === 4,
    labels: {
      app: name,
      'app.kubernetes.io/name': name,
      tier: random.pick(['frontend', 'backend', 'backend2', 'database']),
      team: random.pick(['red', 'green', 'blue']),
      version: random.pick(['v1.2', 'v1x2', 'v1', 'v2.0']),
      ...(random.chance(0.7) && { monitored: random.pick(['true', 'True', 'yes']) }),
      ...(random.chance(0.2) && { 'a.b': 'dot' }),
      ...(random.chance(0.2) && { 'example.com/a_b': 'slash' }),
    },
  };
}

/** Slices that name no Service, or one that is not there, or of a kind that few expect. */
function orphanSlices(): KubeObject[] {
  const endpoints = [{ addresses: ['198.51.100.7'], conditions: { ready: true } }];
  const labels = { app: 'orphan', tier: 'backend', monitored: 'true' };
  const port = { name: 'http', port: 8080, protocol: 'TCP' };
  const orphan = { namespace: 'team-a', name: 'nowhere', labels };
  const noService = sliceObject(orphan, 'orphan-1', 'IPv4', [port], endpoints);
  const names = [{ addresses: ['db.example.com'], conditions: {} }];
  return [
    noService,
    { ...noService, metadata: { name: 'orphan-2', namespace: 'team-b', labels } },
    sliceObject({ ...orphan, namespace: 'team-c' }, 'names', 'FQDN', [port, { name: 'all' }], names),
  ];
}

/** A control plane that a controller would list; the API server has made its Service. */
function apiServerSlice(): KubeObject {
  const labels = { component: 'apiserver', provider: 'kubernetes' };
  const port = { name: 'https', port: 6443, protocol: 'TCP' };
  const endpoints = [{ addresses: ['192.0.2.200'], conditions: { ready: true } }];
  return sliceObject(
    { namespace: 'default', name: 'kubernetes', labels },
    'kubernetes',
    'IPv4',
    [port],
    endpoints,
  );
}
