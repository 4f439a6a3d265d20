// ServiceMonitors: each field that both operators have, at least once.

import type { KubeObject } from '../kube-client.ts';
import { everyRelabeling, everything, keyOf, monitor, monitored, tlsSecret } from './monitor-object.ts';
import type { Fields } from './monitor-object.ts';

const ns = 'monitoring';
const http: Fields = { port: 'http' };

function one(name: string, endpoint: Fields, spec: Fields = monitored, namespace = ns): KubeObject {
  return monitor('ServiceMonitor', namespace, name, { ...spec, endpoints: [endpoint] });
}

export function serviceMonitors(folder: string): KubeObject[] {
  return [...ports(), ...selections(), ...labels(), ...scraping(), ...credentials(folder), ...settings()];
}

function ports(): KubeObject[] {
  return [
    one('port-name', http, everything),
    one('port-metrics', { port: 'metrics' }),
    one('port-regex', { port: 'ht.*' }),
    one('port-missing', { port: 'no-such-port' }),
    one('target-port-name', { targetPort: 'metrics' }),
    one('target-port-number', { targetPort: 9090 }, everything),
    one('target-port-number-text', { targetPort: '8080' }),
    one('port-none', {}, everything),
    one('port-empty', { port: '', targetPort: 'http' }),
    one('port-and-target-port', { port: 'http', targetPort: 9090 }),
    monitor('ServiceMonitor', ns, 'several-endpoints', {
      ...monitored,
      endpoints: [http, { port: 'metrics', path: '/other' }, { targetPort: 'admin' }, http],
    }),
    monitor('ServiceMonitor', ns, 'no-endpoints', { ...everything, endpoints: [] }),
  ];
}

function selections(): KubeObject[] {
  const select = (name: string, selector: Fields, more: Fields = {}): KubeObject =>
    one(name, http, { selector, namespaceSelector: { any: true }, ...more });
  const expression = (key: string, operator: string, values?: string[]): Fields => ({
    matchExpressions: [{ key, operator, ...(values && { values }) }],
  });
  return [
    select('labels-two', { matchLabels: { tier: 'backend', monitored: 'true' } }),
    select('label-dot', { matchLabels: { version: 'v1.2' } }),
    select('label-collision', { matchLabels: { 'a.b': 'dot' } }),
    select('label-slash', { matchLabels: { 'example.com/a_b': 'slash' } }),
    select('label-empty', { matchLabels: { 'empty-value': '' } }),
    select('in', expression('tier', 'In', ['backend', 'database'])),
    select('not-in', expression('tier', 'NotIn', ['backend', 'database'])),
    select('not-in-absent', expression('release', 'NotIn', ['stable'])),
    select('exists', expression('release', 'Exists')),
    select('exists-empty', expression('empty-value', 'Exists')),
    select('does-not-exist', expression('monitored', 'DoesNotExist')),
    select('all-operators', {
      matchLabels: { monitored: 'true' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['frontend', 'backend'] },
        { key: 'team', operator: 'NotIn', values: ['blue'] },
        { key: 'app', operator: 'Exists' },
        { key: 'release', operator: 'DoesNotExist' },
      ],
    }),
    select('role-selector', { matchLabels: { tier: 'backend' } }, { selectorMechanism: 'RoleSelector' }),
    select(
      'role-selector-expressions',
      {
        matchExpressions: [
          { key: 'tier', operator: 'NotIn', values: ['backend'] },
          { key: 'monitored', operator: 'Exists' },
        ],
      },
      { selectorMechanism: 'RoleSelector' },
    ),
    select('relabel-mechanism', { matchLabels: { tier: 'backend' } }, { selectorMechanism: 'RelabelConfig' }),
    one('own-namespace', http, { selector: {} }, 'team-a'),
    one('match-names', http, {
      selector: {},
      namespaceSelector: { matchNames: ['team-a', 'team-b', 'no-such'] },
    }),
    one('any-wins', http, { selector: {}, namespaceSelector: { any: true, matchNames: ['team-a'] } }),
    one('empty-names', http, { selector: {}, namespaceSelector: { matchNames: [] } }, 'team-c'),
  ];
}

