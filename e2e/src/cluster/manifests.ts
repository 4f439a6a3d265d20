// Objects that the proofs apply.

import { hostAddress, loadTargets, nodeAddress, nodeName, nodeNumbers, ports } from './environment.ts';
import type { Manifest } from './commands.ts';

/** Where users' things live. */
export const shop = 'shop';
const appImage = 'localhost/e2e-app:1';

export function namespaceObject(name: string, labels: Readonly<Record<string, string>> = {}) {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

export function serviceMonitor(name: string, spec: object, namespace = shop): Manifest {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'ServiceMonitor',
    metadata: { name, namespace },
    spec,
  } as Manifest;
}

export function prometheusRule(name: string, rules: readonly object[], namespace = shop): Manifest {
  const spec = { groups: [{ name, interval: '2s', rules }] };
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name, namespace },
    spec,
  } as Manifest;
}

export function secret(name: string, stringData: Readonly<Record<string, string>>): Manifest {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: shop }, stringData } as Manifest;
}

export interface AppOptions {
  readonly replicas?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Secrets to mount at /secrets/<name>. */
  readonly secrets?: readonly string[];
}

/** A Deployment of the exporter and its Service, whose port is named `http`. */
export function app(name: string, { replicas = 1, env = {}, secrets = [] }: AppOptions = {}): Manifest[] {
  const metadata = { name, namespace: shop, labels: { app: name } };
  const container = {
    name: 'app',
    image: appImage,
    ports: [{ name: 'http', containerPort: 8080 }],
    env: Object.entries(env).map(([key, text]) => ({ name: key, value: text })),
    securityContext: {
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    },
    readinessProbe: {
      httpGet: { path: '/ready', port: 'http', scheme: env['TLS_DIR'] === undefined ? 'HTTP' : 'HTTPS' },
      periodSeconds: 1,
    },
    volumeMounts: secrets.map((one) => ({ name: one, mountPath: `/secrets/${one}` })),
  };
  const podSpec = {
    terminationGracePeriodSeconds: 2,
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [container],
    volumes: secrets.map((one) => ({ name: one, secret: { secretName: one } })),
  };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: podSpec },
    },
  };
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
  };
  return [deployment, service];
}

interface SliceOptions {
  readonly name: string;
  readonly service: string;
  readonly namespace: string;
  readonly port: { readonly name: string; readonly port: number };
  readonly endpoints: readonly object[];
}

function endpointSlice({ name, service, namespace, port, endpoints }: SliceOptions): Manifest {
  const labels = { 'kubernetes.io/service-name': service };
  const metadata = { name, namespace, labels };
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata,
    addressType: 'IPv4',
    ports: [{ ...port, protocol: 'TCP' }],
    endpoints,
  } as Manifest;
}

function headless(name: string, namespace: string, port: { name: string; port: number }): Manifest {
  const labels = { 'app.kubernetes.io/name': name };
  const spec = { clusterIP: 'None', ports: [{ ...port, targetPort: port.port }] };
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace, labels }, spec } as Manifest;
}

/** The load on this machine as a Service without a selector: a fault in the cluster is never a fault of a target. */
export function load(): Manifest[] {
  const name = 'load';
  const slices = Array.from({ length: loadTargets }, (_, index) =>
    endpointSlice({
      name: `load-${index}`,
      service: name,
      namespace: shop,
      port: { name: 'metrics', port: ports.load + index },
      endpoints: [{ addresses: [hostAddress], conditions: { ready: true } }],
    }),
  );
  const monitor = serviceMonitor(name, {
    selector: { matchLabels: { 'app.kubernetes.io/name': name } },
    endpoints: [{ port: 'metrics', interval: '2s' }],
    serviceDiscoveryRole: 'EndpointSlice',
  });
  return [headless(name, shop, { name: 'metrics', port: ports.load }), ...slices, monitor];
}

/** Always firing while the load is up; and what must never fire. */
export function watchRules(): Manifest {
  return prometheusRule('watch', [
    { alert: 'Watching', expr: 'sum(up{job="load"}) > 0', labels: { severity: 'info' } },
    { alert: 'TargetsMissing', expr: `count(up{job="load"} == 1) < ${loadTargets}`, for: '4s' },
    { record: 'load:up:count', expr: 'count(up{job="load"} == 1)' },
  ]);
}

/** The kubelets' Service and slice as the Prometheus operator keeps them. */
export function kubeletService(): Manifest[] {
  const port = { name: 'https-metrics', port: 10_250 };
  const endpoints = nodeNumbers.map((node) => ({
    addresses: [nodeAddress(node)],
    conditions: { ready: true },
    nodeName: nodeName(node),
    targetRef: { kind: 'Node', name: nodeName(node) },
  }));
  const slice = { name: 'kubelet-1', service: 'kubelet', namespace: 'kube-system', port, endpoints };
  return [headless('kubelet', 'kube-system', port), endpointSlice(slice)];
}

export function etcdService(): Manifest[] {
  const port = { name: 'http-metrics', port: 2381 };
  const endpoints = [{ addresses: [nodeAddress(1)], conditions: { ready: true }, nodeName: nodeName(1) }];
  const slice = { name: 'etcd-1', service: 'etcd', namespace: 'kube-system', port, endpoints };
  return [headless('etcd', 'kube-system', port), endpointSlice(slice)];
}
