// The oracle's view: what its Prometheus shows, and which objects its operator refused.

import { parseByteSize, parseDuration } from '@flotilla/model';
import { readFileSync } from 'node:fs';
import { bindingsOf, comparableBindings, refusedBy } from './bindings.ts';
import { podSecrets } from './adapt-config.ts';
import type { ScrapeConfigYaml } from './adapt-config.ts';
import type { KubeClient } from './kube-client.ts';
import { oracleName } from './prometheus-operator.ts';
import type { OraclePrometheus, PrometheusTargets } from './prometheus-operator.ts';
import { oracleRules } from './rules-view.ts';
import { wholeRelabeling } from './view.ts';
import type { PoolView, SettingsView, TargetView, View } from './view.ts';

const textProtocols = [
  'OpenMetricsText1.0.0',
  'OpenMetricsText0.0.1',
  'PrometheusText1.0.0',
  'PrometheusText0.0.4',
];

/** What Prometheus asks for unless told otherwise. */
export function defaultProtocols(withNativeHistograms: boolean): readonly string[] {
  return withNativeHistograms ? ['PrometheusProto', ...textProtocols] : textProtocols;
}

export async function oracleView(prometheus: OraclePrometheus, client: KubeClient): Promise<View> {
  const [targets, effective, bindings, rules] = await Promise.all([
    prometheus.targets(),
    prometheus.scrapeConfigs(),
    bindingsOf(client, oracleName),
    oracleRules(client),
  ]);
  const written = new Map(prometheus.config.scrape_configs.map((scrape) => [scrape.job_name, scrape]));
  const byPool = targetsByPool(targets);
  const pools = effective.map((scrape): PoolView => ({
    job: scrape.job_name,
    targets: byPool.get(scrape.job_name) ?? [],
    droppedCount: targets.droppedTargetCounts[scrape.job_name] ?? 0,
    settings: settingsOf(scrape, written.get(scrape.job_name)!),
  }));
  return {
    pools: new Map(pools.map((pool) => [pool.job, pool])),
    refused: refusedBy(bindings),
    bindings: comparableBindings(bindings),
    rules,
  };
}

function targetsByPool({ activeTargets }: PrometheusTargets): Map<string, TargetView[]> {
  const pools = new Map<string, TargetView[]>();
  for (const { scrapePool, scrapeUrl, labels, scrapeInterval, scrapeTimeout } of activeTargets) {
    const pool = pools.get(scrapePool) ?? [];
    pools.set(scrapePool, pool);
    const times = { intervalMs: parseDuration(scrapeInterval), timeoutMs: parseDuration(scrapeTimeout) };
    pool.push({ url: scrapeUrl, labels, ...times });
  }
  return pools;
}

type Yaml = Readonly<Record<string, unknown>>;

/** Effective settings; secrets and relabelings from what was written, since Prometheus hides the one and shortens the other. */
function settingsOf(effective: ScrapeConfigYaml, written: ScrapeConfigYaml): SettingsView {
  const rules = (written['metric_relabel_configs'] ?? []) as readonly Yaml[];
  return {
    intervalMs: parseDuration(effective['scrape_interval'] as string),
    timeoutMs: parseDuration(effective['scrape_timeout'] as string),
    honorLabels: effective['honor_labels'] ?? false,
    honorTimestamps: effective['honor_timestamps'],
    trackTimestampsStaleness: effective['track_timestamps_staleness'] ?? false,
    enableCompression: effective['enable_compression'],
    followRedirects: effective['follow_redirects'],
    scrapeProtocols:
      written['scrape_protocols'] ?? defaultProtocols(effective['scrape_native_histograms'] === true),
    fallbackScrapeProtocol: effective['fallback_scrape_protocol'] ?? '',
    ...histogramsOf(effective),
    nameValidationScheme: written['metric_name_validation_scheme'] ?? '',
    nameEscapingScheme: written['metric_name_escaping_scheme'] ?? '',
    limits: limitsOf(effective),
    metricRelabelings: rules.map((rule) => wholeRelabeling(camelCased(rule))),
    auth: authOf(written),
  };
}

