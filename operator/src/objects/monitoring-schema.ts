// The monitoring.coreos.com kinds, field by field as their CRDs have them. A field that is not here does not exist there
// either: like an API server, the source warns of it and drops it.

import { z } from 'zod';
import {
  boolean,
  byteSize,
  durationMs,
  intOrString,
  labelSelector,
  limit,
  namespaceSelector,
  relabeling,
  stringMap,
  strings,
} from './schema-parts.ts';

const keySelector = z.strictObject({
  name: z.string().default(''),
  key: z.string(),
  optional: boolean.optional(),
});
const secretOrConfigMap = z.strictObject({
  secret: keySelector.optional(),
  configMap: keySelector.optional(),
});
const tlsVersion = z.enum(['TLS10', 'TLS11', 'TLS12', 'TLS13']);

const safeTlsFields = {
  ca: secretOrConfigMap.optional(),
  cert: secretOrConfigMap.optional(),
  keySecret: keySelector.optional(),
  serverName: z.string().optional(),
  insecureSkipVerify: boolean.optional(),
  minVersion: tlsVersion.optional(),
  maxVersion: tlsVersion.optional(),
};
const safeTls = z.strictObject(safeTlsFields);
export const fileTls = z.strictObject({
  ...safeTlsFields,
  caFile: z.string().optional(),
  certFile: z.string().optional(),
  keyFile: z.string().optional(),
});
export type TlsSpec = z.output<typeof fileTls>;

const proxyFields = {
  proxyUrl: z
    .string()
    .regex(/^(http|https|socks5):\/\/.+$/, 'want an http, https or socks5 URL')
    .optional(),
  noProxy: z.string().optional(),
  proxyFromEnvironment: boolean.optional(),
  proxyConnectHeader: z.record(z.string(), z.array(keySelector)).optional(),
};

const oauth2 = z.strictObject({
  clientId: secretOrConfigMap,
  clientSecret: keySelector,
  tokenUrl: z.string().regex(/^(http|https):\/\/.+$/, 'want an http or https URL'),
  scopes: strings.optional(),
  endpointParams: stringMap.optional(),
  tlsConfig: safeTls.optional(),
  ...proxyFields,
});
export type OAuth2Spec = z.output<typeof oauth2>;

export const authorization = z.strictObject({
  type: z.string().optional(),
  credentials: keySelector.optional(),
});

const authFields = {
  basicAuth: z
    .strictObject({ username: keySelector.optional(), password: keySelector.optional() })
    .optional(),
  authorization: authorization.optional(),
  oauth2: oauth2.optional(),
};
const auth = z.strictObject({
  ...authFields,
  ...proxyFields,
  bearerTokenSecret: keySelector.optional(),
  bearerTokenFile: z.string().optional(),
  tlsConfig: fileTls.optional(),
});
export type AuthSpec = z.output<typeof auth>;

export const scrapeProtocol = z.enum([
  'PrometheusProto',
  'OpenMetricsText0.0.1',
  'OpenMetricsText1.0.0',
  'PrometheusText0.0.4',
  'PrometheusText1.0.0',
]);

const limitFields = {
  sampleLimit: limit.optional(),
  targetLimit: limit.optional(),
  labelLimit: limit.optional(),
  labelNameLengthLimit: limit.optional(),
  labelValueLengthLimit: limit.optional(),
  keepDroppedTargets: limit.optional(),
};
const protocolFields = {
  scrapeProtocols: z.array(scrapeProtocol).optional(),
  fallbackScrapeProtocol: scrapeProtocol.optional(),
  scrapeClass: z.string().min(1).optional(),
  scrapeNativeHistograms: boolean.optional(),
  scrapeClassicHistograms: boolean.optional(),
  nativeHistogramBucketLimit: limit.optional(),
  nativeHistogramMinBucketFactor: intOrString.or(z.number()).optional(),
  convertClassicHistogramsToNHCB: boolean.optional(),
};
const scrapeSettings = z.strictObject({
  ...limitFields,
  ...protocolFields,
  bodySizeLimit: byteSize.optional(),
});
export type ScrapeSettingsSpec = z.output<typeof scrapeSettings>;

const scheme = z.enum(['http', 'https', 'HTTP', 'HTTPS']);
const params = z.record(z.string(), strings);
const attachMetadata = z.strictObject({ node: boolean.optional() });

