// The Fleet, kind of flotilla.dev/v1alpha1: its spec as users write it, checked, with defaults.

import { parseByteSize, parseDuration } from '@flotilla/model';
import { z } from 'zod';
import { fileAuthorization, fileTls } from '../objects/auth-schema.ts';
import {
  boolean,
  constrained,
  labelSelector,
  limit,
  listMap,
  listSet,
  optional,
  persistedDefault,
  quantity,
  stringMap,
} from '../objects/schema-parts.ts';
import { remoteWrite } from '../objects/remote-write-schema.ts';
import { relabelings, scrapeProtocol } from '../objects/scrape-schema.ts';

const duration = z.string().refine(isDuration, { error: 'want a duration like 30s, 5m or 15d' }).meta({
  minLength: 2,
  maxLength: 64,
  pattern: '^(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?$',
});
const byteSize = z
  .string()
  .refine(isByteSize, { error: 'want a size like 512MB or 1GB' })
  .meta({ pattern: '^(0|(([0-9]+([.][0-9]+)?|[.][0-9]+)([KMGTPE]i?)?B)+)$' });
const storageSize = z
  .string()
  .regex(/^[0-9]+(\.[0-9]+)?([numkMGTPE]|[KMGTPE]i)?$/, 'want a quantity like 500m, 2 or 10Gi');
const quantities = z.record(z.string(), quantity);
const text = (description: string) => z.string().default('').describe(description);
const flag = (description: string) => boolean.default(false).describe(description);

const resources = z
  .strictObject({
    requests: optional(quantities, 'What a pod is sure to have, like cpu and memory.'),
    limits: optional(quantities, 'What a pod gets at most.'),
    claims: optional(
      listMap(
        z.strictObject({
          name: z.string().describe('Name of a claim of the pod.'),
          request: optional(z.string(), 'Name of a request of the claim; all when absent.'),
        }),
        'name',
      ),
      'Resource claims of the pod.',
    ),
  })
  .describe('Resources of the container; some requests when absent.');

const podTemplate = z
  .strictObject({
    metadata: z
      .strictObject({
        labels: stringMap.default({}).describe('Labels to add.'),
        annotations: stringMap.default({}).describe('Annotations to add.'),
      })
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
  serviceAccountName: optional(
    z.string(),
    "ServiceAccount of the pods; the operator's flag decides when absent.",
  ),
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

const alertmanager = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .describe('Base URL of an Alertmanager.')
    .meta({ format: undefined, pattern: '^https?://.+$' }),
});

const rulerSchema = z
  .strictObject({
    ...podFields,
    replicas: z.int().min(0).max(16).default(2).describe('Number of rulers; 0 evaluates no rules.'),
    alertmanagers: z.array(alertmanager).default([]).describe('Alertmanagers; every one gets every alert.'),
    externalUrl: text('Where users reach the page, for links in alerts.'),
  })
  .describe('Evaluates rules over the merged view and alerts.');

const storageSchema = z
  .strictObject({
    size: storageSize.describe('Size of the volume of each replica. It may grow where the class allows it.'),
    storageClassName: optional(z.string(), "Class of the volumes; the cluster's default when absent."),
    whenDeleted: z
      .enum(['Retain', 'Delete'])
      .default('Retain')
      .describe('What becomes of the volumes when the Fleet is deleted.'),
  })
  .describe('Volumes of scrapers and rulers. Without it data is lost with the pod.');

const zonesSchema = z
  .strictObject({
    names: listSet(z.string().min(1).max(63))
      .min(1)
      .max(16)
      .describe('Values of topology.kubernetes.io/zone.'),
    local: flag('Scrapes the targets of a zone by shards of that zone. Shard N is in zone N mod zones.'),
  })
  .describe('Zones to spread shards over.');

const scrapeClass = z.strictObject({
  name: z.string().min(1).max(253).describe('Name that monitors use.'),
  default: flag('For monitors that name no class; one class at most.'),
  tlsConfig: optional(fileTls, 'For monitors that have none; files also where they have no certificate.'),
  authorization: optional(fileAuthorization, 'For monitors that have none.'),
  relabelings: relabelings.default([]).describe("Relabeling of targets, before the monitor's own."),
  metricRelabelings: relabelings.default([]).describe("Relabeling of samples, before the monitor's own."),
  fallbackScrapeProtocol: optional(scrapeProtocol, 'For monitors that name none.'),
  attachMetadata: optional(
    z.strictObject({ node: optional(boolean, 'Adds labels and annotations of the node as meta labels.') }),
    'For monitors that have none.',
  ),
});
export type ScrapeClassSpec = z.output<typeof scrapeClass>;