function labels(): KubeObject[] {
  return [
    one('job-label', http, { ...everything, jobLabel: 'job-name' }),
    one('job-label-missing', http, { ...everything, jobLabel: 'release' }),
    one('target-labels', http, {
      ...everything,
      targetLabels: ['team', 'empty-value', 'app.kubernetes.io/name', 'no-such'],
      podTargetLabels: ['canary', 'pod-index', 'version', 'team'],
    }),
    one('relabelings', { ...http, relabelings: everyRelabeling }),
    one('keep-equal', {
      relabelings: [
        {
          action: 'keepequal',
          sourceLabels: ['__meta_kubernetes_pod_container_port_number'],
          targetLabel: '__meta_kubernetes_endpointslice_port',
        },
      ],
    }),
    one('drop-equal', {
      relabelings: [
        { action: 'DropEqual', sourceLabels: ['team'], targetLabel: '__meta_kubernetes_service_label_team' },
      ],
    }),
    one('keep-drop', {
      relabelings: [
        { action: 'keep', sourceLabels: ['__meta_kubernetes_pod_ready'], regex: 'true' },
        {
          action: 'drop',
          sourceLabels: ['__meta_kubernetes_endpointslice_endpoint_conditions_terminating'],
          regex: 'true',
        },
      ],
    }),
    one('label-keep', {
      ...http,
      relabelings: [
        { action: 'labelkeep', regex: '__address__|__scheme__|__metrics_path__|job|__scrape.*|pod' },
      ],
    }),
    one('all-metas', { relabelings: [{ action: 'labelmap', regex: '__meta_(.+)', replacement: 'm_$1' }] }),
    one(
      'all-metas-node',
      { relabelings: [{ action: 'labelmap', regex: '__meta_(.+)', replacement: 'm_$1' }] },
      { ...monitored, attachMetadata: { node: true } },
    ),
    one(
      'node-labels',
      {
        ...http,
        relabelings: [
          { sourceLabels: ['__meta_kubernetes_node_label_topology_kubernetes_io_zone'], targetLabel: 'zone' },
        ],
      },
      { ...everything, attachMetadata: { node: true } },
    ),
  ];
}

function scraping(): KubeObject[] {
  const rewrite = (targetLabel: string, replacement: string): Fields => ({ targetLabel, replacement });
  return [
    one('rewritten', {
      ...http,
      params: { a: ['1', '2'], module: ['x'] },
      relabelings: [
        rewrite('__scheme__', 'https'),
        rewrite('__metrics_path__', '/rewritten'),
        rewrite('__scrape_interval__', '45s'),
        rewrite('__scrape_timeout__', '7s'),
        rewrite('__param_a', 'first'),
        rewrite('__param_new', 'n&=?'),
      ],
    }),
    one('bad-interval-by-relabeling', { ...http, relabelings: [rewrite('__scrape_interval__', 'never')] }),
    one('timeout-over-interval-by-relabeling', {
      ...http,
      relabelings: [rewrite('__scrape_timeout__', '2m')],
    }),
    one('address-without-port', {
      ...http,
      scheme: 'https',
      relabelings: [rewrite('__address__', 'example.com')],
    }),
    one('address-v6', { ...http, relabelings: [rewrite('__address__', '[::1]:99')] }),
    one('address-empty', { ...http, relabelings: [rewrite('__address__', '')] }),
    one('address-slash', { ...http, relabelings: [rewrite('__address__', 'a/b')] }),
    one('instance-set', { ...http, relabelings: [{ sourceLabels: ['pod'], targetLabel: 'instance' }] }),
    one('instance-emptied', { ...http, relabelings: [rewrite('instance', '')] }),
    one('job-emptied', { ...http, relabelings: [rewrite('job', '')] }),
    one('utf8-labels', { ...http, relabelings: [rewrite('grüße', 'wörld'), rewrite('with.dot', 'x')] }),
    one('times', { ...http, interval: '1m30s', scrapeTimeout: '1m' }),
    one('interval-below-timeout', { ...http, interval: '5s' }),
    one('interval-only', { ...http, interval: '2h' }),
    one('path-scheme', { ...http, path: '/a/b?c=d', scheme: 'HTTPS' }),
    one('params', { ...http, params: { 'collect[]': ['cpu', 'mem'], format: ['prometheus'], empty: [] } }),
    one('not-running-too', { ...http, filterRunning: false }, everything),
    one('running-only', { ...http, filterRunning: true }),
  ];
}

