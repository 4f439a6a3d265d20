// Monitors that the API server takes and an operator must refuse, each with one fault, beside a good endpoint where it can have one.

import type { KubeObject } from '../kube-client.ts';
import { everything, keyOf, monitor, monitored } from './monitor-object.ts';
import type { Fields } from './monitor-object.ts';

const http: Fields = { port: 'http' };
const targets = { staticConfigs: [{ targets: ['a:1'] }] };
const goodCert = { secret: keyOf('tls', 'tls.crt') };
const basicAuth = { username: keyOf('basic', 'user'), password: keyOf('basic', 'password') };
const authorization = { credentials: keyOf('token', 'token') };

/** Faults of an endpoint that ServiceMonitors and PodMonitors can both have. */
const faults: Readonly<Record<string, Fields>> = {
  'timeout-over-interval': { interval: '10s', scrapeTimeout: '11s' },
  'timeout-over-default-interval': { scrapeTimeout: '31m' },
  'bad-regex': { relabelings: [{ sourceLabels: ['a'], regex: '(', targetLabel: 'b' }] },
  'regex-with-lookahead': { relabelings: [{ sourceLabels: ['a'], regex: '(?=x)', targetLabel: 'b' }] },
  'bad-metric-regex': { metricRelabelings: [{ sourceLabels: ['a'], regex: '[', action: 'drop' }] },
  'hashmod-without-modulus': { relabelings: [{ action: 'hashmod', sourceLabels: ['a'], targetLabel: 'b' }] },
  'replace-without-target': { relabelings: [{ sourceLabels: ['a'], replacement: 'x' }] },
  'keepequal-without-target': { relabelings: [{ action: 'keepequal', sourceLabels: ['a'] }] },
  'keepequal-with-regex': {
    relabelings: [{ action: 'keepequal', sourceLabels: ['a'], targetLabel: 'b', regex: 'x' }],
  },
  'labeldrop-with-source': { relabelings: [{ action: 'labeldrop', regex: 'x', sourceLabels: ['a'] }] },
  'labelmap-bad-replacement': { relabelings: [{ action: 'labelmap', regex: '(.*)', replacement: '' }] },
  'lowercase-bad-target': { relabelings: [{ action: 'lowercase', sourceLabels: ['a'], targetLabel: '' }] },
  'missing-secret': { basicAuth: { ...basicAuth, username: keyOf('no-such', 'user') } },
  'missing-key': { basicAuth: { ...basicAuth, password: keyOf('basic', 'no-such') } },
  'missing-token': { authorization: { credentials: keyOf('no-such', 'token') } },
  'missing-bearer': { bearerTokenSecret: keyOf('token', 'no-such') },
  'authorization-basic': { authorization: { type: 'Basic', ...authorization } },
  'two-auths': { basicAuth, authorization },
  'auth-and-bearer': { authorization, bearerTokenSecret: keyOf('token', 'token') },
  'missing-ca': { tlsConfig: { ca: { secret: keyOf('no-such', 'ca') } } },
  'missing-ca-map': { tlsConfig: { ca: { configMap: keyOf('no-such', 'ca') } } },
  'ca-twice': { tlsConfig: { ca: { secret: keyOf('tls', 'ca.crt'), configMap: keyOf('ca', 'ca.crt') } } },
  'cert-without-key': { tlsConfig: { cert: goodCert } },
  'key-without-cert': { tlsConfig: { keySecret: keyOf('tls', 'tls.key') } },
  'bad-ca': { tlsConfig: { ca: { secret: keyOf('tls', 'bad') } } },
  'bad-ca-map': { tlsConfig: { ca: { configMap: keyOf('ca', 'bad') } } },
  'bad-cert': { tlsConfig: { cert: { secret: keyOf('tls', 'bad') }, keySecret: keyOf('tls', 'tls.key') } },
  'bad-key': { tlsConfig: { cert: goodCert, keySecret: keyOf('tls', 'bad') } },
  'key-is-cert': { tlsConfig: { cert: goodCert, keySecret: keyOf('tls', 'tls.crt') } },
  'versions-crossed': { tlsConfig: { minVersion: 'TLS13', maxVersion: 'TLS12' } },
  'proxy-url-and-environment': { proxyUrl: 'http://p:1', proxyFromEnvironment: true },
  'no-proxy-alone': { noProxy: 'a.example' },
  'connect-header-alone': { proxyConnectHeader: { A: [keyOf('token', 'token')] } },
  'proxy-secret-missing': { proxyUrl: 'http://p:1', proxyConnectHeader: { A: [keyOf('no-such', 'x')] } },
};