const enforcementException = z.strictObject({
  group: z.literal('monitoring.coreos.com').default('monitoring.coreos.com').describe('Group of the kind.'),
  resource: z
    .enum(['prometheusrules', 'servicemonitors', 'podmonitors', 'probes', 'scrapeconfigs'])
    .describe('Kind, in its plural.'),
  namespace: z.string().min(1).describe('Namespace of the object.'),
  name: text('Name of the object; all of the namespace when absent.'),
});

/** Absent means `{}`, everything: that a monitor is silently ignored is what users of other operators ask about most. */
function selector(what: string) {
  return labelSelector
    .nullable()
    .prefault({})
    .describe(`Labels of the ${what} to take. Absent or {} takes all, null none.`);
}

function namespaceSelector(what: string) {
  return labelSelector
    .nullable()
    .prefault({})
    .describe(
      `Labels of the namespaces whose ${what} to take. Absent or {} takes all, null only the Fleet's own.`,
    );
}

const selectorFields = {
  serviceMonitorSelector: selector('ServiceMonitors'),
  serviceMonitorNamespaceSelector: namespaceSelector('ServiceMonitors'),
  podMonitorSelector: selector('PodMonitors'),
  podMonitorNamespaceSelector: namespaceSelector('PodMonitors'),
  probeSelector: selector('Probes'),
  probeNamespaceSelector: namespaceSelector('Probes'),
  scrapeConfigSelector: selector('ScrapeConfigs'),
  scrapeConfigNamespaceSelector: namespaceSelector('ScrapeConfigs'),
  ruleSelector: selector('PrometheusRules'),
  ruleNamespaceSelector: namespaceSelector('PrometheusRules'),
};

const count = (description: string) => limit.default(0).describe(`${description} 0: no limit.`);
const bytes = (description: string) => byteSize.default('0').describe(`${description} 0: no limit.`);

const limitFields = {
  sampleLimit: count('Samples of one scrape, for monitors that set none.'),
  targetLimit: count('Targets of one job, for monitors that set none.'),
  labelLimit: count('Labels of a sample, for monitors that set none.'),
  labelNameLengthLimit: count('Bytes of a label name, for monitors that set none.'),
  labelValueLengthLimit: count('Bytes of a label value, for monitors that set none.'),
  bodySizeLimit: bytes('Uncompressed bytes of one scrape, like 10MB, for monitors that set none.'),
  keepDroppedTargets: count('Dropped targets that are shown of a job, for monitors that set none.'),
  enforcedSampleLimit: count('Samples of one scrape; monitors may set less.'),
  enforcedTargetLimit: count('Targets of one job; monitors may set less.'),
  enforcedLabelLimit: count('Labels of a sample; monitors may set less.'),
  enforcedLabelNameLengthLimit: count('Bytes of a label name; monitors may set less.'),
  enforcedLabelValueLengthLimit: count('Bytes of a label value; monitors may set less.'),
  enforcedBodySizeLimit: bytes('Uncompressed bytes of one scrape; monitors may set less.'),
  targetSeriesLimit: count(
    'Series of one target in memory, those that ended lately included; a scrape that would create more fails.',
  ),
  shardSeriesLimit: count(
    'Series of one shard in memory; with more, a scrape that would create some fails, others go on.',
  ),
  enforcedKeepDroppedTargets: count('Dropped targets that are shown of a job; monitors may set less.'),
};

/** What keeps tenants apart. */
const tenancyFields = {
  ignoreNamespaceSelectors: flag('Monitors select in their own namespace only.'),
  enforcedNamespaceLabel: text(
    'Label that is set to the namespace of the monitor or rule, whatever they say.',
  ),
  excludedFromEnforcement: z
    .array(enforcementException)
    .default([])
    .describe('Objects that enforcedNamespaceLabel leaves alone.'),
  arbitraryFSAccessThroughSMs: z
    .strictObject({ deny: flag('Refuses monitors that name files of the scraper.') })
    .prefault({})
    .describe('Files of the scraper, such as its token, in monitors.'),
  overrideHonorLabels: flag('Monitors cannot set honorLabels.'),
  overrideHonorTimestamps: flag('Timestamps of samples are not kept, whatever monitors say.'),
  extraScrapeMetrics: flag(
    'Adds scrape_timeout_seconds, scrape_sample_limit and scrape_body_size_bytes to each scrape.',
  ),
  scrapeFailureLogFile: text(
    'File of JSON lines about failed scrapes, in the folder of the data of each scraper unless absolute.',
  ),
  scrapeNativeHistograms: flag('Scrapes native histograms, for monitors that say nothing of them.'),
  scrapeClassicHistograms: flag(
    'Scrapes classic histograms beside native ones, for monitors that say nothing.',
  ),
  convertClassicHistogramsToNHCB: flag(
    'Turns classic histograms into native ones with custom buckets, for monitors that say nothing.',
  ),
};

