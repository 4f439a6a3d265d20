// Pods as a busy cluster has them: what an API server stores of one, 8 to 10 KB as JSON, most of it of no use for discovery.

import { createHash, randomUUID } from 'node:crypto';

export const namespacesCount = 50;
const podsPerWorkload = 10;
const nodesCount = 1000;

/** Pod number `index`: of one of its cluster's Deployments, running, with a sidecar. */
export function realisticPod(index: number): { readonly path: string; readonly pod: object } {
  const workload = Math.floor(index / podsPerWorkload);
  const namespace = `team-${workload % namespacesCount}`;
  const app = `service-${workload}`;
  const hash = (workload * 2_654_435_761).toString(36).slice(-9).padStart(9, 'b');
  const name = `${app}-${hash}-${index.toString(36).padStart(5, 'x')}`;
  const time = new Date(1_700_000_000_000 + index * 1000).toISOString().replace('.000Z', 'Z');
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...{ name, namespace, uid: randomUUID(), generation: 1, creationTimestamp: time },
      generateName: `${app}-${hash}-`,
      labels: labelsOf(app, hash),
      annotations: annotationsOf(workload),
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          ...{ name: `${app}-${hash}`, uid: randomUUID(), controller: true, blockOwnerDeletion: true },
        },
      ],
      managedFields: managedFields(time),
    },
    spec: specOf(app, index),
    status: statusOf(app, index, time),
  };
  return { path: `pods/${namespace}/${name}`, pod };
}

function labelsOf(app: string, hash: string): object {
  return {
    app,
    'app.kubernetes.io/name': app,
    'app.kubernetes.io/instance': app,
    'app.kubernetes.io/version': '1.14.2',
    'app.kubernetes.io/component': 'backend',
    'app.kubernetes.io/part-of': 'shop',
    'app.kubernetes.io/managed-by': 'Helm',
    'pod-template-hash': hash,
    'security.istio.io/tlsMode': 'istio',
    'topology.kubernetes.io/zone': 'eu-central-1a',
  };
}

function annotationsOf(workload: number): object {
  return {
    'checksum/config': workload.toString(16).padStart(8, '0').repeat(8),
    'kubectl.kubernetes.io/default-container': 'app',
    'kubectl.kubernetes.io/restartedAt': '2026-01-01T10:00:00Z',
    'prometheus.io/path': '/metrics',
    'prometheus.io/port': '8080',
    'prometheus.io/scrape': 'true',
    'sidecar.istio.io/status': `{"initContainers":["istio-init"],"containers":["istio-proxy"],"volumes":["workload-socket","istio-envoy","istio-data","istio-podinfo","istio-token","istiod-ca-cert"],"imagePullSecrets":null,"revision":"default"}`,
  };
}

