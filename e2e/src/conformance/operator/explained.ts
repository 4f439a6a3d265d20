// Differences that are meant, each as narrow as can be said; docs/differences.md says them to users. Everything else must be equal.

import type { Difference } from './compare.ts';
import type { KubeClient } from './kube-client.ts';
import type { Phase } from './phases.ts';
import type { PoolView, View } from './view.ts';

interface Explanation {
  readonly reason: string;
  /** Name of the only phase in which it may happen. */
  readonly phase?: string;
  readonly explains: (difference: Difference) => boolean;
}

function of(...names: readonly RegExp[]): Explanation['explains'] {
  return ({ where, what }) =>
    (what === 'refused' || what === 'binding' || what === 'job') && names.some((name) => name.test(where));
}

const explanations: readonly Explanation[] = [
  {
    reason:
      'what the selector of a monitor leaves out is not made into targets, so it is not counted as dropped',
    explains: ({ where, what, oracle, ours }) =>
      what === 'droppedCount' &&
      /^(service|pod)Monitor\//.test(where) &&
      (ours as number) < (oracle as number),
  },
  {
    reason:
      'discovery of clouds and catalogues is not supported: the object is refused, never scraped in part',
    explains: of(/[ /]team-a\/(consul|nomad)$/),
  },
  {
    reason:
      'a Probe whose Ingress selector has an unknown operator is refused; the oracle leaves the requirement out and probes too much',
    explains: of(/[ /]monitoring\/odd-probe-ingress-selector$/),
  },
  {
    reason:
      'role Endpoints reads EndpointSlices, since Endpoints are deprecated; this world has no Endpoints',
    explains: ({ where, what }) =>
      where === 'serviceMonitor/monitoring/role-endpoints/0' &&
      (what.startsWith('targets') || what === 'droppedCount'),
  },
  {
    reason:
      'a rule that does not parse is refused; the oracle leaves it out silently where it is to be enforced',
    phase: 'guarded',
    explains: ({ where, what, oracle }) =>
      (what === 'refused' ? oracle === 'accepted' : what === 'binding' && oracle === undefined) &&
      /^PrometheusRule monitoring\/rules-(bad-expr|bad-function|empty-expr|experimental)$/.test(where),
  },
  {
    reason: 'overrideHonorTimestamps holds for a ScrapeConfig that says nothing of timestamps, too',
    phase: 'guarded',
    explains: ({ where, what, oracle, ours }) =>
      where.startsWith('scrapeConfig/') && what === 'honorTimestamps' && oracle === true && ours === false,
  },
  {
    reason:
      "the credentials of a scrape class are a Secret of the Fleet's namespace; the oracle reads the monitor's, and only if another monitor refers to it",
    phase: 'guarded',
    explains: ({ where, what }) =>
      what === 'auth' && /^\w+\/team-[abc]\/class-token(-other-namespace\/0|\/0)?$/.test(where),
  },
];

export interface Explained {
  readonly unexplained: readonly Difference[];
  /** How many differences each reason explains. */
  readonly counts: Readonly<Record<string, number>>;
}

export function explain(differences: readonly Difference[], { name }: Phase): Explained {
  const possible = explanations.filter(({ phase }) => phase === undefined || phase === name);
  const counts = Object.fromEntries(possible.map(({ reason }) => [reason, 0]));
  const unexplained = differences.filter((difference) => {
    const found = possible.find(({ explains }) => explains(difference));
    if (found !== undefined) counts[found.reason]!++;
    return found === undefined;
  });
  return { unexplained, counts };
}

/**
 * Ours without what it has on purpose: labels that relabelings which map all metas get of `__meta_kubernetes_endpoint…`, since our slices
 * carry the metas of the role Endpoints, too, so that relabelings written for it go on working; and the enforced label of unguarded jobs.
 */
export function withoutExtras(view: View, unguarded: ReadonlyMap<string, string>): View {
  const pools = [...view.pools].map(([name, pool]): [string, PoolView] => {
    const namespace = unguarded.get(name);
    const isExtra = (label: string, value: string): boolean =>
      /^m_kubernetes_endpoints?_/.test(label) || (label === enforcedLabel && value === namespace);
    return [name, strippedPool(pool, isExtra)];
  });
  return { ...view, pools: new Map(pools) };
}

function strippedPool(pool: PoolView, isExtra: (label: string, value: string) => boolean): PoolView {
  const targets = pool.targets.map((target) => {
    const labels = Object.entries(target.labels).filter(([label, value]) => !isExtra(label, value));
    return { ...target, labels: Object.fromEntries(labels) };
  });
  return { ...pool, targets };
}

const enforcedLabel = 'namespace';

interface ScrapeConfigItem {
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly spec: { readonly relabelings?: readonly unknown[] };
}

/**
 * Namespaces of ScrapeConfigs by job, of those without relabelings: the oracle enforces the namespace on their samples and forgets their
 * targets, so that `up` escapes. Ours enforces both.
 */
export async function unguardedJobs(
  client: KubeClient,
  { settings }: Phase,
): Promise<ReadonlyMap<string, string>> {
  if (settings['enforcedNamespaceLabel'] !== enforcedLabel) return new Map();
  const { items } = await client.get<{ items: readonly ScrapeConfigItem[] }>(
    '/apis/monitoring.coreos.com/v1alpha1/scrapeconfigs',
  );
  const without = items.filter(({ spec }) => (spec.relabelings ?? []).length === 0);
  return new Map(
    without.map(({ metadata: { namespace, name } }) => [`scrapeConfig/${namespace}/${name}`, namespace]),
  );
}