const spec = z.strictObject({
  shards: z
    .int()
    .min(1)
    .max(512)
    .default(1)
    .describe('Parts that targets are spread over. kubectl scale sets it.')
    .meta(persistedDefault),
  replicas: z.int().min(1).max(4).default(2).describe('Pods that scrape the same targets, in each shard.'),
  retention: duration.default('15d').describe('How long samples are kept.'),
  scrapeInterval: duration.default('30s').describe('Time between scrapes, for monitors that set none.'),
  scrapeTimeout: duration
    .default('10s')
    .describe('Longest time of one scrape, for monitors that set none; at most their interval.'),
  evaluationInterval: duration
    .default('30s')
    .describe('Time between evaluations of rules, for groups that set none.'),
  externalLabels: stringMap
    .default({})
    .describe('Labels to set on alerts and on what is sent by remote write.'),
  image: optional(z.string(), "Image of the pods; the operator's own when absent."),
  imagePullPolicy: optional(z.enum(['Always', 'IfNotPresent', 'Never']), 'When to pull the image.'),
  imagePullSecrets: z
    .array(z.strictObject({ name: z.string().describe('Name of a Secret.') }))
    .default([])
    .describe('Secrets to pull the image with.'),
  storage: storageSchema.optional(),
  zones: zonesSchema.optional(),
  networkPolicy: z
    .strictObject({
      enabled: boolean.default(true).describe('Makes NetworkPolicies that let in only what the pods need.'),
    })
    .prefault({})
    .describe('NetworkPolicies of the pods.'),
  scraper: scraperSchema.prefault({}),
  querier: querierSchema.prefault({}),
  ruler: rulerSchema.prefault({}),
  remoteWrite: z
    .array(remoteWrite)
    .max(16)
    .default([])
    .describe('Destinations that every sample is sent to, besides being kept.'),
  receiver: boolean
    .default(false)
    .describe(
      'Takes samples that are pushed to any scraper at /api/v1/write, and spreads them over the shards.',
    ),
  scrapeClasses: listMap(scrapeClass, 'name')
    .max(64)
    .default([])
    .describe('Settings that monitors share by name.'),
  podTargetLabels: z
    .array(z.string())
    .default([])
    .describe('Labels of pods to set on the targets of all monitors.'),
  timestampTolerance: optional(duration, 'Scrapes that are this late at most count as if in time.'),
  replicaOffset: optional(duration, 'Time between the scrapes of two replicas of a shard.'),
  ...selectorFields,
  ...tenancyFields,
  ...limitFields,
});

export const fleetSpecSchema = constrained(spec, [
  {
    holds: ({ scrapeClasses }) => scrapeClasses.filter((one) => one.default).length <= 1,
    rule: '!has(self.scrapeClasses) || self.scrapeClasses.filter(c, has(c.default) && c.default).size() <= 1',
    message: 'scrapeClasses: at most one may be the default',
  },
  {
    holds: ({ remoteWrite: all }) => new Set(all.map(({ name, url }) => name || url)).size === all.length,
    rule: '!has(self.remoteWrite) || self.remoteWrite.all(a, self.remoteWrite.exists_one(b, (has(a.name) ? a.name : a.url) == (has(b.name) ? b.name : b.url)))',
    message: 'remoteWrite: names must differ, and so must URLs without a name',
  },
  {
    holds: ({ zones, shards }) => zones?.local !== true || shards >= zones.names.length,
    rule: '!has(self.zones) || !has(self.zones.local) || !self.zones.local || self.shards >= self.zones.names.size()',
    message: 'shards: fewer than zones.names, with zones.local each zone needs one',
  },
  {
    rule: '(has(self.zones) && has(self.zones.local) && self.zones.local) == (has(oldSelf.zones) && has(oldSelf.zones.local) && oldSelf.zones.local)',
    message: 'zones.local: cannot be changed, since every target would move at once; make another Fleet',
  },
  {
    // As lists: sets that differ in order only are equal, and the order decides which shard is where.
    rule: '!has(self.zones) || !has(self.zones.local) || !self.zones.local || !has(oldSelf.zones) || self.zones.names.map(n, n) == oldSelf.zones.names.map(n, n)',
    message: 'zones.names: cannot be changed while zones.local is set',
  },
]);

/** The spec with its defaults, and the name and namespace of its object. */
export interface FleetSpec extends z.output<typeof fleetSpecSchema> {
  readonly name: string;
  readonly namespace: string;
  /** '' without an API server. */
  readonly uid: string;
  /** 0 without an API server. */
  readonly generation: number;
}

function isDuration(value: string): boolean {
  try {
    return parseDuration(value) > 0;
  } catch {
    return false;
  }
}

function isByteSize(value: string): boolean {
  try {
    return parseByteSize(value) >= 0;
  } catch {
    return false;
  }
}
