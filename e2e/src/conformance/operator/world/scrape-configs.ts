// ScrapeConfigs: static, file and HTTP discovery, every role of Kubernetes with all its metas.

import type { KubeObject } from '../kube-client.ts';
import { keyOf, monitor, tlsSecret } from './monitor-object.ts';
import type { Fields } from './monitor-object.ts';

/** Where targets are read from: the same for both sides. */
export interface FeedPlaces {
  /** Folder with targets.json, more-*.yaml and a certificate. */
  readonly folder: string;
  /** Base URL that answers /targets and /protected. */
  readonly url: string;
}

const metas: Fields = { action: 'labelmap', regex: '__meta_(.+)', replacement: 'm_$1' };

function one(name: string, spec: Fields, namespace = 'monitoring'): KubeObject {
  return monitor('ScrapeConfig', namespace, name, spec);
}

export function scrapeConfigs(places: FeedPlaces): KubeObject[] {
  return [...staticConfigs(), ...kubernetesConfigs(), ...feeds(places), ...several(places)];
}

function staticConfigs(): KubeObject[] {
  const targets = {
    staticConfigs: [{ targets: ['a.example:1', 'b.example:2', 'c.example'], labels: { env: 'x' } }],
  };
  return [
    one('static', targets),
    one('static-several', {
      staticConfigs: [
        { targets: ['a:1'] },
        { targets: ['b:1', 'a:1'], labels: { job: 'own', instance: 'named' } },
      ],
    }),
    one('static-labels', {
      staticConfigs: [
        { targets: ['d:1'], labels: { __metrics_path__: '/labelled', __scheme__: 'https', __param_q: 'v' } },
      ],
    }),
    one('static-job', {
      ...targets,
      jobName: 'renamed',
      metricsPath: '/m',
      scheme: 'HTTPS',
      params: { x: ['1', '2'] },
    }),
    one('static-relabeled', {
      ...targets,
      relabelings: [
        { sourceLabels: ['__address__'], regex: '(.*):.*', targetLabel: 'host' },
        { action: 'drop', sourceLabels: ['host'], regex: 'b.example' },
        { action: 'hashmod', sourceLabels: ['__address__'], modulus: 3, targetLabel: '__tmp_hash' },
      ],
    }),
    one('static-settings', {
      ...targets,
      scrapeInterval: '2m',
      scrapeTimeout: '1m',
      honorLabels: true,
      honorTimestamps: false,
      trackTimestampsStaleness: true,
      enableCompression: false,
      enableHTTP2: false,
      sampleLimit: 7,
      targetLimit: 70,
      labelLimit: 60,
      labelNameLengthLimit: 50,
      labelValueLengthLimit: 55,
      keepDroppedTargets: 1,
      bodySizeLimit: '5MiB',
      scrapeProtocols: ['OpenMetricsText1.0.0'],
      fallbackScrapeProtocol: 'PrometheusText0.0.4',
      metricRelabelings: [{ action: 'drop', sourceLabels: ['__name__'], regex: 'x' }],
    }),
    one('static-basic', {
      ...targets,
      basicAuth: { username: keyOf('basic', 'user'), password: keyOf('basic', 'password') },
    }),
    one(
      'static-authorization',
      { ...targets, authorization: { credentials: keyOf('token', 'token') } },
      'team-a',
    ),
    one('static-tls', { ...targets, scheme: 'HTTPS', tlsConfig: { ...tlsSecret, serverName: 's.example' } }),
    one('static-proxy', { ...targets, proxyUrl: 'http://proxy.example:3128' }),
    one('no-discovery', { metricsPath: '/nothing' }),
  ];
}

function kubernetesConfigs(): KubeObject[] {
  const sd = (
    name: string,
    config: Fields,
    relabelings: readonly Fields[] = [metas],
    namespace = 'monitoring',
  ): KubeObject => one(name, { kubernetesSDConfigs: [config], relabelings }, namespace);
  const node = { attachMetadata: { node: true } };
  const inTeamA = { namespaces: { names: ['team-a'] } };
  return [
    sd('role-pod', { role: 'Pod' }),
    sd('role-pod-node', { role: 'Pod', ...node }),
    sd('role-pod-namespace', { role: 'Pod', ...inTeamA }),
    sd('role-service', { role: 'Service' }),
    sd('role-endpointslice', { role: 'EndpointSlice' }),
    sd('role-endpointslice-node', { role: 'EndpointSlice', ...node }),
    sd('role-ingress', { role: 'Ingress' }),
    sd('role-node', { role: 'Node' }),
    sd('role-own-namespace', { role: 'Pod', namespaces: { ownNamespace: true } }, [metas], 'team-b'),
    sd(
      'role-own-and-names',
      { role: 'Service', namespaces: { ownNamespace: true, names: ['team-c'] } },
      [metas],
      'team-b',
    ),
    sd('selector-pod-label', {
      role: 'Pod',
      selectors: [{ role: 'Pod', label: 'tier in (frontend, database),monitored=true' }],
    }),
    sd('selector-pod-field', { role: 'Pod', selectors: [{ role: 'Pod', field: 'spec.nodeName=node-1' }] }),
    sd('selector-phase', { role: 'Pod', selectors: [{ role: 'Pod', field: 'status.phase!=Running' }] }),
    sd('selector-node', {
      role: 'Node',
      selectors: [{ role: 'Node', label: '!node-role.kubernetes.io/control-plane' }],
    }),
    sd('selector-service', {
      role: 'Service',
      selectors: [{ role: 'Service', label: 'team notin (red)', field: 'metadata.namespace=team-a' }],
    }),
    sd('selector-slices', {
      role: 'EndpointSlice',
      selectors: [
        { role: 'EndpointSlice', label: 'tier=backend' },
        { role: 'Service', label: 'tier=backend' },
      ],
    }),
  ];
}

function feeds({ folder, url }: FeedPlaces): KubeObject[] {
  return [
    one('files', {
      fileSDConfigs: [{ files: [`${folder}/targets.json`, `${folder}/more*.yaml`] }],
      relabelings: [metas],
    }),
    one('http', { httpSDConfigs: [{ url: `${url}/targets` }], relabelings: [metas] }),
    one('http-auth', {
      httpSDConfigs: [
        {
          url: `${url}/protected`,
          refreshInterval: '30s',
          basicAuth: { username: keyOf('basic', 'user'), password: keyOf('basic', 'password') },
        },
      ],
    }),
  ];
}

function several({ folder }: FeedPlaces): KubeObject[] {
  return [
    one('mixed', {
      staticConfigs: [{ targets: ['mixed.example:1'] }],
      fileSDConfigs: [{ files: [`${folder}/targets.json`] }],
      kubernetesSDConfigs: [{ role: 'Node' }, { role: 'Service', namespaces: { names: ['shop'] } }],
      relabelings: [metas],
      jobName: 'mixed',
    }),
  ];
}
