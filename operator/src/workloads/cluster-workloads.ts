// Workloads on Kubernetes: what is planned is applied by server-side apply, watched, and repaired when somebody changes it; what is
// planned no longer is removed. What the API server refuses costs nothing else: it is told, and tried again now and then.
//
// Costs no request while nothing changes, but for one per object and minute.

import { errorText } from '@flotilla/chassis';
import type { Logger } from '@flotilla/chassis';
import { KubeApiError } from '../cluster/api-client.ts';
import type { ApiClient } from '../cluster/api-client.ts';
import { resourcePath, RESOURCES } from '../cluster/resources.ts';
import type { FleetSpec } from '../discovery/fleet-spec.ts';
import type { Reader } from '../topology/readers.ts';
import { FleetPods } from './fleet-pods.ts';
import { InternalToken } from './internal-token.ts';
import { MANAGED_BY, ownLabels } from './kube-manifest.ts';
import type { ClusterPlace, Manifest } from './kube-manifest.ts';
import { liveObject, LiveObjects, MANIFEST_KINDS } from './live-objects.ts';
import type { KubeObject, LiveObject } from './live-objects.ts';
import { planAddresses, planObjects } from './plan-objects.ts';
import { claims, isImmutable, orphanStatefulSet } from './replace-stateful-set.ts';
import type { Readiness, WorkloadAddress, Workloads, WorkloadSpec } from './workloads.ts';

export interface ClusterWorkloadsOptions {
  readonly client: ApiClient;
  readonly place: ClusterPlace;
  readonly fleet: string;
  readonly log: Logger;
  /** How much the watch may lag behind our own writes. */
  readonly lagMs?: number;
}

/** What became of the last attempt. */
interface Attempt {
  readonly text: string;
  readonly atMs: number;
  /** Of the object as it was afterwards; undefined when it was refused. */
  readonly fingerprint: string | undefined;
  readonly refusal: string;
}

interface Plan {
  readonly key: string;
  readonly manifests: readonly Manifest[];
  readonly texts: readonly string[];
}

/** Everything is applied again this often, in case that a change was not one of those that show. */
const repairMs = 60_000;
const refusedAgainMs = 30_000;
const lagDefaultMs = 5000;
const applyOptions = { fieldManager: MANAGED_BY, force: true };
const refusalStatus: ReadonlySet<number> = new Set([400, 403, 422]);

class ForeignObjectError extends Error {
  override readonly name = 'ForeignObjectError';
}

export class ClusterWorkloads implements Workloads {
  readonly #options: ClusterWorkloadsOptions;
  readonly #live: LiveObjects;
  readonly #pods: FleetPods;
  readonly #token: InternalToken;
  readonly #attempts = new Map<string, Attempt>();
  /** By uid. They may show for a while yet. */
  readonly #removed = new Set<string>();
  #plan: Plan = { key: '', manifests: [], texts: [] };
  #specs: readonly WorkloadSpec[] = [];

  constructor(options: ClusterWorkloadsOptions) {
    this.#options = options;
    const { client, place, fleet, log } = options;
    const { namespace } = place;
    this.#live = new LiveObjects({ client, namespace, fleet, log });
    this.#pods = new FleetPods(client, namespace, fleet, log);
    this.#token = new InternalToken(client, namespace, fleet, log);
  }

  async apply(fleet: FleetSpec, specs: readonly WorkloadSpec[]): Promise<readonly WorkloadAddress[]> {
    const { place } = this.#options;
    if ((fleet.image ?? place.image) === '')
      throw new Error('flag --image: missing, want the image of the workloads');
    const { manifests, texts } = this.#planned(fleet, specs);
    await this.#token.ensure();
    for (const [index, manifest] of manifests.entries()) await this.#settle(fleet, manifest, texts[index]!);
    await this.#removeOthers(manifests);
    this.#specs = specs;
    return planAddresses(fleet, specs, place);
  }

