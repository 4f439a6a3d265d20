// The Fleet, kind of flotilla.dev/v1alpha1: its spec as users write it, checked, with defaults.

import { parseByteSize, parseDuration } from '@flotilla/model';
import { z } from 'zod';
import { authorization, fileTls, scrapeProtocol } from '../objects/monitoring-schema.ts';
import { boolean, labelSelector, relabeling, stringMap, strings } from '../objects/schema-parts.ts';

const duration = z.string().refine(isDuration, { error: 'want a duration like 30s, 5m or 15d' });
const byteSize = z.string().refine(isByteSize, { error: 'want a size like 512MB or 1GB' });
const count = z.int().min(0);
const quantity = z
  .string()
  .regex(/^[0-9]+(\.[0-9]+)?([numkMGTPE]|[KMGTPE]i)?$/, 'want a quantity like 500m, 2 or 10Gi');
const quantities = z.record(z.string(), z.union([quantity, z.number()]));

/** Absent means `{}`, everything: that a monitor is silently ignored is what users of other operators ask about most. */
const selector = labelSelector.nullable().prefault({});

const resources = z
  .looseObject({
    requests: quantities.optional(),
    limits: quantities.optional(),
  })
  .describe("Resources of the part's container.");

const podTemplate = z
  .strictObject({
    metadata: z
      .strictObject({ labels: stringMap.default({}), annotations: stringMap.default({}) })
      .prefault({})
      .describe('Labels and annotations to add to the pods.'),
    spec: z
      .record(z.string(), z.unknown())
      .default({})
      .describe('Part of a PodSpec, merged into the one that is made: lists of named things by name.'),
  })
  .describe('What to change in the pods that are made.');

const podFields = {
  resources: resources.optional(),
  podTemplate: podTemplate.optional(),
  serviceAccountName: z
    .string()
    .optional()
    .describe("ServiceAccount of the pods; by default the operator's flag decides."),
};

const scraperSchema = z.strictObject(podFields).describe('The pods that scrape and keep data.');

const querierSchema = z
  .strictObject({
    ...podFields,
    replicas: z.int().min(1).max(16).default(1).describe('Number of queriers.'),
    lookbackDelta: duration.default('5m').describe('How long a sample stands for its series.'),
    timeout: duration.default('2m').describe('Longest time of one query.'),
    maxConcurrency: z.int().min(1).default(20).describe('Queries that one querier evaluates at once.'),
    maxSamples: z.int().min(1).default(50_000_000).describe('Samples that one query may hold.'),
    maxBytes: byteSize.default('1GB').describe('Bytes that one query may hold.'),
  })
  .describe('The Prometheus API and the page.');

const rulerSchema = z
  .strictObject({
    ...podFields,
    replicas: z.int().min(0).max(16).default(2).describe('Number of rulers; 0 evaluates no rules.'),
    alertmanagers: z
      .array(
        z.strictObject({
          url: z.url({ protocol: /^https?$/ }).describe('Base URL of an Alertmanager.'),
        }),
      )
      .default([])
      .describe('Alertmanagers; every one gets every alert.'),
    externalUrl: z.string().default('').describe('Where users reach the page, for links in alerts.'),
  })
  .describe('Evaluates rules over the merged view and alerts.');

const storageSchema = z
  .strictObject({
    size: quantity.describe('Size of the volume of each replica.'),
    storageClassName: z.string().optional().describe("The cluster's default class when absent."),
    whenDeleted: z
      .enum(['Retain', 'Delete'])
      .default('Retain')
      .describe('What becomes of the volumes when the Fleet is deleted.'),
  })
  .describe('Volumes of scrapers and rulers. Without it data is lost with the pod.');

const zonesSchema = z
  .strictObject({
    names: z.array(z.string().min(1)).min(1).max(16).describe('Values of topology.kubernetes.io/zone.'),
    local: boolean
      .default(false)
      .describe('Scrape the targets of a zone by shards of that zone. Shard N is in zone N mod zones.'),
  })
  .describe('Zones to spread shards over.');