const endpointFields = {
  ...authFields,
  ...proxyFields,
  port: z.string().optional(),
  targetPort: intOrString.optional(),
  path: z.string().optional(),
  scheme: scheme.optional(),
  params: params.optional(),
  interval: durationMs.optional(),
  scrapeTimeout: durationMs.optional(),
  honorLabels: boolean.optional(),
  honorTimestamps: boolean.optional(),
  trackTimestampsStaleness: boolean.optional(),
  bearerTokenSecret: keySelector.optional(),
  relabelings: z.array(relabeling).optional(),
  metricRelabelings: z.array(relabeling).optional(),
  filterRunning: boolean.optional(),
  followRedirects: boolean.optional(),
  enableHttp2: boolean.optional(),
};
const serviceEndpoint = z.strictObject({
  ...endpointFields,
  bearerTokenFile: z.string().optional(),
  tlsConfig: fileTls.optional(),
});
export type ServiceEndpointSpec = z.output<typeof serviceEndpoint>;
const podEndpoint = z.strictObject({
  ...endpointFields,
  portNumber: z.int().min(1).max(65535).optional(),
  tlsConfig: safeTls.optional(),
});
export type PodEndpointSpec = z.output<typeof podEndpoint>;

const monitorFields = {
  ...limitFields,
  ...protocolFields,
  bodySizeLimit: byteSize.optional(),
  selector: labelSelector,
  selectorMechanism: z.enum(['RelabelConfig', 'RoleSelector']).optional(),
  namespaceSelector: namespaceSelector.prefault({}),
  jobLabel: z.string().optional(),
  podTargetLabels: strings.optional(),
  attachMetadata: attachMetadata.optional(),
};

export const serviceMonitorFields = {
  spec: z.strictObject({
    ...monitorFields,
    endpoints: z.array(serviceEndpoint),
    targetLabels: strings.optional(),
    serviceDiscoveryRole: z.enum(['Endpoints', 'EndpointSlice']).optional(),
  }),
};

export const podMonitorFields = {
  spec: z.strictObject({ ...monitorFields, podMetricsEndpoints: z.array(podEndpoint).default([]) }),
};

const probeTargets = z.strictObject({
  staticConfig: z
    .strictObject({
      static: strings.default([]),
      labels: stringMap.default({}),
      relabelingConfigs: z.array(relabeling).default([]),
    })
    .optional(),
  ingress: z
    .strictObject({
      selector: labelSelector.prefault({}),
      namespaceSelector: namespaceSelector.prefault({}),
      relabelingConfigs: z.array(relabeling).default([]),
    })
    .optional(),
});

export const probeFields = {
  spec: z.strictObject({
    ...limitFields,
    ...protocolFields,
    ...authFields,
    prober: z.strictObject({
      ...proxyFields,
      url: z.string().min(1),
      scheme: scheme.optional(),
      path: z.string().optional(),
    }),
    module: z.string().optional(),
    params: z.array(z.strictObject({ name: z.string().min(1), values: strings.default([]) })).optional(),
    targets: probeTargets.default({}),
    jobName: z.string().optional(),
    interval: durationMs.optional(),
    scrapeTimeout: durationMs.optional(),
    metricRelabelings: z.array(relabeling).optional(),
    bearerTokenSecret: keySelector.optional(),
    tlsConfig: safeTls.optional(),
    followRedirects: boolean.optional(),
    enableHttp2: boolean.optional(),
  }),
};

const httpSd = z.strictObject({
  ...authFields,
  ...proxyFields,
  url: z.string().regex(/^https?:\/\/.+$/, 'want an http or https URL'),
  refreshInterval: durationMs.optional(),
  tlsConfig: safeTls.optional(),
  followRedirects: boolean.optional(),
  enableHTTP2: boolean.optional(),
});
export type HttpSdSpec = z.output<typeof httpSd>;

const fileSd = z.strictObject({
  files: z
    .array(
      z
        .string()
        .regex(/^[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)$/, 'want a .json, .yml or .yaml file'),
    )
    .min(1),
  refreshInterval: durationMs.optional(),
});

const roles = new Set(['pod', 'endpoints', 'ingress', 'service', 'node', 'endpointslice']);
const role = z
  .string()
  .refine(
    (text) => roles.has(text.toLowerCase()),
    'want Pod, Endpoints, Ingress, Service, Node or EndpointSlice',
  );

