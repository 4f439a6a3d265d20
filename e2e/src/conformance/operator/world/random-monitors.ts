// Monitors made by chance out of good parts: combinations that nobody would think of.

import type { KubeObject } from '../kube-client.ts';
import { keyOf, monitor } from './monitor-object.ts';
import type { Fields } from './monitor-object.ts';
import { namespaces } from './nodes.ts';
import type { Random } from './random.ts';

const monitorCount = 24;
const keys = ['tier', 'team', 'monitored', 'release', 'version', 'app.kubernetes.io/name', 'canary', 'a.b'];
const values: Readonly<Record<string, readonly string[]>> = {
  tier: ['frontend', 'backend', 'backend2', 'database'],
  team: ['red', 'green', 'blue'],
  monitored: ['true', 'True', 'yes'],
  release: ['stable', 'edge'],
  version: ['v1', 'v1.2', 'v2.0'],
  'a.b': ['dot'],
};
const labelNames = [
  'namespace',
  'service',
  'pod',
  'container',
  'job',
  'instance',
  'tier',
  'x',
  'y',
  '__address__',
];
const sources = [
  ...labelNames,
  '__meta_kubernetes_pod_name',
  '__meta_kubernetes_pod_node_name',
  '__meta_kubernetes_pod_container_port_number',
  '__meta_kubernetes_pod_label_team',
  '__meta_kubernetes_service_label_team',
  '__meta_kubernetes_endpointslice_name',
];
const regexes = [
  '(.*)',
  '(.+)',
  'app-(\\d+).*',
  '[a-m].*',
  '(.*?)(\\d)$',
  '.*1.*',
  '(?i)TEAM-(.)',
  '^$',
  'a|b|team-a',
];
const replacements = ['$1', '${1}-$2', 'fixed', '$0', '$$1', '${1}${1}', 'é$1'];

export function randomMonitors(random: Random): KubeObject[] {
  return Array.from({ length: monitorCount }, (_, index) => {
    const namespace = random.pick(namespaces);
    const endpoints = Array.from({ length: random.int(1, 3) }, () => endpoint(random));
    const common = {
      selector: selector(random),
      ...(random.chance(0.8) && { namespaceSelector: namespaceSelector(random) }),
      ...(random.chance(0.3) && { jobLabel: random.pick(keys) }),
      ...(random.chance(0.3) && { podTargetLabels: random.some(keys, 3) }),
      ...(random.chance(0.2) && { sampleLimit: random.int(1, 1e6) }),
      ...(random.chance(0.3) && { attachMetadata: { node: random.chance(0.5) } }),
    };
    return index % 3 === 0
      ? monitor('PodMonitor', namespace, `random-${index}`, { ...common, podMetricsEndpoints: endpoints })
      : monitor('ServiceMonitor', namespace, `random-${index}`, {
          ...common,
          ...(random.chance(0.4) && { targetLabels: random.some(keys, 3) }),
          endpoints,
        });
  });
}

function selector(random: Random): Fields {
  const requirement = (key: string): Fields => {
    const known = values[key] ?? ['app-1', 'app-2'];
    const operator = random.pick(['In', 'NotIn', 'Exists', 'DoesNotExist']);
    return {
      key,
      operator,
      ...(operator.endsWith('In') && { values: [random.pick(known), random.pick(known)] }),
    };
  };
  const label = random.pick(Object.keys(values));
  return {
    ...(random.chance(0.4) && { matchLabels: { [label]: random.pick(values[label]!) } }),
    matchExpressions: random.some(keys, 1).map(requirement),
  };
}

function namespaceSelector(random: Random): Fields {
  return random.chance(0.6) ? { any: true } : { matchNames: random.some(namespaces, 2) };
}

function endpoint(random: Random): Fields {
  const port = random.pick<Fields>([
    { port: 'http' },
    { port: 'metrics' },
    { targetPort: 8080 },
    { targetPort: 'metrics' },
    {},
  ]);
  return {
    ...port,
    ...(random.chance(0.3) && { path: random.pick(['/m', '/metrics?x=1', 'relative']) }),
    ...(random.chance(0.3) && { interval: random.pick(['7s', '1m', '90s']), scrapeTimeout: '5s' }),
    ...(random.chance(0.2) && { authorization: { credentials: keyOf('token', 'token') } }),
    ...(random.chance(0.2) && { params: { q: ['a b', 'ü'] } }),
    ...(random.chance(0.2) && { filterRunning: false }),
    ...(random.chance(0.2) && { honorLabels: true }),
    relabelings: Array.from({ length: random.int(0, 6) }, () => relabeling(random)),
    metricRelabelings: Array.from({ length: random.int(0, 2) }, () => relabeling(random)),
  };
}

function relabeling(random: Random): Fields {
  const action = random.pick([
    'replace',
    'replace',
    'replace',
    'keep',
    'drop',
    'labelmap',
    'labeldrop',
    'hashmod',
    'lowercase',
    'uppercase',
  ]);
  const sourceLabels = [random.pick(sources), ...(random.chance(0.5) ? [random.pick(sources)] : [])];
  const targetLabel = random.pick(['x', 'y', 'z', 'job', 'instance']);
  switch (action) {
    case 'replace':
      return {
        sourceLabels,
        targetLabel,
        ...(random.chance(0.3) && { separator: random.pick(['', '/', '-', ';;']) }),
        ...(random.chance(0.8) && { regex: random.pick(regexes) }),
        ...(random.chance(0.7) && { replacement: random.pick(replacements) }),
      };
    case 'keep':
    case 'drop':
      return { action, sourceLabels, regex: random.pick(['.*1.*', '.*[02468]', 'app-[1-9].*', '.+']) };
    case 'labelmap':
      return {
        action,
        regex: '__meta_kubernetes_(pod|service)_label_(t.*)',
        replacement: random.pick(['$2', 'l_${1}_$2']),
      };
    case 'labeldrop':
      return { action, regex: random.pick(['container', 'x|y', 'pod.*']) };
    case 'hashmod':
      return { action, sourceLabels, targetLabel, modulus: random.int(1, 100) };
    default:
      return { action, sourceLabels, targetLabel };
  }
}
