// Who may talk to whom: stores are asked by queriers and each other's readers only, the querier by everyone. Scrapers may go
// anywhere, since targets are anywhere.

import type { FleetSpec } from '../discovery/fleet-spec.ts';
import { PORT, selectorLabels, workloadName } from './kube-manifest.ts';
import type { ClusterPlace, Component } from './kube-manifest.ts';

export interface PlannedPolicy {
  readonly name: string;
  readonly component: Component;
  readonly spec: object;
}

export function networkPolicies(fleet: FleetSpec, { namespace }: ClusterPlace): PlannedPolicy[] {
  const { name } = fleet;
  const pods = (component: Component): object => ({
    podSelector: { matchLabels: selectorLabels(component, name) },
  });
  const operators = {
    podSelector: {
      matchLabels: { 'app.kubernetes.io/name': 'flotilla', 'app.kubernetes.io/component': 'operator' },
    },
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
  };
  const ports = [{ protocol: 'TCP', port: PORT }];
  const policy = (component: Component, from: readonly object[] | undefined): PlannedPolicy => ({
    name: workloadName(component, name),
    component,
    spec: {
      podSelector: { matchLabels: selectorLabels(component, name) },
      policyTypes: ['Ingress'],
      ingress: [{ ...(from !== undefined && { from }), ports }],
    },
  });
  return [
    // Scrapers scrape each other's metrics too.
    policy('scraper', [pods('scraper'), pods('querier'), pods('ruler'), operators]),
    policy('querier', undefined),
    policy('ruler', [pods('scraper'), pods('querier'), operators]),
  ];
}
