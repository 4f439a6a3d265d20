import { describe, expect, test } from '@jest/globals';
import { discover, manifest } from './test-discovery.ts';

const spec = { selector: { matchLabels: { app: 'web', tier: 'front' } }, endpoints: [{ port: 'http' }] };
const labels = { app: 'web', tier: 'front' };
const service = (metadata: object = {}, ports: readonly object[] = [{ name: 'http', port: 80 }]): object =>
  manifest('Service', 'web', { spec: { ports } }, { labels, ...metadata });
const pod = (
  status: object = {},
  ports: readonly object[] = [{ name: 'http', containerPort: 8080 }],
): object =>
  manifest(
    'Pod',
    'web-0',
    {
      spec: { containers: [{ name: 'main', image: 'x', ports }] },
      status: { phase: 'Running', podIP: '10.0.0.1', ...status },
    },
    { labels },
  );
const slice = (endpoints: readonly object[], port = 'http'): object =>
  manifest(
    'EndpointSlice',
    'web-1',
    { addressType: 'IPv4', endpoints, ports: [{ name: port, port: 8080 }] },
    { labels: { 'kubernetes.io/service-name': 'web' } },
  );
const endpoint = { addresses: ['10.0.0.1'], targetRef: { kind: 'Pod', name: 'web-0' } };
const running = [service(), pod(), slice([endpoint])];
const serviceMonitor = (change: object = {}, metadata: object = {}): object =>
  manifest('ServiceMonitor', 'web', { spec: { ...spec, ...change } }, metadata);
const podMonitor = (change: object = {}): object => {
  const podSpec = { selector: { matchLabels: { app: 'web' } }, podMetricsEndpoints: [{ port: 'http' }] };
  return manifest('PodMonitor', 'pods', { spec: { ...podSpec, ...change } });
};

/** `want` are near misses, `<monitor>: <reason>`. */
async function check(
  manifests: readonly object[],
  want: readonly string[],
  { query = 'shop/web', fleet = {} } = {},
): Promise<void> {
  const { nearMisses } = await discover(manifests, (discovery) => discovery.explain(query), fleet);
  expect(nearMisses.map(({ monitor, reason }) => `${monitor}: ${reason}`)).toEqual(want);
}

describe('a Service that is scraped', () => {
  test('is found by its name, its pod, its address, its URL, its job', async () => {
    const job = 'serviceMonitor/shop/web/0';
    const queries = ['web', 'shop/web', 'shop/web-0', '10.0.0.1:8080', 'http://10.0.0.1:8080/metrics', job];
    await discover([...running, serviceMonitor()], (discovery) => {
      for (const query of queries) {
        const { targets, nearMisses } = discovery.explain(query);
        expect([query, targets.map(({ target }) => target?.url), nearMisses]).toEqual([
          query,
          ['http://10.0.0.1:8080/metrics'],
          [],
        ]);
      }
    });
  });

  test('is not confused with one that another monitor sees and drops', async () => {
    const other = manifest('ServiceMonitor', 'db', {
      spec: { ...spec, selector: { matchLabels: { app: 'db' } } },
    });
    await discover([...running, serviceMonitor(), other], (discovery) => {
      expect(discovery.explain('shop/web').targets.map(({ object }) => object.name)).toEqual(['web']);
    });
  });
});