/** Not faults, though they look like ones. */
const oddities: Readonly<Record<string, Fields>> = {
  'timeout-equal': { interval: '10s', scrapeTimeout: '10s' },
  'labelmap-without-target': { relabelings: [{ action: 'labelmap', regex: 'a(.*)' }] },
  'replace-dollar-target': {
    relabelings: [{ sourceLabels: ['pod'], targetLabel: '${1}_x', regex: '(a).*' }],
  },
  'credentials-none': { authorization: { type: 'Bearer' } },
  'basic-empty': { basicAuth: {} },
  'tls-empty': { tlsConfig: {} },
  'interval-zero': { interval: '0' },
  'optional-secret': { authorization: { credentials: { name: 'no-such', key: 'token', optional: true } } },
};

export function refusedMonitors(): KubeObject[] {
  const all = { ...faults, ...oddities };
  return [
    ...Object.entries(all).flatMap(([name, endpoint]) => [
      monitor('ServiceMonitor', 'monitoring', `odd-${name}`, {
        ...monitored,
        endpoints: [http, { ...http, ...endpoint }],
      }),
      monitor('PodMonitor', 'monitoring', `odd-${name}`, {
        ...monitored,
        podMetricsEndpoints: [http, { ...http, ...endpoint }],
      }),
    ]),
    ...refusedServiceMonitors(),
    ...refusedProbes(),
    ...refusedScrapeConfigs(),
  ];
}

function refusedServiceMonitors(): KubeObject[] {
  const one = (name: string, endpoint: Fields, spec: Fields = {}): KubeObject =>
    monitor('ServiceMonitor', 'monitoring', `odd-${name}`, {
      ...everything,
      endpoints: [{ ...http, ...endpoint }],
      ...spec,
    });
  const badSelector = { selector: { matchExpressions: [{ key: 'a', operator: 'Contains', values: ['b'] }] } };
  return [
    one('file-and-secret', { tlsConfig: { caFile: '/etc/ca', ca: { secret: keyOf('tls', 'ca.crt') } } }),
    one('cert-file-twice', { tlsConfig: { certFile: '/c', cert: goodCert, keyFile: '/k' } }),
    one('key-file-twice', {
      tlsConfig: { cert: goodCert, keyFile: '/k', keySecret: keyOf('tls', 'tls.key') },
    }),
    one('cert-file-alone', { tlsConfig: { certFile: '/c' } }),
    one('class-unknown', {}, { scrapeClass: 'no-such-class' }),
    one('selector-operator', {}, badSelector),
    one(
      'selector-in-empty',
      {},
      { selector: { matchExpressions: [{ key: 'a', operator: 'In', values: [] }] } },
    ),
    one(
      'selector-exists-values',
      {},
      { selector: { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] } },
    ),
    one('selector-bad-key', {}, { selector: { matchLabels: { 'not a key': 'b' } } }),
    one('selector-bad-value', {}, { selector: { matchLabels: { a: 'not a value!' } } }),
    one('oauth2-and-basic', { basicAuth, oauth2: oauth2() }),
    one('oauth2-missing', { oauth2: { ...oauth2(), clientSecret: keyOf('no-such', 'secret') } }),
  ];
}

export function oauth2(): Fields {
  return {
    clientId: { secret: keyOf('oauth', 'id') },
    clientSecret: keyOf('oauth', 'secret'),
    tokenUrl: 'http://token.example/oauth',
  };
}

