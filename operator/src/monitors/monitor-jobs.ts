// From each kind of monitor to its scrape jobs: names as the Prometheus operator gives them, targets from the roles that it uses.

import type { Job } from '@flotilla/wire';
import type { FleetSpec } from '../discovery/fleet-spec.ts';
import type { ObjectRef } from '../discovery/findings.ts';
import type { DiscoveryViews, RoleSelector } from '../discovery/discovery-views.ts';
import type { KubernetesDiscovery, KubernetesRole } from '../discovery/kubernetes-discovery.ts';
import { mayMatch } from '../discovery/select-objects.ts';
import { parseFieldSelector, parseLabelSelector } from '../discovery/selector-text.ts';
import { staticTargets } from '../discovery/target-document.ts';
import type { TargetGroup } from '../discovery/target-group.ts';
import type { TargetFeeds } from '../discovery/target-feeds.ts';
import type { ObjectHead } from '../objects/kube-object.ts';
import type { ObjectOf } from '../objects/kinds.ts';
import { UNSUPPORTED_SD } from '../objects/monitoring-schema.ts';
import type { DnsSdSpec, HttpSdSpec, KubernetesSdSpec } from '../objects/monitoring-schema.ts';
import type { ObjectSource } from '../objects/object-source.ts';
import type { LabelSelector, NamespaceSelector } from '../objects/schema-parts.ts';
import { checkCredentials } from './check-credentials.ts';
import { checkProberUrl, checkStaticLabels } from './check-names.ts';
import { isEnforced } from './enforcement.ts';
import { makeAuth } from './job-auth.ts';
import { keptDropped, makeJob } from './job-settings.ts';
import type { JobFields, JobFrame } from './job-settings.ts';
import {
  podMonitorRules,
  probeIngressRules,
  probeStaticRules,
  scrapeConfigRules,
  serviceMonitorRules,
} from './relabel-order.ts';
import type { RuleTail } from './relabel-order.ts';
import { scrapeClassOf } from './scrape-class.ts';
import type { NamedRule, ScrapeJob } from './scrape-job.ts';

export interface JobContext {
  readonly fleet: FleetSpec;
  readonly source: ObjectSource;
  readonly kubernetes: KubernetesDiscovery;
  /** Discovery of the objects that selectors leave. */
  readonly views: DiscoveryViews;
  readonly feeds: TargetFeeds;
}

/** What the Fleet adds to the jobs and rules of a monitor. */
type Frame = JobFrame & RuleTail;

function frameOf(
  monitor: ObjectHead,
  { fleet, source }: JobContext,
  resource: 'servicemonitors' | 'podmonitors' | 'probes' | 'scrapeconfigs',
  className: string | undefined,
): Frame {
  const { namespace, name } = monitor.metadata;
  const scrapeClass = scrapeClassOf(fleet, className);
  const enforced = isEnforced(fleet, resource, namespace, name)
    ? [{ targetLabel: fleet.enforcedNamespaceLabel, replacement: namespace }]
    : [];
  const classRules = scrapeClass?.relabelings ?? [];
  return { fleet, source, scrapeClass, enforced, classRules, podTargetLabels: fleet.podTargetLabels };
}

type Groups = () => readonly TargetGroup[];

/** Each function throws RangeError for what must refuse the whole monitor. */
export function serviceMonitorJobs(monitor: ObjectOf<'ServiceMonitor'>, context: JobContext): ScrapeJob[] {
  const { spec } = monitor;
  const frame = frameOf(monitor, context, 'servicemonitors', spec.scrapeClass);
  const roles = ['endpointslice', 'service'] as const;
  const groups = roleGroups(
    withSelector(context, spec, roles),
    'endpointslice',
    monitor,
    spec.namespaceSelector,
    attachesNode(spec, frame),
    relabelingSelector(spec),
  );
  return spec.endpoints.map((endpoint, index) =>
    scrapeJob(monitor, frame, groups, serviceMonitorRules(monitor, endpoint, frame), endpoint, {
      ...endpointFields(monitor, index, endpoint),
      settings: spec,
    }),
  );
}

