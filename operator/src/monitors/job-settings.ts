// The settings that all kinds of monitors share, from their fields and the Fleet's defaults and enforced limits.

import { formatDuration, parseByteSize, parseDuration, relabelRuleConfig } from '@flotilla/model';
import type { RelabelRule } from '@flotilla/model';
import type { CredentialSource, Job, JobAuth, JobLimits } from '@flotilla/wire';
import type { FleetSpec } from '../discovery/fleet-spec.ts';
import type { AuthSpec, ScrapeSettingsSpec, TlsSpec } from '../objects/monitoring-schema.ts';

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
  readonly settings: ScrapeSettingsSpec;
  readonly auth: AuthSpec;
}

/** Throws RangeError for what must refuse the whole monitor. */
export function makeJob(fields: JobFields, fleet: FleetSpec): Job {
  const intervalMs = fields.intervalMs ?? parseDuration(fleet.scrapeInterval);
  const timeoutMs = fields.timeoutMs ?? Math.min(parseDuration(fleet.scrapeTimeout), intervalMs);
  if (timeoutMs > intervalMs) {
    throw new RangeError(
      `scrapeTimeout ${formatDuration(timeoutMs)} greater than interval ${formatDuration(intervalMs)}`,
    );
  }
  const { settings } = fields;
  return {
    name: fields.name,
    intervalMs,
    timeoutMs,
    honorLabels: fields.honorLabels ?? false,
    honorTimestamps: fields.honorTimestamps ?? true,
    trackTimestampsStaleness: fields.trackTimestampsStaleness ?? false,
    enableCompression: fields.enableCompression ?? true,
    followRedirects: fields.followRedirects ?? true,
    scrapeProtocols: settings.scrapeProtocols ?? [],
    fallbackScrapeProtocol: settings.fallbackScrapeProtocol ?? '',
    limits: makeLimits(settings, fleet),
    metricRelabelings: (fields.metricRelabelings ?? []).map((rule) => relabelRuleConfig(rule)),
    auth: makeAuth(fields.auth, fields.namespace),
  };
}

function makeLimits(settings: ScrapeSettingsSpec, fleet: FleetSpec): JobLimits {
  return {
    bodySizeBytes: smaller(settings.bodySizeLimit, parseByteSize(fleet.enforcedBodySizeLimit)),
    samples: smaller(settings.sampleLimit, fleet.enforcedSampleLimit),
    targets: settings.targetLimit ?? 0,
    labels: smaller(settings.labelLimit, fleet.enforcedLabelLimit),
    labelNameLength: smaller(settings.labelNameLengthLimit, fleet.enforcedLabelNameLengthLimit),
    labelValueLength: smaller(settings.labelValueLengthLimit, fleet.enforcedLabelValueLengthLimit),
  };
}

/** The smaller of two limits of which 0 is none. */
function smaller(own = 0, enforced = 0): number {
  if (own === 0 || enforced === 0) return own || enforced;
  return Math.min(own, enforced);
}

function makeAuth(spec: AuthSpec, namespace: string): JobAuth {
  const { basicAuth, authorization, bearerTokenFile, bearerTokenSecret, tlsConfig, proxyUrl, oauth2 } = spec;
  const hasSecret = bearerTokenSecret !== undefined && bearerTokenSecret.key !== '';
  const kinds = [
    basicAuth,
    authorization,
    bearerTokenFile || undefined,
    hasSecret || undefined,
    oauth2,
  ].filter((one) => one !== undefined);
  if (kinds.length > 1)
    throw new RangeError('at most one of basicAuth, authorization, oauth2 and bearerToken must be set');
  if (oauth2 !== undefined) throw new RangeError('oauth2 is not supported yet');
  return {
    ...(basicAuth && {
      basic: {
        username: keyOf(basicAuth.username, namespace),
        password: keyOf(basicAuth.password, namespace),
      },
    }),
    ...(authorization && {
      authorization: {
        type: authorization.type || 'Bearer',
        credentials: keyOf(authorization.credentials, namespace),
      },
    }),
    ...(bearerTokenFile && { authorization: { type: 'Bearer', credentials: { file: bearerTokenFile } } }),
    ...(hasSecret && { authorization: { type: 'Bearer', credentials: keyOf(bearerTokenSecret, namespace) } }),
    ...(tlsConfig && { tls: makeTls(tlsConfig, namespace) }),
    ...(proxyUrl !== undefined && { proxyUrl }),
  };
}

interface KeySelector {
  readonly name: string;
  readonly key: string;
}

function keyOf(
  selector: KeySelector | undefined,
  namespace: string,
  kind: 'Secret' | 'ConfigMap' = 'Secret',
): CredentialSource {
  if (selector === undefined) return { value: '' };
  return { secret: { kind, namespace, name: selector.name, key: selector.key } };
}

function makeTls(tls: TlsSpec, namespace: string): NonNullable<JobAuth['tls']> {
  for (const [one, other] of [
    ['ca', 'caFile'],
    ['cert', 'certFile'],
    ['keySecret', 'keyFile'],
  ] as const) {
    if (tls[one] !== undefined && tls[other] !== undefined)
      throw new RangeError(`tlsConfig: only one of ${one} and ${other} may be set`);
  }
  const ca = either(tls.ca, tls.caFile, namespace);
  const cert = either(tls.cert, tls.certFile, namespace);
  const key = tls.keySecret === undefined ? fileOf(tls.keyFile) : keyOf(tls.keySecret, namespace);
  if ((cert === undefined) !== (key === undefined))
    throw new RangeError('tlsConfig: want both of client certificate and key, or none');
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(tls.serverName !== undefined && { serverName: tls.serverName }),
    ...(tls.insecureSkipVerify !== undefined && { insecureSkipVerify: tls.insecureSkipVerify }),
    ...(tls.minVersion !== undefined && { minVersion: tls.minVersion }),
    ...(tls.maxVersion !== undefined && { maxVersion: tls.maxVersion }),
  };
}

function either(
  selector:
    | { readonly secret?: KeySelector | undefined; readonly configMap?: KeySelector | undefined }
    | undefined,
  file: string | undefined,
  namespace: string,
): CredentialSource | undefined {
  if (selector?.secret !== undefined) return keyOf(selector.secret, namespace);
  if (selector?.configMap !== undefined) return keyOf(selector.configMap, namespace, 'ConfigMap');
  return fileOf(file);
}

function fileOf(file: string | undefined): CredentialSource | undefined {
  return file ? { file } : undefined;
}
