// The assignment: what one shard scrapes. Both replicas of a shard get the same one. Format: docs/format/assignment.md.
//
// Equal inputs give equal bytes: jobs are sorted by name, targets by id then labels then url, and `version` is a hash
// of the canonical encoding, so that any operator replica can serve any scraper and resume any stream.

import type { RelabelConfig } from '@flotilla/model';
import type { RemoteWriteVersion } from './remote-write.ts';

/** Reference to one key of a Secret or ConfigMap; its value goes over `/assignment/v1/secrets` only. */
export interface SecretRef {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
}

/** Where a credential comes from: a file on the scraper, or an object that the operator resolves. */
export type CredentialSource =
  | { readonly file: string }
  | { readonly secret: SecretRef }
  | { readonly value: string };

export interface TlsConfig {
  readonly ca?: CredentialSource;
  readonly cert?: CredentialSource;
  readonly key?: CredentialSource;
  readonly serverName?: string;
  readonly insecureSkipVerify?: boolean;
  readonly minVersion?: string;
  readonly maxVersion?: string;
}

export interface ProxyConfig {
  readonly url?: string;
  /** Hosts, domains and CIDRs, separated by commas, that are asked without the proxy. */
  readonly noProxy?: string;
  /** Takes HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the scraper's environment instead. */
  readonly fromEnvironment?: boolean;
  /** Sent to the proxy with CONNECT. */
  readonly connectHeaders?: readonly {
    readonly name: string;
    readonly values: readonly CredentialSource[];
  }[];
}

/** OAuth 2.0 with client credentials (RFC 6749 §4.4). */
export interface OAuth2Config {
  readonly clientId: CredentialSource;
  readonly clientSecret: CredentialSource;
  readonly tokenUrl: string;
  readonly scopes: readonly string[];
  readonly endpointParams: Readonly<Record<string, string>>;
  readonly tls?: TlsConfig;
  readonly proxy?: ProxyConfig;
}

export interface JobAuth {
  readonly basic?: { readonly username: CredentialSource; readonly password: CredentialSource };
  readonly authorization?: { readonly type: string; readonly credentials: CredentialSource };
  readonly oauth2?: OAuth2Config;
  readonly tls?: TlsConfig;
  readonly proxy?: ProxyConfig;
}

/** 0 means no limit. */
export interface JobLimits {
  readonly bodySizeBytes: number;
  readonly samples: number;
  readonly targets: number;
  readonly labels: number;
  readonly labelNameLength: number;
  readonly labelValueLength: number;
  /** Buckets of a native histogram; with more, neighbours are merged. */
  readonly histogramBuckets: number;
  /** Series of one target in the head, those that ended lately included. */
  readonly series: number;
  /** Series of the shard; with more, scrapes that would create some fail. */
  readonly shardSeries: number;
}

/** The scrape settings that a job's targets share (Prometheus's scrape_config after discovery). */
export interface Job {
  /** Prometheus's job_name: `serviceMonitor/<ns>/<name>/<index>`, `scrapeConfig/<ns>/<name>`, … */
  readonly name: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly honorLabels: boolean;
  readonly honorTimestamps: boolean;
  readonly trackTimestampsStaleness: boolean;
  readonly enableCompression: boolean;
  readonly followRedirects: boolean;
  /** Empty: Prometheus's default, which depends on native histograms. */
  readonly scrapeProtocols: readonly string[];
  readonly fallbackScrapeProtocol: string;
  readonly scrapeNativeHistograms: boolean;
  /** Keeps classic histograms beside the native ones of the same name. */
  readonly alwaysScrapeClassicHistograms: boolean;
  /** Turns classic histograms into native ones with custom buckets. */
  readonly convertClassicHistogramsToNhcb: boolean;
  /** Least growth from bucket to bucket of a native histogram; 0 means any. */
  readonly nativeHistogramMinBucketFactor: number;
  /** Prometheus's `legacy`; '' is `utf8`. */
  readonly nameValidationScheme: string;
  /** Prometheus's `allow-utf-8`, `underscores`, `dots`, `values`; '' goes by the validation scheme. */
  readonly nameEscapingScheme: string;
  readonly limits: JobLimits;
  readonly metricRelabelings: readonly RelabelConfig[];
  readonly auth: JobAuth;
}

