// Proof: each ServiceAccount may do what it needs and nothing else; the operator knows its callers; pods are restricted;
// NetworkPolicies name the fleet's pods.

import { afterAll, expect } from '@jest/globals';
import { closeApiServer, list } from './api-server.ts';
import { kubectl } from './commands.ts';
import { namespace, pods, release } from './fleet.ts';
import { shop } from './manifests.ts';
import { proof } from './proof.ts';

afterAll(closeApiServer);

interface Access {
  readonly allowed: readonly string[];
  readonly denied: readonly string[];
}

/** `verb group/resource[/subresource] [namespace]`, or `verb /path`. The release's own namespace is `own`; none is the whole cluster. */
const accesses: Readonly<Record<string, Access>> = {
  operator: {
    allowed: [
      'list core/pods',
      'watch discovery.k8s.io/endpointslices',
      'list monitoring.coreos.com/servicemonitors',
      'patch monitoring.coreos.com/servicemonitors/status shop',
      'get core/secrets shop',
      'patch flotilla.dev/fleets/status own',
      'create apps/statefulsets own',
      'update coordination.k8s.io/leases own',
      'create authentication.k8s.io/tokenreviews',
      'create events.k8s.io/events shop',
    ],
    denied: [
      'list core/secrets shop',
      'watch core/secrets',
      'list core/secrets',
      'update core/secrets shop',
      'delete core/secrets shop',
      'create core/pods own',
      'create core/pods shop',
      'create core/pods/exec own',
      'create apps/statefulsets shop',
      'delete core/persistentvolumeclaims shop',
      'create rbac.authorization.k8s.io/roles own',
      'create rbac.authorization.k8s.io/clusterrolebindings',
      'update monitoring.coreos.com/servicemonitors shop',
      'delete monitoring.coreos.com/servicemonitors shop',
      'create core/serviceaccounts/token own',
      'impersonate core/users',
      'delete apiextensions.k8s.io/customresourcedefinitions',
      'delete core/nodes',
      'get core/nodes/proxy',
    ],
  },
  scraper: {
    allowed: ['get /metrics', 'get core/nodes/metrics'],
    denied: [
      'list core/pods',
      'get core/pods own',
      'get core/secrets own',
      'list core/secrets',
      'get core/configmaps own',
      'list monitoring.coreos.com/servicemonitors',
      'get core/nodes/proxy',
      'create core/nodes/proxy',
      'get core/nodes/log',
      'list core/nodes',
      'create core/pods/exec own',
      'get flotilla.dev/fleets own',
      'get /logs',
      'create authentication.k8s.io/tokenreviews',
    ],
  },
  querier: {
    allowed: [],
    denied: [
      'list core/pods',
      'get core/pods own',
      'get core/secrets own',
      'get core/configmaps own',
      'get /metrics',
      'get core/nodes/metrics',
      'get flotilla.dev/fleets own',
    ],
  },
  ruler: {
    allowed: [],
    denied: [
      'list core/pods',
      'get core/secrets own',
      'get core/configmaps own',
      'get /metrics',
      'list monitoring.coreos.com/prometheusrules',
      'get flotilla.dev/fleets own',
    ],
  },
};

function review(account: string, line: string): object {
  const [verb = '', what = '', where] = line.split(' ');
  const [group = '', resource, subresource] = what.split('/');
  const inNamespace = where === 'own' ? namespace : where;
  const attributes = what.startsWith('/')
    ? { nonResourceAttributes: { verb, path: what } }
    : {
        resourceAttributes: {
          verb,
          group: group === 'core' ? '' : group,
          resource,
          ...(subresource !== undefined && { subresource }),
          ...(inNamespace !== undefined && { namespace: inNamespace }),
        },
      };
  const user = `system:serviceaccount:${namespace}:${release}-${account}`;
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
  return {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user, groups, ...attributes },
  };
}

proof(
  'each ServiceAccount is allowed what it needs and denied the rest',
  async () => {
    const asked = Object.entries(accesses).flatMap(([account, { allowed, denied }]) => [
      ...allowed.map((line) => ({ account, line, want: true })),
      ...denied.map((line) => ({ account, line, want: false })),
    ]);
    const items = asked.map(({ account, line }) => review(account, line));
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    const output = await kubectl(['create', '-f', '-', '-o', 'jsonpath={.status.allowed}{"\\n"}'], { input });
    const answers = output.trim().split('\n');
    const got = asked.map(({ account, line }, index) => `${account}: ${line}: ${answers[index]}`);
    expect(got).toEqual(asked.map(({ account, line, want }) => `${account}: ${line}: ${want}`));
  },
  60_000,
);

async function ask(token: string | undefined): Promise<number> {
  const [operator] = await pods('operator');
  const url = `http://${operator?.status.podIP}:9090/assignment/v1/stream?fleet=main&shard=0&replica=0&version=`;
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(5000) });
  await response.body?.cancel();
  return response.status;
}

async function tokenOf(account: string, audience: string, inNamespace = namespace): Promise<string> {
  const args = [
    'create',
    'token',
    account,
    '--namespace',
    inNamespace,
    '--audience',
    audience,
    '--duration',
    '10m',
  ];
  return (await kubectl(args)).trim();
}

proof(
  'the operator gives assignments to scrapers that show a token made for it, and to nobody else',
  async () => {
    const audience = 'flotilla-operator';
    expect(await ask(await tokenOf(`${release}-scraper`, audience))).toBe(200);
    expect(await ask(undefined)).toBe(401);
    expect(await ask('not-a-token')).toBe(401);
    expect(
      await ask(await tokenOf(`${release}-scraper`, 'https://kubernetes.default.svc.cluster.local')),
    ).toBe(401);
    expect(await ask(await tokenOf('default', audience, shop))).toBe(403);
  },
  60_000,
);

interface Policy {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly podSelector: { readonly matchLabels?: Readonly<Record<string, string>> } };
}

proof(
  'NetworkPolicies are there for every part of the fleet and select its pods',
  async () => {
    const policies = await list<Policy>(`/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`);
    for (const component of ['scraper', 'querier', 'ruler'] as const) {
      const all = await pods(component);
      const selecting = policies.filter(({ spec }) => {
        const labels = Object.entries(spec.podSelector.matchLabels ?? {});
        return all.every(({ metadata }) => labels.every(([name, text]) => metadata.labels?.[name] === text));
      });
      expect([component, selecting.length > 0]).toEqual([component, true]);
    }
  },
  30_000,
);

proof(
  'no pod has more than it needs: restricted, a read-only root, a token of the API server for scrapers and operators only',
  async () => {
    const args = [
      'label',
      '--dry-run=server',
      '--overwrite',
      'namespace',
      namespace,
      'pod-security.kubernetes.io/enforce=restricted',
    ];
    expect(await kubectl([...args, 'e2e.test/checked=true'])).not.toMatch(/violate/);
    for (const pod of await pods()) {
      const text = JSON.stringify(pod.spec);
      expect([pod.metadata.name, text.includes('"readOnlyRootFilesystem":true')]).toEqual([
        pod.metadata.name,
        true,
      ]);
      const hasToken = text.includes('/var/run/secrets/kubernetes.io/serviceaccount');
      const wantsToken = /^scraper|operator/.test(pod.metadata.name);
      expect([pod.metadata.name, hasToken]).toEqual([pod.metadata.name, wantsToken]);
    }
  },
  30_000,
);
