import { describe, expect, jest, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Tree } from '../cluster/test-trees.ts';
import type { FleetSpec } from '../discovery/fleet-spec.ts';
import type { Manifest } from './kube-manifest.ts';
import { planAddresses, planObjects } from './plan-objects.ts';
import { planWorkloads } from './plan-workloads.ts';
import { testFleet, testPlace } from './test-fleet.ts';
import { restrictedViolations } from './test-pod-security.ts';

/** A machine that does much else is slow, not wrong. */
jest.setTimeout(60_000);

interface Template {
  readonly metadata: {
    readonly labels: Record<string, string>;
    readonly annotations: Record<string, string>;
  };
  readonly spec: Tree & {
    readonly containers: readonly (Tree & { name: string; args?: string[] })[];
    readonly volumes: readonly (Tree & { name: string })[];
  };
}

interface Labels {
  readonly matchLabels: Readonly<Record<string, string>>;
}

function plan(fleet: FleetSpec, shards: readonly number[]): readonly Manifest[] {
  return planObjects(fleet, planWorkloads(fleet, shards), testPlace);
}

function of(objects: readonly Manifest[], kind: Manifest['kind'], name: string): Tree {
  return objects.find((one) => one.kind === kind && one.metadata.name === name)!.spec as Tree;
}

function templates(
  objects: readonly Manifest[],
): { owner: Manifest; template: Template; selector: Labels }[] {
  return objects.flatMap((owner) => {
    const { template, selector } = owner.spec as { template?: Template; selector: Labels };
    return template === undefined ? [] : [{ owner, template, selector }];
  });
}

function selects({ matchLabels }: Labels, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(matchLabels).every(([name, value]) => labels[name] === value);
}

/** A container that passes `restricted` by itself. */
const sidecar = {
  name: 'proxy',
  image: 'proxy:1',
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
};

