// Why no monitor takes a Service or a Pod: those that nearly do, with what is in the way.

import { nearestName } from '@flotilla/chassis';
import type { ObjectOf } from '../objects/kinds.ts';
import { keyOf } from '../objects/kube-object.ts';
import type { ObjectSource } from '../objects/object-source.ts';
import type { LabelSelector } from '../objects/schema-parts.ts';
import type { Problem } from './findings.ts';
import { SERVICE_NAME_LABEL } from './endpoint-slice-targets.ts';
import { selectorMatches } from './select-objects.ts';
import type { LabelMap } from './select-objects.ts';

export interface NearMiss {
  /** `ServiceMonitor shop/web`, or the object itself. */
  readonly monitor: string;
  readonly reason: string;
}

export interface ExplainedWorld {
  readonly source: ObjectSource;
  /** Monitors that the Fleet does not select. */
  readonly notSelected: readonly NearMiss[];
  readonly problems: readonly Problem[];
}

type Monitor = ObjectOf<'ServiceMonitor'> | ObjectOf<'PodMonitor'>;
type Service = ObjectOf<'Service'>;
type Pod = ObjectOf<'Pod'>;

/** Of everything with the name, which may be `namespace/name`. */
export function nearMisses(query: string, world: ExplainedWorld): NearMiss[] {
  const { source } = world;
  const isNamed = (object: Service | Pod): boolean =>
    keyOf(object) === query || object.metadata.name === query;
  const pods = source.list('Pod').filter(isNamed);
  const named = source.list('Service').filter(isNamed);
  const services = [...new Set([...named, ...pods.flatMap((pod) => servicesOf(pod, source))])];
  const found = [
    ...services.flatMap((service) => serviceMisses(service, world)),
    ...pods.flatMap((pod) => podMisses(pod, services.length > 0, world)),
    ...monitorMisses(query, world),
  ];
  if (found.length > 0 || pods.length > 0 || services.length > 0) return found;
  return [{ monitor: query, reason: 'no Service, Pod, monitor or target has this name or address' }];
}

/** Whether the monitor's selectors take the object. */
export function isTaken(monitor: Monitor, { metadata }: Service | Pod): boolean {
  return looksIn(monitor, metadata.namespace) && selectorMatches(monitor.spec.selector, metadata.labels);
}

function looksIn({ metadata, spec }: Monitor, namespace: string): boolean {
  const { any, matchNames } = spec.namespaceSelector;
  if (any) return true;
  return matchNames.length === 0 ? metadata.namespace === namespace : matchNames.includes(namespace);
}

function serviceMisses(service: Service, world: ExplainedWorld): NearMiss[] {
  const monitors = world.source.list('ServiceMonitor');
  const misses = monitors.flatMap((monitor) =>
    monitorMiss(monitor, service, world, () => portMisses(monitor, service, world.source)),
  );
  if (monitors.some((monitor) => isTaken(monitor, service))) return misses;
  return [{ monitor: `Service ${keyOf(service)}`, reason: 'no ServiceMonitor selects it' }, ...misses];
}

function podMisses(pod: Pod, hasServices: boolean, world: ExplainedWorld): NearMiss[] {
  const monitors = world.source.list('PodMonitor');
  const misses = monitors.flatMap((monitor) =>
    monitorMiss(monitor, pod, world, () => containerPortMisses(monitor, pod)),
  );
  const own = (reason: string): NearMiss => ({ monitor: `Pod ${keyOf(pod)}`, reason });
  const isSelected = hasServices || monitors.some((monitor) => isTaken(monitor, pod));
  return [
    ...(isSelected ? [] : [own('no PodMonitor selects it, and it is behind no Service')]),
    ...podState(pod).map(own),
    ...misses,
  ];
}

function podState({ status }: Pod): string[] {
  if (status.podIP === '') return [`has no IP yet: its phase is ${status.phase || 'unknown'}`];
  const ready = status.conditions.find(({ type }) => type === 'Ready')?.status;
  return ready === 'False' ? [`is not ready: its phase is ${status.phase}`] : [];
}

/** A monitor or rule of the name, itself not taken. */
function monitorMisses(query: string, { notSelected, problems }: ExplainedWorld): NearMiss[] {
  const isNamed = (name: string, key: string): boolean => name === query || key === query;
  const refused = problems
    .filter(({ namespace, name }) => isNamed(name, `${namespace}/${name}`))
    .map(({ kind, namespace, name, reason }) => ({ monitor: `${kind} ${namespace}/${name}`, reason }));
  return [...refused, ...notSelected.filter(({ monitor }) => monitor.includes(query))];
}

/** Nothing for a monitor that is about something else altogether. */
function monitorMiss(
  monitor: Monitor,
  object: Service | Pod,
  world: ExplainedWorld,
  inTheWay: () => readonly string[],
): NearMiss[] {
  const { selector } = monitor.spec;
  const { namespace, labels } = object.metadata;
  const unmet = unmetRequirements(selector, labels);
  const isHere = looksIn(monitor, namespace);
  const name = `${monitor.kind} ${keyOf(monitor)}`;
  if (unmet.length === 0 && isHere)
    return (refusalsOf(monitor, name, world) ?? inTheWay()).map((reason) => ({ monitor: name, reason }));
  if (unmet.length === 0 && !isEmpty(selector))
    return [{ monitor: name, reason: `does not look in namespace ${namespace}: see its namespaceSelector` }];
  if (unmet.length === 1 && isHere && isNear(selector, labels)) return [{ monitor: name, reason: unmet[0]! }];
  return [];
}

