// Kubernetes discovery through selectors: as if the API server had only the objects that they leave.

import type { AnyObject, Kind, ObjectOf } from '../objects/kinds.ts';
import type { ObjectSource, Problem } from '../objects/object-source.ts';
import type { LabelSelector } from '../objects/schema-parts.ts';
import { KubernetesDiscovery } from './kubernetes-discovery.ts';
import type { KubernetesRole } from './kubernetes-discovery.ts';
import { selectorMatches } from './select-objects.ts';
import type { FieldRequirement } from './selector-text.ts';

export interface RoleSelector {
  readonly role: KubernetesRole;
  readonly labels: LabelSelector;
  readonly fields: readonly FieldRequirement[];
}

const kinds: Readonly<Record<KubernetesRole, Kind>> = {
  endpointslice: 'EndpointSlice',
  pod: 'Pod',
  service: 'Service',
  ingress: 'Ingress',
  node: 'Node',
};

export class DiscoveryViews {
  readonly #source: ObjectSource;
  readonly #whole: KubernetesDiscovery;
  readonly #views = new Map<string, KubernetesDiscovery>();
  #wanted = new Set<string>();

  constructor(source: ObjectSource) {
    this.#source = source;
    this.#whole = new KubernetesDiscovery(source);
  }

  /** Of everything. */
  get whole(): KubernetesDiscovery {
    return this.#whole;
  }

  /** The same one for equal selectors. */
  of(selectors: readonly RoleSelector[]): KubernetesDiscovery {
    if (selectors.length === 0) return this.#whole;
    const key = JSON.stringify(selectors);
    this.#wanted.add(key);
    let view = this.#views.get(key);
    if (view === undefined) {
      view = new KubernetesDiscovery(new SelectedSource(this.#source, selectors));
      this.#views.set(key, view);
    }
    return view;
  }

  /** Has each look at the source again, and forgets those that nobody has asked for since the last call. */
  refresh(): void {
    for (const [key, view] of this.#views) {
      if (this.#wanted.has(key)) view.refresh();
      else this.#views.delete(key);
    }
    this.#wanted = new Set();
    this.#whole.refresh();
  }
}

class SelectedSource implements ObjectSource {
  readonly #source: ObjectSource;
  readonly #byKind = new Map<Kind, RoleSelector[]>();

  constructor(source: ObjectSource, selectors: readonly RoleSelector[]) {
    this.#source = source;
    for (const selector of selectors) {
      const kind = kinds[selector.role];
      this.#byKind.set(kind, [...(this.#byKind.get(kind) ?? []), selector]);
    }
  }

  list<K extends Kind>(kind: K): readonly ObjectOf<K>[] {
    return this.#source.list(kind).filter((object) => this.#leaves(kind, object));
  }

  get<K extends Kind>(kind: K, namespace: string, name: string): ObjectOf<K> | undefined {
    const object = this.#source.get(kind, namespace, name);
    return object !== undefined && this.#leaves(kind, object) ? object : undefined;
  }

  #leaves(kind: Kind, object: AnyObject): boolean {
    return (this.#byKind.get(kind) ?? []).every(
      ({ labels, fields }) =>
        selectorMatches(labels, object.metadata.labels) &&
        fields.every(({ path, value, isEqual }) => (fieldOf(object, path) === value) === isEqual),
    );
  }

  start(): Promise<void> {
    return this.#source.start();
  }

  stop(): void {
    this.#source.stop();
  }

  synced(): boolean {
    return this.#source.synced();
  }

  problems(): readonly Problem[] {
    return this.#source.problems();
  }

  ignored(): ReadonlyMap<string, number> {
    return this.#source.ignored();
  }

  onChange(listener: () => void): void {
    this.#source.onChange(listener);
  }
}

function fieldOf(object: AnyObject, path: string): string {
  let value: unknown = object;
  for (const step of path.split('.'))
    value = (value as Readonly<Record<string, unknown>> | undefined)?.[step];
  return typeof value === 'object' || value === undefined ? '' : `${value as string | number | boolean}`;
}
