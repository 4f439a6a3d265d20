// ScrapeConfig: targets from discoveries that monitors do not have.

import { z } from 'zod';
import { authFields, proxyFields, safeTls } from './auth-schema.ts';
import { atomic, boolean, durationMs, listMap, listSet, optional, stringMap } from './schema-parts.ts';
import {
  attachMetadata,
  bodySizeLimit,
  enableHttp2,
  followRedirects,
  honorLabels,
  honorTimestamps,
  interval,
  limitFields,
  params,
  protocolFields,
  relabelings,
  scheme,
  scrapeTimeout,
  trackTimestampsStaleness,
} from './scrape-schema.ts';

const refreshInterval = optional(durationMs, 'Time between two looks.');
const tlsConfig = optional(safeTls, 'TLS with the server.');

const staticConfig = z.strictObject({
  targets: listSet(z.string().min(1)).min(1).describe('Addresses to scrape, host:port.'),
  labels: atomic(stringMap).default({}).describe('Labels of all of these targets.'),
});

const fileSd = z.strictObject({
  files: listSet(
    z.string().regex(/^[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)$/, 'want a .json, .yml or .yaml file'),
  )
    .min(1)
    .describe('Files of the operator with targets; the last part of a path may have a *.'),
  refreshInterval,
});

const httpSd = z.strictObject({
  ...authFields,
  ...proxyFields,
  url: z
    .string()
    .regex(/^https?:\/\/.+$/, 'want an http or https URL')
    .describe('Where the list of targets is.'),
  refreshInterval,
  tlsConfig,
  followRedirects,
  enableHTTP2: enableHttp2,
});
export type HttpSdSpec = z.output<typeof httpSd>;

const roles = ['Pod', 'Endpoints', 'Ingress', 'Service', 'Node', 'EndpointSlice'];
/** Text, since files may have it in small letters too. */
const role = z
  .string()
  .refine(
    (text) => roles.some((known) => known.toLowerCase() === text.toLowerCase()),
    'want Pod, Endpoints, Ingress, Service, Node or EndpointSlice',
  )
  .meta({ enum: roles });

const roleSelector = z.strictObject({
  role: role.describe('Kind of object that it selects.'),
  label: optional(z.string().min(1), 'Label selector, such as app=web.'),
  field: optional(z.string().min(1), 'Field selector, such as spec.nodeName=one.'),
});

const kubernetesSd = z.strictObject({
  ...authFields,
  ...proxyFields,
  apiServer: optional(z.string().min(1), "Address of another cluster's API server."),
  role: role.describe('Kind of object that gives targets.'),
  namespaces: optional(
    z.strictObject({
      ownNamespace: boolean.default(false).describe("The Fleet's own namespace."),
      names: listSet(z.string()).default([]).describe('Names of namespaces.'),
    }),
    'Namespaces to look in; all when absent.',
  ),
  attachMetadata,
  selectors: optional(listMap(roleSelector, 'role'), 'Selectors that the API server applies.'),
  tlsConfig,
  followRedirects,
  enableHTTP2: enableHttp2,
});
export type KubernetesSdSpec = z.output<typeof kubernetesSd>;

const dnsSd = z.strictObject({
  names: z.array(z.string().min(1)).min(1).describe('Names to ask for.'),
  type: optional(z.enum(['A', 'AAAA', 'MX', 'NS', 'SRV']), 'Type of record, SRV when absent.'),
  port: optional(z.int().min(0).max(65535), 'Port to scrape; SRV records have their own.'),
  refreshInterval,
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
const unsupported = optional(
  z.array(z.record(z.string(), z.unknown())),
  'Not supported: an object that has it is refused.',
);

const spec = z.strictObject({
  ...limitFields,
  ...protocolFields,
  ...authFields,
  ...proxyFields,
  ...Object.fromEntries(UNSUPPORTED_SD.map((name) => [name, unsupported])),
  bodySizeLimit,
  jobName: optional(z.string().min(1), 'Value of the label job.'),
  staticConfigs: optional(z.array(staticConfig), 'Targets that are listed here.'),
  fileSDConfigs: optional(z.array(fileSd), 'Targets from files.'),
  httpSDConfigs: optional(z.array(httpSd), 'Targets from a server that lists them.'),
  kubernetesSDConfigs: optional(z.array(kubernetesSd), 'Targets from the Kubernetes API.'),
  dnsSDConfigs: optional(z.array(dnsSd), 'Targets from DNS.'),
  relabelings: optional(relabelings.min(1), 'Relabeling of discovered targets.'),
  metricRelabelings: optional(relabelings.min(1), 'Relabeling of samples, after the scrape.'),
  metricsPath: optional(z.string().min(1), 'Path of the metrics, /metrics when absent.'),
  scrapeInterval: interval,
  scrapeTimeout,
  honorTimestamps,
  trackTimestampsStaleness,
  honorLabels,
  params: optional(atomic(params), 'Parameters of the URL.'),
  scheme,
  enableCompression: optional(boolean, 'Asks for compressed answers; true when absent.'),
  enableHTTP2: enableHttp2,
  tlsConfig: optional(safeTls, 'TLS with the target.'),
  nameValidationScheme: optional(z.enum(['UTF8', 'Legacy']), 'Names that metrics and labels may have.'),
  nameEscapingScheme: optional(
    z.enum(['AllowUTF8', 'Underscores', 'Dots', 'Values']),
    'How to ask for names that are not legacy ones.',
  ),
});

export const scrapeConfigFields = {
  spec: spec.meta({
    'x-kubernetes-validations': [
      {
        rule: '[has(self.basicAuth), has(self.authorization), has(self.oauth2)].filter(x, x).size() <= 1',
        message: 'want at most one of basicAuth, authorization and oauth2',
      },
    ],
  }),
};
