// The pods of scrapers, queriers and rulers: they pass the restricted pod security standard, write to their volume and /tmp only,
// and hold no more credentials than they use.

import { processSettings } from '@flotilla/chassis';
import type { FleetSpec } from '../discovery/fleet-spec.ts';
import { internalTokenName, ownLabels, PORT, selectorLabels } from './kube-manifest.ts';
import type { ClusterPlace, Component } from './kube-manifest.ts';
import { mergePodSpec } from './pod-template-merge.ts';
import { parseQuantity } from './quantity.ts';
import type { WorkloadSpec } from './workloads.ts';

export interface PodTemplate {
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: Readonly<Record<string, unknown>>;
}

const folders = {
  data: '/data',
  tmp: '/tmp',
  internal: '/var/run/secrets/flotilla/internal',
  operator: '/var/run/secrets/flotilla/operator',
  topology: '/etc/flotilla/topology',
};
const tokenSeconds = 3600;
const uid = 1000;
/** A long replay must not be taken for a hang: an hour. */
const startupProbe = probe('/-/ready', { periodSeconds: 5, failureThreshold: 720 });
/** Part of the memory limit that JavaScript may have; a scraper's samples live outside its heap. */
const heapParts: Readonly<Record<Component, number>> = { scraper: 0.4, querier: 0.75, ruler: 0.6 };
const requestDefaults: Readonly<Record<Component, Record<string, string>>> = {
  scraper: { cpu: '100m', memory: '256Mi' },
  querier: { cpu: '50m', memory: '128Mi' },
  ruler: { cpu: '50m', memory: '128Mi' },
};

/**
 * A store that is evicted has nothing to gain elsewhere: its volume stays. And where evictions are quick, nodes that only look dead
 * because the API server was away would take both of a pair at once.
 */
const patience = ['not-ready', 'unreachable'].map((condition) => ({
  key: `node.kubernetes.io/${condition}`,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 300,
}));

/** `shard` of scrapers only. `spec` is that of any replica. */
export function podTemplate(fleet: FleetSpec, spec: WorkloadSpec, place: ClusterPlace): PodTemplate {
  const component = spec.binary;
  const shard = component === 'scraper' ? spec.shard : undefined;
  const extra = fleet[component].podTemplate;
  return {
    metadata: {
      labels: { ...extra?.metadata.labels, ...ownLabels(component, fleet.name, shard) },
      annotations: { ...extra?.metadata.annotations },
    },
    spec: mergePodSpec(podSpec(fleet, spec, place), extra?.spec ?? {}),
  };
}

function podSpec(fleet: FleetSpec, spec: WorkloadSpec, place: ClusterPlace): Record<string, unknown> {
  const component = spec.binary;
  const shard = component === 'scraper' ? spec.shard : undefined;
  const { zones } = fleet;
  return {
    serviceAccountName: fleet[component].serviceAccountName ?? place.serviceAccounts[component],
    // Scrapers show it to the targets that ask for it: kubelets, API servers.
    automountServiceAccountToken: component === 'scraper',
    enableServiceLinks: false,
    terminationGracePeriodSeconds: component === 'querier' ? 30 : 120,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: uid,
      runAsGroup: uid,
      fsGroup: uid,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
    ...(fleet.imagePullSecrets.length > 0 && { imagePullSecrets: fleet.imagePullSecrets }),
    ...(zones?.local === true &&
      shard !== undefined && {
        nodeSelector: { 'topology.kubernetes.io/zone': zones.names[shard % zones.names.length] },
      }),
    ...(component !== 'querier' && { tolerations: patience }),
    topologySpreadConstraints: spread(component, selectorLabels(component, fleet.name, shard)),
    containers: [container(fleet, spec, place)],
    volumes: volumes(fleet, component),
  };
}

/**
 * A pair is never on one node while another one can take it. Nodes that are cordoned or dead do not count, so that on the last
 * node left both may run; and a cluster of one node has them both from the start.
 */
function spread(component: Component, matchLabels: Readonly<Record<string, string>>): object[] {
  const constraint = (topologyKey: string, whenUnsatisfiable: string): object => ({
    topologyKey,
    whenUnsatisfiable,
    maxSkew: 1,
    nodeTaintsPolicy: 'Honor',
    labelSelector: { matchLabels },
  });
  return [
    constraint('kubernetes.io/hostname', component === 'querier' ? 'ScheduleAnyway' : 'DoNotSchedule'),
    constraint('topology.kubernetes.io/zone', 'ScheduleAnyway'),
  ];
}

