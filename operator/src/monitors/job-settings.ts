// The settings that all kinds of monitors share, from their fields and the Fleet's defaults and enforced limits.

import { formatDuration, parseByteSize, parseDuration, relabelRuleConfig } from '@flotilla/model';
import type { RelabelConfig, RelabelRule } from '@flotilla/model';
import type { Job, JobLimits } from '@flotilla/wire';
import type { FleetSpec, ScrapeClassSpec } from '../discovery/fleet-spec.ts';
import type { AuthSpec, ScrapeSettingsSpec } from '../objects/monitoring-schema.ts';
import type { ObjectSource } from '../objects/object-source.ts';
import { checkCredentials, checkHeaderSecrets } from './check-credentials.ts';
import { makeAuth, readsFiles } from './job-auth.ts';
import { parseQuantity } from './quantity.ts';
import { withClassAuth } from './scrape-class.ts';
import { withNames } from './relabel-order.ts';

/** Prometheus's names for the operator's. */
const validationSchemes = { UTF8: 'utf8', Legacy: 'legacy' } as const;
const escapingSchemes = {
  AllowUTF8: 'allow-utf-8',
  Underscores: 'underscores',
  Dots: 'dots',
  Values: 'values',
} as const;

/** What holds for all jobs of a monitor. */
export interface JobFrame {
  readonly fleet: FleetSpec;
  readonly source: ObjectSource;
  readonly scrapeClass: ScrapeClassSpec | undefined;
  /** Relabeling of samples that nothing may follow. */
  readonly enforced: readonly RelabelConfig[];
}

/** What a monitor says of one job, all optional. */
export interface JobFields {
  readonly name: string;
  readonly namespace: string;
  readonly intervalMs?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly honorLabels?: boolean | undefined;
  readonly honorTimestamps?: boolean | undefined;
  readonly trackTimestampsStaleness?: boolean | undefined;
  readonly enableCompression?: boolean | undefined;
  readonly followRedirects?: boolean | undefined;
  readonly metricRelabelings?: readonly RelabelRule[] | undefined;
  readonly nameValidationScheme?: keyof typeof validationSchemes | undefined;
  readonly nameEscapingScheme?: keyof typeof escapingSchemes | undefined;
  readonly settings: ScrapeSettingsSpec;
  readonly auth: AuthSpec;
}

/** Throws RangeError for what must refuse the whole monitor. */
export function makeJob(fields: JobFields, { fleet, source, scrapeClass, enforced }: JobFrame): Job {
  // 0 means not given, as in the Prometheus operator.
  const intervalMs = fields.intervalMs || parseDuration(fleet.scrapeInterval);
  const timeoutMs = fields.timeoutMs || Math.min(parseDuration(fleet.scrapeTimeout), intervalMs);
  if (timeoutMs > intervalMs) {
    throw new RangeError(
      `scrapeTimeout ${formatDuration(timeoutMs)} greater than interval ${formatDuration(intervalMs)}`,
    );
  }
  const { settings } = fields;
  if (fleet.arbitraryFSAccessThroughSMs.deny && readsFiles(fields.auth))
    throw new RangeError(
      'bearerTokenFile and tlsConfig files: the Fleet denies access to files of the scraper',
    );
  const auth = withClassAuth(makeAuth(fields.auth, fields.namespace), scrapeClass, fleet);
  checkCredentials(auth, source);
  checkHeaderSecrets(fields.auth, fields.namespace, source);
  const metricRules = [...(scrapeClass?.metricRelabelings ?? []), ...(fields.metricRelabelings ?? [])].map(
    (rule) => withNames(rule, fields.nameValidationScheme),
  );
  return {
    name: fields.name,
    intervalMs,
    timeoutMs,
    honorLabels: !fleet.overrideHonorLabels && (fields.honorLabels ?? false),
    honorTimestamps: !fleet.overrideHonorTimestamps && (fields.honorTimestamps ?? true),
    trackTimestampsStaleness: fields.trackTimestampsStaleness ?? false,
    enableCompression: fields.enableCompression ?? true,
    followRedirects: fields.followRedirects ?? true,
    scrapeProtocols: settings.scrapeProtocols ?? [],
    fallbackScrapeProtocol: settings.fallbackScrapeProtocol ?? scrapeClass?.fallbackScrapeProtocol ?? '',
    ...histogramSettings(settings, fleet),
    nameValidationScheme: fields.nameValidationScheme ? validationSchemes[fields.nameValidationScheme] : '',
    nameEscapingScheme: fields.nameEscapingScheme ? escapingSchemes[fields.nameEscapingScheme] : '',
    limits: makeLimits(settings, fleet),
    metricRelabelings: [...metricRules.map((rule) => relabelRuleConfig(rule)), ...enforced],
    auth,
  };
}

function histogramSettings(settings: ScrapeSettingsSpec, fleet: FleetSpec) {
  return {
    scrapeNativeHistograms: settings.scrapeNativeHistograms ?? fleet.scrapeNativeHistograms,
    alwaysScrapeClassicHistograms: settings.scrapeClassicHistograms ?? fleet.scrapeClassicHistograms,
    convertClassicHistogramsToNhcb:
      settings.convertClassicHistogramsToNHCB ?? fleet.convertClassicHistogramsToNHCB,
    nativeHistogramMinBucketFactor: parseQuantity(settings.nativeHistogramMinBucketFactor ?? 0),
  };
}

/** Dropped targets that are shown of a job; 0: all. */
export function keptDropped(settings: ScrapeSettingsSpec, fleet: FleetSpec): number {
  return effective(settings.keepDroppedTargets, fleet.keepDroppedTargets, fleet.enforcedKeepDroppedTargets);
}

function makeLimits(settings: ScrapeSettingsSpec, fleet: FleetSpec): JobLimits {
  const bytes = (text: string): number => parseByteSize(text);
  return {
    bodySizeBytes: effective(
      settings.bodySizeLimit,
      bytes(fleet.bodySizeLimit),
      bytes(fleet.enforcedBodySizeLimit),
    ),
    samples: effective(settings.sampleLimit, fleet.sampleLimit, fleet.enforcedSampleLimit),
    targets: effective(settings.targetLimit, fleet.targetLimit, fleet.enforcedTargetLimit),
    labels: effective(settings.labelLimit, fleet.labelLimit, fleet.enforcedLabelLimit),
    labelNameLength: effective(
      settings.labelNameLengthLimit,
      fleet.labelNameLengthLimit,
      fleet.enforcedLabelNameLengthLimit,
    ),
    labelValueLength: effective(
      settings.labelValueLengthLimit,
      fleet.labelValueLengthLimit,
      fleet.enforcedLabelValueLengthLimit,
    ),
    histogramBuckets: settings.nativeHistogramBucketLimit ?? 0,
    series: fleet.targetSeriesLimit,
    shardSeries: fleet.shardSeriesLimit,
  };
}

/** The monitor's limit, else the Fleet's; never above the enforced one. */
function effective(own: number | undefined, byDefault: number, enforced: number): number {
  return smaller(own || byDefault, enforced);
}

/** The smaller of two limits of which 0 is none. */
function smaller(own = 0, enforced = 0): number {
  if (own === 0 || enforced === 0) return own || enforced;
  return Math.min(own, enforced);
}