const scrapeClass = z
  .strictObject({
    name: z.string().min(1).describe('Name that monitors use.'),
    default: boolean.default(false).describe('For monitors that name no class; one class at most.'),
    tlsConfig: fileTls.optional(),
    authorization: authorization.optional(),
    relabelings: z.array(relabeling).default([]).describe("Run before the monitor's own."),
    metricRelabelings: z.array(relabeling).default([]).describe("Run before the monitor's own."),
    fallbackScrapeProtocol: scrapeProtocol.optional(),
    attachMetadata: z.strictObject({ node: boolean.optional() }).optional(),
  })
  .describe('Settings that monitors share by name.');
export type ScrapeClassSpec = z.output<typeof scrapeClass>;

const enforcementException = z.strictObject({
  group: z.literal('monitoring.coreos.com').default('monitoring.coreos.com'),
  resource: z.enum(['prometheusrules', 'servicemonitors', 'podmonitors', 'probes', 'scrapeconfigs']),
  namespace: z.string().min(1),
  name: z.string().default('').describe('All of the namespace when empty.'),
});

export const fleetSpecSchema = z.strictObject({
  shards: z.int().min(1).max(512).default(1),
  replicas: z.int().min(1).max(4).default(2),
  retention: duration.default('15d'),
  scrapeInterval: duration.default('30s'),
  scrapeTimeout: duration.default('10s'),
  evaluationInterval: duration.default('30s'),
  externalLabels: stringMap.default({}),
  image: z.string().optional(),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).optional(),
  imagePullSecrets: z.array(z.strictObject({ name: z.string() })).default([]),
  storage: storageSchema.optional(),
  zones: zonesSchema.optional(),
  networkPolicy: z.strictObject({ enabled: boolean.default(true) }).prefault({}),
  scraper: scraperSchema.prefault({}),
  scrapeClasses: z.array(scrapeClass).default([]),
  podTargetLabels: strings.default([]),
  ignoreNamespaceSelectors: boolean.default(false),
  enforcedNamespaceLabel: z.string().default(''),
  excludedFromEnforcement: z.array(enforcementException).default([]),
  arbitraryFSAccessThroughSMs: z.strictObject({ deny: boolean.default(false) }).prefault({}),
  overrideHonorLabels: boolean.default(false),
  overrideHonorTimestamps: boolean.default(false),
  sampleLimit: count.default(0),
  targetLimit: count.default(0),
  labelLimit: count.default(0),
  labelNameLengthLimit: count.default(0),
  labelValueLengthLimit: count.default(0),
  bodySizeLimit: byteSize.default('0'),
  keepDroppedTargets: count.default(0),
  enforcedTargetLimit: count.default(0),
  enforcedKeepDroppedTargets: count.default(0),
  timestampTolerance: duration.optional(),
  replicaOffset: duration.optional(),
  enforcedSampleLimit: count.default(0),
  enforcedLabelLimit: count.default(0),
  enforcedLabelNameLengthLimit: count.default(0),
  enforcedLabelValueLengthLimit: count.default(0),
  enforcedBodySizeLimit: byteSize.default('0'),
  serviceMonitorSelector: selector,
  serviceMonitorNamespaceSelector: selector,
  podMonitorSelector: selector,
  podMonitorNamespaceSelector: selector,
  probeSelector: selector,
  probeNamespaceSelector: selector,
  scrapeConfigSelector: selector,
  scrapeConfigNamespaceSelector: selector,
  ruleSelector: selector,
  ruleNamespaceSelector: selector,
  querier: querierSchema.prefault({}),
  ruler: rulerSchema.prefault({}),
});

/** The spec with its defaults, and the name and namespace of its object. */
export interface FleetSpec extends z.output<typeof fleetSpecSchema> {
  readonly name: string;
  readonly namespace: string;
  /** '' without an API server. */
  readonly uid: string;
  /** 0 without an API server. */
  readonly generation: number;
}

function isDuration(text: string): boolean {
  try {
    return parseDuration(text) > 0;
  } catch {
    return false;
  }
}

function isByteSize(text: string): boolean {
  try {
    return parseByteSize(text) >= 0;
  } catch {
    return false;
  }
}
