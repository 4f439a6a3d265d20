import { describe, expect, test } from '@jest/globals';
import type { Kind, ObjectOf } from '../objects/kinds.ts';
import { parseObject } from '../objects/parse-object.ts';
import { endpointSliceTargets } from './endpoint-slice-targets.ts';
import { nodeTargets } from './node-targets.ts';
import { podTargets } from './pod-targets.ts';
import type { TargetGroup } from './target-group.ts';
import { manifest } from './test-discovery.ts';

function object<K extends Kind>(kind: K, name: string, rest: object, metadata: object = {}): ObjectOf<K> {
  const { object: parsed, refusal } = parseObject(manifest(kind, name, rest, metadata), {
    file: '',
    line: 0,
  });
  if (parsed === undefined) throw new Error(`${kind} ${name}: ${refusal?.reason}`);
  return parsed as ObjectOf<K>;
}

/** The metas, without `__meta_kubernetes_`, of the one target at the address. */
function metas({ targets }: TargetGroup, address: string): Record<string, string> {
  const [found, ...others] = targets.filter((target) => target.get('__address__') === address);
  expect([address, found === undefined, others.length]).toEqual([address, false, 0]);
  return Object.fromEntries(
    Object.entries(found!.toRecord()).map(([name, value]) => [name.replace('__meta_kubernetes_', ''), value]),
  );
}

const node = object(
  'Node',
  'n1',
  {
    spec: { providerID: 'cloud:///n1' },
    status: {
      addresses: [
        { type: 'Hostname', address: 'n1' },
        { type: 'InternalIP', address: '10.0.0.9' },
      ],
      conditions: [
        { type: 'Ready', status: 'Unknown' },
        { type: 'MemoryPressure', status: 'False' },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } },
    },
  },
  { labels: { zone: 'a' } },
);

const pod = object('Pod', 'web-0', {
  spec: {
    nodeName: 'n1',
    containers: [
      {
        name: 'app',
        image: 'app:1',
        ports: [
          { name: 'http', containerPort: 80 },
          { name: 'extra', containerPort: 81 },
        ],
      },
    ],
    initContainers: [{ name: 'init', image: 'init:1', ports: null }],
  },
  status: {
    phase: 'Running',
    podIP: '10.0.0.1',
    containerStatuses: [{ name: 'app', containerID: 'containerd://app' }],
  },
});

function slice(rest: object): ObjectOf<'EndpointSlice'> {
  return object(
    'EndpointSlice',
    'web-1',
    { addressType: 'IPv4', ...rest },
    {
      labels: { 'kubernetes.io/service-name': 'web' },
    },
  );
}

const background = { service: undefined, pod: () => pod, node: () => node };
const ports = [{ name: 'http', port: 80 }];

describe('the node role', () => {
  test('has addresses, provider, and conditions in small letters', () => {
    expect(metas(nodeTargets(node), '10.0.0.9:10250')).toEqual({
      __address__: '10.0.0.9:10250',
      instance: 'n1',
      node_name: 'n1',
      node_label_zone: 'a',
      node_labelpresent_zone: 'true',
      node_provider_id: 'cloud:///n1',
      node_address_InternalIP: '10.0.0.9',
      node_address_Hostname: 'n1',
      node_condition_ready: 'unknown',
      node_condition_memorypressure: 'false',
    });
  });
});

describe('the pod role', () => {
  test('has the ID of the container, and of its node only name, labels and annotations', () => {
    const found = metas(podTargets(pod, node), '10.0.0.1:80');
    expect(found).toMatchObject({
      pod_container_id: 'containerd://app',
      node_name: 'n1',
      node_label_zone: 'a',
    });
    expect(Object.keys(found).filter((name) => /^node_(provider|condition|address)/.test(name))).toEqual([]);
  });

  test('has init containers; a container without ports is at the bare address', () => {
    expect(metas(podTargets(pod), '10.0.0.1')).toMatchObject({
      pod_container_name: 'init',
      pod_container_init: 'true',
    });
  });
});

describe('the endpointslice role', () => {
  const endpoint = { addresses: ['10.0.0.1'], nodeName: 'n1', targetRef: { kind: 'Pod', name: 'web-0' } };

  test('has no ID of the container; ports of the pod that it does not cover have no port name', () => {
    const group = endpointSliceTargets(slice({ ports, endpoints: [endpoint] }), background);
    const covered = metas(group, '10.0.0.1:80');
    expect(covered).toMatchObject({
      pod_container_name: 'app',
      endpointslice_port_name: 'http',
      node_name: 'n1',
    });
    const extra = metas(group, '10.0.0.1:81');
    expect(extra).toMatchObject({ pod_container_port_name: 'extra', pod_container_image: 'app:1' });
    for (const name of ['pod_container_id', 'node_provider_id']) {
      expect(covered).not.toHaveProperty(name);
      expect(extra).not.toHaveProperty(name);
    }
    expect(extra).not.toHaveProperty('endpointslice_port_name');
    expect(extra).not.toHaveProperty('node_name');
  });

  test('takes null for empty lists', () => {
    expect(endpointSliceTargets(slice({ ports: null, endpoints: null }), background).targets).toEqual([]);
    expect(endpointSliceTargets(slice({ ports: null, endpoints: [endpoint] }), background).targets).toEqual(
      [],
    );
  });

  test('attaches the node that is the target before the node that it is on', () => {
    const nodes: string[] = [];
    const asked = { ...background, node: (name: string) => (nodes.push(name), undefined) };
    const ofNode = { ...endpoint, targetRef: { kind: 'Node', name: 'n2' } };
    endpointSliceTargets(slice({ ports, endpoints: [ofNode, endpoint] }), asked);
    expect(nodes).toEqual(['n2', 'n1']);
  });
});
