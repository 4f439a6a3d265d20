// Who may talk to whom: stores are asked by those that read them, the querier by everyone. Scrapers and rulers may go anywhere,
// since targets, Alertmanagers and remote storage are anywhere; a querier goes to stores, the operator and DNS only.
//
// Policies add up: what else an installation needs, a policy of its own may allow.

import type { FleetSpec } from '../discovery/fleet-spec.ts';
import { PORT, selectorLabels, workloadName } from './kube-manifest.ts';
import type { Component } from './kube-manifest.ts';

export interface PlannedPolicy {
  readonly name: string;
  readonly component: Component;
  readonly spec: object;
}

const web = [{ protocol: 'TCP', port: PORT }];
/** Of the pods that answer behind the Service, where some listen on 5353. */
const dns = [53, 5353].flatMap((port) => ['UDP', 'TCP'].map((protocol) => ({ protocol, port })));

export function networkPolicies({ name }: FleetSpec): PlannedPolicy[] {
  const pods = (component: Component): object => peer(selectorLabels(component, name));
  const operators = peer({ 'app.kubernetes.io/name': 'flotilla', 'app.kubernetes.io/component': 'operator' });
  const policy = (component: Component, rules: object): PlannedPolicy => ({
    name: workloadName(component, name),
    component,
    spec: { podSelector: { matchLabels: selectorLabels(component, name) }, ...rules },
  });
  const ingress = (...from: readonly object[]): object => ({
    policyTypes: ['Ingress'],
    ingress: [{ from, ports: web }],
  });
  return [
    // Everything of a fleet is scraped by its scrapers.
    policy('scraper', ingress(pods('scraper'), pods('querier'), pods('ruler'), operators)),
    policy('ruler', ingress(pods('scraper'), pods('querier'), operators)),
    policy('querier', {
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ ports: web }],
      egress: [{ to: [pods('scraper'), pods('ruler'), operators], ports: web }, { ports: dns }],
    }),
  ];
}

/** Pods of the policy's own namespace. */
function peer(matchLabels: Readonly<Record<string, string>>): object {
  return { podSelector: { matchLabels } };
}
