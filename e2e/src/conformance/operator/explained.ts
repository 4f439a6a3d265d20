// Differences that are meant. Everything else must be equal.

import type { Difference } from './compare.ts';
import type { PoolView, View } from './view.ts';

interface Explanation {
  readonly reason: string;
  readonly explains: (difference: Difference) => boolean;
}

function of(...names: readonly RegExp[]): Explanation['explains'] {
  return ({ where, what }) =>
    (what === 'refused' || what === 'job') && names.some((name) => name.test(where));
}

const explanations: readonly Explanation[] = [
  { reason: 'OAuth 2 is not supported: the object is refused', explains: of(/[ /]team-a\/oauth2(\/0)?$/) },
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
];

export interface Explained {
  readonly unexplained: readonly Difference[];
  /** How many differences each reason explains. */
  readonly counts: Readonly<Record<string, number>>;
}

export function explain(differences: readonly Difference[]): Explained {
  const counts = Object.fromEntries(explanations.map(({ reason }) => [reason, 0]));
  const unexplained = differences.filter((difference) => {
    const found = explanations.find(({ explains }) => explains(difference));
    if (found !== undefined) counts[found.reason]!++;
    return found === undefined;
  });
  return { unexplained, counts };
}

/**
 * Ours without the labels that relabelings which map all metas get of `__meta_kubernetes_endpoint…`: our slices carry the metas of the
 * role Endpoints, too, so that relabelings written for it go on working.
 */
export function withoutEndpointsMetas(view: View): View {
  const pools = [...view.pools].map(([name, pool]): [string, PoolView] => [name, strippedPool(pool)]);
  return { ...view, pools: new Map(pools) };
}

function strippedPool(pool: PoolView): PoolView {
  const targets = pool.targets.map((target) => ({
    ...target,
    labels: Object.fromEntries(
      Object.entries(target.labels).filter(([name]) => !/^m_kubernetes_endpoints?_/.test(name)),
    ),
  }));
  return { ...pool, targets };
}
