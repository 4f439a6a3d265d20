// The resources of the API server that the operator reads or writes, by kind.

export interface Resource {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

function resource(groupVersion: string, plural: string, kind: string, namespaced = true): Resource {
  const [group, version] = groupVersion.includes('/') ? groupVersion.split('/') : ['', groupVersion];
  return { group: group!, version: version!, plural, kind, namespaced };
}

export const RESOURCES = {
  Fleet: resource('flotilla.dev/v1alpha1', 'fleets', 'Fleet'),
  ServiceMonitor: resource('monitoring.coreos.com/v1', 'servicemonitors', 'ServiceMonitor'),
  PodMonitor: resource('monitoring.coreos.com/v1', 'podmonitors', 'PodMonitor'),
  Probe: resource('monitoring.coreos.com/v1', 'probes', 'Probe'),
  PrometheusRule: resource('monitoring.coreos.com/v1', 'prometheusrules', 'PrometheusRule'),
  ScrapeConfig: resource('monitoring.coreos.com/v1alpha1', 'scrapeconfigs', 'ScrapeConfig'),
  Service: resource('v1', 'services', 'Service'),
  Pod: resource('v1', 'pods', 'Pod'),
  Secret: resource('v1', 'secrets', 'Secret'),
  ConfigMap: resource('v1', 'configmaps', 'ConfigMap'),
  PersistentVolumeClaim: resource('v1', 'persistentvolumeclaims', 'PersistentVolumeClaim'),
  Node: resource('v1', 'nodes', 'Node', false),
  Namespace: resource('v1', 'namespaces', 'Namespace', false),
  EndpointSlice: resource('discovery.k8s.io/v1', 'endpointslices', 'EndpointSlice'),
  Ingress: resource('networking.k8s.io/v1', 'ingresses', 'Ingress'),
  NetworkPolicy: resource('networking.k8s.io/v1', 'networkpolicies', 'NetworkPolicy'),
  StatefulSet: resource('apps/v1', 'statefulsets', 'StatefulSet'),
  Deployment: resource('apps/v1', 'deployments', 'Deployment'),
  PodDisruptionBudget: resource('policy/v1', 'poddisruptionbudgets', 'PodDisruptionBudget'),
  Lease: resource('coordination.k8s.io/v1', 'leases', 'Lease'),
  Event: resource('events.k8s.io/v1', 'events', 'Event'),
  CustomResourceDefinition: resource(
    'apiextensions.k8s.io/v1',
    'customresourcedefinitions',
    'CustomResourceDefinition',
    false,
  ),
  TokenReview: resource('authentication.k8s.io/v1', 'tokenreviews', 'TokenReview', false),
} as const satisfies Readonly<Record<string, Resource>>;

export interface ResourcePlace {
  /** Ignored for kinds that have none; absent means all namespaces. */
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

/** `/apis/apps/v1/namespaces/ns/statefulsets/name/status`. */
export function resourcePath(
  { group, version, plural, namespaced }: Resource,
  { namespace, name, subresource }: ResourcePlace = {},
): string {
  const parts = [
    group === '' ? `/api/${version}` : `/apis/${group}/${version}`,
    ...(namespaced && namespace !== undefined ? ['namespaces', encodeURIComponent(namespace)] : []),
    plural,
    ...(name === undefined ? [] : [encodeURIComponent(name)]),
    ...(subresource === undefined ? [] : [subresource]),
  ];
  return parts.join('/');
}
