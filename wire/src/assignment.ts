// The assignment: what one shard scrapes. Both replicas of a shard get the same one. Format: docs/format/assignment.md.
//
// Equal inputs give equal bytes: jobs are sorted by name, targets by id then labels then url, and `version` is a hash
// of the canonical encoding, so that any operator replica can serve any scraper and resume any stream.

import type { RelabelConfig } from '@flotilla/model';

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
}

export interface Assignment {
  readonly version: string;
  readonly shard: number;
  readonly jobs: readonly Job[];
  readonly targets: readonly Target[];
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
}

/** A frame of the stream. A scraper that cannot apply a diff asks again with an empty version. */
export type AssignmentFrame =
  | { readonly kind: 'snapshot'; readonly assignment: Assignment; readonly handedOff: readonly number[] }
  | { readonly kind: 'diff'; readonly diff: AssignmentDiff }
  | { readonly kind: 'keepalive'; readonly version: string };
