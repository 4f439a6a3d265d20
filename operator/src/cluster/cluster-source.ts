// Objects from the Kubernetes API server: one reflector per kind, and per namespace where only some may be read.
//
// Objects are the operator's memory: each is checked and stripped while it is decoded, its strings are shared, and a change that
// touches nothing that is kept (a heartbeat, a status that nobody reads) leaves the very object in place.
// Secrets and ConfigMaps are never listed. Those that monitors name are fetched by name, and looked at again in their time.

import { collectFrom, errorText } from '@flotilla/chassis';
import type { Logger, Registry } from '@flotilla/chassis';
import { compareUtf8 } from '@flotilla/model';
import { hash } from 'node:crypto';
import type { AnyObject, Kind, ObjectOf } from '../objects/kinds.ts';
import { objectKey } from '../objects/kube-object.ts';
import type { ObjectMeta, Origin } from '../objects/kube-object.ts';
import type { ObjectSource, Problem } from '../objects/object-source.ts';
import { parseObject } from '../objects/parse-object.ts';
import type { ApiClient } from './api-client.ts';
import { NamedObjects } from './named-objects.ts';
import type { NamedPace } from './named-objects.ts';
import { ObjectPool } from './object-pool.ts';
import { Reflector } from './reflector.ts';
import type { RawObject, ReflectorPace } from './reflector.ts';
import { RESOURCES } from './resources.ts';

export interface ClusterSourceOptions {
  readonly client: ApiClient;
  readonly log: Logger;
  /** Empty: the whole cluster. */
  readonly namespaces: readonly string[];
  readonly metrics?: Registry;
  /** Quiet time before listeners are called. */
  readonly debounceMs?: number;
  readonly pace?: Partial<SourcePace>;
}

export interface SourcePace extends ReflectorPace, NamedPace {
  /** A kind whose list or watch has failed for longer makes the picture one that is not to be trusted. */
  readonly failingMs: number;
}

/** What is kept of an object. */
interface Kept {
  /** undefined when it was refused. */
  readonly object: AnyObject | undefined;
  /** Why it was refused, and what was left out. */
  readonly problems: readonly Problem[];
  /** A digest of what is kept, 48 bits: two states of one object do not have the same by chance. */
  readonly fingerprint: number;
}

/** All that is kept of a kind, as it is handed out. */
interface KindView {
  readonly objects: readonly AnyObject[];
  readonly problems: readonly Problem[];
}

type ListedKind = Exclude<Kind, 'Secret' | 'ConfigMap'>;

const customKinds: readonly ListedKind[] = [
  'Fleet',
  'ServiceMonitor',
  'PodMonitor',
  'Probe',
  'ScrapeConfig',
  'PrometheusRule',
];
const namespacedKinds: readonly ListedKind[] = ['Service', 'EndpointSlice', 'Pod', 'Ingress'];
const clusterKinds: readonly ListedKind[] = ['Node', 'Namespace'];
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

const noProblems: readonly Problem[] = [];
const noOrigin: Origin = { file: '', line: 0 };
const emptyView: KindView = { objects: [], problems: noProblems };

const debounceMsDefault = 100;
/** Under steady change listeners are called this often at least. */
const debounceMaxMs = 1000;
const failingMsDefault = 30_000;

export class ClusterSource implements ObjectSource {
  readonly #options: ClusterSourceOptions;
  readonly #reflectors = new Map<ListedKind, Reflector<Kept>[]>();
  readonly #named: NamedObjects;
  readonly #listeners: (() => void)[] = [];
  readonly #pool = new ObjectPool();
  readonly #stale = new Set<ListedKind>();
  readonly #views = new Map<ListedKind, KindView>();
  #timer: NodeJS.Timeout | undefined;
  #changedSinceMs = 0;
  #isStopped = false;