  addresses(fleet: FleetSpec, specs: readonly WorkloadSpec[]): readonly WorkloadAddress[] {
    return planAddresses(fleet, specs, this.#options.place);
  }

  readers(): readonly Reader[] {
    return this.#pods.readyOf('querier');
  }

  async tellReaders(version: string): Promise<void> {
    await this.#pods.annotate('querier', 'flotilla.dev/topology-version', version);
  }

  /** Pods, and objects that the API server refuses. */
  readiness(): ReadonlyMap<string, Readiness> {
    const readiness = new Map(this.#pods.readiness(this.#specs));
    for (const [key, { refusal }] of this.#attempts)
      if (refusal !== '') readiness.set(key, { ready: false, reason: refusal });
    return readiness;
  }

  async stop(): Promise<void> {
    await Promise.all([this.#live.stop(), this.#pods.stop()]);
  }

  /** Again only when something has changed: this is asked for twice a second. */
  #planned(fleet: FleetSpec, specs: readonly WorkloadSpec[]): Plan {
    // Scrape classes shape no workload, and their relabelings are no JSON.
    const key = JSON.stringify([{ ...fleet, scrapeClasses: [] }, specs]);
    if (key !== this.#plan.key) {
      const manifests = planObjects(fleet, specs, this.#options.place);
      this.#plan = { key, manifests, texts: manifests.map((manifest) => JSON.stringify(manifest)) };
    }
    return this.#plan;
  }

  async #settle(fleet: FleetSpec, manifest: Manifest, text: string): Promise<void> {
    const key = keyOf(manifest.kind, manifest.metadata.name);
    if (this.#isSettled(manifest, this.#attempts.get(key), text)) return;
    try {
      const { fingerprint } = liveObject(await this.#write(fleet, manifest), fleet.name);
      this.#attempts.set(key, { text, atMs: performance.now(), fingerprint, refusal: '' });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const refusal = errorText(error);
      if (this.#attempts.get(key)?.refusal !== refusal)
        this.#options.log.error('object refused', { key, err: refusal });
      this.#attempts.set(key, { text, atMs: performance.now(), fingerprint: undefined, refusal });
    }
  }

  #isSettled({ kind, metadata }: Manifest, last: Attempt | undefined, text: string): boolean {
    if (last?.text !== text) return false;
    const ageMs = performance.now() - last.atMs;
    if (last.fingerprint === undefined) return ageMs < refusedAgainMs;
    if (ageMs > repairMs) return false;
    if (ageMs < (this.#options.lagMs ?? lagDefaultMs) || !this.#live.isSynced(kind)) return true;
    return this.#live.get(kind, metadata.name)?.fingerprint === last.fingerprint;
  }

  async #write(fleet: FleetSpec, manifest: Manifest): Promise<KubeObject> {
    const { client, log } = this.#options;
    const { name, namespace } = manifest.metadata;
    const path = resourcePath(RESOURCES[manifest.kind], { namespace, name });
    await this.#checkOurs(manifest, path);
    try {
      return await client.apply<KubeObject>(path, manifest, applyOptions);
    } catch (error) {
      if (!isImmutable(manifest, error)) throw error;
      await orphanStatefulSet(client, manifest, fleet.storage?.size, log);
      return await client.apply<KubeObject>(path, manifest, applyOptions);
    }
  }

  /** An apply takes over what has the name; somebody else's is left alone. */
  async #checkOurs({ kind, metadata: { name } }: Manifest, path: string): Promise<void> {
    const { client, fleet } = this.#options;
    let live = this.#live.get(kind, name);
    if (live === undefined) {
      const there = await client.get<KubeObject>(path).catch(undefinedIfMissing);
      if (there !== undefined) live = liveObject(there, fleet);
    }
    if (live === undefined || live.isOurs) return;
    throw new ForeignObjectError(`${kind} ${name}: exists and is not of Fleet ${fleet}, want the name free`);
  }

  /** Only what is ours, and only once all of it is known. */
  async #removeOthers(planned: readonly Manifest[]): Promise<void> {
    const wanted = new Set(planned.map(({ kind, metadata }) => keyOf(kind, metadata.name)));
    for (const kind of MANIFEST_KINDS) {
      if (!this.#live.isSynced(kind)) continue;
      for (const live of this.#live.of(kind))
        if (live.isOurs && !wanted.has(keyOf(kind, live.name))) await this.#remove(kind, live);
    }
    for (const key of this.#attempts.keys()) if (!wanted.has(key)) this.#attempts.delete(key);
  }

  /**
   * A shard goes when its data has expired: so do its volumes. They are deleted first, to be found again after a crash in
   * between; the API server keeps them for as long as a pod uses them.
   */
  async #remove(kind: Manifest['kind'], { name, uid, shard }: LiveObject): Promise<void> {
    const { client, place, fleet, log } = this.#options;
    const { namespace } = place;
    if (this.#removed.has(uid)) return;
    log.info('removed', { kind, name });
    if (kind === 'StatefulSet' && shard !== undefined)
      for (const claim of await claims(client, namespace, ownLabels('scraper', fleet, Number(shard))))
        await client.delete(
          resourcePath(RESOURCES.PersistentVolumeClaim, { namespace, name: claim.metadata.name }),
        );
    await client.delete(resourcePath(RESOURCES[kind], { namespace, name }), {
      uid,
      propagationPolicy: 'Background',
    });
    this.#removed.add(uid);
  }
}

function keyOf(kind: string, name: string): string {
  return `${kind}/${name}`;
}

function isRefusal(error: unknown): boolean {
  if (error instanceof ForeignObjectError) return true;
  return error instanceof KubeApiError && refusalStatus.has(error.status);
}

function undefinedIfMissing(error: unknown): undefined {
  if (error instanceof KubeApiError && error.status === 404) return undefined;
  throw error;
}