export function podMonitorJobs(monitor: ObjectOf<'PodMonitor'>, context: JobContext): ScrapeJob[] {
  const { spec } = monitor;
  const frame = frameOf(monitor, context, 'podmonitors', spec.scrapeClass);
  const attachNode = attachesNode(spec, frame);
  const selected = withSelector(context, spec, ['pod']);
  const groups = roleGroups(
    selected,
    'pod',
    monitor,
    spec.namespaceSelector,
    attachNode,
    relabelingSelector(spec),
  );
  return spec.podMetricsEndpoints.map((endpoint, index) =>
    scrapeJob(monitor, frame, groups, podMonitorRules(monitor, endpoint, frame), endpoint, {
      ...endpointFields(monitor, index, endpoint),
      settings: spec,
    }),
  );
}

export function probeJobs(monitor: ObjectOf<'Probe'>, context: JobContext): ScrapeJob[] {
  const { spec } = monitor;
  const frame = frameOf(monitor, context, 'probes', spec.scrapeClass);
  const { staticConfig, ingress } = spec.targets;
  if (staticConfig === undefined && ingress === undefined)
    throw new RangeError('targets: want staticConfig or ingress');
  checkProberUrl(spec.prober.url);
  const labels = { namespace: monitor.metadata.namespace, ...staticConfig?.labels };
  checkStaticLabels(labels);
  const groups: Groups =
    staticConfig === undefined
      ? roleGroups(context, 'ingress', monitor, ingress!.namespaceSelector, false)
      : fixed(staticTargets('static', [{ targets: staticConfig.static, labels }]));
  const rules =
    staticConfig === undefined ? probeIngressRules(monitor, frame) : probeStaticRules(monitor, frame);
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
  return [{ ...scrapeJob(monitor, frame, groups, rules, place, fields), isProbe: true }];
}

