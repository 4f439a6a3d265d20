// The Store API besides the series stream: JSON over HTTP with a bearer token. Paths under /store/v1/.
// Served by every scraper and ruler; a querier serves the same to another querier later.

import type { MatcherMessage } from './series-stream.ts';

export const STORE_PATHS = {
  series: '/store/v1/series',
  labels: '/store/v1/labels',
  values: '/store/v1/values',
  exemplars: '/store/v1/exemplars',
  metadata: '/store/v1/metadata',
  targets: '/store/v1/targets',
  targetMetadata: '/store/v1/targets/metadata',
  rules: '/store/v1/rules',
  status: '/store/v1/status',
} as const;

/** POST labels, POST values (with `name`). */
export interface LabelsRequest {
  readonly name?: string;
  readonly matchers: readonly MatcherMessage[];
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly limit: number;
}

export interface LabelsResponse {
  /** Sorted bytewise. */
  readonly values: readonly string[];
  readonly truncated: boolean;
}

/** POST exemplars: of the series that satisfy all matchers of one of the sets. */
export interface ExemplarsRequest {
  readonly matcherSets: readonly (readonly MatcherMessage[])[];
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

export interface ExemplarMessage {
  readonly labels: Readonly<Record<string, string>>;
  /** As in Prometheus's JSON. */
  readonly value: string;
  readonly timeMs: number;
  /** Whether the time is the exemplar's own, and not that of the scrape which saw it first. */
  readonly hasTimestamp: boolean;
}

export interface ExemplarSeriesMessage {
  readonly labels: Readonly<Record<string, string>>;
  /** Ascending in time. */
  readonly exemplars: readonly ExemplarMessage[];
}

export interface ExemplarsResponse {
  readonly series: readonly ExemplarSeriesMessage[];
}

export interface MetricMetadata {
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

/** GET metadata?metric=&limit= */
export interface MetadataResponse {
  readonly metadata: Readonly<Record<string, readonly MetricMetadata[]>>;
}

/** One target on one replica. */
export interface TargetStatus {
  readonly id: number;
  readonly job: string;
  readonly url: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly shard: number;
  readonly replica: number;
  readonly slot: number;
  readonly health: 'up' | 'down' | 'unknown';
  readonly lastError: string;
  readonly lastScrapeMs: number;
  readonly lastScrapeDurationMs: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly samples: number;
}

/** GET targets */
export interface TargetsResponse {
  readonly targets: readonly TargetStatus[];
}

/** POST targets/metadata */
export interface TargetMetadataRequest {
  /** '' for all metrics of a target. */
  readonly metric: string;
  /** Of the target's labels. */
  readonly matchers: readonly MatcherMessage[];
  /** From so many entries on no more targets are looked at; 0: all are. */
  readonly limit: number;
}

export interface TargetMetadata {
  readonly target: Readonly<Record<string, string>>;
  readonly metadata: readonly (MetricMetadata & { readonly metric: string })[];
}

export interface TargetMetadataResponse {
  readonly targets: readonly TargetMetadata[];
  /** A limit of the store left some out. */
  readonly isCut: boolean;
}

export interface NameValue {
  readonly name: string;
  readonly value: number;
}

/** GET status?limit= : what /api/v1/status/tsdb shows, plus the state of the store. */
export interface StoreStatus {
  readonly name: string;
  readonly state: string;
  readonly version: string;
  readonly startedMs: number;
  readonly headStats: {
    readonly numSeries: number;
    readonly numLabelPairs: number;
    readonly chunkCount: number;
    readonly minTimeMs: number;
    readonly maxTimeMs: number;
  };
  readonly seriesCountByMetricName: readonly NameValue[];
  readonly labelValueCountByLabelName: readonly NameValue[];
  readonly memoryInBytesByLabelName: readonly NameValue[];
  readonly seriesCountByLabelValuePair: readonly NameValue[];
  /** Targets as their labels; the ruler has none. */
  readonly seriesCountByTarget?: readonly NameValue[];
  readonly blocks: number;
  readonly corruptions: readonly string[];
}

/** GET rules (ruler only): Prometheus's /api/v1/rules group objects of this replica, as they are. */
export interface RulesResponse {
  readonly replica: number;
  readonly groups: readonly RuleGroupStatus[];
  /** Where alerts are posted to; a ruler of an older version does not tell. */
  readonly alertmanagers?: readonly string[];
}

export interface AlertStatus {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing';
  readonly activeAt: string;
  readonly keepFiringSince?: string;
  /** Go 'e' form, as Prometheus writes it. */
  readonly value: string;
}

export interface RuleStatus {
  readonly type: 'alerting' | 'recording';
  readonly name: string;
  readonly query: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError?: string;
  /** Seconds. */
  readonly evaluationTime: number;
  /** RFC 3339. */
  readonly lastEvaluation: string;
  readonly state?: 'inactive' | 'pending' | 'firing' | 'unknown';
  /** Seconds. */
  readonly duration?: number;
  readonly keepFiringFor?: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly alerts?: readonly AlertStatus[];
}

export interface RuleGroupStatus {
  readonly name: string;
  readonly file: string;
  /** Seconds. */
  readonly interval: number;
  readonly limit: number;
  readonly evaluationTime: number;
  readonly lastEvaluation: string;
  readonly rules: readonly RuleStatus[];
}
