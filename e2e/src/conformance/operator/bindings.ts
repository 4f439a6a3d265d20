// What an operator says of the objects that it selects, in their status: the binding of its Prometheus, or of its Fleet.

import type { KubeClient } from './kube-client.ts';
import type { BindingsView } from './view.ts';

const collections = [
  'v1/servicemonitors',
  'v1/podmonitors',
  'v1/probes',
  'v1alpha1/scrapeconfigs',
  'v1/prometheusrules',
];

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number;
}

export interface Binding {
  readonly group: string;
  readonly resource: string;
  readonly name: string;
  readonly namespace: string;
  readonly conditions?: readonly Condition[];
}

interface Bound {
  readonly metadata: { readonly namespace: string; readonly name: string; readonly generation: number };
  readonly status?: { readonly bindings?: readonly Binding[] };
}

/** By `<kind> <namespace>/<name>`. */
export type Bindings = ReadonlyMap<string, Binding & { readonly generation: number }>;

/** Bindings of the workload of that name. */
export async function bindingsOf(client: KubeClient, workload: string): Promise<Bindings> {
  const found = new Map<string, Binding & { readonly generation: number }>();
  for (const collection of collections) {
    const { kind, items } = await client.get<{ kind: string; items: readonly Bound[] }>(
      `/apis/monitoring.coreos.com/${collection}`,
    );
    for (const { metadata, status } of items) {
      const own = status?.bindings?.find(({ name }) => name === workload);
      const key = `${kind.replace(/List$/, '')} ${metadata.namespace}/${metadata.name}`;
      if (own !== undefined) found.set(key, { ...own, generation: metadata.generation });
    }
  }
  return found;
}

/** Messages of objects that are not accepted. */
export function refusedBy(bindings: Bindings): Map<string, string> {
  const refused = new Map<string, string>();
  for (const [key, { conditions = [] }] of bindings)
    for (const { status, message = '' } of conditions) if (status === 'False') refused.set(key, message);
  return refused;
}

/** In what must be equal: not the name of the workload, nor the words of a message. */
export function comparableBindings(bindings: Bindings): BindingsView {
  const views = [...bindings].map(([key, { group, resource, namespace, conditions = [], generation }]) => {
    const said = conditions.map(({ type, status, reason = '', message = '', observedGeneration }) => ({
      ...{ type, status, reason },
      hasMessage: message !== '',
      isCurrent: observedGeneration === generation,
    }));
    return [key, { group, resource, namespace, conditions: said }] as const;
  });
  return new Map(views);
}