const parts = (component: string) =>
  fc.record(
    {
      resources: fc.constantFrom(
        { limits: { memory: '2Gi' } },
        { requests: { cpu: 1, memory: '1Gi' }, limits: { memory: '512Mi' } },
      ),
      serviceAccountName: fc.constant('own'),
      podTemplate: fc.record(
        {
          metadata: fc.constant({ labels: { team: 'a' }, annotations: { 'example.com/x': 'y' } }),
          spec: fc.constantFrom(
            { priorityClassName: 'high', nodeSelector: { disk: 'ssd' } },
            { containers: [sidecar], tolerations: [{ operator: 'Exists' }] },
            { containers: [{ name: component, env: [{ name: 'A', value: 'b' }] }] },
            { topologySpreadConstraints: [], terminationGracePeriodSeconds: 5 },
          ),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  );

const specs = fc.record(
  {
    replicas: fc.integer({ min: 1, max: 4 }),
    retention: fc.constantFrom('2h', '30d'),
    externalLabels: fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('x', '$(X)', '')),
    image: fc.constant('example/other:2'),
    imagePullSecrets: fc.constant([{ name: 'pull' }]),
    storage: fc.constantFrom(
      { size: '10Gi' },
      { size: '1Gi', storageClassName: 'fast', whenDeleted: 'Delete' },
    ),
    zones: fc.constantFrom({ names: ['a', 'b'] }, { names: ['a'], local: true }),
    networkPolicy: fc.record({ enabled: fc.boolean() }),
    scraper: parts('scraper'),
    querier: parts('querier'),
    ruler: fc
      .tuple(parts('ruler'), fc.integer({ min: 0, max: 2 }))
      .map(([some, replicas]) => ({ ...some, replicas })),
    timestampTolerance: fc.constant('10ms'),
  },
  { requiredKeys: [] },
);

const fleetName = fc.stringMatching(/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/);
const shardLists = fc.uniqueArray(fc.integer({ min: 0, max: 511 }), { minLength: 1, maxLength: 5 });

/** Every plan of a random Fleet. */
function checkAll(
  check: (objects: readonly Manifest[], fleet: FleetSpec, shards: readonly number[]) => void,
): void {
  fc.assert(
    fc.property(specs, fleetName, shardLists, (spec, name, shards) => {
      const fleet = testFleet(spec, name);
      check(plan(fleet, shards), fleet, shards);
    }),
    { seed: 11 },
  );
}

describe('planObjects, of any Fleet', () => {
  test('is a function: equal inputs give equal bytes, and are left alone', () => {
    checkAll((objects, fleet, shards) => {
      const before = JSON.stringify(fleet);
      const again = plan(JSON.parse(before) as FleetSpec, [...shards]);
      expect(JSON.stringify(again)).toBe(JSON.stringify(objects));
      expect(JSON.stringify(fleet)).toBe(before);
    });
  });

  test('makes pods that pass the restricted Pod Security Standard', () => {
    checkAll((objects) => {
      for (const { template } of templates(objects)) expect(restrictedViolations(template.spec)).toEqual([]);
    });
  });

  test('gives names and labels that Kubernetes takes, also to pods and revisions', () => {
    checkAll((objects) => {
      const names = objects.map(({ kind, metadata: { name } }) => `${kind}/${name}`);
      expect(new Set(names).size).toBe(names.length);
      for (const { kind, metadata, spec } of objects) {
        const { replicas = 0 } = spec as { replicas?: number };
        const longest = kind === 'StatefulSet' ? `${metadata.name}-0123456789` : metadata.name;
        expect(longest.length).toBeLessThanOrEqual(63);
        expect(`${metadata.name}-${replicas}`).toMatch(/^[a-z]([-a-z0-9]*[a-z0-9])?$/);
        for (const value of Object.values(metadata.labels))
          expect(value).toMatch(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/);
      }
    });
  });

  test('is owned by the Fleet, and labelled as ours', () => {
    checkAll((objects, fleet) => {
      for (const { metadata } of objects) {
        expect(metadata.namespace).toBe(testPlace.namespace);
        expect(metadata.ownerReferences).toEqual([
          {
            apiVersion: 'flotilla.dev/v1alpha1',
            kind: 'Fleet',
            name: fleet.name,
            uid: 'fleet-uid',
            controller: true,
            blockOwnerDeletion: true,
          },
        ]);
        expect(metadata.labels).toMatchObject({
          'app.kubernetes.io/managed-by': 'flotilla-operator',
          'flotilla.dev/fleet': fleet.name,
        });
      }
    });
  });

  test('selects the pods of each workload, and no others', () => {
    checkAll((objects) => {
      const all = templates(objects);
      for (const { owner, selector } of all) {
        const selected = all.filter(({ template }) => selects(selector, template.metadata.labels));
        expect(selected.map((one) => one.owner)).toEqual([owner]);
      }
    });
  });

  test('protects each pair by one budget', () => {
    checkAll((objects) => {
      const budgets = objects.filter(({ kind }) => kind === 'PodDisruptionBudget');
      for (const { owner, template } of templates(objects)) {
        const own = budgets.filter(({ spec }) =>
          selects((spec as { selector: Labels }).selector, template.metadata.labels),
        );
        expect(own.map(({ metadata, spec }) => [metadata.name, (spec as Tree)['maxUnavailable']])).toEqual([
          [owner.metadata.name, 1],
        ]);
      }
    });
  });

  test('keeps a pair on two nodes and, if it can be, in two zones', () => {
    checkAll((objects, fleet) => {
      for (const { owner, template, selector } of templates(objects)) {
        const component = template.spec.containers[0]!.name as 'scraper';
        const wanted = fleet[component].podTemplate?.spec['topologySpreadConstraints'];
        if (wanted !== undefined) continue;
        const node = owner.kind === 'Deployment' ? 'ScheduleAnyway' : 'DoNotSchedule';
        expect(template.spec['topologySpreadConstraints']).toMatchObject([
          {
            topologyKey: 'kubernetes.io/hostname',
            whenUnsatisfiable: node,
            maxSkew: 1,
            labelSelector: selector,
          },
          { topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 1 },
        ]);
      }
    });
  });

  test('mounts only volumes that there are', () => {
    checkAll((objects) => {
      for (const { owner, template } of templates(objects)) {
        const { volumeClaimTemplates = [] } = owner.spec as { volumeClaimTemplates?: Manifest[] };
        const there = [
          ...template.spec.volumes.map(({ name }) => name),
          ...volumeClaimTemplates.map(({ metadata }) => metadata.name),
        ];
        expect(new Set(there).size).toBe(there.length);
        const mounts = template.spec.containers.flatMap(
          ({ volumeMounts = [] }) => volumeMounts as { name: string; mountPath: string }[],
        );
        for (const { name } of mounts) expect(there).toContain(name);
      }
    });
  });

  test('reaches every store through the headless Service of its StatefulSet', () => {
    checkAll((objects, fleet, shards) => {
      const workloads = planWorkloads(fleet, shards);
      for (const { name, url } of planAddresses(fleet, workloads, testPlace)) {
        const [host = ''] = url.replace('http://', '').split(':');
        const service = host.replace(`${name}.`, '').split('.')[0]!;
        const { clusterIP } = of(objects, 'Service', service);
        expect(clusterIP === 'None').toBe(host.startsWith(`${name}.`));
        if (clusterIP !== 'None') continue;
        const set = of(objects, 'StatefulSet', name.replace(/-\d+$/, ''));
        expect(set['serviceName']).toBe(service);
        expect(Number(set['replicas'])).toBeGreaterThan(Number(/\d+$/.exec(name)![0]));
      }
    });
  });
});

describe('planObjects', () => {
  const twoShards = (spec: object): readonly Manifest[] => plan(testFleet(spec), [0, 1]);
  const templateOf = (spec: object, name: string): Template =>
    templates(twoShards(spec)).find(({ owner }) => owner.metadata.name === name)!.template;

  test('makes Services, then what runs, then what protects it', () => {
    expect(twoShards({}).map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'Service scraper-main',
      'Service querier-main',
      'Service ruler-main',
      'StatefulSet scraper-main-0',
      'StatefulSet scraper-main-1',
      'Deployment querier-main',
      'StatefulSet ruler-main',
      'PodDisruptionBudget scraper-main-0',
      'PodDisruptionBudget scraper-main-1',
      'PodDisruptionBudget querier-main',
      'PodDisruptionBudget ruler-main',
      'NetworkPolicy scraper-main',
      'NetworkPolicy ruler-main',
      'NetworkPolicy querier-main',
    ]);
  });

  test('leaves out what the Fleet does not want', () => {
    const kinds = twoShards({ ruler: { replicas: 0 }, networkPolicy: { enabled: false } });
    expect(kinds.filter(({ metadata }) => metadata.name === 'ruler-main')).toEqual([]);
    expect(kinds.filter(({ kind }) => kind === 'NetworkPolicy')).toEqual([]);
  });

  test('merges the pod template: containers by name, tolerations at the end, null removes', () => {
    const { metadata, spec } = templateOf(
      {
        scraper: {
          podTemplate: {
            metadata: { labels: { team: 'a', 'flotilla.dev/fleet': 'other' } },
            spec: {
              containers: [sidecar, { name: 'scraper', args: ['--x=1'], livenessProbe: null }],
              tolerations: [{ operator: 'Exists' }],
              topologySpreadConstraints: [
                { topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway' },
              ],
            },
          },
        },
      },
      'scraper-main-0',
    );
    expect(metadata.labels).toMatchObject({ team: 'a', 'flotilla.dev/fleet': 'main' });
    expect(spec.containers.map(({ name }) => name)).toEqual(['scraper', 'proxy']);
    expect(spec.containers[0]).not.toHaveProperty('livenessProbe');
    expect(spec.containers[0]!.args!.slice(-1)).toEqual(['--x=1']);
    expect(spec.containers[0]!.args!.length).toBeGreaterThan(5);
    expect(spec['tolerations']).toContainEqual({ operator: 'Exists' });
    expect(spec['topologySpreadConstraints']).toMatchObject([
      { topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 1 },
      { topologyKey: 'topology.kubernetes.io/zone' },
    ]);
  });

  test('gives volumes, and says what becomes of them', () => {
    const set = of(
      twoShards({ storage: { size: '5Gi', whenDeleted: 'Delete' } }),
      'StatefulSet',
      'scraper-main-1',
    );
    expect(set['persistentVolumeClaimRetentionPolicy']).toEqual({
      whenDeleted: 'Delete',
      whenScaled: 'Retain',
    });
    expect(set['volumeClaimTemplates']).toMatchObject([
      { metadata: { name: 'data' }, spec: { resources: { requests: { storage: '5Gi' } } } },
    ]);
    const none = of(twoShards({}), 'StatefulSet', 'scraper-main-1');
    expect(none['persistentVolumeClaimRetentionPolicy']).toEqual({
      whenDeleted: 'Retain',
      whenScaled: 'Retain',
    });
    expect(none).not.toHaveProperty('volumeClaimTemplates');
  });

  test('puts shards into zones only when these are local', () => {
    const zones = { names: ['a', 'b'], local: true };
    expect(templateOf({ shards: 2, zones }, 'scraper-main-1').spec['nodeSelector']).toEqual({
      'topology.kubernetes.io/zone': 'b',
    });
    expect(templateOf({ zones: { names: ['a'] } }, 'scraper-main-1').spec).not.toHaveProperty('nodeSelector');
  });

  test('gives JavaScript its part of the memory limit', () => {
    const resources = { limits: { memory: '1Gi' } };
    const { env } = templateOf({ querier: { resources } }, 'querier-main').spec.containers[0]!;
    expect(env).toContainEqual({
      name: 'NODE_OPTIONS',
      value: '--max-semi-space-size=4 --max-old-space-size=768',
    });
  });

  test("keeps a scraper's nursery small", () => {
    const { env } = templateOf({}, 'scraper-main-0').spec.containers[0]!;
    expect(env).toContainEqual({ name: 'NODE_OPTIONS', value: '--max-semi-space-size=8' });
  });

  test('passes on what users write, without expansion', () => {
    const { args } = templateOf({ externalLabels: { a: '$(POD_NAME)' } }, 'ruler-main').spec.containers[0]!;
    expect(args).toContain('--external-label=a=$$(POD_NAME)');
  });

  test('refuses names that give no valid objects', () => {
    for (const name of ['a'.repeat(41), 'A', 'a.b', '-a', 'a-', ''])
      expect(() => plan(testFleet({}, name), [0])).toThrow(`Fleet ${name}: name, want at most 40`);
  });
});

test('the rules of `restricted` find what breaks them', () => {
  const good = (): Tree =>
    JSON.parse(JSON.stringify(templates(plan(testFleet(), [0]))[0]!.template.spec)) as Tree;
  const container = (spec: Tree): Tree => (spec['containers'] as Tree[])[0]!;
  const check = (breakIt: (spec: Tree) => void, want: readonly string[]): void => {
    const spec = good();
    breakIt(spec);
    expect(restrictedViolations(spec)).toEqual(want);
  };
  check(() => {}, []);
  check((spec) => (spec['hostNetwork'] = true), ['hostNetwork']);
  check((spec) => (spec['volumes'] = [{ name: 'x', hostPath: { path: '/' } }]), ['volume hostPath']);
  check((spec) => delete spec['securityContext'], ['scraper seccompProfile', 'scraper runAsNonRoot']);
  check(
    (spec) => delete container(spec)['securityContext'],
    ['scraper allowPrivilegeEscalation', 'scraper drop'],
  );
  check((spec) => (container(spec)['ports'] = [{ hostPort: 80 }]), ['scraper hostPort']);
});
