// The objects of the API server for tests: versions, owners of fields, history. Fields that a manager applied before and does not
// apply any more go, unless another one applies them too; all others stay.

import { applied, isSame, isTree, leaves, mergePatch, withoutLeaves } from './test-trees.ts';
import type { Tree } from './test-trees.ts';

export interface TestObject extends Tree {
  metadata: Tree & { name: string; namespace?: string; uid: string; resourceVersion: string };
}

export interface TestEvent {
  readonly collection: string;
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: TestObject;
  readonly before: TestObject | undefined;
}

/** Status code and body. */
export type Answer = readonly [number, object];

interface Stored {
  readonly collection: string;
  readonly object: TestObject;
  /** What each field manager applied last. */
  readonly appliedBy: ReadonlyMap<string, Tree>;
}

const immutable = ['serviceName', 'podManagementPolicy', 'selector', 'volumeClaimTemplates'];
/** Kinds without a generation. */
const plain = /\/(services|secrets|pods|persistentvolumeclaims|leases|events|configmaps)$/;
/** How long the garbage collector takes to orphan. */
const orphanMs = 50;
const reasons: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
};

export function statusBody(code: number, message: string): object {
  const status = code < 300 ? 'Success' : 'Failure';
  return { kind: 'Status', apiVersion: 'v1', status, code, message, reason: reasons[code] ?? '' };
}

export class TestObjectStore {
  readonly #objects = new Map<string, Stored>();
  readonly #history: TestEvent[] = [];
  readonly #onEvent: (event: TestEvent) => void;
  #version = 1;
  #uids = 0;

  constructor(onEvent: (event: TestEvent) => void) {
    this.#onEvent = onEvent;
  }

  get version(): number {
    return this.#version;
  }

  since(version: number): TestEvent[] {
    return this.#history.filter((event) => event.version > version);
  }

  get(path: string): TestObject | undefined {
    return this.#objects.get(path)?.object;
  }

