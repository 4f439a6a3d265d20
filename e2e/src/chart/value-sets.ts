// Twenty ways to install the chart.

import { load } from 'js-yaml';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chart } from './helm.ts';
import type { Values } from './helm.ts';

function example(name: string): Values {
  return load(readFileSync(join(chart, 'examples', `${name}.yaml`), 'utf8')) as Values;
}

export const valueSets: Readonly<Record<string, Values>> = {
  defaults: {},
  'the small example': example('small'),
  'the production example': example('production'),
  'a mirror and pull secrets': {
    global: { imageRegistry: 'mirror.example.com:5000', imagePullSecrets: [{ name: 'mirror' }] },
    fleet: { spec: { imagePullSecrets: [{ name: 'other' }] } },
  },
  'an image by digest': {
    image: { registry: '', repository: 'flotilla', digest: `sha256:${'a'.repeat(64)}` },
  },
  'names overridden': { nameOverride: 'fl', fullnameOverride: 'metrics', fleet: { name: 'shop' } },
  'namespaces of a team': { rbac: { scope: 'namespaced', namespaces: ['shop', 'checkout'] } },
  'namespaces with those of the cluster': {
    rbac: { scope: 'namespaced', namespaces: ['default', 'kube-system'] },
  },
  'own ServiceAccounts and roles': {
    rbac: { create: false },
    serviceAccounts: Object.fromEntries(
      ['operator', 'scraper', 'querier', 'ruler'].map((part) => [
        part,
        { create: false, name: `own-${part}` },
      ]),
    ),
  },
  'annotated ServiceAccounts': {
    serviceAccounts: { scraper: { annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/s' } } },
  },
  'beside a Prometheus operator': {
    crds: { monitoring: false },
    controlPlane: { provider: 'none' },
    grafana: { datasource: { isDefault: false } },
  },
  'nothing but the operator': {
    fleet: { create: false },
    grafana: { datasource: { enabled: false } },
    monitoring: { enabled: false, rules: { enabled: false } },
    controlPlane: { provider: 'none' },
    rbac: { aggregate: false },
    crds: { monitoring: false, upgrade: false },
    operator: { podDisruptionBudget: { enabled: false } },
  },
  kubeadm: { controlPlane: { provider: 'kubeadm', kubelet: { insecureSkipVerify: false } } },
  'gke with a choice': {
    controlPlane: { provider: 'gke', apiServer: { enabled: false }, coreDns: { enabled: true } },
  },
  'an Ingress': {
    querier: {
      ingress: {
        enabled: true,
        className: 'nginx',
        annotations: { 'nginx.ingress.kubernetes.io/auth-type': 'basic' },
        hosts: ['a.example.com', 'b.example.com'],
        tls: [{ secretName: 'tls', hosts: ['a.example.com'] }],
      },
    },
  },
  'an HTTPRoute': {
    querier: {
      httpRoute: {
        enabled: true,
        parentRefs: [{ name: 'gateway', namespace: 'edge' }],
        hostnames: ['a.example.com'],
      },
    },
  },
  'an operator placed with care': {
    operator: {
      replicas: 3,
      logLevel: 'debug',
      logFormat: 'json',
      extraArgs: ['--web.max-connections=1024'],
      extraEnv: [{ name: 'TZ', value: 'UTC' }],
      priorityClassName: 'system-cluster-critical',
      nodeSelector: { 'node-pool': 'monitoring' },
      tolerations: [{ key: 'monitoring', operator: 'Exists' }],
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'node-pool', operator: 'Exists' }] }],
          },
        },
      },
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
      ],
      podAnnotations: { 'example.com/team': 'platform' },
      podLabels: { team: 'platform' },
      networkPolicy: { enabled: true, from: [{ namespaceSelector: {} }] },
    },
  },
  'monitors with labels, some rules off': {
    commonLabels: { cost: 'platform' },
    monitoring: {
      interval: '15s',
      labels: { release: 'kube-prometheus-stack' },
      rules: { alertLabels: { team: 'platform' }, disabled: ['FlotillaWatchdog', 'FlotillaScrapesLate'] },
    },
  },
  'a Fleet with much of its own': {
    fleet: {
      labels: { team: 'platform' },
      annotations: { note: 'ours' },
      spec: {
        shards: 4,
        storage: null,
        scrapeClasses: [{ name: 'mesh', tlsConfig: { insecureSkipVerify: true } }],
        serviceMonitorSelector: { matchLabels: { team: 'shop' } },
        ruler: { alertmanagers: [{ url: 'http://alertmanager.monitoring.svc:9093' }] },
      },
    },
    grafana: {
      datasource: {
        namespace: 'grafana',
        uid: 'prometheus',
        url: 'https://flotilla.example.com',
        timeInterval: '15s',
        jsonData: { timeout: 60 },
      },
    },
  },
  'further objects': {
    extraManifests: [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one', namespace: 'monitoring' } },
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-two\n  namespace: {{ .Release.Namespace }}\n',
    ],
    tests: { enabled: false },
  },
};
