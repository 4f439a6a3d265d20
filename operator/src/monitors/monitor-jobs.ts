// From each kind of monitor to its scrape jobs: names as the Prometheus operator gives them, targets from the roles that it uses.

import type { Job } from '@flotilla/wire';
import type { FleetSpec } from '../discovery/fleet-spec.ts';
import type { ObjectRef } from '../discovery/discovery.ts';
import type { KubernetesDiscovery, KubernetesRole } from '../discovery/kubernetes-discovery.ts';
import { staticTargets } from '../discovery/target-document.ts';
import type { TargetGroup } from '../discovery/target-group.ts';
import type { TargetFeeds } from '../discovery/target-feeds.ts';
import type { ObjectHead } from '../objects/kube-object.ts';
import type { ObjectOf } from '../objects/kinds.ts';
import { UNSUPPORTED_SD } from '../objects/monitoring-schema.ts';
import type { NamespaceSelector } from '../objects/schema-parts.ts';
import { makeJob } from './job-settings.ts';
import type { JobFields } from './job-settings.ts';
import {
  podMonitorRules,
  probeIngressRules,
  probeStaticRules,
  scrapeConfigRules,
  serviceMonitorRules,
} from './relabel-order.ts';
import type { NamedRule, ScrapeJob } from './scrape-job.ts';

export interface JobContext {
  readonly fleet: FleetSpec;
  readonly kubernetes: KubernetesDiscovery;
  readonly feeds: TargetFeeds;
}

type Groups = () => readonly TargetGroup[];

/** Each function throws RangeError for what must refuse the whole monitor. */
export function serviceMonitorJobs(monitor: ObjectOf<'ServiceMonitor'>, context: JobContext): ScrapeJob[] {
  const { spec } = monitor;
  const groups = roleGroups(
    context,
    'endpointslice',
    monitor,
    spec.namespaceSelector,
    spec.attachMetadata?.node,
  );
  return spec.endpoints.map((endpoint, index) =>
    scrapeJob(monitor, context, groups, serviceMonitorRules(monitor, endpoint), endpoint, {
      ...endpointFields(monitor, index, endpoint),
      settings: spec,
    }),
  );
}

export function podMonitorJobs(monitor: ObjectOf<'PodMonitor'>, context: JobContext): ScrapeJob[] {
  const { spec } = monitor;
  const groups = roleGroups(context, 'pod', monitor, spec.namespaceSelector, spec.attachMetadata?.node);
  return spec.podMetricsEndpoints.map((endpoint, index) =>
    scrapeJob(monitor, context, groups, podMonitorRules(monitor, endpoint), endpoint, {
      ...endpointFields(monitor, index, endpoint),
      settings: spec,
    }),
  );
}

export function probeJobs(monitor: ObjectOf<'Probe'>, context: JobContext): ScrapeJob[] {
  const { spec } = monitor;
  const { staticConfig, ingress } = spec.targets;
  if (staticConfig === undefined && ingress === undefined)
    throw new RangeError('targets: want staticConfig or ingress');
  const labels = { namespace: monitor.metadata.namespace, ...staticConfig?.labels };
  const groups: Groups =
    staticConfig === undefined
      ? roleGroups(context, 'ingress', monitor, ingress!.namespaceSelector, false)
      : fixed(staticTargets('static', [{ targets: staticConfig.static, labels }]));
  const rules = staticConfig === undefined ? probeIngressRules(monitor) : probeStaticRules(monitor);
  const params = Object.fromEntries((spec.params ?? []).map(({ name, values }) => [name, values]));
  const place = {
    scheme: spec.prober.scheme,
    path: spec.prober.path ?? '/probe',
    params: { ...params, ...(spec.module ? { module: [spec.module] } : {}) },
  };
  const fields: JobFields = {
    ...spec,
    name: `probe/${monitor.metadata.namespace}/${monitor.metadata.name}`,
    namespace: monitor.metadata.namespace,
    intervalMs: spec.interval,
    timeoutMs: spec.scrapeTimeout,
    honorTimestamps: true,
    settings: spec,
    auth: { ...spec, ...spec.prober },
  };
  return [{ ...scrapeJob(monitor, context, groups, rules, place, fields), isProbe: true }];
}

