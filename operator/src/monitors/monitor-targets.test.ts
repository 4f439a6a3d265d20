// Which targets a monitor has, in what the Prometheus operator leaves to be found out.

import { describe, expect, test } from '@jest/globals';
import { discover, manifest, urls } from '../discovery/test-discovery.ts';

const pod = (name: string, podIP: string, labels: object, namespace = 'shop', phase = 'Running') =>
  manifest(
    'Pod',
    name,
    {
      spec: { nodeName: 'n1', containers: [{ name: 'app', ports: [{ name: 'http', containerPort: 80 }] }] },
      status: { podIP, phase },
    },
    { labels, namespace },
  );
const service = (name: string, labels: object) =>
  manifest('Service', name, { spec: { ports: [{ name: 'http', port: 80 }] } }, { labels });
const slice = (name: string, of: string, address: string, labels: object) =>
  manifest(
    'EndpointSlice',
    name,
    {
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 80 }],
      endpoints: [{ addresses: [address], targetRef: { kind: 'Pod', name: 'p' } }],
    },
    { labels: { 'kubernetes.io/service-name': of, ...labels } },
  );

function labelsOf(manifests: readonly object[], fleet: object = {}): Promise<Record<string, string>[]> {
  return discover(
    manifests,
    (found) => found.pools().flatMap(({ targets }) => targets.map(({ labels }) => labels.toRecord())),
    fleet,
  );
}

describe('a ServiceMonitor', () => {
  const monitor = (spec: object, endpoint: object = {}) =>
    manifest('ServiceMonitor', 'sm', { spec: { endpoints: [{ port: 'http', ...endpoint }], ...spec } });
  const version = { matchLabels: { version: 'v1.2' } };

  test('that selects by relabeling reads values as regexes, one that selects by role does not', async () => {
    const world = [
      service('a', { version: 'v1.2' }),
      service('b', { version: 'v1x2' }),
      slice('a-1', 'a', '10.0.0.1', { version: 'v1.2' }),
      slice('b-1', 'b', '10.0.0.2', { version: 'v1x2' }),
      slice('c-1', 'gone', '10.0.0.3', { version: 'v1.2' }),
      slice('d-1', 'b', '10.0.0.4', { version: 'v1.2' }),
    ];
    const byRelabeling = monitor({ selector: version });
    expect(await discover([...world, byRelabeling], urls)).toEqual([
      'http://10.0.0.1:80/metrics',
      'http://10.0.0.2:80/metrics',
      'http://10.0.0.4:80/metrics',
    ]);
    const byRole = monitor({ selector: version, selectorMechanism: 'RoleSelector' });
    expect(await discover([...world, byRole], urls)).toEqual([
      'http://10.0.0.1:80/metrics',
      'http://10.0.0.3:80/metrics',
      'http://10.0.0.4:80/metrics',
    ]);
    const [, , hidden] = await labelsOf([...world, byRole]);
    expect([hidden?.['service'], hidden?.['instance']]).toEqual([undefined, '10.0.0.4:80']);
    expect(await discover([...world, byRole], (found) => found.pools()[0]?.droppedCount)).toBe(0);
  });

  test('with an empty port has the endpoint of its target port', async () => {
    const world = [
      pod('p', '10.0.0.1', {}),
      service('a', {}),
      slice('a-1', 'a', '10.0.0.1', {}),
      monitor({ selector: {} }, { port: '', targetPort: 'http' }),
    ];
    expect(await labelsOf(world)).toEqual([expect.objectContaining({ endpoint: 'http', container: 'app' })]);
  });

  test('with interval 0 has that of the Fleet', async () => {
    const world = [service('a', {}), slice('a-1', 'a', '10.0.0.1', {})];
    const zero = monitor({ selector: {} }, { interval: '0', scrapeTimeout: '0' });
    const times = await discover([...world, zero], (found) =>
      found.pools()[0]!.targets.map(({ intervalMs, timeoutMs }) => [intervalMs, timeoutMs]),
    );
    expect(times).toEqual([[30_000, 10_000]]);
  });
});

