// Short ways to write monitors.

import type { KubeObject } from '../kube-client.ts';

export type Fields = Readonly<Record<string, unknown>>;

const versions: Readonly<Record<string, string>> = { ScrapeConfig: 'v1alpha1' };

export function monitor(kind: string, namespace: string, name: string, spec: Fields): KubeObject {
  const apiVersion = `monitoring.coreos.com/${versions[kind] ?? 'v1'}`;
  return { apiVersion, kind, metadata: { namespace, name, labels: { kind: kind.toLowerCase() } }, spec };
}

/** Selects the Services, or pods, of all that is monitored in all namespaces. */
export const everything: Fields = { selector: {}, namespaceSelector: { any: true } };
export const monitored: Fields = {
  selector: { matchLabels: { monitored: 'true' } },
  namespaceSelector: { any: true },
};

export function keyOf(name: string, key: string): Fields {
  return { name, key };
}
export const tlsSecret = {
  ca: { secret: keyOf('tls', 'ca.crt') },
  cert: { secret: keyOf('tls', 'tls.crt') },
  keySecret: keyOf('tls', 'tls.key'),
};

/** One relabeling of each action, and of each field that has a default. */
export const everyRelabeling: readonly Fields[] = [
  { sourceLabels: ['__meta_kubernetes_namespace', 'service', 'pod'], targetLabel: 'joined' },
  {
    sourceLabels: ['namespace', 'pod'],
    separator: '/',
    targetLabel: 'slashed',
    regex: '(.+)/(.*)',
    replacement: '$2.${1}',
  },
  { sourceLabels: ['namespace', 'pod'], separator: '', targetLabel: 'glued' },
  { sourceLabels: ['tier'], targetLabel: 'emptied', replacement: '' },
  {
    sourceLabels: ['pod'],
    regex: 'app-(?P<number>\\d+)-.*',
    targetLabel: 'number',
    replacement: 'n${number}',
  },
  { sourceLabels: ['pod'], regex: '(?i)APP-1.*', targetLabel: 'folded', replacement: 'yes' },
  { action: 'HashMod', sourceLabels: ['__address__'], modulus: 7, targetLabel: 'seventh' },
  {
    action: 'hashmod',
    sourceLabels: ['namespace', 'pod'],
    separator: ':',
    modulus: 1000000007,
    targetLabel: 'big_hash',
  },
  { action: 'labelmap', regex: '__meta_kubernetes_pod_label_(.+)' },
  { action: 'labelmap', regex: '__meta_kubernetes_service_label_(.+)', replacement: 'svc_$1' },
  { action: 'uppercase', sourceLabels: ['team'], targetLabel: 'team_upper' },
  { action: 'lowercase', sourceLabels: ['monitored', 'team_upper'], targetLabel: 'lower' },
  { action: 'labeldrop', regex: 'pod_index|svc_version' },
  { action: 'replace', targetLabel: 'constant', replacement: 'c' },
  { targetLabel: '__tmp_hash', replacement: 'same-for-all' },
  { action: 'replace', sourceLabels: ['pod_label'], regex: '.+', targetLabel: 'never', replacement: 'x' },
];
