// PodMonitors: each field that both operators have, at least once.

import type { KubeObject } from '../kube-client.ts';
import { everyRelabeling, everything, keyOf, monitor, monitored, tlsSecret } from './monitor-object.ts';
import type { Fields } from './monitor-object.ts';

function one(name: string, endpoint: Fields, spec: Fields = monitored, namespace = 'monitoring'): KubeObject {
  return monitor('PodMonitor', namespace, name, { ...spec, podMetricsEndpoints: [endpoint] });
}

export function podMonitors(): KubeObject[] {
  return [...ports(), ...selections(), ...scraping()];
}

function ports(): KubeObject[] {
  return [
    one('pods-port', { port: 'http' }, everything),
    one('pods-init-port', { port: 'progress' }),
    one('pods-native-sidecar', { port: 'mesh' }),
    one('pods-port-number', { portNumber: 9090 }),
    one('pods-target-port-name', { targetPort: 'metrics' }),
    one('pods-target-port-number', { targetPort: 8080 }),
    one('pods-port-none', {}, everything),
    one('pods-udp', { port: 'dns' }),
    monitor('PodMonitor', 'team-a', 'pods-several', {
      selector: {},
      podMetricsEndpoints: [{ port: 'http' }, { portNumber: 53 }, { port: 'admin', path: '/stats' }],
    }),
    monitor('PodMonitor', 'team-a', 'pods-no-endpoints', { selector: {}, podMetricsEndpoints: [] }),
  ];
}

function selections(): KubeObject[] {
  const http = { port: 'http' };
  const select = (name: string, selector: Fields, more: Fields = {}): KubeObject =>
    one(name, http, { selector, namespaceSelector: { any: true }, ...more });
  const operators = {
    matchLabels: { monitored: 'true', version: 'v1.2' },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['frontend', 'backend'] },
      { key: 'team', operator: 'NotIn', values: ['blue'] },
      { key: 'canary', operator: 'DoesNotExist' },
      { key: 'app.kubernetes.io/name', operator: 'Exists' },
    ],
  };
  return [
    select('pods-labels', { matchLabels: { tier: 'database', canary: 'true' } }),
    select('pods-operators', operators),
    select('pods-role-selector', operators, { selectorMechanism: 'RoleSelector' }),
    one('pods-own-namespace', http, { selector: {} }, 'team-b'),
    one('pods-match-names', http, { selector: {}, namespaceSelector: { matchNames: ['shop', 'team-c'] } }),
  ];
}

function scraping(): KubeObject[] {
  const http = { port: 'http' };
  return [
    one('pods-labelled', http, {
      ...everything,
      jobLabel: 'team',
      podTargetLabels: ['canary', 'version', 'no-such', 'a.b'],
    }),
    one('pods-job-label-missing', http, { ...everything, jobLabel: 'canary' }),
    one('pods-relabelings', { ...http, relabelings: everyRelabeling }),
    one('pods-metas', { relabelings: [{ action: 'labelmap', regex: '__meta_(.+)', replacement: 'm_$1' }] }),
    one(
      'pods-metas-node',
      { relabelings: [{ action: 'labelmap', regex: '__meta_(.+)', replacement: 'm_$1' }] },
      {
        ...everything,
        attachMetadata: { node: true },
      },
    ),
    one('pods-not-running', { ...http, filterRunning: false }),
    one(
      'pods-settings',
      {
        ...http,
        interval: '10s',
        scrapeTimeout: '9s',
        path: '/m',
        scheme: 'https',
        params: { x: ['y'] },
        honorLabels: true,
        honorTimestamps: false,
        followRedirects: false,
      },
      {
        ...monitored,
        sampleLimit: 10,
        labelLimit: 20,
        bodySizeLimit: '1KB',
        fallbackScrapeProtocol: 'OpenMetricsText1.0.0',
      },
    ),
    one('pods-basic', {
      ...http,
      basicAuth: { username: keyOf('basic', 'user'), password: keyOf('basic', 'password') },
    }),
    one(
      'pods-authorization',
      { ...http, authorization: { type: 'Bearer', credentials: keyOf('token', 'token') } },
      monitored,
      'shop',
    ),
    one('pods-bearer', { ...http, bearerTokenSecret: keyOf('token', 'token') }),
    one('pods-tls', { ...http, scheme: 'https', tlsConfig: { ...tlsSecret, insecureSkipVerify: true } }),
    one('pods-proxy', { ...http, proxyUrl: 'socks5://proxy.example:1080' }),
    one('pods-metric-relabelings', {
      ...http,
      metricRelabelings: [{ action: 'labelkeep', regex: '__name__|le|job' }],
    }),
    one('pods-address', {
      relabelings: [
        {
          sourceLabels: ['__meta_kubernetes_pod_ip', '__meta_kubernetes_pod_annotation_prometheus_io_port'],
          regex: '(.+);(.+)',
          targetLabel: '__address__',
          replacement: '$1:$2',
        },
      ],
    }),
  ];
}