/** The Prometheus operator takes them, and no Prometheus then reads what it writes. */
export function poisonousMonitors(): KubeObject[] {
  const endpoints = [{ ...http, bearerTokenFile: '/t', basicAuth }];
  const twoAuths = {
    prober: { url: 'b:1' },
    targets: { staticConfig: { static: ['a'] } },
    basicAuth,
    authorization,
  };
  return [
    monitor('ServiceMonitor', 'monitoring', 'poison-bearer-file-and-basic', { ...everything, endpoints }),
    monitor('Probe', 'monitoring', 'poison-two-auths', twoAuths),
  ];
}

function refusedProbes(): KubeObject[] {
  const one = (name: string, spec: Fields): KubeObject =>
    monitor('Probe', 'monitoring', `odd-${name}`, {
      prober: { url: 'blackbox:9115' },
      targets: { staticConfig: { static: ['a.example'] } },
      ...spec,
    });
  return [
    one('no-targets', { targets: {} }),
    one('prober-with-scheme', { prober: { url: 'http://blackbox:9115' } }),
    one('prober-with-path', { prober: { url: 'blackbox:9115/probe' } }),
    one('prober-bad-port', { prober: { url: 'blackbox:99999' } }),
    one('prober-bad-host', { prober: { url: 'black box' } }),
    one('prober-v6', { prober: { url: '2001:db8::1' } }),
    one('probe-bad-label', { targets: { staticConfig: { static: ['a'], labels: { '': 'x' } } } }),
    one('probe-odd-label', { targets: { staticConfig: { static: ['a'], labels: { 'with space': 'x' } } } }),
    one('probe-bad-relabeling', {
      targets: { staticConfig: { static: ['a'], relabelingConfigs: [{ action: 'replace' }] } },
    }),
    one('probe-ingress-bad-relabeling', {
      targets: { ingress: { relabelingConfigs: [{ regex: '(', targetLabel: 'a' }] } },
    }),
    one('probe-missing-secret', { bearerTokenSecret: keyOf('no-such', 'x') }),
    one('probe-timeout', { interval: '5s', scrapeTimeout: '6s' }),
    one('probe-cert-alone', { tlsConfig: { cert: goodCert } }),
    one('probe-ingress-selector', {
      targets: { ingress: { selector: { matchExpressions: [{ key: 'a', operator: 'Has' }] } } },
    }),
    one('probe-class', { scrapeClass: 'no-such-class' }),
  ];
}

function refusedScrapeConfigs(): KubeObject[] {
  const one = (name: string, spec: Fields): KubeObject =>
    monitor('ScrapeConfig', 'monitoring', `odd-${name}`, { ...targets, ...spec });
  const kubernetes = (selector: Fields, role = 'Pod'): Fields => ({
    kubernetesSDConfigs: [{ role, selectors: [selector] }],
  });
  return [
    one('config-timeout', { scrapeInterval: '5s', scrapeTimeout: '6s' }),
    one('config-missing-secret', { authorization: { credentials: keyOf('no-such', 'x') } }),
    one('config-bad-relabeling', {
      relabelings: [{ action: 'hashmod', sourceLabels: ['a'], targetLabel: 'b' }],
    }),
    one('config-bad-metric-relabeling', { metricRelabelings: [{ regex: ')', action: 'labeldrop' }] }),
    one('config-cert-alone', { tlsConfig: { cert: goodCert } }),
    one('config-class', { scrapeClass: 'no-such-class' }),
    one('config-bad-label', { staticConfigs: [{ targets: ['a:1'], labels: { '': 'x' } }] }),
    one('config-http-missing-secret', {
      httpSDConfigs: [{ url: 'http://127.0.0.1:1/', authorization: { credentials: keyOf('no-such', 'x') } }],
    }),
    one('config-selector-role', kubernetes({ role: 'Service', label: 'a=b' })),
    one('config-selector-label', kubernetes({ role: 'Pod', label: 'a in b' })),
    one('config-selector-field', kubernetes({ role: 'Pod', field: 'nonsense' })),
    one('config-proxy', { proxyFromEnvironment: true, proxyUrl: 'http://p:1' }),
    one('config-dns-port', { dnsSDConfigs: [{ names: ['a.example'], type: 'A' }] }),
  ];
}
