// The monitoring.coreos.com kinds, field by field as their CRDs have them. A field that is not here does not exist there
// either: like an API server, the source warns of it and drops it.

import { z } from 'zod';
import {
  authFields,
  bearerTokenFile,
  bearerTokenSecret,
  fileTls,
  proxyFields,
  safeTls,
} from './auth-schema.ts';
import { intOrString, listMap, optional, persistedDefault, stringMap, strings } from './schema-parts.ts';
import { boolean, labelSelector, monitorSelector, namespaceSelector } from './schema-parts.ts';
import {
  attachMetadata,
  bodySizeLimit,
  enableHttp2,
  followRedirects,
  honorLabels,
  honorTimestamps,
  interval,
  limitFields,
  metricRelabelings,
  params,
  protocolFields,
  relabelings,
  scheme,
  scrapeTimeout,
  trackTimestampsStaleness,
} from './scrape-schema.ts';

export type { AuthSpec, OAuth2Spec, TlsSpec } from './auth-schema.ts';
export { prometheusRuleFields, type RuleGroupSpec, type RuleSpec } from './rule-schema.ts';
export {
  scrapeConfigFields,
  UNSUPPORTED_SD,
  type DnsSdSpec,
  type HttpSdSpec,
  type KubernetesSdSpec,
} from './scrape-config-schema.ts';
export type { ScrapeSettingsSpec } from './scrape-schema.ts';

const targetRelabelings = optional(relabelings, 'Relabeling of discovered targets.');
const probeTlsConfig = optional(safeTls, 'TLS with the prober.');

const endpointFields = {
  ...authFields,
  ...proxyFields,
  path: optional(z.string(), 'Path of the metrics, /metrics when absent.'),
  scheme,
  params: optional(params, 'Parameters of the URL.'),
  interval,
  scrapeTimeout,
  honorLabels,
  honorTimestamps,
  trackTimestampsStaleness,
  bearerTokenSecret,
  relabelings: targetRelabelings,
  metricRelabelings,
  filterRunning: optional(boolean, 'Leaves out pods that have failed or succeeded; true when absent.'),
  followRedirects,
  enableHttp2,
};

const serviceEndpoint = z.strictObject({
  ...endpointFields,
  port: optional(z.string(), 'Name of a port of the Service.'),
  targetPort: optional(intOrString, 'Name or number of a port of the pods behind it, when port is absent.'),
  bearerTokenFile,
  tlsConfig: optional(fileTls, 'TLS with the target.'),
});
export type ServiceEndpointSpec = z.output<typeof serviceEndpoint>;

const podEndpoint = z.strictObject({
  ...endpointFields,
  port: optional(z.string(), 'Name of a port of a container.'),
  portNumber: optional(z.int().min(1).max(65535), 'Number of a port of a container, when port is absent.'),
  targetPort: optional(intOrString, 'Deprecated, use port or portNumber: name or number of a port.'),
  tlsConfig: optional(safeTls, 'TLS with the target.'),
});
export type PodEndpointSpec = z.output<typeof podEndpoint>;

const monitorFields = {
  ...limitFields,
  ...protocolFields,
  bodySizeLimit,
  selectorMechanism: optional(
    z.enum(['RelabelConfig', 'RoleSelector']),
    'Whether relabeling selects (RelabelConfig, when absent) or the API server.',
  ),
  namespaceSelector: namespaceSelector
    .prefault({})
    .describe("Namespaces to look in; the object's own when it names none."),
  podTargetLabels: optional(strings, 'Labels of pods to set on their targets.'),
  attachMetadata,
};

export const serviceMonitorFields = {
  spec: z.strictObject({
    ...monitorFields,
    selector: monitorSelector.describe('Labels of Services; {} selects all.'),
    endpoints: z.array(serviceEndpoint).describe('What to scrape of each, one job per item.'),
    jobLabel: optional(
      z.string(),
      "Label of the Service whose value becomes the label job; else the Service's name.",
    ),
    targetLabels: optional(strings, 'Labels of Services to set on their targets.'),
    serviceDiscoveryRole: optional(
      z.enum(['Endpoints', 'EndpointSlice']),
      'Discovery that the Prometheus operator uses; here it is EndpointSlice.',
    ),
  }),
};

export const podMonitorFields = {
  spec: z.strictObject({
    ...monitorFields,
    selector: monitorSelector.describe('Labels of pods; {} selects all.'),
    podMetricsEndpoints: z
      .array(podEndpoint)
      .default([])
      .describe('What to scrape of each, one job per item.'),
    jobLabel: optional(
      z.string(),
      "Label of the pod whose value becomes the label job; else the object's name.",
    ),
  }),
};

const probeTargets = z.strictObject({
  staticConfig: optional(
    z.strictObject({
      static: strings.default([]).describe('Addresses to probe.'),
      labels: stringMap.default({}).describe('Labels of all of these targets.'),
      relabelingConfigs: relabelings.default([]).describe('Relabeling of these targets.'),
    }),
    'Targets that are listed here; wins over ingress.',
  ),
  ingress: optional(
    z.strictObject({
      selector: labelSelector.prefault({}).describe('Labels of Ingresses.'),
      namespaceSelector: namespaceSelector
        .prefault({})
        .describe("Namespaces to look in; the object's own when it names none."),
      relabelingConfigs: relabelings.default([]).describe('Relabeling of these targets.'),
    }),
    'A target for each host and path of Ingresses.',
  ),
});

const prober = z.strictObject({
  ...proxyFields,
  url: z.string().min(1).describe('Address of the prober, host:port.'),
  scheme,
  path: optional(z.string(), 'Path to collect probes from.').meta({ ...persistedDefault, default: '/probe' }),
});

const probeParam = z.strictObject({
  name: z.string().min(1).describe('Name of the parameter.'),
  values: z.array(z.string().min(1)).min(1).default([]).describe('Values of the parameter.'),
});

export const probeFields = {
  spec: z.strictObject({
    ...limitFields,
    ...protocolFields,
    ...authFields,
    prober: prober.describe('Who probes.'),
    module: optional(z.string(), 'Module of the prober.'),
    params: optional(listMap(probeParam, 'name').min(1), 'Parameters of the URL beside target and module.'),
    targets: probeTargets.default({}).describe('What to probe.'),
    jobName: optional(z.string(), 'Value of the label job.'),
    interval,
    scrapeTimeout,
    metricRelabelings,
    bearerTokenSecret,
    tlsConfig: probeTlsConfig,
    followRedirects,
    enableHttp2,
  }),
};
