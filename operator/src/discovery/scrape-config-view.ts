// A job as Prometheus's scrape_config, for who reads: what it does with targets and samples, not how targets are found.
// Credentials are named by where they lie; their values are the scrapers' alone.

import { formatByteSize, formatDuration, relabelRuleConfig } from '@flotilla/model';
import type { RelabelConfig } from '@flotilla/model';
import type {
  CredentialSource,
  Job,
  JobAuth,
  JobLimits,
  OAuth2Config,
  ProxyConfig,
  TlsConfig,
} from '@flotilla/wire';
import { dump } from 'js-yaml';
import type { ScrapeJob } from '../monitors/scrape-job.ts';

type Fields = Readonly<Record<string, unknown>>;

/** YAML with Prometheus's names and order; limits of 0 and empty lists are left out, as there. */
export function scrapeConfigYaml({
  job,
  scheme,
  metricsPath,
  params,
  rules,
  keepDroppedTargets,
}: ScrapeJob): string {
  const config = {
    job_name: job.name,
    honor_labels: job.honorLabels || undefined,
    honor_timestamps: job.honorTimestamps,
    track_timestamps_staleness: job.trackTimestampsStaleness,
    params: Object.keys(params).length > 0 ? params : undefined,
    scrape_interval: formatDuration(job.intervalMs),
    scrape_timeout: formatDuration(job.timeoutMs),
    ...formatFields(job),
    metrics_path: metricsPath,
    scheme,
    enable_compression: job.enableCompression,
    ...limitFields(job.limits),
    native_histogram_min_bucket_factor: job.nativeHistogramMinBucketFactor || undefined,
    keep_dropped_targets: keepDroppedTargets || undefined,
    metric_name_validation_scheme: job.nameValidationScheme || undefined,
    metric_name_escaping_scheme: job.nameEscapingScheme || undefined,
    ...authFields(job.auth),
    follow_redirects: job.followRedirects,
    relabel_configs: relabelFields(rules.map(({ rule }) => relabelRuleConfig(rule))),
    metric_relabel_configs: relabelFields(job.metricRelabelings),
  };
  return dump(config, { lineWidth: -1, noRefs: true, skipInvalid: true });
}

function formatFields(job: Job): Fields {
  return {
    scrape_protocols: job.scrapeProtocols.length > 0 ? job.scrapeProtocols : undefined,
    fallback_scrape_protocol: job.fallbackScrapeProtocol || undefined,
    scrape_native_histograms: job.scrapeNativeHistograms,
    always_scrape_classic_histograms: job.alwaysScrapeClassicHistograms,
    convert_classic_histograms_to_nhcb: job.convertClassicHistogramsToNhcb,
  };
}

function limitFields(limits: JobLimits): Fields {
  return {
    body_size_limit: limits.bodySizeBytes > 0 ? formatByteSize(limits.bodySizeBytes) : undefined,
    sample_limit: limits.samples || undefined,
    target_limit: limits.targets || undefined,
    label_limit: limits.labels || undefined,
    label_name_length_limit: limits.labelNameLength || undefined,
    label_value_length_limit: limits.labelValueLength || undefined,
    native_histogram_bucket_limit: limits.histogramBuckets || undefined,
  };
}

function relabelFields(rules: readonly RelabelConfig[]): readonly Fields[] | undefined {
  if (rules.length === 0) return undefined;
  return rules.map((rule) => ({
    source_labels: rule.sourceLabels,
    separator: rule.separator,
    regex: rule.regex,
    modulus: rule.modulus,
    target_label: rule.targetLabel,
    replacement: rule.replacement,
    action: rule.action,
  }));
}

function authFields({ basic, authorization, oauth2, tls, proxy }: JobAuth): Fields {
  return {
    basic_auth: basic && {
      ...credential('username', basic.username),
      ...credential('password', basic.password),
    },
    authorization: authorization && {
      type: authorization.type,
      ...credential('credentials', authorization.credentials),
    },
    oauth2: oauth2 && oauth2Fields(oauth2),
    tls_config: tls && tlsFields(tls),
    ...proxyFields(proxy),
  };
}

function oauth2Fields(oauth2: OAuth2Config): Fields {
  return {
    ...credential('client_id', oauth2.clientId),
    ...credential('client_secret', oauth2.clientSecret),
    scopes: oauth2.scopes.length > 0 ? oauth2.scopes : undefined,
    token_url: withoutPassword(oauth2.tokenUrl),
    endpoint_params: Object.keys(oauth2.endpointParams).length > 0 ? oauth2.endpointParams : undefined,
    tls_config: oauth2.tls && tlsFields(oauth2.tls),
    ...proxyFields(oauth2.proxy),
  };
}

function tlsFields({
  ca,
  cert,
  key,
  serverName,
  insecureSkipVerify,
  minVersion,
  maxVersion,
}: TlsConfig): Fields {
  return {
    ...(ca && credential('ca', ca)),
    ...(cert && credential('cert', cert)),
    ...(key && credential('key', key)),
    server_name: serverName || undefined,
    insecure_skip_verify: insecureSkipVerify ?? false,
    min_version: minVersion || undefined,
    max_version: maxVersion || undefined,
  };
}

function proxyFields(proxy: ProxyConfig | undefined): Fields {
  if (proxy === undefined) return {};
  const headers = proxy.connectHeaders?.map(({ name, values }) => [name, values.map(placeOf)]);
  return {
    proxy_url: proxy.url && withoutPassword(proxy.url),
    no_proxy: proxy.noProxy,
    proxy_from_environment: proxy.fromEnvironment,
    proxy_connect_header: headers && Object.fromEntries(headers),
  };
}

/** Files by the name of the field for files. */
function credential(field: string, source: CredentialSource): Fields {
  return 'file' in source ? { [`${field}_file`]: source.file } : { [field]: placeOf(source) };
}

/** Prometheus writes `<secret>`; here it says which. */
function placeOf(source: CredentialSource): string {
  if ('file' in source) return source.file;
  if (!('secret' in source)) return '<secret>';
  const { kind, namespace, name, key } = source.secret;
  return `<${kind} ${namespace}/${name}/${key}>`;
}

function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return url;
  const parsed = new URL(url);
  if (parsed.password === '') return url;
  parsed.password = 'xxxxx';
  return parsed.href;
}