/** What the labels of a target may say otherwise than its job. */
export type TargetHistograms = Pick<
  Job,
  'scrapeNativeHistograms' | 'alwaysScrapeClassicHistograms' | 'convertClassicHistogramsToNhcb'
>;

export interface Target {
  /** murmur3 of job, url and labels: identifies the target in heartbeats, schedules and dedup. u32, never 0. */
  readonly id: number;
  readonly job: string;
  /** Scheme, host, path and query as relabeled. */
  readonly url: string;
  /** Final labels (no `__…`), sorted by name, as [name, value] pairs. */
  readonly labels: readonly (readonly [string, string])[];
  /** Overrides by `__scrape_interval__` / `__scrape_timeout__`; equal to the job's otherwise. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** 0..1023, or -1 for a target that every shard scrapes. */
  readonly slot: number;
  /** `__unix_socket__`: connected to instead of the host of the URL. */
  readonly unixSocket?: string;
  /** By the labels `__scrape_native_histograms__` and its like; absent: as the job says. */
  readonly histograms?: TargetHistograms;
}

/** How samples queue for one destination (Prometheus's queue_config). */
export interface RemoteWriteQueue {
  /** Samples that may wait for each shard. */
  readonly capacity: number;
  readonly minShards: number;
  readonly maxShards: number;
  readonly samplesPerSendMax: number;
  readonly batchSendDeadlineMs: number;
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly retryOnRateLimit: boolean;
  /** Older samples are dropped; 0 means none are. */
  readonly sampleAgeLimitMs: number;
}

/** One destination of remote write (Prometheus's remote_write). */
export interface RemoteWrite {
  /** Unique; what the position in the WAL is kept under. */
  readonly name: string;
  readonly url: string;
  readonly timeoutMs: number;
  readonly messageVersion: RemoteWriteVersion;
  /** As [name, value] pairs, sorted by name. */
  readonly headers: readonly (readonly [string, string])[];
  readonly sendExemplars: boolean;
  readonly sendNativeHistograms: boolean;
  readonly sendMetadata: boolean;
  readonly metadataIntervalMs: number;
  readonly metadataPerSendMax: number;
  readonly queue: RemoteWriteQueue;
  readonly relabelings: readonly RelabelConfig[];
  readonly auth: JobAuth;
  /** Added where a series has no such label, as [name, value] pairs, sorted by name. */
  readonly externalLabels: readonly (readonly [string, string])[];
  /** Every replica sends, with its number under this label; '' means that replica 0 alone sends. */
  readonly replicaLabel: string;
}

/** Where pushed series belong: any scraper takes them all, and hands each to the replicas of its shard. */
export interface Receiver {
  /** Base URLs of the replicas of each shard, by its number. */
  readonly shards: readonly { readonly shard: number; readonly urls: readonly string[] }[];
  /** Slot → shard. */
  readonly table: readonly number[];
  /** While slots move, where they go: their series belong to both shards. Else empty. */
  readonly nextTable: readonly number[];
}

/** What a shard does beside scraping. */
export interface ShardSettings {
  readonly remoteWrite: readonly RemoteWrite[];
  /** undefined: takes nothing that is pushed. */
  readonly receiver: Receiver | undefined;
}

export const noSettings: ShardSettings = { remoteWrite: [], receiver: undefined };

export interface Assignment {
  readonly version: string;
  readonly shard: number;
  readonly jobs: readonly Job[];
  readonly targets: readonly Target[];
  readonly settings: ShardSettings;
}

/** Why a target leaves a shard: a hand-off writes no stale markers, since the new owner goes on with its series. */
export type RemovalReason = 'gone' | 'handoff';

export interface AssignmentDiff {
  readonly fromVersion: string;
  readonly toVersion: string;
  readonly jobs: readonly Job[];
  readonly removedJobs: readonly string[];
  readonly targets: readonly Target[];
  readonly removedTargets: readonly { readonly id: number; readonly reason: RemovalReason }[];
  /** All of them, changed or not; absent means none. */
  readonly settings?: ShardSettings;
}

/** A frame of the stream. A scraper that cannot apply a diff asks again with an empty version. */
export type AssignmentFrame =
  | { readonly kind: 'snapshot'; readonly assignment: Assignment; readonly handedOff: readonly number[] }
  | { readonly kind: 'diff'; readonly diff: AssignmentDiff }
  | { readonly kind: 'keepalive'; readonly version: string };
