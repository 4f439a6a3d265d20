// What there is of a fleet's objects, by watching. Of each only what shows that somebody has changed it.

import type { Logger } from '@flotilla/chassis';
import type { ApiClient } from '../cluster/api-client.ts';
import { Reflector } from '../cluster/reflector.ts';
import { RESOURCES } from '../cluster/resources.ts';
import { fleetSelector, MANAGED_BY } from './kube-manifest.ts';
import type { Manifest } from './kube-manifest.ts';

export interface LiveObject {
  readonly name: string;
  readonly uid: string;
  /** Differs when labels, owners or anything but the status does. */
  readonly fingerprint: string;
  readonly shard: string | undefined;
  readonly isOurs: boolean;
}

/** Metadata as the API server sends it. */
export interface ObjectMeta {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Not every kind has one. */
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
}

interface OwnerReference {
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
}

export interface KubeObject {
  readonly metadata: ObjectMeta;
}

export type ManifestKind = Manifest['kind'];
export const MANIFEST_KINDS: readonly ManifestKind[] = [
  'Service',
  'StatefulSet',
  'Deployment',
  'PodDisruptionBudget',
  'NetworkPolicy',
];

export interface LiveObjectsOptions {
  readonly client: ApiClient;
  readonly namespace: string;
  readonly fleet: string;
  readonly log: Logger;
}

export class LiveObjects {
  readonly #namespace: string;
  readonly #reflectors: ReadonlyMap<ManifestKind, Reflector<LiveObject>>;

  constructor({ client, namespace, fleet, log }: LiveObjectsOptions) {
    this.#namespace = namespace;
    const reflector = (kind: ManifestKind): Reflector<LiveObject> =>
      new Reflector<LiveObject>({
        client,
        resource: RESOURCES[kind],
        namespace,
        labelSelector: fleetSelector(fleet),
        project: (raw) => liveObject(raw, fleet),
        onChange: () => {},
        log,
      });
    this.#reflectors = new Map(MANIFEST_KINDS.map((kind) => [kind, reflector(kind)]));
    for (const one of this.#reflectors.values()) one.start();
  }

  /** Whether all of the kind is known. */
  isSynced(kind: ManifestKind): boolean {
    return this.#reflectors.get(kind)!.synced;
  }

  get(kind: ManifestKind, name: string): LiveObject | undefined {
    return this.#reflectors.get(kind)!.items().get(`${this.#namespace}/${name}`);
  }

  of(kind: ManifestKind): LiveObject[] {
    return [...this.#reflectors.get(kind)!.items().values()];
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#reflectors.values()].map((reflector) => reflector.stop()));
  }
}

export function liveObject({ metadata }: KubeObject, fleet: string): LiveObject {
  const { name, uid, labels } = metadata;
  const shard = labels?.['flotilla.dev/shard'];
  return { name, uid, fingerprint: fingerprint(metadata), shard, isOurs: isOurs(metadata, fleet) };
}

/** A status changes the resourceVersion, but not the generation; what has no generation has no status that changes. */
function fingerprint({ uid, generation, resourceVersion, labels, ownerReferences }: ObjectMeta): string {
  const owners = (ownerReferences ?? []).map((owner) => `${owner.uid}:${owner.controller}`);
  return JSON.stringify([uid, generation ?? resourceVersion, sorted(labels), owners]);
}

function sorted(labels: Readonly<Record<string, string>> = {}): readonly string[] {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .toSorted();
}

/** By its controller; by our label as long as it has none. */
function isOurs({ labels, ownerReferences }: ObjectMeta, fleet: string): boolean {
  const controller = ownerReferences?.find((owner) => owner.controller === true);
  if (controller !== undefined) return controller.kind === 'Fleet' && controller.name === fleet;
  return labels?.['app.kubernetes.io/managed-by'] === MANAGED_BY;
}
