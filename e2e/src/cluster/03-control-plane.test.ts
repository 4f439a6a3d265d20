// Proof: monitors in the shape of kube-prometheus's scrape kubelets, cAdvisor, the API server and etcd: token and CA files
// are the scraper pod's own.

import { afterAll, expect } from '@jest/globals';
import { closeApiServer } from './api-server.ts';
import { apply, remove } from './commands.ts';
import { nodeName, nodeNumbers } from './environment.ts';
import { etcdService, kubeletService, serviceMonitor } from './manifests.ts';
import { proof } from './proof.ts';
import { query, value } from './querier.ts';
import { until } from './until.ts';

afterAll(closeApiServer);
const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
const kubeletEndpoint = {
  port: 'https-metrics',
  scheme: 'https',
  interval: '5s',
  scrapeTimeout: '5s',
  honorLabels: true,
  bearerTokenFile: `${folder}/token`,
  tlsConfig: { insecureSkipVerify: true },
  relabelings: [{ action: 'replace', sourceLabels: ['__metrics_path__'], targetLabel: 'metrics_path' }],
};
const monitors = [
  serviceMonitor('kubelet', {
    jobLabel: 'app.kubernetes.io/name',
    namespaceSelector: { matchNames: ['kube-system'] },
    selector: { matchLabels: { 'app.kubernetes.io/name': 'kubelet' } },
    endpoints: [
      kubeletEndpoint,
      {
        ...kubeletEndpoint,
        path: '/metrics/cadvisor',
        honorTimestamps: false,
        metricRelabelings: [
          {
            action: 'drop',
            sourceLabels: ['__name__'],
            regex: 'container_(tasks_state|cpu_load_average_10s)',
          },
        ],
      },
      { ...kubeletEndpoint, path: '/metrics/probes' },
    ],
  }),
  serviceMonitor('kube-apiserver', {
    jobLabel: 'component',
    namespaceSelector: { matchNames: ['default'] },
    selector: { matchLabels: { component: 'apiserver', provider: 'kubernetes' } },
    endpoints: [
      {
        port: 'https',
        scheme: 'https',
        interval: '5s',
        scrapeTimeout: '5s',
        bearerTokenFile: `${folder}/token`,
        tlsConfig: { caFile: `${folder}/ca.crt`, serverName: 'kubernetes' },
        metricRelabelings: [{ action: 'drop', sourceLabels: ['__name__'], regex: 'apiserver_.*_bucket' }],
      },
    ],
  }),
  serviceMonitor('etcd', {
    jobLabel: 'app.kubernetes.io/name',
    namespaceSelector: { matchNames: ['kube-system'] },
    selector: { matchLabels: { 'app.kubernetes.io/name': 'etcd' } },
    endpoints: [{ port: 'http-metrics', interval: '5s', scrapeTimeout: '5s' }],
  }),
];

proof(
  'kubelets, cAdvisor, API server and etcd are up, and what they say of nodes and pods is in the answer',
  async () => {
    await apply(...kubeletService(), ...etcdService(), ...monitors);
    const nodes = nodeNumbers.length;
    await until('all are up', 60_000, async () => {
      for (const path of ['/metrics', '/metrics/cadvisor', '/metrics/probes'])
        expect([path, await value(`sum(up{job="kubelet",metrics_path="${path}"})`)]).toEqual([path, nodes]);
      expect([await value('up{job="apiserver"}'), await value('up{job="etcd"}')]).toEqual([1, 1]);
    });
    const running = await query('sum by (node) (kubelet_running_pods)');
    expect(running.body.data.result.map(({ metric }) => metric['node']).toSorted()).toEqual(
      nodeNumbers.map(nodeName).toSorted(),
    );
    // honorLabels: the labels of cAdvisor's series win over those of the kubelet's Service.
    const memory =
      'container_memory_working_set_bytes{namespace="flotilla",container!="",pod=~"scraper-main-.*"}';
    expect(await value(`count(count by (pod) (${memory}))`)).toBe(2);
    expect(await value('count(container_tasks_state)')).toBe(undefined);
    expect(await value('count(apiserver_request_total) > 0')).toBeGreaterThan(0);
    expect(await value('etcd_server_has_leader')).toBe(1);
    await remove(...monitors);
  },
  120_000,
);