  /** In the order of their paths; those of all namespaces for a collection without one. */
  list(collection: string): TestObject[] {
    return [...this.#objects]
      .filter(([, stored]) => isIn(stored.collection, collection))
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { object }]) => object);
  }

  /** As somebody else writes it: as an update of all its fields. */
  put(path: string, object: object): TestObject {
    return this.#store(path, object as Tree, this.#objects.get(path)?.appliedBy ?? new Map());
  }

  remove(path: string): void {
    const stored = this.#objects.get(path);
    if (stored === undefined) return;
    this.#objects.delete(path);
    const version = ++this.#version;
    const { metadata } = stored.object;
    const object = { ...stored.object, metadata: { ...metadata, resourceVersion: String(version) } };
    this.#tell({ ...stored, version, type: 'DELETED', object, before: stored.object });
  }

  create(collection: string, body: Tree): Answer {
    const path = `${collection}/${(body as TestObject).metadata.name}`;
    if (this.#objects.has(path))
      return [409, { ...statusBody(409, 'already exists'), reason: 'AlreadyExists' }];
    return [201, this.#store(path, body, new Map())];
  }

  replace(path: string, body: Tree): Answer {
    const stored = this.#objects.get(path);
    if (stored === undefined) return [404, statusBody(404, 'not found')];
    const version = (body as TestObject).metadata.resourceVersion as string | undefined;
    if (version !== undefined && version !== stored.object.metadata.resourceVersion)
      return [409, statusBody(409, 'the object has been modified')];
    return [200, this.#store(path, body, stored.appliedBy)];
  }

  merge(path: string, body: Tree): Answer {
    const stored = this.#objects.get(path);
    if (stored === undefined) return [404, statusBody(404, 'not found')];
    return [200, this.#store(path, mergePatch(stored.object, body) as Tree, stored.appliedBy)];
  }

  apply(path: string, body: Tree, manager: string, force: boolean): Answer {
    const stored = this.#objects.get(path);
    if (stored === undefined) return [201, this.#store(path, body, new Map([[manager, body]]))];
    const { object, appliedBy } = stored;
    const others = [...appliedBy].filter(([name]) => name !== manager).map(([, tree]) => tree);
    const wanted = leaves(body);
    const contested = others.some((tree) =>
      [...leaves(tree)].some(([leaf, value]) => wanted.has(leaf) && !isSame(wanted.get(leaf), value)),
    );
    if (contested && !force) return [409, statusBody(409, 'Apply failed with 1 conflict')];
    const kept = new Set(others.flatMap((tree) => [...leaves(tree).keys()]));
    const gone = [...leaves(appliedBy.get(manager) ?? {}).keys()].filter(
      (leaf) => !wanted.has(leaf) && !kept.has(leaf),
    );
    const next = applied(withoutLeaves(object, new Set(gone)), body) as TestObject;
    const refusal = refusalOf(path, object, next);
    return refusal ?? [200, this.#store(path, next, new Map([...appliedBy, [manager, body]]))];
  }

  delete(path: string, options: Tree): Answer {
    const stored = this.#objects.get(path);
    if (stored === undefined) return [404, statusBody(404, 'not found')];
    const uid = (options['preconditions'] as { uid?: string } | undefined)?.uid;
    if (uid !== undefined && uid !== stored.object.metadata.uid) return [409, statusBody(409, 'uid differs')];
    if (options['propagationPolicy'] === 'Orphan') setTimeout(() => this.remove(path), orphanMs);
    else this.remove(path);
    return [200, statusBody(200, '')];
  }

  #store(path: string, body: Tree, appliedBy: ReadonlyMap<string, Tree>): TestObject {
    const before = this.#objects.get(path)?.object;
    const collection = path.slice(0, path.lastIndexOf('/'));
    const next = { ...body, metadata: this.#metadata(collection, body, before) } as TestObject;
    const changed = before === undefined || !isSame(before, next);
    if (changed) next.metadata.resourceVersion = String(++this.#version);
    this.#objects.set(path, { collection, object: next, appliedBy });
    const type = before === undefined ? 'ADDED' : 'MODIFIED';
    if (changed) this.#tell({ collection, version: this.#version, type, object: next, before });
    return next;
  }

  /** With what the server sets: identity, version, and generation where there is one. */
  #metadata(collection: string, body: Tree, before: TestObject | undefined): Tree {
    const generation = Number(before?.metadata['generation'] ?? 0);
    const isNewSpec = before === undefined || !isSame(before['spec'], body['spec']);
    const namespace = /\/namespaces\/([^/]+)\//.exec(collection)?.[1];
    return {
      ...(body['metadata'] as Tree),
      ...(namespace !== undefined && { namespace }),
      uid: before?.metadata.uid ?? `uid-${++this.#uids}`,
      resourceVersion: before?.metadata.resourceVersion,
      ...(!plain.test(collection) && { generation: isNewSpec ? generation + 1 : generation }),
    };
  }

  #tell(event: TestEvent): void {
    this.#history.push(event);
    this.#onEvent(event);
  }
}

/** What the real one refuses of a StatefulSet. */
function refusalOf(path: string, before: TestObject, next: TestObject): Answer | undefined {
  const field = (object: TestObject, name: string): unknown => (object['spec'] as Tree)[name];
  const isChanged = (name: string): boolean => !isSame(field(next, name), field(before, name));
  if (!path.includes('/statefulsets/') || !isTree(next['spec']) || !immutable.some(isChanged))
    return undefined;
  return [422, statusBody(422, "updates to statefulset spec for fields other than 'replicas' are forbidden")];
}

/** Whether what is in `collection` is also in the list `wanted`. */
export function isIn(collection: string, wanted: string): boolean {
  return collection === wanted || collection.replace(/\/namespaces\/[^/]+\//, '/') === wanted;
}