describe('a Service that is not scraped', () => {
  test('is selected by nobody', async () => {
    await check(running, ['Service shop/web: no ServiceMonitor selects it']);
    const other = serviceMonitor({ selector: { matchLabels: { app: 'mail' } } });
    await check([...running, other], ['Service shop/web: no ServiceMonitor selects it']);
  });

  test('has all labels but one', async () => {
    const none = 'Service shop/web: no ServiceMonitor selects it';
    await check(
      [service({ labels: { app: 'web', tier: 'back' } }), pod(), slice([endpoint]), serviceMonitor()],
      [none, 'ServiceMonitor shop/web: label tier is "back", want "front"'],
    );
    await check(
      [service({ labels: { app: 'web' } }), pod(), slice([endpoint]), serviceMonitor()],
      [none, 'ServiceMonitor shop/web: label tier is missing, want "front"'],
    );
    const matchExpressions = [{ key: 'tier', operator: 'In', values: ['a', 'b'] }];
    await check(
      [...running, serviceMonitor({ selector: { matchLabels: { app: 'web' }, matchExpressions } })],
      [none, 'ServiceMonitor shop/web: label tier is "front", want In "a", "b"'],
    );
    await check(
      [...running, serviceMonitor({ selector: { matchLabels: { app: 'web-app' } } })],
      [none, 'ServiceMonitor shop/web: label app is "web", want "web-app"'],
    );
  });

  test('has no port of that name', async () => {
    await check(
      [...running, serviceMonitor({ endpoints: [{ port: 'htpp' }] })],
      [
        'ServiceMonitor shop/web: dropped by rule 4: keep {__meta_kubernetes_endpointslice_port_name} =~ "htpp"',
        'ServiceMonitor shop/web: selects it, but endpoint 0 wants port "htpp", and the Service has ports "http" (did you mean http?)',
      ],
    );
    const { nearMisses } = await discover(
      [...running, serviceMonitor({ endpoints: [{ targetPort: 9999 }] })],
      (discovery) => discovery.explain('web'),
    );
    expect(nearMisses.at(-1)!.reason).toBe(
      'selects it, but endpoint 0 wants targetPort 9999, and its pods have ports "http", 8080',
    );
  });

  test('has no endpoints', async () => {
    const want = 'ServiceMonitor shop/web: selects it, but it has no endpoints: no pod is behind it';
    await check([service(), serviceMonitor()], [want]);
    await check([service(), slice([]), serviceMonitor()], [want]);
  });

  test('is in a namespace where the monitor does not look', async () => {
    await check(
      [...running, serviceMonitor({}, { namespace: 'monitoring' })],
      [
        'Service shop/web: no ServiceMonitor selects it',
        'ServiceMonitor monitoring/web: does not look in namespace shop: see its namespaceSelector',
      ],
    );
  });

  test('has a monitor that the Fleet does not select', async () => {
    await check(
      [...running, serviceMonitor()],
      [
        "ServiceMonitor shop/web: selects it, but is not selected: the Fleet's selector does not match its labels",
        "ServiceMonitor shop/web: the Fleet's selector does not match its labels",
      ],
      { fleet: { serviceMonitorSelector: { matchLabels: { release: 'x' } } } },
    );
    const { nearMisses } = await discover(
      [...running, serviceMonitor()],
      (discovery) => discovery.explain('shop/web'),
      { serviceMonitorNamespaceSelector: { matchLabels: { team: 'x' } } },
    );
    expect(nearMisses[0]!.reason).toContain("the Fleet's namespace selector does not match namespace shop");
  });

  test('has a monitor that is refused', async () => {
    const bad = serviceMonitor({
      endpoints: [{ port: 'http', bearerTokenSecret: { name: 'no', key: 'x' } }],
    });
    const { nearMisses } = await discover([...running, bad], (discovery) => discovery.explain('web'));
    expect(nearMisses[0]).toEqual({
      monitor: 'ServiceMonitor shop/web',
      reason: expect.stringMatching(/^selects it, but is refused: .*no/),
    });
  });

  test('is dropped by a rule of its own monitor', async () => {
    const relabelings = [{ action: 'drop', sourceLabels: ['namespace'], regex: 'shop' }];
    const { nearMisses, targets } = await discover(
      [...running, serviceMonitor({ endpoints: [{ port: 'http', relabelings }] })],
      (discovery) => discovery.explain('shop/web'),
    );
    expect(nearMisses[0]!.reason).toMatch(/^dropped by rule \d+: drop \{namespace\} =~ "shop"$/);
    expect(targets[0]!.dropped!.text).toBe('drop {namespace} =~ "shop"');
  });
});

describe('a Pod that is not scraped', () => {
  const query = 'shop/web-0';

  test('is selected by nobody', async () => {
    await check([pod()], ['Pod shop/web-0: no PodMonitor selects it, and it is behind no Service'], {
      query,
    });
    await check(running, ['Service shop/web: no ServiceMonitor selects it'], { query });
  });

  test('has no such port', async () => {
    const want = 'PodMonitor shop/pods: selects it, but endpoint 0 wants';
    const check1 = async (of: object, reason: string): Promise<void> => {
      const manifests = [pod(), podMonitor({ podMetricsEndpoints: [of] })];
      const { nearMisses } = await discover(manifests, (discovery) => discovery.explain(query));
      const { monitor, reason: got } = nearMisses.at(-1)!;
      expect(`${monitor}: ${got}`).toBe(`${want} ${reason}`);
    };
    await check1({ port: 'metrics' }, 'port "metrics", and the pod has ports "http", 8080');
    await check1({ portNumber: 9090 }, 'portNumber 9090, and the pod has ports "http", 8080');
  });

  test('is not there yet, is not ready, or is over', async () => {
    const starting = pod({ podIP: '', phase: 'Pending' });
    await check([starting, podMonitor()], ['Pod shop/web-0: has no IP yet: its phase is Pending'], { query });
    const over = pod({ phase: 'Failed', conditions: [{ type: 'Ready', status: 'False' }] });
    await check(
      [over, podMonitor()],
      [
        'PodMonitor shop/pods: dropped by rule 2: drop {__meta_kubernetes_pod_phase} =~ "(Failed|Succeeded)"',
        'Pod shop/web-0: is not ready: its phase is Failed',
      ],
      { query },
    );
  });
});

test('what is not there is said not to be', async () => {
  await check(running, ['shop/wbe: no Service, Pod, monitor or target has this name or address'], {
    query: 'shop/wbe',
  });
});