function histogramsOf(effective: ScrapeConfigYaml): SettingsView {
  return {
    scrapeNativeHistograms: effective['scrape_native_histograms'] ?? false,
    alwaysScrapeClassicHistograms: effective['always_scrape_classic_histograms'] ?? false,
    convertClassicHistogramsToNhcb: effective['convert_classic_histograms_to_nhcb'] ?? false,
    nativeHistogramMinBucketFactor: effective['native_histogram_min_bucket_factor'] ?? 0,
  };
}

function limitsOf(effective: ScrapeConfigYaml): SettingsView {
  const count = (field: string): unknown => effective[field] ?? 0;
  return {
    bodySizeBytes: parseByteSize((effective['body_size_limit'] as string | undefined) ?? '0'),
    samples: count('sample_limit'),
    targets: count('target_limit'),
    labels: count('label_limit'),
    labelNameLength: count('label_name_length_limit'),
    labelValueLength: count('label_value_length_limit'),
    histogramBuckets: count('native_histogram_bucket_limit'),
  };
}

function camelCased(rule: Yaml): Record<string, string> {
  const camel = (name: string): string => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  const values = Object.entries(rule).map(([name, value]) => [
    camel(name),
    name === 'regex' ? String(value) : value,
  ]);
  return Object.fromEntries(values) as Record<string, string>;
}

/** Credentials in clear, and of TLS files their content where the operator wrote them. */
function authOf(written: ScrapeConfigYaml): SettingsView {
  const {
    basic_auth: basic,
    authorization,
    oauth2,
    tls_config: tls,
  } = written as Readonly<Record<string, Yaml | undefined>>;
  const { bearer_token: token, bearer_token_file: file } = written;
  return {
    basic: basic && { username: basic['username'], password: basic['password'] },
    authorization:
      authorization ??
      (token === undefined ? undefined : { type: 'Bearer', credentials: token }) ??
      (file === undefined ? undefined : { type: 'Bearer', credentials: fileName(file as string) }),
    oauth2: oauth2 && {
      clientId: oauth2['client_id'],
      clientSecret: oauth2['client_secret'],
      tokenUrl: oauth2['token_url'],
      scopes: oauth2['scopes'] ?? [],
      endpointParams: oauth2['endpoint_params'],
      tls: tlsOf(oauth2['tls_config'] as Yaml | undefined),
      proxy: proxyOf(oauth2),
    },
    tls: tlsOf(tls),
    proxy: proxyOf(written),
  };
}

function proxyOf(written: Yaml): SettingsView | undefined {
  const { proxy_url: url, no_proxy: noProxy, proxy_from_environment: fromEnvironment } = written;
  if (url === undefined && fromEnvironment !== true) return undefined;
  return { url, noProxy, fromEnvironment, connectHeaders: written['proxy_connect_header'] ?? {} };
}

function tlsOf(tls: Yaml | undefined): SettingsView | undefined {
  if (tls === undefined) return undefined;
  return {
    ca: fileContent(tls['ca_file']),
    cert: fileContent(tls['cert_file']),
    key: fileContent(tls['key_file']),
    serverName: tls['server_name'],
    insecureSkipVerify: tls['insecure_skip_verify'],
    minVersion: tls['min_version'],
    maxVersion: tls['max_version'],
  };
}

function fileContent(path: unknown): string | undefined {
  if (typeof path !== 'string') return undefined;
  return path.includes('/etc-prometheus/certs/') ? readFileSync(path, 'utf8') : fileName(path);
}

/** As it was before the configuration was adapted. */
function fileName(path: string): string {
  return `file ${path.replace(/^.*\/etc-prometheus\/secrets\//, podSecrets)}`;
}
