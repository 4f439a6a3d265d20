// Kubernetes objects as they are written, and the names and labels that all of a fleet's share.

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: 'StatefulSet' | 'Deployment' | 'Service' | 'PodDisruptionBudget' | 'NetworkPolicy';
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly ownerReferences: readonly object[];
  };
  readonly spec: object;
}

export type Component = 'scraper' | 'querier' | 'ruler';

/** Where a fleet runs, and what it runs. */
export interface ClusterPlace {
  readonly namespace: string;
  readonly image: string;
  readonly imagePullPolicy: string;
  /** Where an operator answers. */
  readonly operatorUrl: string;
  readonly serviceAccounts: Readonly<Record<Component, string>>;
}

/** Every part listens here. */
export const PORT = 9090;
export const MANAGED_BY = 'flotilla-operator';

/** `scraper-main-0`, `querier-main`. */
export function workloadName(component: Component, fleet: string, shard?: number): string {
  return shard === undefined ? `${component}-${fleet}` : `${component}-${fleet}-${shard}`;
}

/** What pods are selected by; never changes for a workload. */
export function selectorLabels(component: Component, fleet: string, shard?: number): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'flotilla',
    'app.kubernetes.io/component': component,
    'flotilla.dev/fleet': fleet,
    ...(shard !== undefined && { 'flotilla.dev/shard': `${shard}` }),
  };
}

export function ownLabels(component: Component, fleet: string, shard?: number): Record<string, string> {
  return { ...selectorLabels(component, fleet, shard), 'app.kubernetes.io/managed-by': MANAGED_BY };
}

/** Of everything that a fleet's operator makes. */
export function fleetSelector(fleet: string): string {
  return `app.kubernetes.io/managed-by=${MANAGED_BY},flotilla.dev/fleet=${fleet}`;
}

/** Of the Secret that all pods of a fleet mount. */
export function internalTokenName(fleet: string): string {
  return `${fleet}-internal-token`;
}