describe('a PodMonitor', () => {
  const monitor = (endpoint: object) =>
    manifest('PodMonitor', 'pm', { spec: { selector: {}, podMetricsEndpoints: [endpoint] } });
  const world = [pod('p', '10.0.0.1', {}), pod('done', '10.0.0.2', {}, 'shop', 'Succeeded')];

  test('has no endpoint label for a port number, and one for a target port', async () => {
    expect(await labelsOf([...world, monitor({ portNumber: 80 })])).toEqual([
      expect.not.objectContaining({ endpoint: expect.anything() }),
    ]);
    expect(await labelsOf([...world, monitor({ port: '', targetPort: 80 })])).toEqual([
      expect.objectContaining({ endpoint: '80' }),
    ]);
  });

  test('leaves out pods that are over, unless told otherwise', async () => {
    expect(await discover([...world, monitor({ port: 'http' })], urls)).toHaveLength(1);
    expect(await discover([...world, monitor({ port: 'http', filterRunning: false })], urls)).toHaveLength(2);
  });
});

describe('a ScrapeConfig of Kubernetes', () => {
  const world = [
    pod('p', '10.0.0.1', { app: 'web' }),
    pod('q', '10.0.0.2', { app: 'api' }),
    pod('r', '10.0.0.3', { app: 'web' }, 'fleets'),
    pod('s', '10.0.0.4', { app: 'web' }, 'bank', 'Failed'),
  ];
  const check = async (config: object, ...want: readonly string[]): Promise<void> => {
    const made = manifest('ScrapeConfig', 'sc', {
      spec: { kubernetesSDConfigs: [{ role: 'Pod', ...config }] },
    });
    const found = await discover([...world, made], urls);
    expect(found.map((url) => /10\.0\.0\.(\d)/.exec(url)![1])).toEqual(want);
  };

  test('looks in the namespaces that it names, of which its own is the one of the Fleet', async () => {
    await check({}, '1', '2', '3', '4');
    await check({ namespaces: { names: ['shop'] } }, '1', '2');
    await check({ namespaces: { ownNamespace: true } }, '3');
    await check({ namespaces: { ownNamespace: true, names: ['bank'] } }, '3', '4');
  });

  test('takes what its selectors leave', async () => {
    const by = (text: object) => ({ selectors: [{ role: 'Pod', ...text }] });
    await check(by({ label: 'app=web' }), '1', '3', '4');
    await check(by({ label: 'app!=web' }), '2');
    await check(by({ label: 'app in (web, api),app notin (api)' }), '1', '3', '4');
    await check(by({ label: '!app' }));
    await check(by({ field: 'status.phase=Failed' }), '4');
    await check(by({ field: 'metadata.name!=p,metadata.namespace=shop' }), '2');
    await check(by({ field: 'spec.nodeName=n1', label: 'app==api' }), '2');
  });
});

test('an enforced namespace is the last word, on targets and on samples', async () => {
  const relabelings = [{ targetLabel: 'namespace', replacement: 'other' }];
  const spec = { staticConfigs: [{ targets: ['a:1'] }], relabelings, metricRelabelings: relabelings };
  const made = (name: string) => manifest('ScrapeConfig', name, { spec });
  const fleet = {
    enforcedNamespaceLabel: 'namespace',
    excludedFromEnforcement: [{ resource: 'scrapeconfigs', namespace: 'shop', name: 'free' }],
  };
  const found = await discover(
    [made('bound'), made('free')],
    (discovery) =>
      discovery
        .pools()
        .map(({ job, targets }) => [
          targets[0]!.labels.get('namespace'),
          job.metricRelabelings.map(({ replacement }) => replacement),
        ]),
    fleet,
  );
  expect(found).toEqual([
    ['shop', ['other', 'shop']],
    ['other', ['other']],
  ]);
});
