// Workloads on Kubernetes: what is planned is applied by server-side apply, watched, and repaired when somebody changes it; what is
// planned no longer is removed.

import { errorText } from '@flotilla/chassis';
import type { Logger } from '@flotilla/chassis';
import { randomBytes } from 'node:crypto';
import { KubeApiError } from '../cluster/api-client.ts';
import type { ApiClient } from '../cluster/api-client.ts';
import { Reflector } from '../cluster/reflector.ts';
import { resourcePath, RESOURCES } from '../cluster/resources.ts';
import type { FleetSpec } from '../discovery/fleet-spec.ts';
import type { Reader } from '../topology/readers.ts';
import { FleetPods } from './fleet-pods.ts';
import { fleetSelector, MANAGED_BY, ownLabels, selectorLabels } from './kube-manifest.ts';
import type { ClusterPlace, Manifest } from './kube-manifest.ts';
import { planAddresses, planObjects } from './plan-objects.ts';
import type { Readiness, WorkloadAddress, Workloads, WorkloadSpec } from './workloads.ts';

export interface ClusterWorkloadsOptions {
  readonly client: ApiClient;
  readonly place: ClusterPlace;
  readonly fleet: string;
  readonly log: Logger;
}

/** What is kept of an object of ours. */
interface Live {
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly shard: string | undefined;
}

interface Applied {
  readonly text: string;
  readonly generation: number;
  readonly uid: string;
  readonly atMs: number;
}

interface LiveObject {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly generation?: number;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

const kinds = ['Service', 'StatefulSet', 'Deployment', 'PodDisruptionBudget', 'NetworkPolicy'] as const;
/** Everything is applied again this often, in case that a change was not one of those that show. */
const repairMs = 60_000;
/** The watch may lag this much behind our own writes. */
const lagMs = 5000;

export class ClusterWorkloads implements Workloads {
  readonly #options: ClusterWorkloadsOptions;
  readonly #live = new Map<Manifest['kind'], Reflector<Live>>();
  readonly #applied = new Map<string, Applied>();
  readonly #pods: FleetPods;
  #hasToken = false;
  #specs: readonly WorkloadSpec[] = [];

  constructor(options: ClusterWorkloadsOptions) {
    this.#options = options;
    const { client, place, fleet, log } = options;
    for (const kind of kinds) {
      const reflector = new Reflector<Live>({
        client,
        resource: RESOURCES[kind],
        namespace: place.namespace,
        labelSelector: fleetSelector(fleet),
        project: (raw) => liveOf(raw as LiveObject),
        onChange: () => {},
        log,
      });
      this.#live.set(kind, reflector);
      reflector.start();
    }
    this.#pods = new FleetPods(client, place.namespace, fleet, log);
  }

  async apply(fleet: FleetSpec, specs: readonly WorkloadSpec[]): Promise<readonly WorkloadAddress[]> {
    const { place } = this.#options;
    if ((fleet.image ?? place.image) === '') throw new Error('flag --image: missing, want the image of the workloads');
    await this.#ensureToken(fleet);
    const planned = planObjects(fleet, specs, place);
    for (const manifest of planned) await this.#applyOne(fleet, manifest);
    await this.#removeOthers(planned);
    this.#specs = specs;
    return planAddresses(fleet, specs, place);
  }

  readers(): readonly Reader[] {
    return this.#pods.readyOf('querier');
  }

  async tellReaders(version: string): Promise<void> {
    await this.#pods.annotate('querier', 'flotilla.dev/topology-version', version);
  }

  readiness(): ReadonlyMap<string, Readiness> {
    return this.#pods.readiness(this.#specs);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#live.values()].map((reflector) => reflector.stop()));
    await this.#pods.stop();
  }

  /** Made once and never again: pods of different ages must know the same one. */
  async #ensureToken(fleet: FleetSpec): Promise<void> {
    if (this.#hasToken) return;
    const { client, place } = this.#options;
    const { namespace } = place;
    const name = `${fleet.name}-internal-token`;
    const labels = { ...selectorLabels('querier', fleet.name), 'app.kubernetes.io/managed-by': MANAGED_BY };
    try {
      await client.create(resourcePath(RESOURCES.Secret, { namespace }), {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, namespace, labels },
        type: 'Opaque',
        stringData: { token: randomBytes(32).toString('hex') },
      });
    } catch (error) {
      if (!(error instanceof KubeApiError && error.status === 409)) throw error;
    }
    this.#hasToken = true;
  }

