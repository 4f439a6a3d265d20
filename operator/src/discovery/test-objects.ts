// Small worlds of objects that refer to each other, at random, for property tests.

import * as fc from 'fast-check';
import type { Kind } from '../objects/kinds.ts';
import { manifest } from './test-discovery.ts';

/** One object's new state; without a manifest it is deleted. */
export interface Change {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly manifest?: object;
}

const namespaces = fc.constantFrom('shop', 'shop', 'shop', 'bank');
const apps = fc.constantFrom('web', 'api');
const labels = fc.record({ app: apps, 'a.b/tier': fc.constantFrom('one', 'two') }, { requiredKeys: ['app'] });
const selector = fc.oneof(
  fc.constant({}),
  fc.record({ matchLabels: fc.record({ app: apps }) }),
  fc.record({ matchExpressions: fc.constantFrom([{ key: 'a.b/tier', operator: 'Exists' }]) }),
);
const podNames = ['p0', 'p1', 'p2'];
const addressOf = (pod: string): string => `10.0.0.${podNames.indexOf(pod) + 1}`;
const ports = fc.subarray([
  { name: 'http', containerPort: 80 },
  { name: 'admin', containerPort: 81 },
]);

type Body = Readonly<Record<string, unknown>>;

/** A kind, its names, and its states by name: everything but identity. */
function objects(
  kind: Kind,
  names: readonly string[],
  bodyOf: (name: string) => fc.Arbitrary<Body>,
): fc.Arbitrary<Change> {
  const isClusterWide = kind === 'Node' || kind === 'Namespace';
  return fc
    .record({ namespace: isClusterWide ? fc.constant('') : namespaces, name: fc.constantFrom(...names) })
    .chain(({ namespace, name }) =>
      fc
        .record({ body: bodyOf(name), own: labels, isThere: fc.integer({ min: 0, max: 4 }) })
        .map(({ body, own, isThere }) => {
          const { labels: more, ...rest } = body;
          const metadata = { labels: { ...own, ...(more as object) }, namespace: namespace || undefined };
          const identity = { kind, namespace, name };
          return isThere === 0 ? identity : { ...identity, manifest: manifest(kind, name, rest, metadata) };
        }),
    );
}

const pods = objects('Pod', podNames, (name) =>
  fc.record({
    spec: fc.record({
      nodeName: fc.constantFrom('n0', 'n1'),
      containers: ports.map((list) => [{ name: 'app', image: 'i', ports: list }]),
    }),
    status: fc.record({
      podIP: fc.constantFrom(addressOf(name), addressOf(name), ''),
      phase: fc.constantFrom('Running', 'Running', 'Failed'),
    }),
  }),
);

const slices = objects('EndpointSlice', ['e0', 'e1'], () =>
  fc.record({
    addressType: fc.constant('IPv4'),
    labels: fc.record({ 'kubernetes.io/service-name': fc.constantFrom('s0', 's1') }),
    ports: fc.subarray([
      { name: 'http', port: 80 },
      { name: 'gone', port: 90 },
    ]),
    endpoints: fc.subarray(podNames).map((names) =>
      names.map((name) => ({
        addresses: [addressOf(name)],
        nodeName: 'n0',
        targetRef: { kind: 'Pod', name },
      })),
    ),
  }),
);

const services = objects('Service', ['s0', 's1'], () =>
  fc.record({ spec: fc.record({ ports: fc.constant([{ name: 'http', port: 80 }]) }) }),
);
const nodes = objects('Node', ['n0', 'n1'], () =>
  fc.record({
    status: fc.record({
      addresses: fc.subarray([{ type: 'InternalIP', address: '10.1.0.1' }]),
      conditions: fc.constantFrom([], [{ type: 'Ready', status: 'True' }]),
    }),
  }),
);
const namespaceObjects = objects('Namespace', ['shop', 'bank'], () => fc.constant({}));
const secrets = objects('Secret', ['s'], () =>
  fc.record({ data: fc.constantFrom({}, { token: 'dA==' }, { token: 'dQ==' }) }),
);

const authorization = fc.constantFrom(undefined, { credentials: { name: 's', key: 'token' } });
const relabelings = fc.subarray([
  { action: 'labelmap', regex: '__meta_kubernetes_node_(.+)' },
  { sourceLabels: ['__meta_kubernetes_pod_name'], regex: 'p1', action: 'drop' },
  { sourceLabels: ['__address__'], regex: '.*:81', targetLabel: '__address__', replacement: 'a/b' },
]);
const attachMetadata = fc.constantFrom(undefined, { node: true });
const namespaceSelector = fc.constantFrom(undefined, { any: true }, { matchNames: ['shop'] });
const selectorMechanism = fc.constantFrom(undefined, 'RoleSelector');
const monitorFields = { selector, namespaceSelector, attachMetadata, selectorMechanism };

const serviceMonitors = objects('ServiceMonitor', ['m0', 'm1'], () => {
  const port = fc.constantFrom({}, { port: 'http' }, { targetPort: 81 });
  const endpoint = fc.record({ port, authorization, relabelings });
  const endpoints = fc.array(
    endpoint.map(({ port: one, ...rest }) => ({ ...one, ...rest })),
    { maxLength: 2 },
  );
  return fc.record({ spec: fc.record({ ...monitorFields, endpoints }) });
});
const podMonitors = objects('PodMonitor', ['m0'], () => {
  const endpoint = fc.record({ port: fc.constantFrom(undefined, 'http', 'admin'), relabelings });
  return fc.record({ spec: fc.record({ ...monitorFields, podMetricsEndpoints: fc.tuple(endpoint) }) });
});
const scrapeConfigs = objects('ScrapeConfig', ['c0'], () => {
  const some = relabelings.map((list) => (list.length === 0 ? undefined : list));
  const label = fc.constantFrom('app=web', 'app!=web');
  const role = fc.constantFrom('Pod', 'Node', 'Service', 'EndpointSlice');
  const config = fc.record({ role, label, attachMetadata }).map(({ role: of, label: text, ...rest }) => ({
    role: of,
    ...rest,
    ...(text === 'app=web' && { selectors: [{ role: of, label: text }] }),
  }));
  return fc.record({
    spec: fc.record({ kubernetesSDConfigs: fc.tuple(config), authorization, relabelings: some }),
  });
});
const rules = objects('PrometheusRule', ['r0'], () => {
  const rule = fc.record({ record: fc.constant('x'), expr: fc.constantFrom('up', 'sum(up)', 'sum(') });
  return fc.record({
    spec: fc.record({ groups: fc.tuple(fc.record({ name: fc.constant('g'), rules: fc.tuple(rule) })) }),
  });
});

const change = fc.oneof(
  { weight: 4, arbitrary: pods },
  { weight: 3, arbitrary: slices },
  { weight: 2, arbitrary: services },
  { weight: 1, arbitrary: nodes },
  { weight: 1, arbitrary: namespaceObjects },
  { weight: 1, arbitrary: secrets },
  { weight: 3, arbitrary: serviceMonitors },
  { weight: 2, arbitrary: podMonitors },
  { weight: 2, arbitrary: scrapeConfigs },
  { weight: 1, arbitrary: rules },
);

/** Moments, each with its changes: first a world, then a few at a time. */
export const histories: fc.Arbitrary<readonly (readonly Change[])[]> = fc
  .tuple(
    fc.array(change, { minLength: 30, maxLength: 50 }),
    fc.array(fc.array(change, { minLength: 1, maxLength: 6 }), { maxLength: 6 }),
  )
  .map(([first, rest]) => JSON.parse(JSON.stringify([first, ...rest])) as Change[][]);
