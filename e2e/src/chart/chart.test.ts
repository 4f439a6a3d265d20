import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  at,
  chart,
  find,
  helm,
  missing,
  namesOf,
  parseObjects,
  render,
  renderText,
  repository,
} from './helm.ts';
import type { KubeObject, Values } from './helm.ts';
import { valueSets } from './value-sets.ts';

const withHelm = missing === '' ? test : test.skip;
const clusterScoped = new Set(['ClusterRole', 'ClusterRoleBinding', 'CustomResourceDefinition']);
const objectName = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;

describe('every set of values', () => {
  withHelm(`there are twenty${missing}`, () => {
    expect(Object.keys(valueSets)).toHaveLength(20);
  });

  for (const [name, values] of Object.entries(valueSets)) {
    withHelm(`${name}: renders the same good objects each time${missing}`, () => {
      const text = renderText(values);
      expect(renderText(values)).toBe(text);
      const objects = parseObjects(text);
      for (const object of objects) checkObject(object);
      const keys = objects.map(
        ({ kind, metadata }) => `${kind}/${metadata.namespace ?? ''}/${metadata.name}`,
      );
      expect(new Set(keys).size).toBe(keys.length);
      for (const pod of objects.filter(({ kind }) => kind === 'Deployment' || kind === 'Pod')) checkPod(pod);
      expect(checkedByFlotilla(text)).toBe('');
    });
  }

  function checkObject({ apiVersion, kind, metadata }: KubeObject): void {
    const where = `${kind} ${metadata?.name}`;
    expect([where, apiVersion]).toEqual([where, expect.stringMatching(/^([a-z0-9.]+\/)?v\d/)]);
    expect(metadata.name).toMatch(objectName);
    expect(metadata.name.length).toBeLessThanOrEqual(63);
    expect([where, metadata.namespace === undefined]).toEqual([where, clusterScoped.has(kind)]);
    const labels = metadata.labels ?? {};
    for (const value of Object.values(labels)) {
      expect(value).toMatch(labelValue);
      expect(value.length).toBeLessThanOrEqual(63);
    }
    if (kind === 'ConfigMap' && !metadata.name.includes('grafana')) return; // Of extraManifests.
    expect(labels).toMatchObject({
      'app.kubernetes.io/instance': 'flotilla',
      'app.kubernetes.io/managed-by': 'Helm',
      'app.kubernetes.io/version': '0.1.0',
      'helm.sh/chart': 'flotilla-0.1.0',
    });
  }

  /** As the Pod Security level `restricted` wants it, and with a root that cannot be written. */
  function checkPod(object: KubeObject): void {
    const path = object.kind === 'Pod' ? 'spec' : 'spec/template/spec';
    expect(at(object, `${path}/securityContext`)).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    for (const container of at<readonly Values[]>(object, `${path}/containers`)) {
      expect(container['securityContext']).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container['resources']).toMatchObject({ requests: { memory: expect.any(String) } });
      expect(container['command']).toEqual(expect.arrayContaining(['node']));
    }
  }
});

