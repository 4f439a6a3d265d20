// Ingresses: with and without hosts, paths, classes and TLS, also by wildcard.

import type { KubeObject } from '../kube-client.ts';
import { namespaces } from './nodes.ts';
import type { Random } from './random.ts';

const ingressCount = 40;

export function ingressObjects(random: Random): KubeObject[] {
  return Array.from({ length: ingressCount }, (_, index) => {
    const namespace = namespaces[index % namespaces.length]!;
    return {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: {
        name: `ingress-${index}`,
        namespace,
        labels: { ...(index % 3 !== 2 && { probed: 'yes' }), edge: random.pick(['north', 'south']) },
        annotations: { 'example.com/index': `${index}` },
      },
      spec: specOf(index, random),
    };
  });
}

function specOf(index: number, random: Random): object {
  const host = `host${index}.example.com`;
  const backend = { service: { name: 'app', port: { number: 80 } } };
  const path = (value: string): object => ({ path: value, pathType: 'Prefix', backend });
  const http = { paths: [path('/'), ...(random.chance(0.5) ? [path('/api')] : [])] };
  const ingressClassName = random.chance(0.7) ? { ingressClassName: 'nginx' } : {};
  switch (index % 7) {
    case 0:
      return { ...ingressClassName, rules: [{ host, http }] };
    case 1:
      return { ...ingressClassName, rules: [{ host, http }], tls: [{ hosts: [host], secretName: 'cert' }] };
    case 2:
      return {
        rules: [
          { host, http },
          { host: `other-${host}`, http },
        ],
        tls: [{ hosts: ['*.example.com'] }],
      };
    case 3:
      return { rules: [{ http }] };
    case 4:
      return { rules: [{ host }], tls: [{ hosts: [host] }] };
    case 5:
      return { ...ingressClassName, defaultBackend: backend };
    default:
      return {
        rules: [
          { host: '*.example.com', http: { paths: [{ pathType: 'ImplementationSpecific', backend }] } },
        ],
      };
  }
}