function credentials(folder: string): KubeObject[] {
  return [
    one('basic-auth', {
      ...http,
      basicAuth: { username: keyOf('basic', 'user'), password: keyOf('basic', 'password') },
    }),
    one('authorization', { ...http, authorization: { credentials: keyOf('token', 'token') } }),
    one(
      'authorization-type',
      { ...http, authorization: { type: 'Token', credentials: keyOf('token', 'token') } },
      monitored,
      'team-a',
    ),
    one('bearer-secret', { ...http, bearerTokenSecret: keyOf('token', 'token') }, monitored, 'team-b'),
    one('bearer-secret-empty', { ...http, bearerTokenSecret: keyOf('', '') }),
    one('bearer-file', { ...http, bearerTokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token' }),
    one('tls-secrets', {
      ...http,
      scheme: 'https',
      tlsConfig: { ...tlsSecret, serverName: 'x.example', minVersion: 'TLS12', maxVersion: 'TLS13' },
    }),
    one(
      'tls-config-map',
      { ...http, tlsConfig: { ca: { configMap: keyOf('ca', 'ca.crt') } } },
      monitored,
      'team-c',
    ),
    one('tls-files', {
      ...http,
      tlsConfig: { caFile: `${folder}/tls.crt`, certFile: `${folder}/tls.crt`, keyFile: `${folder}/tls.key` },
    }),
    one('tls-insecure', { ...http, tlsConfig: { insecureSkipVerify: true } }),
    one('tls-ca-and-auth', {
      ...http,
      tlsConfig: { ca: { secret: keyOf('tls', 'ca.crt') }, insecureSkipVerify: false },
      authorization: { credentials: keyOf('token', 'token') },
    }),
    one('proxy', { ...http, proxyUrl: 'http://proxy.example:3128' }),
    one('proxy-with-exceptions', {
      ...http,
      proxyUrl: 'http://proxy.example:3128',
      noProxy: 'a.example,10.0.0.0/8',
      proxyConnectHeader: { 'X-Token': [keyOf('token', 'token')] },
    }),
    one('proxy-from-environment', { ...http, proxyFromEnvironment: true }),
  ];
}

function settings(): KubeObject[] {
  const limits = {
    sampleLimit: 1000,
    targetLimit: 5000,
    labelLimit: 40,
    labelNameLengthLimit: 100,
    labelValueLengthLimit: 200,
    keepDroppedTargets: 3,
    bodySizeLimit: '10MB',
  };
  const large = {
    sampleLimit: 900_000,
    labelLimit: 300,
    labelNameLengthLimit: 900,
    labelValueLengthLimit: 900,
    bodySizeLimit: '1GiB',
  };
  return [
    one('limits', http, { ...monitored, ...limits }),
    one('limits-large', http, { ...monitored, ...large }),
    one('limits-zero', http, { ...monitored, sampleLimit: 0, labelLimit: 0, bodySizeLimit: '0' }),
    one('honor-labels', { ...http, honorLabels: true }),
    one('honor-nothing', {
      ...http,
      honorLabels: false,
      honorTimestamps: false,
      trackTimestampsStaleness: true,
    }),
    one('honor-timestamps', { ...http, honorTimestamps: true, trackTimestampsStaleness: false }),
    one('no-redirects', { ...http, followRedirects: false, enableHttp2: false }),
    one('protocols', http, {
      ...monitored,
      scrapeProtocols: ['PrometheusText0.0.4', 'OpenMetricsText1.0.0'],
      fallbackScrapeProtocol: 'PrometheusText0.0.4',
    }),
    one('histograms', http, {
      ...monitored,
      scrapeNativeHistograms: true,
      scrapeClassicHistograms: true,
      nativeHistogramBucketLimit: 100,
      nativeHistogramMinBucketFactor: '1.1',
      convertClassicHistogramsToNHCB: true,
    }),
    one('metric-relabelings', {
      ...http,
      metricRelabelings: [
        { sourceLabels: ['__name__'], regex: 'go_.*', action: 'drop' },
        { sourceLabels: ['a', 'b'], separator: ';;', regex: 'x;;y', action: 'Keep' },
        { sourceLabels: ['le'], targetLabel: 'le2', replacement: '' },
        { regex: 'tmp_.*', action: 'LabelDrop' },
        { action: 'hashmod', sourceLabels: ['a'], modulus: 8, targetLabel: 'h' },
        {
          sourceLabels: ['__name__'],
          separator: '',
          regex: '(.*)_total',
          targetLabel: '__name__',
          replacement: '$1',
        },
      ],
    }),
    one('class-none', http),
    one('role-endpoint-slice', http, { ...monitored, serviceDiscoveryRole: 'EndpointSlice' }),
    one('role-endpoints', http, { ...monitored, serviceDiscoveryRole: 'Endpoints' }),
  ];
}
