import { describe, expect, test } from '@jest/globals';
import { at, find, missing, namesOf, render } from './helm.ts';
import type { KubeObject } from './helm.ts';
import { valueSets } from './value-sets.ts';

const withHelm = missing === '' ? test : test.skip;

interface PolicyRule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly verbs: readonly string[];
}

/** Lines `group/resource: verbs`, sorted; of non-resource URLs `url: verbs`. */
function grants(role: KubeObject): string[] {
  return at<readonly PolicyRule[]>(role, 'rules')
    .flatMap(({ apiGroups = [], resources = [], resourceNames, nonResourceURLs = [], verbs }) => {
      const only = resourceNames === undefined ? '' : ` (${resourceNames.length} names)`;
      const things = apiGroups.flatMap((group) => resources.map((one) => `${group}/${one}${only}`));
      return [...things, ...nonResourceURLs].map((thing) => `${thing}: ${verbs.join(' ')}`);
    })
    .toSorted();
}

const monitors = ['podmonitors', 'probes', 'prometheusrules', 'scrapeconfigs', 'servicemonitors'];
const read = 'get list watch';
const write = 'get list watch create patch update delete';
const watched = [
  '/configmaps: get',
  `/pods: ${read}`,
  '/secrets: get',
  `/services: ${read}`,
  `discovery.k8s.io/endpointslices: ${read}`,
  'events.k8s.io/events: create patch',
  `flotilla.dev/fleets: ${read}`,
  ...monitors.flatMap((kind) => [
    `monitoring.coreos.com/${kind}/status: patch`,
    `monitoring.coreos.com/${kind}: ${read}`,
  ]),
  `networking.k8s.io/ingresses: ${read}`,
];
const crds = [
  'apiextensions.k8s.io/customresourcedefinitions (6 names): get patch',
  'apiextensions.k8s.io/customresourcedefinitions: create',
];
const cluster = [`/namespaces: ${read}`, `/nodes: ${read}`];
const tokenReviews = ['authentication.k8s.io/tokenreviews: create'];

describe('the rights', () => {
  withHelm(`of scrapers: no object at all${missing}`, () => {
    const objects = render({});
    expect(grants(find(objects, 'ClusterRole', 'flotilla-monitoring-scraper'))).toEqual([
      '/metrics/cadvisor: get',
      '/metrics/probes: get',
      '/metrics/resource: get',
      '/metrics/slis: get',
      '/metrics: get',
      '/nodes/metrics: get',
    ]);
    expect(boundTo(objects, 'flotilla-scraper')).toEqual(['ClusterRole flotilla-monitoring-scraper']);
  });

  withHelm(`of queriers and rulers: none${missing}`, () => {
    const objects = render({});
    for (const part of ['querier', 'ruler']) {
      expect(boundTo(objects, `flotilla-${part}`)).toEqual([]);
      expect(at(find(objects, 'ServiceAccount', `flotilla-${part}`), 'automountServiceAccountToken')).toBe(
        false,
      );
    }
  });

  withHelm(`of the operator in the whole cluster${missing}`, () => {
    const objects = render({});
    const role = find(objects, 'ClusterRole', 'flotilla-monitoring-operator');
    expect(grants(role)).toEqual([...watched, ...cluster, ...crds, ...tokenReviews].toSorted());
    expect(boundTo(objects, 'flotilla-operator')).toEqual([
      'ClusterRole flotilla-monitoring-operator',
      'Role flotilla-operator in monitoring',
    ]);
  });

  withHelm(`of the operator in its own namespace${missing}`, () => {
    expect(grants(find(render({}), 'Role', 'flotilla-operator'))).toEqual(
      [
        `/configmaps: ${write}`,
        '/persistentvolumeclaims: get list watch patch delete',
        '/pods: get list watch patch',
        `/secrets: ${write}`,
        `/services: ${write}`,
        `apps/deployments: ${write}`,
        `apps/statefulsets: ${write}`,
        'coordination.k8s.io/leases: get create update',
        'flotilla.dev/fleets/finalizers: update',
        'flotilla.dev/fleets/status: patch update',
        `networking.k8s.io/networkpolicies: ${write}`,
        `policy/poddisruptionbudgets: ${write}`,
      ].toSorted(),
    );
  });

  withHelm(`of the operator in some namespaces: nothing elsewhere${missing}`, () => {
    const objects = render(valueSets['namespaces of a team']!);
    const role = find(objects, 'ClusterRole', 'flotilla-monitoring-operator');
    expect(grants(role)).toEqual([...crds, ...tokenReviews].toSorted());
    const roles = objects.filter(({ kind, metadata }) => kind === 'Role' && metadata.name.endsWith('-watch'));
    expect(roles.map(({ metadata }) => metadata.namespace)).toEqual(['checkout', 'monitoring', 'shop']);
    for (const one of roles) expect(grants(one)).toEqual(watched.toSorted());
  });

  withHelm(`never to write roles, run in pods or read all Secrets${missing}`, () => {
    for (const values of Object.values(valueSets)) {
      for (const role of render(values).filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role')) {
        const lines = grants(role);
        expect(lines.filter((line) => line.includes('*'))).toEqual([]);
        expect(lines.filter((line) => /rbac|pods\/|impersonate|escalate|bind/.test(line))).toEqual([]);
        if (role.kind === 'ClusterRole') expect(lines).not.toContain(`/secrets: ${read}`);
      }
    }
  });

  withHelm(`are not made when that is not wanted${missing}`, () => {
    const objects = render(valueSets['own ServiceAccounts and roles']!);
    const kinds = ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding', 'ServiceAccount'];
    expect(kinds.flatMap((kind) => namesOf(objects, kind))).toEqual([]);
    const pod = find(objects, 'Deployment', 'flotilla-operator');
    expect(at(pod, 'spec/template/spec/serviceAccountName')).toBe('own-operator');
    expect(at(pod, 'spec/template/spec/containers/0/args')).toContain(
      '--scraper.service-account=own-scraper',
    );
  });

  withHelm(`of users of the cluster: to see and edit the kinds${missing}`, () => {
    const objects = render({});
    const labels = (name: string): string[] =>
      Object.keys(find(objects, 'ClusterRole', name).metadata.labels ?? {})
        .filter((label) => label.includes('aggregate-to'))
        .map((label) => label.slice('rbac.authorization.k8s.io/aggregate-to-'.length))
        .toSorted();
    expect(labels('flotilla-monitoring-view')).toEqual(['admin', 'edit', 'view']);
    expect(labels('flotilla-monitoring-edit')).toEqual(['admin', 'edit']);
    expect(
      grants(find(objects, 'ClusterRole', 'flotilla-monitoring-view')).every((line) => line.endsWith(read)),
    ).toBe(true);
  });
});

/** Roles that the account of namespace `monitoring` is bound to. */
function boundTo(objects: readonly KubeObject[], account: string): string[] {
  return objects
    .filter(({ kind }) => kind.endsWith('RoleBinding'))
    .filter((binding) =>
      at<readonly { name: string; namespace: string }[]>(binding, 'subjects').some(
        ({ name, namespace }) => name === account && namespace === 'monitoring',
      ),
    )
    .map((binding) => {
      const { namespace } = binding.metadata;
      const where = namespace === undefined ? '' : ` in ${namespace}`;
      return `${at<string>(binding, 'roleRef/kind')} ${at<string>(binding, 'roleRef/name')}${where}`;
    })
    .toSorted();
}
