// The relabel rules that each kind of monitor stands for, in the exact order of the Prometheus operator 0.93, whose users'
// own relabelings rely on it. Values are not regex-escaped there, so not here.

import { parseRelabelRule, relabelRuleConfig } from '@flotilla/model';
import type { RelabelConfig, RelabelRule } from '@flotilla/model';
import { META, sanitizeName } from '../discovery/meta-labels.ts';
import type { ObjectOf } from '../objects/kinds.ts';
import type { PodEndpointSpec, ServiceEndpointSpec } from '../objects/monitoring-schema.ts';
import type { LabelSelector } from '../objects/schema-parts.ts';
import type { NamedRule } from './scrape-job.ts';

/** What the Fleet adds to the rules of every monitor. */
export interface RuleTail {
  /** Of the scrape class: before the monitor's own. */
  readonly classRules: readonly RelabelRule[];
  /** After a monitor's own podTargetLabels. */
  readonly podTargetLabels: readonly string[];
  /** After everything, so that a monitor cannot escape. */
  readonly enforced: readonly RelabelConfig[];
}

export function serviceMonitorRules(
  monitor: ObjectOf<'ServiceMonitor'>,
  endpoint: ServiceEndpointSpec,
  tail: RuleTail,
): NamedRule[] {
  const { selector, targetLabels = [], podTargetLabels = [], jobLabel = '' } = monitor.spec;
  const slice = `${META}endpointslice`;
  const [targetKind, targetName] = [`${slice}_address_target_kind`, `${slice}_address_target_name`];
  return [
    replace('__tmp_prometheus_job_name', ['job']),
    ...(monitor.spec.selectorMechanism === 'RoleSelector' ? [] : selectorRules(selector, 'service')),
    ...servicePortRules(endpoint),
    replace('node', [targetKind, targetName], 'Node;(.*)', '${1}'),
    replace('pod', [targetKind, targetName], 'Pod;(.*)', '${1}'),
    replace('namespace', [`${META}namespace`]),
    replace('service', [`${META}service_name`]),
    replace('pod', [`${META}pod_name`]),
    replace('container', [`${META}pod_container_name`]),
    ...runningRules(endpoint),
    ...targetLabels.map((label) =>
      copyLabel(sanitizeName(label), `${META}service_label_${sanitizeName(label)}`),
    ),
    ...[...podTargetLabels, ...tail.podTargetLabels].map((label) =>
      copyLabel(sanitizeName(label), `${META}pod_label_${sanitizeName(label)}`),
    ),
    replace('job', [`${META}service_name`], undefined, '${1}'),
    ...(jobLabel === '' ? [] : [copyLabel('job', `${META}service_label_${sanitizeName(jobLabel)}`)]),
    ...endpointLabel(endpoint.port || textOf(endpoint.targetPort)),
    ...tailRules(tail, endpoint.relabelings),
  ];
}

function servicePortRules({ port, targetPort }: ServiceEndpointSpec): NamedRule[] {
  if (port !== undefined && port !== '') return [keep([`${META}endpointslice_port_name`], port)];
  if (typeof targetPort === 'number') return [keep([`${META}pod_container_port_number`], `${targetPort}`)];
  if (targetPort !== undefined && targetPort !== '')
    return [keep([`${META}pod_container_port_name`], targetPort)];
  return [];
}

export function podMonitorRules(
  monitor: ObjectOf<'PodMonitor'>,
  endpoint: PodEndpointSpec,
  tail: RuleTail,
): NamedRule[] {
  const { selector, podTargetLabels = [], jobLabel = '' } = monitor.spec;
  const { namespace, name } = monitor.metadata;
  return [
    replace('__tmp_prometheus_job_name', ['job']),
    ...runningRules(endpoint),
    ...(monitor.spec.selectorMechanism === 'RoleSelector' ? [] : selectorRules(selector, 'pod')),
    ...podPortRules(endpoint),
    replace('namespace', [`${META}namespace`]),
    replace('container', [`${META}pod_container_name`]),
    replace('pod', [`${META}pod_name`]),
    ...[...podTargetLabels, ...tail.podTargetLabels].map((label) =>
      copyLabel(sanitizeName(label), `${META}pod_label_${sanitizeName(label)}`),
    ),
    set('job', `${namespace}/${name}`),
    ...(jobLabel === '' ? [] : [copyLabel('job', `${META}pod_label_${sanitizeName(jobLabel)}`)]),
    ...endpointLabel(endpoint.port || textOf(endpoint.targetPort)),
    ...tailRules(tail, endpoint.relabelings),
  ];
}

function podPortRules({ port, portNumber, targetPort }: PodEndpointSpec): NamedRule[] {
  if (port !== undefined && port !== '') return [keep([`${META}pod_container_port_name`], port)];
  const number = portNumber ?? (typeof targetPort === 'number' ? targetPort : undefined);
  if (number !== undefined) return [keep([`${META}pod_container_port_number`], `${number}`)];
  if (typeof targetPort === 'string' && targetPort !== '')
    return [keep([`${META}pod_container_port_name`], targetPort)];
  return [];
}

/** Static targets of a Probe: the prober is scraped, the target is its parameter. */
export function probeStaticRules({ spec }: ObjectOf<'Probe'>, tail: RuleTail): NamedRule[] {
  return [
    ...probeHead(spec.jobName),
    replace('__param_target', ['__address__']),
    replace('instance', ['__param_target']),
    set('__address__', spec.prober.url),
    ...tailRules(tail, spec.targets.staticConfig?.relabelingConfigs),
  ];
}