  async #applyOne(fleet: FleetSpec, manifest: Manifest): Promise<void> {
    const key = keyOf(manifest.kind, manifest.metadata.name);
    const text = JSON.stringify(manifest);
    if (this.#isAsApplied(manifest, this.#applied.get(key), text)) return;
    const { metadata } = await this.#write(fleet, manifest);
    this.#applied.set(key, {
      text,
      uid: metadata.uid,
      generation: metadata.generation ?? 0,
      atMs: performance.now(),
    });
  }

  #isAsApplied({ kind, metadata }: Manifest, applied: Applied | undefined, text: string): boolean {
    if (applied?.text !== text) return false;
    const ageMs = performance.now() - applied.atMs;
    if (ageMs > repairMs) return false;
    const reflector = this.#live.get(kind)!;
    if (ageMs < lagMs || !reflector.synced) return true;
    const live = reflector.items().get(`${metadata.namespace}/${metadata.name}`);
    return live?.uid === applied.uid && live.generation === applied.generation;
  }

  async #write(fleet: FleetSpec, manifest: Manifest): Promise<LiveObject> {
    const { client, log } = this.#options;
    const { name, namespace } = manifest.metadata;
    const path = resourcePath(RESOURCES[manifest.kind], { namespace, name });
    const options = { fieldManager: MANAGED_BY, force: true };
    try {
      return await client.apply<LiveObject>(path, manifest, options);
    } catch (error) {
      if (manifest.kind !== 'StatefulSet' || !isImmutable(error)) throw error;
      log.warn('StatefulSet cannot be changed in place: made anew around its pods', {
        name,
        err: errorText(error),
      });
      await this.#growClaims(fleet, manifest);
      await client.delete(path, { propagationPolicy: 'Orphan' });
      return await client.apply<LiveObject>(path, manifest, options);
    }
  }

  /** A template of volumes says nothing to the volumes that there are. */
  async #growClaims({ storage }: FleetSpec, { metadata }: Manifest): Promise<void> {
    if (storage === undefined) return;
    for (const name of await this.#claimsOf(metadata.labels)) {
      const path = resourcePath(RESOURCES.PersistentVolumeClaim, { namespace: metadata.namespace, name });
      const body = { spec: { resources: { requests: { storage: storage.size } } } };
      await this.#options.client
        .patch(path, body)
        .catch((error: unknown) =>
          this.#options.log.warn('volume not expanded', { name, err: errorText(error) }),
        );
    }
  }

  async #claimsOf(labels: Readonly<Record<string, string>>): Promise<string[]> {
    const { client, place } = this.#options;
    const labelSelector = Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(',');
    const path = resourcePath(RESOURCES.PersistentVolumeClaim, { namespace: place.namespace });
    const { items } = await client.get<{ items: readonly LiveObject[] }>(path, { labelSelector });
    return items.map(({ metadata }) => metadata.name);
  }

  /** Only what carries our labels, and only once all of it is known. */
  async #removeOthers(planned: readonly Manifest[]): Promise<void> {
    const wanted = new Set(planned.map(({ kind, metadata }) => keyOf(kind, metadata.name)));
    for (const [kind, reflector] of this.#live) {
      if (!reflector.synced) continue;
      for (const live of reflector.items().values())
        if (!wanted.has(keyOf(kind, live.name))) await this.#remove(kind, live);
    }
  }

  async #remove(kind: Manifest['kind'], { name, uid, shard }: Live): Promise<void> {
    const { client, place, fleet, log } = this.#options;
    const { namespace } = place;
    log.info('removed', { kind, name });
    await client.delete(resourcePath(RESOURCES[kind], { namespace, name }), {
      uid,
      propagationPolicy: 'Background',
    });
    this.#applied.delete(keyOf(kind, name));
    if (kind !== 'StatefulSet' || shard === undefined) return;
    // A shard goes when its data has expired: so do its volumes.
    for (const claim of await this.#claimsOf(ownLabels('scraper', fleet, Number(shard))))
      await client.delete(resourcePath(RESOURCES.PersistentVolumeClaim, { namespace, name: claim }));
  }
}

function liveOf({ metadata }: LiveObject): Live {
  const { name, uid, generation = 0, labels } = metadata;
  return { name, uid, generation, shard: labels?.['flotilla.dev/shard'] };
}

function keyOf(kind: string, name: string): string {
  return `${kind}/${name}`;
}

function isImmutable(error: unknown): boolean {
  return error instanceof KubeApiError && error.status === 422 && /updates to statefulset spec/.test(error.message);
}