/** What `flotilla check manifests` says against the rendered text; '' when nothing. */
function checkedByFlotilla(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-chart-'));
  try {
    const file = join(folder, 'rendered.yaml');
    writeFileSync(file, text);
    const command = [join(repository, 'cli/bin/flotilla.mjs'), 'check', 'manifests', file];
    return spawnSync(process.execPath, command, { encoding: 'utf8' }).stderr;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('the chart', () => {
  withHelm(`has nothing for lint to say${missing}`, () => {
    for (const name of ['small', 'production']) {
      const result = helm('lint', '--strict', chart, '-f', join(chart, 'examples', `${name}.yaml`));
      expect(`${result.stdout}${result.stderr}`).toContain('0 chart(s) failed');
    }
  });

  withHelm(`gives the operator all its flags${missing}`, () => {
    const operator = find(render({}), 'Deployment', 'flotilla-operator');
    expect(at(operator, 'spec/template/spec/containers/0/args')).toEqual([
      '--kubernetes',
      '--namespace=$(POD_NAMESPACE)',
      '--identity=$(POD_NAME)',
      '--image=flotilla/flotilla:0.1.0',
      '--image.pull-policy=IfNotPresent',
      '--operator.url=http://flotilla-operator.monitoring.svc:9090',
      '--scraper.service-account=flotilla-scraper',
      '--querier.service-account=flotilla-querier',
      '--ruler.service-account=flotilla-ruler',
      '--leader-election.lease=flotilla-operator',
      '--crds.dir=/app/crds',
      '--web.listen-address=:9090',
      '--log.level=info',
      '--log.format=logfmt',
    ]);
    expect(at(find(render({}), 'Service', 'flotilla-operator'), 'spec')).toMatchObject({
      clusterIP: 'None',
      ports: [{ name: 'http', port: 9090 }],
    });
  });

  withHelm(`passes only flags that the operator has${missing}`, () => {
    for (const values of Object.values(valueSets)) {
      const operator = render(values).find(({ kind }) => kind === 'Deployment')!;
      const args = at<readonly string[]>(operator, 'spec/template/spec/containers/0/args');
      const main = join(repository, 'operator/dist/main.js');
      // The flags are read first, --help after them: a wrong one makes the exit code 2.
      const { status, stderr } = spawnSync(process.execPath, [main, ...args, '--help'], { encoding: 'utf8' });
      expect([status, stderr]).toEqual([0, '']);
    }
  });

  withHelm(`leaves the number of shards to kubectl scale${missing}`, () => {
    expect(at(find(render({}), 'Fleet', 'main'), 'spec')).not.toHaveProperty('shards');
    const owned = render({ fleet: { spec: { shards: 3 } } });
    expect(at(find(owned, 'Fleet', 'main'), 'spec/shards')).toBe(3);
  });

  withHelm(`selects everything and adds its scrape class${missing}`, () => {
    const { 'a Fleet with much of its own': own } = valueSets;
    const spec = at<Values>(find(render({}), 'Fleet', 'main'), 'spec');
    const selectors = Object.entries(spec).filter(([key]) => key.endsWith('Selector'));
    expect(selectors).toHaveLength(10);
    for (const [, selector] of selectors) expect(selector).toEqual({});
    expect(at(find(render(own!), 'Fleet', 'main'), 'spec')).toMatchObject({
      serviceMonitorSelector: { matchLabels: { team: 'shop' } },
      scrapeClasses: [{ name: 'kubernetes' }, { name: 'mesh' }],
    });
    expect(at(find(render(own!), 'Fleet', 'main'), 'spec')).not.toHaveProperty('storage');
  });

  withHelm(`takes images from the mirror or by digest${missing}`, () => {
    const image = (values: Values): string =>
      at(find(render(values), 'Deployment', 'flotilla-operator'), 'spec/template/spec/containers/0/image');
    expect(image(valueSets['a mirror and pull secrets']!)).toBe(
      'mirror.example.com:5000/flotilla/flotilla:0.1.0',
    );
    expect(image(valueSets['an image by digest']!)).toBe(`flotilla@sha256:${'a'.repeat(64)}`);
    const fleet = find(render(valueSets['a mirror and pull secrets']!), 'Fleet', 'main');
    expect(at(fleet, 'spec/imagePullSecrets')).toEqual([{ name: 'mirror' }, { name: 'other' }]);
  });

  withHelm(`brings the CustomResourceDefinitions, its own always${missing}`, () => {
    const names = (values: Values): string[] =>
      namesOf(render(values, '--include-crds'), 'CustomResourceDefinition').toSorted();
    expect(names({ crds: { monitoring: false } })).toEqual(['fleets.flotilla.dev']);
    const files = readdirSync(join(repository, 'crds')).filter((name) => name.endsWith('.yaml'));
    const all = files.map((name) => name.replace(/^(.*)_(.*)\.yaml$/, '$2.$1'));
    expect(names({})).toEqual(all.toSorted());
  });

  withHelm(`points Grafana at the querier${missing}`, () => {
    const text = at<string>(
      find(render({}), 'ConfigMap', 'flotilla-grafana-datasource'),
      'data/flotilla.yaml',
    );
    expect(text).toContain('url: "http://querier-main.monitoring.svc:9090"');
  });

  withHelm(`scrapes what the provider lets it reach${missing}`, () => {
    function check(values: Values, want: readonly string[]): void {
      const objects = render({ monitoring: { enabled: false }, ...values });
      const monitors = ['ScrapeConfig', 'ServiceMonitor', 'PodMonitor'].flatMap((kind) =>
        namesOf(objects, kind),
      );
      expect(monitors.map((name) => name.replace('flotilla-', '')).toSorted()).toEqual(want);
    }
    const anywhere = ['apiserver', 'cadvisor', 'coredns', 'kubelet'];
    check({}, anywhere);
    check({ controlPlane: { provider: 'gke' } }, ['apiserver', 'cadvisor', 'kubelet']);
    check({ controlPlane: { provider: 'none', kubelet: { enabled: true } } }, []);
    check(
      { controlPlane: { provider: 'kubeadm' } },
      [...anywhere, 'kube-controller-manager', 'kube-scheduler'].toSorted(),
    );
    check({ controlPlane: { kubelet: { enabled: false } } }, ['apiserver', 'cadvisor', 'coredns']);
    check({ rbac: { scope: 'namespaced' } }, []);
    check({ rbac: { scope: 'namespaced', namespaces: ['kube-system'] } }, ['coredns']);
  });
});

describe('an upgrade', () => {
  withHelm(`changes no field that cannot change${missing}`, () => {
    const fixed = (values: Values): unknown[] =>
      render(values)
        .filter(({ kind }) => ['Deployment', 'Service', 'ClusterRoleBinding', 'RoleBinding'].includes(kind))
        .map((object) => [object.kind, object.metadata.name, fixedFields(object)]);
    const { defaults, kubeadm } = valueSets;
    const operatorPlaced = valueSets['an operator placed with care']!;
    const labelled = valueSets['monitors with labels, some rules off']!;
    const want = fixed(defaults!);
    for (const values of [kubeadm!, operatorPlaced, labelled, valueSets['the production example']!])
      expect(fixed(values)).toEqual(want);
  });

  function fixedFields(object: KubeObject): unknown {
    if (object.kind === 'Deployment') return at(object, 'spec/selector');
    if (object.kind === 'Service') return [at(object, 'spec/clusterIP'), at(object, 'spec/selector')];
    return at(object, 'roleRef');
  }
});