/** Why the monitor itself is not taken; undefined when it is. */
function refusalsOf(monitor: Monitor, name: string, world: ExplainedWorld): string[] | undefined {
  const notSelected = world.notSelected.find((one) => one.monitor === name);
  if (notSelected !== undefined) return [`selects it, but is not selected: ${notSelected.reason}`];
  const { namespace } = monitor.metadata;
  const refusals = world.problems.filter(
    (one) => one.kind === monitor.kind && one.namespace === namespace && one.name === monitor.metadata.name,
  );
  return refusals.length === 0
    ? undefined
    : refusals.map(({ reason }) => `selects it, but is refused: ${reason}`);
}

function isEmpty({ matchLabels, matchExpressions }: LabelSelector): boolean {
  return Object.keys(matchLabels).length + matchExpressions.length === 0;
}

/** Another requirement holds, or the value of the one that does not is nearly right. */
function isNear({ matchLabels, matchExpressions }: LabelSelector, labels: LabelMap): boolean {
  const entries = Object.entries(matchLabels);
  if (entries.length + matchExpressions.length > 1) return true;
  return entries.some(([key, value]) => labels[key] !== undefined && isLike(labels[key], value));
}

function isLike(a: string, b: string): boolean {
  if (a.startsWith(b) || b.startsWith(a) || a.toLowerCase() === b.toLowerCase()) return true;
  return a.length > 3 && nearestName(a, [b]) !== undefined;
}

function unmetRequirements({ matchLabels, matchExpressions }: LabelSelector, labels: LabelMap): string[] {
  const has = (key: string): string =>
    labels[key] === undefined ? `label ${key} is missing` : `label ${key} is ${quoted([labels[key]])}`;
  const unmetLabels = Object.entries(matchLabels)
    .filter(([key, value]) => labels[key] !== value)
    .map(([key, value]) => `${has(key)}, want ${quoted([value])}`);
  const unmetExpressions = matchExpressions
    .filter((one) => !selectorMatches({ matchLabels: {}, matchExpressions: [one] }, labels))
    .map(({ key, operator, values }) => `${has(key)}, want ${operator} ${quoted(values)}`.trimEnd());
  return [...unmetLabels, ...unmetExpressions];
}

function portMisses(monitor: ObjectOf<'ServiceMonitor'>, service: Service, source: ObjectSource): string[] {
  const names = service.spec.ports.map(({ name }) => name);
  const slices = source
    .list('EndpointSlice')
    .filter(({ metadata }) => isOfService(metadata.labels, metadata.namespace, service));
  if (slices.every(({ endpoints }) => endpoints.length === 0))
    return ['selects it, but it has no endpoints: no pod is behind it'];
  const pods = slices.flatMap(({ endpoints, metadata }) =>
    endpoints.flatMap(({ targetRef }) => {
      const pod = source.get('Pod', targetRef?.namespace || metadata.namespace, targetRef?.name ?? '');
      return targetRef?.kind === 'Pod' && pod !== undefined ? [pod] : [];
    }),
  );
  return monitor.spec.endpoints.flatMap(({ port, targetPort }, index) => {
    const where = `endpoint ${index}`;
    if (port) return names.includes(port) ? [] : [portMiss(where, 'port', port, names, 'the Service has')];
    if (!targetPort || pods.length === 0) return [];
    const known = pods.flatMap(containerPorts);
    return known.includes(targetPort)
      ? []
      : [portMiss(where, 'targetPort', targetPort, known, 'its pods have')];
  });
}

function containerPortMisses(monitor: ObjectOf<'PodMonitor'>, pod: Pod): string[] {
  const known = containerPorts(pod);
  return monitor.spec.podMetricsEndpoints.flatMap(({ port, portNumber, targetPort }, index) => {
    const wanted = port || portNumber || targetPort;
    if (wanted === undefined || wanted === '' || known.includes(wanted)) return [];
    const field = port ? 'port' : portNumber ? 'portNumber' : 'targetPort';
    return [portMiss(`endpoint ${index}`, field, wanted, known, 'the pod has')];
  });
}

function portMiss(
  where: string,
  field: string,
  wanted: string | number,
  known: readonly (string | number)[],
  owner: string,
): string {
  const names = [...new Set(known)].filter((one) => one !== '');
  const nearest = typeof wanted === 'number' ? undefined : nearestName(wanted, names.map(String));
  const hint = nearest === undefined ? '' : ` (did you mean ${nearest}?)`;
  const ports = names.length === 0 ? 'no ports with names' : `ports ${quoted(names)}`;
  return `selects it, but ${where} wants ${field} ${quoted([wanted])}, and ${owner} ${ports}${hint}`;
}

/** Names and numbers. */
function containerPorts({ spec }: Pod): (string | number)[] {
  return [...spec.containers, ...spec.initContainers].flatMap(({ ports }) =>
    ports.flatMap(({ name, containerPort }) => (name === '' ? [containerPort] : [name, containerPort])),
  );
}

function servicesOf(pod: Pod, source: ObjectSource): Service[] {
  const { namespace, name } = pod.metadata;
  return source
    .list('EndpointSlice')
    .filter(
      ({ metadata, endpoints }) =>
        metadata.namespace === namespace &&
        endpoints.some(({ targetRef }) => targetRef?.kind === 'Pod' && targetRef.name === name),
    )
    .flatMap(
      ({ metadata }) => source.get('Service', namespace, metadata.labels[SERVICE_NAME_LABEL] ?? '') ?? [],
    );
}

function isOfService(labels: LabelMap, namespace: string, { metadata }: Service): boolean {
  return namespace === metadata.namespace && labels[SERVICE_NAME_LABEL] === metadata.name;
}

function quoted(values: readonly (string | number)[]): string {
  return values
    .map((value) => (typeof value === 'number' ? String(value) : JSON.stringify(value)))
    .join(', ');
}