function specOf(app: string, index: number): object {
  const env = Array.from({ length: 15 }, (_, number) => ({
    name: `SETTING_NUMBER_${number}`,
    value: `http://${app}-dependency-${number}.shop.svc.cluster.local:8080/v1`,
  }));
  const mount = { mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true };
  const container = (name: string, image: string, ports: readonly object[]): object => ({
    ...{ name, image, ports, env, imagePullPolicy: 'IfNotPresent' },
    resources: { limits: { cpu: '2', memory: '1Gi' }, requests: { cpu: '100m', memory: '512Mi' } },
    livenessProbe: probe('/-/healthy'),
    readinessProbe: probe('/-/ready'),
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    volumeMounts: [{ name: 'kube-api-access', ...mount }],
  });
  return {
    nodeName: `ip-10-0-${Math.floor(index / 50) % nodesCount}.eu-central-1.compute.internal`,
    containers: [
      container('app', `registry.example.com/shop/${app}:1.14.2`, [
        { name: 'http', containerPort: 8080, protocol: 'TCP' },
        { name: 'metrics', containerPort: 9090, protocol: 'TCP' },
      ]),
      container('istio-proxy', 'docker.io/istio/proxyv2:1.24.0', [
        { name: 'http-envoy-prom', containerPort: 15090, protocol: 'TCP' },
      ]),
    ],
    initContainers: [container('istio-init', 'docker.io/istio/proxyv2:1.24.0', [])],
    ...{ dnsPolicy: 'ClusterFirst', enableServiceLinks: true, preemptionPolicy: 'PreemptLowerPriority' },
    ...{ priority: 0, restartPolicy: 'Always', schedulerName: 'default-scheduler' },
    ...{ securityContext: {}, serviceAccount: app, serviceAccountName: app },
    terminationGracePeriodSeconds: 30,
    tolerations: ['not-ready', 'unreachable'].map((taint) => ({
      key: `node.kubernetes.io/${taint}`,
      ...{ operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    })),
    volumes: [{ name: 'kube-api-access', emptyDir: {} }],
  };
}

function probe(path: string): object {
  const times = { periodSeconds: 10, successThreshold: 1, failureThreshold: 3, timeoutSeconds: 1 };
  return { httpGet: { path, port: 'http', scheme: 'HTTP' }, ...times };
}

function statusOf(app: string, index: number, time: string): object {
  const ip = `10.${128 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
  const digest = index.toString(16).padStart(64, '0');
  const running = (name: string, image: string): object => ({
    ...{ name, image, ready: true, restartCount: 0, started: true },
    imageID: `${image.split(':')[0]}@sha256:${digest}`,
    containerID: `containerd://${createHash('sha256')
      .update(name + digest)
      .digest('hex')}`,
    lastState: {},
    state: { running: { startedAt: time } },
  });
  const conditions = ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'];
  return {
    phase: 'Running',
    conditions: conditions.map((type) => ({
      ...{ type, status: 'True', lastProbeTime: null, lastTransitionTime: time },
    })),
    containerStatuses: [
      running('app', `registry.example.com/shop/${app}:1.14.2`),
      running('istio-proxy', 'docker.io/istio/proxyv2:1.24.0'),
    ],
    initContainerStatuses: [running('istio-init', 'docker.io/istio/proxyv2:1.24.0')],
    ...{ hostIP: `10.0.${index % 250}.1`, podIP: ip, podIPs: [{ ip }] },
    ...{ hostIPs: [{ ip: `10.0.${index % 250}.1` }], qosClass: 'Burstable', startTime: time },
  };
}

function managedFields(time: string): object[] {
  const container = (name: string): object => ({
    [`k:{"name":"${name}"}`]: Object.fromEntries(
      [
        ...['.', 'f:env', 'f:image', 'f:imagePullPolicy', 'f:livenessProbe', 'f:name', 'f:ports'],
        ...['f:readinessProbe', 'f:resources', 'f:securityContext', 'f:terminationMessagePath'],
      ].map((field) => [field, {}]),
    ),
  });
  const condition = (type: string): object => ({
    [`k:{"type":"${type}"}`]: { '.': {}, 'f:lastTransitionTime': {}, 'f:status': {}, 'f:type': {} },
  });
  const labels = Object.fromEntries(Object.keys(labelsOf('', '')).map((label) => [`f:${label}`, {}]));
  const annotations = Object.fromEntries(Object.keys(annotationsOf(0)).map((name) => [`f:${name}`, {}]));
  const entry = { apiVersion: 'v1', fieldsType: 'FieldsV1', operation: 'Update', time };
  return [
    {
      ...entry,
      manager: 'kube-controller-manager',
      fieldsV1: {
        'f:metadata': { 'f:labels': labels, 'f:annotations': annotations, 'f:generateName': {} },
        'f:spec': { 'f:containers': { ...container('app'), ...container('istio-proxy') } },
      },
    },
    {
      ...entry,
      manager: 'kubelet',
      subresource: 'status',
      fieldsV1: {
        'f:status': {
          'f:conditions': {
            ...condition('Ready'),
            ...condition('Initialized'),
            ...condition('ContainersReady'),
          },
          ...{ 'f:containerStatuses': {}, 'f:hostIP': {}, 'f:phase': {}, 'f:podIP': {}, 'f:startTime': {} },
        },
      },
    },
  ];
}
