// Monitors of the shapes that kube-prometheus and charts ship: bearer token files, CA files, multi-source metric drops.

import type { KubeObject } from '../kube-client.ts';
import { monitor } from './monitor-object.ts';
import type { Fields } from './monitor-object.ts';

const tokenFile = '/var/run/secrets/kubernetes.io/serviceaccount/token';
const caFile = '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt';
const insecure = { tlsConfig: { insecureSkipVerify: true }, scheme: 'https', bearerTokenFile: tokenFile };
const node = [{ sourceLabels: ['__metrics_path__'], targetLabel: 'metrics_path' }];

export function kubePrometheusMonitors(): KubeObject[] {
  return [
    kubelet(),
    apiServer(),
    ...['kube-scheduler', 'kube-controller-manager', 'coredns'].map(component),
    nodeExporter(),
    kubeStateMetrics(),
    daemonSetPods(),
  ];
}

function kubelet(): KubeObject {
  const drops = (names: string): Fields => ({ action: 'drop', regex: names, sourceLabels: ['__name__'] });
  const cadvisorDrop = {
    action: 'drop',
    regex: '(container_spec_.*|container_file_descriptors|container_sockets);;',
    sourceLabels: ['__name__', 'pod', 'namespace'],
  };
  return monitor('ServiceMonitor', 'monitoring', 'kubelet', {
    attachMetadata: { node: false },
    endpoints: [
      {
        ...insecure,
        honorLabels: true,
        interval: '30s',
        port: 'http',
        metricRelabelings: [drops('kubelet_(pod_worker_latency|.*_micros)')],
        relabelings: node,
      },
      {
        ...insecure,
        honorLabels: true,
        honorTimestamps: false,
        trackTimestampsStaleness: true,
        path: '/metrics/cadvisor',
        port: 'http',
        metricRelabelings: [drops('container_(network_tcp|tasks).*'), cadvisorDrop],
        relabelings: node,
      },
      {
        ...insecure,
        honorLabels: true,
        path: '/metrics/slis',
        interval: '5s',
        port: 'http',
        relabelings: node,
        metricRelabelings: [
          { action: 'drop', regex: 'process_start_time_seconds', sourceLabels: ['__name__'] },
        ],
      },
    ],
    jobLabel: 'app.kubernetes.io/name',
    namespaceSelector: { matchNames: ['team-a'] },
    selector: { matchLabels: { tier: 'backend' } },
  });
}

function apiServer(): KubeObject {
  return monitor('ServiceMonitor', 'monitoring', 'kube-apiserver', {
    endpoints: [
      {
        bearerTokenFile: tokenFile,
        interval: '30s',
        port: 'https',
        scheme: 'https',
        tlsConfig: { caFile, serverName: 'kubernetes' },
        metricRelabelings: [
          {
            action: 'drop',
            regex: 'apiserver_request_duration_seconds_bucket;(0.15|0.25|0.3)',
            sourceLabels: ['__name__', 'le'],
          },
        ],
      },
    ],
    jobLabel: 'component',
    namespaceSelector: { matchNames: ['default'] },
    selector: { matchLabels: { component: 'apiserver', provider: 'kubernetes' } },
  });
}

function component(name: string, index: number): KubeObject {
  return monitor('ServiceMonitor', 'monitoring', name, {
    endpoints: [{ ...insecure, interval: '30s', port: index === 2 ? 'metrics' : 'http' }],
    jobLabel: 'app.kubernetes.io/name',
    namespaceSelector: { matchNames: ['team-b', 'team-c'] },
    selector: { matchLabels: { monitored: 'true', team: ['red', 'green', 'blue'][index]! } },
  });
}

function nodeExporter(): KubeObject {
  return monitor('ServiceMonitor', 'monitoring', 'node-exporter', {
    endpoints: [
      {
        ...insecure,
        interval: '15s',
        port: 'metrics',
        relabelings: [
          {
            action: 'replace',
            regex: '(.*)',
            replacement: '$1',
            sourceLabels: ['__meta_kubernetes_pod_node_name'],
            targetLabel: 'instance',
          },
        ],
      },
    ],
    jobLabel: 'app.kubernetes.io/name',
    namespaceSelector: { any: true },
    selector: { matchExpressions: [{ key: 'app.kubernetes.io/name', operator: 'Exists' }] },
  });
}

function kubeStateMetrics(): KubeObject {
  return monitor('ServiceMonitor', 'monitoring', 'kube-state-metrics', {
    endpoints: [
      {
        ...insecure,
        honorLabels: true,
        interval: '30s',
        scrapeTimeout: '30s',
        port: 'http',
        relabelings: [{ action: 'labeldrop', regex: '(pod|service|endpoint|namespace)' }],
      },
      { ...insecure, interval: '30s', targetPort: 'metrics' },
    ],
    jobLabel: 'app.kubernetes.io/name',
    selector: { matchLabels: { monitored: 'true' } },
    namespaceSelector: { any: true },
  });
}

function daemonSetPods(): KubeObject {
  return monitor('PodMonitor', 'monitoring', 'daemon-pods', {
    podMetricsEndpoints: [
      {
        port: 'metrics',
        interval: '30s',
        relabelings: [
          { sourceLabels: ['__meta_kubernetes_pod_controller_kind'], regex: 'DaemonSet', action: 'keep' },
          { sourceLabels: ['__meta_kubernetes_pod_node_name'], targetLabel: 'node' },
          { regex: '__meta_kubernetes_pod_label_(.*)', action: 'labelmap' },
          { sourceLabels: ['__meta_kubernetes_pod_container_init'], targetLabel: 'init' },
        ],
      },
    ],
    selector: {},
    namespaceSelector: { any: true },
  });
}