  constructor(options: ClusterSourceOptions) {
    this.#options = options;
    const { client, log, pace } = options;
    this.#named = new NamedObjects(client, log, () => this.#changed(), pace);
    for (const kind of [...customKinds, ...namespacedKinds]) this.#reflect(kind, options.namespaces);
    if (options.namespaces.length === 0) for (const kind of clusterKinds) this.#reflect(kind, []);
    if (options.metrics !== undefined) this.#expose(options.metrics);
  }

  /** Resolves at once: synced() tells when everything has been read. */
  async start(): Promise<void> {
    for (const reflector of this.#all()) reflector.start();
    this.#named.start();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#named.stop();
    for (const reflector of this.#all()) void reflector.stop();
  }

  synced(): boolean {
    const nowMs = performance.now();
    const failingMs = this.#options.pace?.failingMs ?? failingMsDefault;
    const isWhole = ({ synced, failingSinceMs }: Reflector<Kept>): boolean =>
      synced && (failingSinceMs === undefined || nowMs - failingSinceMs < failingMs);
    return this.#all().every(isWhole) && !this.#named.isPending;
  }

  list<K extends Kind>(kind: K): readonly ObjectOf<K>[] {
    return this.#view(kind as ListedKind).objects as readonly ObjectOf<K>[];
  }

  get<K extends Kind>(kind: K, namespace: string, name: string): ObjectOf<K> | undefined {
    if (name === '') return undefined;
    if (kind === 'Secret' || kind === 'ConfigMap')
      return this.#named.get(kind, namespace, name) as ObjectOf<K> | undefined;
    const key = objectKey(namespace, name);
    for (const reflector of this.#reflectors.get(kind) ?? []) {
      const object = reflector.items().get(key)?.object;
      if (object !== undefined) return object as ObjectOf<K>;
    }
    return undefined;
  }

  problems(): readonly Problem[] {
    return [...this.#reflectors.keys()].flatMap((kind) => this.#view(kind).problems);
  }

  ignored(): ReadonlyMap<string, number> {
    return new Map();
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #all(): Reflector<Kept>[] {
    return [...this.#reflectors.values()].flat();
  }

  #reflect(kind: ListedKind, namespaces: readonly string[]): void {
    const { client, log, pace = {} } = this.#options;
    const places = namespaces.length === 0 ? [{}] : namespaces.map((namespace) => ({ namespace }));
    const reflectors = places.map(
      (place) =>
        new Reflector<Kept>({
          ...place,
          client,
          log,
          pace,
          resource: RESOURCES[kind],
          optional: customKinds.includes(kind),
          project: (raw, before) => this.#project(kind, raw, before),
          onChange: () => {
            this.#stale.add(kind);
            this.#changed();
          },
        }),
    );
    this.#reflectors.set(kind, reflectors);
  }

  /** The items of a list do not say what they are. */
  #project(kind: ListedKind, raw: RawObject, before: Kept | undefined): Kept {
    const { group, version } = RESOURCES[kind];
    const apiVersion = group === '' ? version : `${group}/${version}`;
    const { annotations } = raw.metadata as { annotations?: Record<string, string> };
    if (annotations !== undefined) delete annotations[lastApplied];
    const { object, refusal, warnings } = parseObject({ ...raw, apiVersion, kind }, noOrigin);
    // Rules and selectors of the custom kinds are compiled while they are checked; what was written identifies them.
    const isCustom = customKinds.includes(kind);
    const text = JSON.stringify(isCustom ? writtenPart(raw) : (object ?? refusal?.reason)) ?? '';
    const fingerprint = hash('sha1', text, 'buffer').readUIntBE(0, 6);
    if (before?.fingerprint === fingerprint) return before;
    const kept = object === undefined || isCustom ? object : compact(text);
    if (kept !== undefined) this.#pool.share(kept);
    const problems = [
      ...(object === undefined ? [problemOf(kind, raw, 'refused', refusal?.reason ?? 'not understood')] : []),
      ...warnings.map(({ reason }) => problemOf(kind, raw, 'warning', reason)),
    ];
    return { object: kept, problems: problems.length === 0 ? noProblems : problems, fingerprint };
  }

  #view(kind: ListedKind): KindView {
    if (this.#stale.delete(kind)) this.#rebuild(kind);
    return this.#views.get(kind) ?? emptyView;
  }

  /** A list whose members are the same stays the same array. */
  #rebuild(kind: ListedKind): void {
    const kept = this.#reflectors.get(kind)!.flatMap((reflector) => [...reflector.items().values()]);
    const objects = kept.flatMap(({ object }) => object ?? []).toSorted(byName);
    const problems = kept.flatMap(({ problems: own }) => own).toSorted(byProblemName);
    const before = this.#views.get(kind)?.objects;
    const isSame =
      before?.length === objects.length && before.every((object, index) => object === objects[index]);
    this.#views.set(kind, { objects: isSame ? before : objects, problems });
  }

  #changed(): void {
    if (this.#isStopped) return;
    const { debounceMs = debounceMsDefault } = this.#options;
    const nowMs = performance.now();
    if (this.#timer === undefined) this.#changedSinceMs = nowMs;
    clearTimeout(this.#timer);
    const waitMs = Math.max(0, Math.min(debounceMs, this.#changedSinceMs + debounceMaxMs - nowMs));
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      for (const listener of this.#listeners) this.#call(listener);
    }, waitMs);
  }

  #call(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#options.log.error('listener failed', { err: errorText(error) });
    }
  }

  #expose(registry: Registry): void {
    const each = (
      name: string,
      help: string,
      type: 'counter' | 'gauge',
      value: (reflector: Reflector<Kept>) => number,
    ): void =>
      collectFrom(registry, `flotilla_reflector_${name}`, help, type, ['kind'], (emit) => {
        for (const [kind, reflectors] of this.#reflectors)
          emit(
            reflectors.reduce((sum, reflector) => sum + value(reflector), 0),
            kind,
          );
      });
    each('lists_total', 'Lists begun.', 'counter', ({ counters }) => counters.lists);
    each('watches_total', 'Watches begun.', 'counter', ({ counters }) => counters.watches);
    each('failures_total', 'Lists and watches that failed.', 'counter', ({ counters }) => counters.failures);
    each('items', 'Objects held.', 'gauge', (reflector) => reflector.items().size);
    each('synced', '1 when there has been a whole list.', 'gauge', ({ synced }) => (synced ? 1 : 0));
    each(
      'last_contact_timestamp_seconds',
      'When the API server last sent something.',
      'gauge',
      ({ lastContactMs }) => lastContactMs / 1000,
    );
  }
}

/** JSON.parse makes objects with room for what they have; those that grew while they were checked take a quarter more. */
function compact(text: string): AnyObject {
  const object = JSON.parse(text) as { origin: Origin };
  object.origin = noOrigin;
  return object as AnyObject;
}

function problemOf(kind: ListedKind, raw: RawObject, severity: Problem['severity'], reason: string): Problem {
  const metadata = metadataOf(raw);
  const name = objectKey(metadata.namespace, metadata.name);
  return { severity, ...noOrigin, kind, name, reason, metadata };
}

function metadataOf({ metadata }: RawObject): ObjectMeta {
  const { labels = {}, annotations = {}, generation } = metadata as Partial<ObjectMeta>;
  const { name, namespace = '', uid } = metadata;
  return { name, namespace, uid, generation, labels, annotations, ownerReferences: [] };
}

/** All of an object that its owners wrote. */
function writtenPart(raw: RawObject): unknown {
  const { metadata, spec } = raw as RawObject & { spec?: unknown };
  const { name, namespace, uid, labels, annotations, generation } = metadata as RawObject['metadata'] &
    Readonly<Record<string, unknown>>;
  return { name, namespace, uid, labels, annotations, generation, spec };
}

function byName(a: AnyObject, b: AnyObject): number {
  return (
    compareUtf8(a.metadata.namespace, b.metadata.namespace) || compareUtf8(a.metadata.name, b.metadata.name)
  );
}

function byProblemName({ name: a = '' }: Problem, { name: b = '' }: Problem): number {
  return compareUtf8(a, b);
}
