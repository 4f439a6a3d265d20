// Probes of static targets and of Ingresses.

import type { KubeObject } from '../kube-client.ts';
import { keyOf, monitor, tlsSecret } from './monitor-object.ts';
import type { Fields } from './monitor-object.ts';

const prober: Fields = { url: 'blackbox.example:9115' };
const sites = [
  'https://example.com',
  'example.org:443',
  '192.0.2.1',
  '[2001:db8::1]:80',
  'https://example.com',
];

function one(name: string, targets: Fields, spec: Fields = {}, namespace = 'monitoring'): KubeObject {
  return monitor('Probe', namespace, name, { prober, module: 'http_2xx', targets, ...spec });
}

function fixed(name: string, spec: Fields = {}, config: Fields = {}): KubeObject {
  return one(name, { staticConfig: { static: sites, ...config } }, spec);
}

export function probes(): KubeObject[] {
  return [...staticProbes(), ...ingressProbes()];
}

function staticProbes(): KubeObject[] {
  return [
    fixed('probe-plain'),
    fixed('probe-labels', {}, { labels: { env: 'prod', namespace: 'mine' } }),
    fixed('probe-job-name', { jobName: 'websites', interval: '1m', scrapeTimeout: '20s' }),
    fixed('probe-prober', {
      prober: { url: '10.0.0.1', scheme: 'HTTPS', path: '/probe2', proxyUrl: 'http://p.example:1' },
    }),
    fixed('probe-prober-v6', { prober: { url: '[2001:db8::5]:9115' } }),
    fixed('probe-params', {
      module: '',
      params: [
        { name: 'module', values: ['tcp'] },
        { name: 'x', values: ['1', '2'] },
      ],
    }),
    fixed('probe-module-wins', {
      params: [
        { name: 'module', values: ['ignored'] },
        { name: 'debug', values: ['true'] },
      ],
    }),
    fixed(
      'probe-relabeled',
      {},
      {
        relabelingConfigs: [
          { sourceLabels: ['__param_target'], regex: '(?:https?://)?([^:/]+).*', targetLabel: 'host' },
          { action: 'drop', sourceLabels: ['__param_target'], regex: '192.*' },
          { sourceLabels: ['__param_module'], targetLabel: 'module' },
          { targetLabel: '__param_extra', replacement: 'yes' },
        ],
      },
    ),
    fixed('probe-auth', {
      basicAuth: { username: keyOf('basic', 'user'), password: keyOf('basic', 'password') },
      tlsConfig: tlsSecret,
    }),
    fixed('probe-token', { authorization: { credentials: keyOf('token', 'token') }, followRedirects: false }),
    fixed('probe-bearer', { bearerTokenSecret: keyOf('token', 'token') }),
    fixed('probe-limits', {
      sampleLimit: 5,
      targetLimit: 99,
      labelLimit: 30,
      scrapeProtocols: ['PrometheusText1.0.0'],
    }),
    fixed('probe-metric-relabelings', {
      metricRelabelings: [{ action: 'drop', sourceLabels: ['__name__'], regex: 'probe_ip.*' }],
    }),
    one('probe-no-targets-listed', { staticConfig: { static: [] } }),
    one('probe-own', { staticConfig: { static: ['a.example'] } }, {}, 'team-b'),
  ];
}

function ingressProbes(): KubeObject[] {
  const any = { any: true };
  return [
    one('probe-ingress-all', { ingress: { selector: {}, namespaceSelector: any } }),
    one('probe-ingress-own', { ingress: {} }, {}, 'team-a'),
    one('probe-ingress-selected', {
      ingress: {
        selector: {
          matchLabels: { probed: 'yes' },
          matchExpressions: [{ key: 'edge', operator: 'In', values: ['north'] }],
        },
        namespaceSelector: any,
      },
    }),
    one('probe-ingress-names', { ingress: { namespaceSelector: { matchNames: ['shop', 'team-b'] } } }),
    one('probe-ingress-relabeled', {
      ingress: {
        namespaceSelector: any,
        relabelingConfigs: [
          { action: 'labelmap', regex: '__meta_(kubernetes_ingress_.+)' },
          { sourceLabels: ['__tmp_ingress_address'], targetLabel: 'host' },
          { action: 'keep', sourceLabels: ['__meta_kubernetes_ingress_class_name'], regex: 'nginx' },
        ],
      },
    }),
    one('probe-both', { staticConfig: { static: ['static.example'] }, ingress: { namespaceSelector: any } }),
  ];
}