export function scrapeConfigJobs(monitor: ObjectOf<'ScrapeConfig'>, context: JobContext): ScrapeJob[] {
  const { spec, metadata } = monitor;
  const unsupported = UNSUPPORTED_SD.filter(
    (field) => (spec as Readonly<Record<string, unknown>>)[field] !== undefined,
  );
  if (unsupported.length > 0)
    throw new RangeError(`${unsupported.join(', ')}: not supported, want static, file, http or kubernetes`);
  const fixedGroups = staticTargets('static', spec.staticConfigs ?? []);
  const kubernetes = (spec.kubernetesSDConfigs ?? []).map((config) =>
    kubernetesGroups(context, monitor, config),
  );
  const feeds = [
    ...(spec.fileSDConfigs ?? []).map((config) => context.feeds.files(config.files)),
    ...(spec.httpSDConfigs ?? []).map((config) => context.feeds.http(config.url, config.refreshInterval)),
  ];
  const groups: Groups = () => [
    ...fixedGroups,
    ...kubernetes.flatMap((read) => read()),
    ...feeds.flatMap((read) => read()),
  ];
  const place = { scheme: spec.scheme, path: spec.metricsPath, params: spec.params };
  const fields: JobFields = {
    ...spec,
    name: `scrapeConfig/${metadata.namespace}/${metadata.name}`,
    namespace: metadata.namespace,
    intervalMs: spec.scrapeInterval,
    timeoutMs: spec.scrapeTimeout,
    settings: spec,
    auth: spec,
  };
  return [scrapeJob(monitor, context, groups, scrapeConfigRules(monitor), place, fields)];
}

interface Place {
  readonly scheme?: string | undefined;
  readonly path?: string | undefined;
  readonly params?: Readonly<Record<string, readonly string[]>> | undefined;
}

function scrapeJob(
  monitor: ObjectHead,
  { fleet }: JobContext,
  groups: Groups,
  rules: readonly NamedRule[],
  { scheme, path, params }: Place,
  fields: JobFields,
): ScrapeJob {
  const job: Job = makeJob(fields, fleet);
  return {
    job,
    monitor: refOf(monitor),
    scheme: scheme?.toLowerCase() || 'http',
    metricsPath: path || '/metrics',
    params: params ?? {},
    rules,
    isProbe: false,
    groups,
  };
}

export function refOf({ kind, metadata, origin }: ObjectHead): ObjectRef {
  const { namespace, name } = metadata;
  return { kind, namespace, name, ...(origin.file !== '' && { file: `${origin.file}:${origin.line}` }) };
}

interface EndpointFields {
  readonly interval?: number | undefined;
  readonly scrapeTimeout?: number | undefined;
}

function endpointFields<E extends EndpointFields>(
  { kind, metadata }: ObjectHead,
  index: number,
  endpoint: E,
) {
  const { namespace, name } = metadata;
  const prefix = `${kind.charAt(0).toLowerCase()}${kind.slice(1)}`;
  return {
    ...endpoint,
    name: `${prefix}/${namespace}/${name}/${index}`,
    namespace,
    intervalMs: endpoint.interval,
    timeoutMs: endpoint.scrapeTimeout,
    auth: endpoint,
  };
}

/** Groups of a role in the namespaces that the selector names; its own when it names none. */
function roleGroups(
  { kubernetes }: JobContext,
  role: KubernetesRole,
  { metadata }: ObjectHead,
  { any, matchNames }: NamespaceSelector,
  attachNode = false,
): Groups {
  const namespaces = new Set(matchNames.length === 0 ? [metadata.namespace] : matchNames);
  return () =>
    kubernetes.groups(role, attachNode).filter(({ namespace }) => any || namespaces.has(namespace));
}

const roles = new Map<string, KubernetesRole>([
  ['pod', 'pod'],
  ['service', 'service'],
  ['ingress', 'ingress'],
  ['node', 'node'],
  ['endpointslice', 'endpointslice'],
  ['endpoints', 'endpointslice'],
]);

function kubernetesGroups(
  { kubernetes }: JobContext,
  { metadata }: ObjectHead,
  config: NonNullable<ObjectOf<'ScrapeConfig'>['spec']['kubernetesSDConfigs']>[number],
): Groups {
  const role = roles.get(config.role.toLowerCase());
  if (role === undefined)
    throw new RangeError(
      `kubernetesSDConfigs: role "${config.role}", want one of ${[...roles.keys()].join(', ')}`,
    );
  const { ownNamespace = false, names = [] } = config.namespaces ?? {};
  const namespaces = new Set(ownNamespace ? [...names, metadata.namespace] : names);
  const attachNode = config.attachMetadata?.node ?? false;
  return () =>
    kubernetes
      .groups(role, attachNode)
      .filter(({ namespace }) => namespaces.size === 0 || namespaces.has(namespace));
}

function fixed(groups: readonly TargetGroup[]): Groups {
  return () => groups;
}