export function probeIngressRules({ spec }: ObjectOf<'Probe'>, tail: RuleTail): NamedRule[] {
  const ingress = spec.targets.ingress!;
  const parts = ['scheme', 'host', 'path'].map((part) => `${META}ingress_${part}`);
  const sources = [parts[0]!, '__address__', parts[2]!];
  return [
    ...probeHead(spec.jobName),
    ...selectorRules(ingress.selector, 'ingress'),
    replace('__param_target', sources, '(.+);(.+);(.+)', '${1}://${2}${3}'),
    replace('namespace', [`${META}namespace`]),
    replace('ingress', [`${META}ingress_name`]),
    replace('__tmp_ingress_address', ['__address__']),
    replace('instance', ['__param_target']),
    set('__address__', spec.prober.url),
    ...tailRules(tail, ingress.relabelingConfigs),
  ];
}

function probeHead(jobName: string | undefined): NamedRule[] {
  return [replace('__tmp_prometheus_job_name', ['job']), ...(jobName ? [set('job', jobName)] : [])];
}

/** Here the class's rules come before the job's name. */
export function scrapeConfigRules({ spec }: ObjectOf<'ScrapeConfig'>, tail: RuleTail): NamedRule[] {
  return [
    replace('__tmp_prometheus_job_name', ['job']),
    ...userRules(tail.classRules),
    ...(spec.jobName ? [set('job', spec.jobName)] : []),
    ...tailRules(
      { ...tail, classRules: [] },
      spec.relabelings?.map((rule) => withNames(rule, spec.nameValidationScheme)),
    ),
  ];
}

/** matchLabels by sorted key, then matchExpressions as given, over the labels of the role. */
function selectorRules({ matchLabels, matchExpressions }: LabelSelector, role: string): NamedRule[] {
  const sources = (key: string): string[] => [
    `${META}${role}_label_${sanitizeName(key)}`,
    `${META}${role}_labelpresent_${sanitizeName(key)}`,
  ];
  const labels = Object.keys(matchLabels)
    .toSorted()
    .map((key) => keep(sources(key), `(${matchLabels[key]});true`));
  const expressions = matchExpressions.map(({ key, operator, values }) => {
    switch (operator) {
      case 'In':
        return keep(sources(key), `(${values.join('|')});true`);
      case 'NotIn':
        return drop(sources(key), `(${values.join('|')});true`);
      case 'Exists':
        return keep([sources(key)[1]!], 'true');
      case 'DoesNotExist':
        return drop([sources(key)[1]!], 'true');
    }
  });
  return [...labels, ...expressions];
}

function runningRules({
  filterRunning = true,
}: {
  readonly filterRunning?: boolean | undefined;
}): NamedRule[] {
  return filterRunning ? [drop([`${META}pod_phase`], '(Failed|Succeeded)')] : [];
}

function endpointLabel(port: string | undefined): NamedRule[] {
  return port ? [set('endpoint', port)] : [];
}

function textOf(port: string | number | undefined): string | undefined {
  return port === undefined ? undefined : `${port}`;
}

function keep(sourceLabels: readonly string[], regex: string): NamedRule {
  return named({ action: 'keep', sourceLabels, regex });
}

function drop(sourceLabels: readonly string[], regex: string): NamedRule {
  return named({ action: 'drop', sourceLabels, regex });
}

function replace(
  targetLabel: string,
  sourceLabels: readonly string[],
  regex?: string,
  replacement?: string,
): NamedRule {
  return named({
    targetLabel,
    sourceLabels,
    ...(regex !== undefined && { regex }),
    ...(replacement !== undefined && { replacement }),
  });
}

/** A copy that leaves the target label alone when the source is empty. */
function copyLabel(targetLabel: string, source: string): NamedRule {
  return replace(targetLabel, [source], '(.+)', '${1}');
}

function set(targetLabel: string, value: string): NamedRule {
  return named({ targetLabel, replacement: value });
}

function tailRules({ classRules, enforced }: RuleTail, own?: readonly RelabelRule[]): NamedRule[] {
  return [...userRules(classRules), ...userRules(own), ...enforced.map(named)];
}

function userRules(rules: readonly RelabelRule[] = []): NamedRule[] {
  return rules.map((rule) => ({ rule, text: describe(relabelRuleConfig(rule)) }));
}

/** Throws RangeError for a rule whose names the scheme does not have. */
export function withNames(rule: RelabelRule, scheme: string | undefined): RelabelRule {
  return scheme === 'Legacy' ? parseRelabelRule(relabelRuleConfig(rule), 'legacy') : rule;
}

function named(config: RelabelConfig): NamedRule {
  return { rule: parseRelabelRule(config), text: describe(config) };
}

/** `keep {__meta_kubernetes_pod_container_port_name} =~ "http"` */
function describe({
  action = 'replace',
  sourceLabels = [],
  regex,
  targetLabel,
  replacement,
  modulus,
}: RelabelConfig): string {
  const pattern = regex === undefined || regex === '(.*)' ? '' : ` =~ ${JSON.stringify(regex)}`;
  const target = targetLabel ? ` ${targetLabel} <-` : '';
  const value = replacement !== undefined && replacement !== '$1' ? ` ${JSON.stringify(replacement)}` : '';
  const of = sourceLabels.length === 0 ? '' : ` {${sourceLabels.join(', ')}}`;
  return `${action}${target}${of}${pattern}${value}${modulus ? ` mod ${modulus}` : ''}`;
}