export function scrapeConfigJobs(monitor: ObjectOf<'ScrapeConfig'>, context: JobContext): ScrapeJob[] {
  const { spec, metadata } = monitor;
  const frame = frameOf(monitor, context, 'scrapeconfigs', spec.scrapeClass);
  const unsupported = UNSUPPORTED_SD.filter(
    (field) => (spec as Readonly<Record<string, unknown>>)[field] !== undefined,
  );
  if (unsupported.length > 0)
    throw new RangeError(
      `${unsupported.join(', ')}: not supported, want static, file, http, dns or kubernetes`,
    );
  for (const { labels } of spec.staticConfigs ?? []) checkStaticLabels(labels);
  for (const config of spec.dnsSDConfigs ?? []) checkDns(config);
  const fixedGroups = staticTargets('static', spec.staticConfigs ?? []);
  const kubernetes = (spec.kubernetesSDConfigs ?? []).map((config) => kubernetesGroups(context, config));
  const feeds = [
    ...(spec.fileSDConfigs ?? []).map((config) => context.feeds.files(config.files)),
    ...(spec.dnsSDConfigs ?? []).map((config) => context.feeds.dns(config)),
    ...(spec.httpSDConfigs ?? []).map((config) => httpGroups(context, monitor, config)),
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
  return [scrapeJob(monitor, frame, groups, scrapeConfigRules(monitor, frame), place, fields)];
}

interface Place {
  readonly scheme?: string | undefined;
  readonly path?: string | undefined;
  readonly params?: Readonly<Record<string, readonly string[]>> | undefined;
}

function scrapeJob(
  monitor: ObjectHead,
  frame: Frame,
  groups: Groups,
  rules: readonly NamedRule[],
  { scheme, path, params }: Place,
  fields: JobFields,
): ScrapeJob {
  const job: Job = makeJob(fields, frame);
  return {
    job,
    monitor: refOf(monitor),
    scheme: scheme?.toLowerCase() || 'http',
    metricsPath: path || '/metrics',
    params: params ?? {},
    rules,
    isProbe: false,
    keepDroppedTargets: keptDropped(fields.settings, frame.fleet),
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
  { kubernetes, fleet }: JobContext,
  role: KubernetesRole,
  { metadata }: ObjectHead,
  { any, matchNames }: NamespaceSelector,
  attachNode = false,
  selector?: LabelSelector,
): Groups {
  const own = fleet.ignoreNamespaceSelectors || (!any && matchNames.length === 0);
  const namespaces = new Set(own ? [metadata.namespace] : matchNames);
  const isAny = any && !own;
  // Targets are not made of objects that the selector drops: that would be most of them, for each monitor.
  const isSelected = ({ selectable }: TargetGroup): boolean =>
    selector === undefined || selectable === undefined || mayMatch(selector, selectable);
  return () =>
    kubernetes
      .groups(role, attachNode)
      .filter((group) => (isAny || namespaces.has(group.namespace)) && isSelected(group));
}

function attachesNode(
  { attachMetadata }: { readonly attachMetadata?: { readonly node?: boolean | undefined } | undefined },
  { scrapeClass }: Frame,
): boolean {
  return (attachMetadata ?? scrapeClass?.attachMetadata)?.node ?? false;
}

const roleOfName = new Map<string, KubernetesRole>([
  ['pod', 'pod'],
  ['service', 'service'],
  ['ingress', 'ingress'],
  ['node', 'node'],
  ['endpointslice', 'endpointslice'],
  ['endpoints', 'endpointslice'],
]);

/** The selector that relabeling applies; undefined when there is nothing left to it. */
function relabelingSelector({
  selectorMechanism,
  selector,
}: Pick<ObjectOf<'ServiceMonitor'>['spec'], 'selectorMechanism' | 'selector'>): LabelSelector | undefined {
  return selectorMechanism === 'RoleSelector' ? undefined : selector;
}

/** A monitor that selects by role has the objects themselves selected, not their targets. */
function withSelector(
  context: JobContext,
  { selectorMechanism, selector }: Pick<ObjectOf<'ServiceMonitor'>['spec'], 'selectorMechanism' | 'selector'>,
  roles: readonly KubernetesRole[],
): JobContext {
  if (selectorMechanism !== 'RoleSelector') return context;
  const selectors = roles.map((role) => ({ role, labels: selector, fields: [] }));
  return { ...context, kubernetes: context.views.of(selectors) };
}

/** A role may select its own objects; those with endpoints also what is behind them. */
function selectorsOf({ role, selectors = [] }: KubernetesSdSpec): RoleSelector[] {
  const own = role.toLowerCase();
  const selectable = own.startsWith('endpoint') ? [own, 'pod', 'service'] : [own];
  return selectors.map(({ role: selected, label = '', field = '' }) => {
    if (!selectable.includes(selected.toLowerCase()))
      throw new RangeError(
        `kubernetesSDConfigs: role ${role}: selector of ${selected}, want one of ${selectable.join(', ')}`,
      );
    return { role: roleOf(selected), labels: parseLabelSelector(label), fields: parseFieldSelector(field) };
  });
}

function kubernetesGroups({ views, fleet }: JobContext, config: KubernetesSdSpec): Groups {
  if (config.apiServer !== undefined)
    throw new RangeError('kubernetesSDConfigs: apiServer is not supported, want the cluster of the operator');
  const kubernetes = views.of(selectorsOf(config));
  const role = roleOf(config.role);
  const { ownNamespace = false, names = [] } = config.namespaces ?? {};
  const namespaces = new Set(ownNamespace ? [...names, fleet.namespace] : names);
  const attachNode = config.attachMetadata?.node ?? false;
  return () =>
    kubernetes
      .groups(role, attachNode)
      .filter(({ namespace }) => namespaces.size === 0 || namespaces.has(namespace));
}

function roleOf(text: string): KubernetesRole {
  const role = roleOfName.get(text.toLowerCase());
  if (role !== undefined) return role;
  throw new RangeError(
    `kubernetesSDConfigs: role "${text}", want one of ${[...roleOfName.keys()].join(', ')}`,
  );
}

/** Only SRV records have a port of their own. */
function checkDns({ type = 'SRV', port }: DnsSdSpec): void {
  if (type !== 'SRV' && port === undefined)
    throw new RangeError(`dnsSDConfigs: want a port for records of type ${type}`);
}

function httpGroups({ feeds, source }: JobContext, { metadata }: ObjectHead, config: HttpSdSpec): Groups {
  if (config.oauth2 !== undefined) throw new RangeError('httpSDConfigs: oauth2 is not supported yet');
  const auth = makeAuth(config, metadata.namespace);
  checkCredentials(auth, source);
  return feeds.http(config.url, config.refreshInterval, auth, source);
}

function fixed(groups: readonly TargetGroup[]): Groups {
  return () => groups;
}