function container(fleet: FleetSpec, spec: WorkloadSpec, place: ClusterPlace): object {
  const component = spec.binary;
  const resources = fleet[component].resources ?? { requests: requestDefaults[component] };
  return {
    name: component,
    image: fleet.image ?? place.image,
    imagePullPolicy: fleet.imagePullPolicy ?? place.imagePullPolicy,
    command: ['node', `/app/${component}.mjs`],
    args: args(fleet, spec, place),
    ports: [{ name: 'http', containerPort: PORT, protocol: 'TCP' }],
    env: environment(component, resources),
    resources,
    startupProbe,
    readinessProbe: probe('/-/ready', { periodSeconds: 3, failureThreshold: 2 }),
    livenessProbe: probe('/-/healthy', { periodSeconds: 10, failureThreshold: 6 }),
    // Endpoints learn of the end of a querier before it ends.
    ...(component === 'querier' && { lifecycle: { preStop: { sleep: { seconds: 3 } } } }),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: volumeMounts(component),
  };
}

function probe(path: string, times: { periodSeconds: number; failureThreshold: number }): object {
  return {
    httpGet: { path, port: 'http', scheme: 'HTTP' },
    timeoutSeconds: 5,
    successThreshold: 1,
    ...times,
  };
}

function args(fleet: FleetSpec, spec: WorkloadSpec, place: ClusterPlace): string[] {
  const literal = Object.entries(spec.flags).map(
    ([flag, value]) => [flag, [value].flat().map(unexpanded)] as const,
  );
  const flags = { ...Object.fromEntries(literal), ...placeFlags(fleet, spec.binary, place) };
  return Object.entries(flags).flatMap(([flag, value]) =>
    [value].flat().flatMap((one) => (one === '' ? [] : `--${flag}=${one}`)),
  );
}

/** The kubelet puts variables in place of `$(NAME)`; what users write is none of these. */
function unexpanded(value: string): string {
  return value.replaceAll('$', '$$$$');
}

/** Flags that say where things are, and those that differ from pod to pod. */
function placeFlags(
  fleet: FleetSpec,
  component: Component,
  { operatorUrl, namespace }: ClusterPlace,
): Record<string, string> {
  const shared = {
    'web.listen-address': `0.0.0.0:${PORT}`,
    'internal.token-file': `${folders.internal}/token`,
    'operator.token-file': `${folders.operator}/token`,
  };
  switch (component) {
    case 'querier':
      return { ...shared, 'topology.file': `${folders.topology}/topology.json` };
    case 'scraper':
      return {
        ...shared,
        replica: '$(POD_INDEX)',
        'operator.url': operatorUrl,
        'storage.path': `${folders.data}/$(POD_NAME)`,
      };
    case 'ruler':
      return {
        ...shared,
        replica: '$(POD_INDEX)',
        'operator.url': operatorUrl,
        'storage.path': `${folders.data}/$(POD_NAME)`,
        'rules.dir': `${folders.data}/rules`,
        'query.url': `http://querier-${fleet.name}.${namespace}.svc:${PORT}`,
      };
  }
}

interface Resources {
  readonly limits?: Readonly<Record<string, string | number>> | undefined;
}

function environment(component: Component, { limits }: Resources): object[] {
  const field = (name: string, fieldPath: string): object => ({
    name,
    valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } },
  });
  const memory = limits?.['memory'];
  const heap = memory === undefined ? Number.NaN : parseQuantity(memory) * heapParts[component];
  const settings = processSettings(component);
  const options = [
    ...settings.nodeFlags,
    ...(heap > 0 ? [`--max-old-space-size=${Math.ceil(heap / (1 << 20))}`] : []),
  ];
  return [
    ...(component === 'querier'
      ? []
      : [
          field('POD_NAME', 'metadata.name'),
          field('POD_INDEX', "metadata.labels['apps.kubernetes.io/pod-index']"),
        ]),
    ...Object.entries(settings.environment).map(([name, value]) => ({ name, value })),
    ...(options.length > 0 ? [{ name: 'NODE_OPTIONS', value: options.join(' ') }] : []),
  ];
}

function volumes(fleet: FleetSpec, component: Component): object[] {
  const token = {
    serviceAccountToken: { audience: 'flotilla-operator', expirationSeconds: tokenSeconds, path: 'token' },
  };
  return [
    { name: 'tmp', emptyDir: {} },
    { name: 'internal-token', secret: { secretName: internalTokenName(fleet.name), defaultMode: 0o440 } },
    { name: 'operator-token', projected: { defaultMode: 0o440, sources: [token] } },
    ...(component === 'querier'
      ? [
          {
            name: 'topology',
            configMap: { name: `${fleet.name}-topology`, optional: true, defaultMode: 0o444 },
          },
        ]
      : []),
    ...(component !== 'querier' && fleet.storage === undefined ? [{ name: 'data', emptyDir: {} }] : []),
  ];
}

function volumeMounts(component: Component): object[] {
  return [
    { name: 'tmp', mountPath: folders.tmp },
    { name: 'internal-token', mountPath: folders.internal, readOnly: true },
    { name: 'operator-token', mountPath: folders.operator, readOnly: true },
    component === 'querier'
      ? { name: 'topology', mountPath: folders.topology, readOnly: true }
      : { name: 'data', mountPath: folders.data },
  ];
}