const kubernetesSd = z.strictObject({
  ...authFields,
  ...proxyFields,
  apiServer: z.string().min(1).optional(),
  role,
  namespaces: z.strictObject({ ownNamespace: boolean.default(false), names: strings.default([]) }).optional(),
  attachMetadata: attachMetadata.optional(),
  selectors: z
    .array(
      z.strictObject({ role, label: z.string().min(1).optional(), field: z.string().min(1).optional() }),
    )
    .optional(),
  tlsConfig: safeTls.optional(),
  followRedirects: boolean.optional(),
  enableHTTP2: boolean.optional(),
});
export type KubernetesSdSpec = z.output<typeof kubernetesSd>;

const dnsSd = z.strictObject({
  names: z.array(z.string().min(1)).min(1),
  type: z.enum(['A', 'AAAA', 'MX', 'NS', 'SRV']).optional(),
  port: z.int().min(0).max(65535).optional(),
  refreshInterval: durationMs.optional(),
});
export type DnsSdSpec = z.output<typeof dnsSd>;

/** Discoveries that exist in the CRD and not here: a ScrapeConfig that uses one is refused, never scraped in part. */
export const UNSUPPORTED_SD = [
  'consul',
  'ec2',
  'azure',
  'gce',
  'openstack',
  'digitalOcean',
  'kuma',
  'eureka',
  'docker',
  'dockerSwarm',
  'linode',
  'hetzner',
  'nomad',
  'puppetDB',
  'lightSail',
  'ovhcloud',
  'scaleway',
  'ionos',
].map((name) => `${name}SDConfigs`);

export const scrapeConfigFields = {
  spec: z.strictObject({
    ...limitFields,
    ...protocolFields,
    ...authFields,
    ...proxyFields,
    ...Object.fromEntries(UNSUPPORTED_SD.map((name) => [name, z.array(z.unknown()).optional()])),
    bodySizeLimit: byteSize.optional(),
    jobName: z.string().min(1).optional(),
    staticConfigs: z
      .array(z.strictObject({ targets: strings.default([]), labels: stringMap.default({}) }))
      .optional(),
    fileSDConfigs: z.array(fileSd).optional(),
    httpSDConfigs: z.array(httpSd).optional(),
    kubernetesSDConfigs: z.array(kubernetesSd).optional(),
    dnsSDConfigs: z.array(dnsSd).optional(),
    relabelings: z.array(relabeling).optional(),
    metricRelabelings: z.array(relabeling).optional(),
    metricsPath: z.string().optional(),
    scrapeInterval: durationMs.optional(),
    scrapeTimeout: durationMs.optional(),
    honorTimestamps: boolean.optional(),
    trackTimestampsStaleness: boolean.optional(),
    honorLabels: boolean.optional(),
    params: params.optional(),
    scheme: scheme.optional(),
    enableCompression: boolean.optional(),
    enableHTTP2: boolean.optional(),
    tlsConfig: safeTls.optional(),
    nameValidationScheme: z.enum(['UTF8', 'Legacy']).optional(),
    nameEscapingScheme: z.enum(['AllowUTF8', 'Underscores', 'Dots', 'Values']).optional(),
  }),
};

const durationText = z
  .string()
  .refine((text) => durationMs.safeParse(text).success, 'want a duration such as 30s or 1h30m');

const rule = z.strictObject({
  record: z.string().optional(),
  alert: z.string().optional(),
  expr: intOrString.transform(String),
  for: durationText.optional(),
  keep_firing_for: durationText.min(1).optional(),
  labels: stringMap.optional(),
  annotations: stringMap.optional(),
});
export type RuleSpec = z.output<typeof rule>;

const ruleGroup = z.strictObject({
  name: z.string().min(1),
  interval: durationText.optional(),
  query_offset: durationText.optional(),
  labels: stringMap.optional(),
  limit: z.int().optional(),
  partial_response_strategy: z
    .string()
    .regex(/^(abort|warn)?$/i, 'want abort or warn')
    .optional(),
  rules: z.array(rule).default([]),
});
export type RuleGroupSpec = z.output<typeof ruleGroup>;

export const prometheusRuleFields = { spec: z.strictObject({ groups: z.array(ruleGroup).default([]) }) };
