// An API server for tests, over real HTTP: server-side apply with owned fields, merge patches, lists, watches, StatefulSets that
// refuse what the real one refuses, and deletion that orphans late. It keeps what it was asked, and can be told to refuse.

import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@flotilla/chassis';
import type { Logger } from '@flotilla/chassis';
import { ApiClient } from '../cluster/api-client.ts';

export type Tree = Record<string, unknown>;
export interface TestObject extends Tree {
  metadata: Tree & { name: string; namespace: string; uid: string; resourceVersion: string };
}

interface Stored {
  readonly collection: string;
  object: TestObject;
  /** What the field manager applied last. */
  applied: Tree | undefined;
}

const immutable = ['serviceName', 'podManagementPolicy', 'selector', 'volumeClaimTemplates'];
/** Kinds without a generation. */
const plain = /\/(services|secrets|pods|persistentvolumeclaims)$/;

export class TestCluster {
  /** `PATCH /apis/apps/v1/…/statefulsets/scraper-main-0`, without lists and watches. */
  requests: string[] = [];
  /** Called before a request is served; a returned status refuses it. */
  refuse: (request: string) => { status: number; message: string } | undefined = () => undefined;
  readonly #objects = new Map<string, Stored>();
  readonly #watchers = new Set<{ collection: string; selector: string; response: ServerResponse }>();
  readonly #server: Server;
  #version = 1;

  constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  async open(
    log: Logger = createLogger({ name: 'test', level: 'error', write: () => {} }),
  ): Promise<ApiClient> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    const folder = await mkdtemp(join(tmpdir(), 'workloads-'));
    const kubeconfig = join(folder, 'kubeconfig');
    await writeFile(kubeconfig, JSON.stringify(kubeconfigOf(`http://127.0.0.1:${port}`)));
    const client = await ApiClient.open({ kubeconfig, userAgent: 'test', log });
    await rm(folder, { recursive: true });
    return client;
  }

  async close(): Promise<void> {
    for (const { response } of this.#watchers) response.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Of everything there is: `statefulsets/scraper-main-0`, sorted. */
  names(plural: string): string[] {
    return [...this.#objects.values()]
      .filter(({ collection }) => collection.endsWith(`/${plural}`))
      .map(({ object }) => object.metadata.name)
      .toSorted();
  }

  get(path: string): TestObject | undefined {
    return this.#objects.get(path)?.object;
  }

  /** As somebody else does it. */
  put(path: string, object: Tree): TestObject {
    const before = this.#objects.get(path);
    return this.#store(path, object, before?.applied);
  }

  remove(path: string): void {
    const stored = this.#objects.get(path);
    this.#objects.delete(path);
    if (stored !== undefined) this.#tell('DELETED', stored);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, 'http://test');
    const method = request.method!;
    const isCollection = url.searchParams.has('watch') || url.searchParams.has('limit');
    const line = `${method} ${url.pathname}`;
    if (!isCollection) this.requests.push(line);
    const refusal = this.refuse(line);
    if (refusal !== undefined)
      return answer(response, refusal.status, statusBody(refusal.status, refusal.message));
    if (url.searchParams.has('watch')) return this.#watch(url, response);
    const body = await bodyOf(request);
    const [status, result] = this.#handle(method, url, body, request.headers['content-type'] ?? '');
    answer(response, status, result);
  }

  #handle(method: string, url: URL, body: Tree, contentType: string): [number, object] {
    const path = url.pathname;
    switch (method) {
      case 'POST':
        return this.#create(path, body);
      case 'PATCH':
        return contentType.includes('apply') ? this.#apply(path, body) : this.#merge(path, body);
      case 'DELETE':
        return this.#delete(path, body);
      default:
        return this.#read(path, url.searchParams.get('labelSelector') ?? '');
    }
  }

  #read(path: string, selector: string): [number, object] {
    const stored = this.#objects.get(path);
    if (stored !== undefined) return [200, stored.object];
    if (!/\/(\w+)$/.test(path) || !isCollectionPath(path)) return [404, statusBody(404, 'not found')];
    const items = [...this.#objects.values()]
      .filter(({ collection, object }) => collection === path && selects(selector, object))
      .map(({ object }) => object);
    return [200, { metadata: { resourceVersion: String(this.#version) }, items }];
  }

  #create(collection: string, body: Tree): [number, object] {
    const path = `${collection}/${(body as TestObject).metadata.name}`;
    if (this.#objects.has(path)) return [409, statusBody(409, 'already exists')];
    return [201, this.#store(path, body, undefined)];
  }

  /** Fields that were applied before and are not any more go; all others of the object stay. */
  #apply(path: string, body: Tree): [number, object] {
    const stored = this.#objects.get(path);
    if (stored === undefined) return [201, this.#store(path, body, body)];
    const kept = without(stored.object, stored.applied ?? {}, body) as Tree;
    const next = merge(kept, body) as TestObject;
    const changed = immutable.filter(
      (field) =>
        path.includes('/statefulsets/') &&
        !isSame((next['spec'] as Tree)[field], (stored.object['spec'] as Tree)[field]),
    );
    if (changed.length > 0) {
      const message = `updates to statefulset spec for fields other than 'replicas' are forbidden`;
      return [422, { ...statusBody(422, message), reason: 'Invalid' }];
    }
    return [200, this.#store(path, next, body)];
  }

  #merge(path: string, body: Tree): [number, object] {
    const stored = this.#objects.get(path);
    if (stored === undefined) return [404, statusBody(404, 'not found')];
    return [200, this.#store(path, merge(stored.object, body) as Tree, stored.applied)];
  }

  #delete(path: string, options: Tree): [number, object] {
    const stored = this.#objects.get(path);
    if (stored === undefined) return [404, statusBody(404, 'not found')];
    const uid = (options['preconditions'] as { uid?: string } | undefined)?.uid;
    if (uid !== undefined && uid !== stored.object.metadata.uid) return [409, statusBody(409, 'uid differs')];
    // The garbage collector takes its time to orphan.
    if (options['propagationPolicy'] === 'Orphan') setTimeout(() => this.remove(path), 50);
    else this.remove(path);
    return [200, statusBody(200, '')];
  }

  #store(path: string, object: Tree, applied: Tree | undefined): TestObject {
    const before = this.#objects.get(path);
    const collection = path.slice(0, path.lastIndexOf('/'));
    const same = before !== undefined && isSame(contentOf(before.object), contentOf(object));
    if (!same) this.#version++;
    const meta = object['metadata'] as Tree;
    const generation = Number(before?.object.metadata['generation'] ?? 0);
    const specChanged = !isSame(before?.object['spec'], object['spec']);
    const metadata = {
      ...meta,
      uid: before?.object.metadata.uid ?? `uid-${this.#version}`,
      resourceVersion: same ? before.object.metadata.resourceVersion : String(this.#version),
      ...(!plain.test(collection) && { generation: specChanged ? generation + 1 : generation }),
    };
    const stored: Stored = { collection, object: { ...object, metadata } as TestObject, applied };
    this.#objects.set(path, stored);
    if (!same) this.#tell(before === undefined ? 'ADDED' : 'MODIFIED', stored, before?.object);
    return stored.object;
  }

  #watch(url: URL, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const watcher = {
      collection: url.pathname,
      selector: url.searchParams.get('labelSelector') ?? '',
      response,
    };
    this.#watchers.add(watcher);
    response.on('close', () => this.#watchers.delete(watcher));
    const since = Number(url.searchParams.get('resourceVersion'));
    for (const { collection, object } of this.#objects.values())
      if (
        collection === watcher.collection &&
        Number(object.metadata.resourceVersion) > since &&
        selects(watcher.selector, object)
      )
        response.write(`${JSON.stringify({ type: 'ADDED', object })}\n`);
  }

  #tell(type: string, { collection, object }: Stored, before?: TestObject): void {
    for (const watcher of this.#watchers) {
      if (watcher.collection !== collection) continue;
      const now = selects(watcher.selector, object);
      const wasThere = before !== undefined && selects(watcher.selector, before);
      if (!now && !wasThere) continue;
      watcher.response.write(`${JSON.stringify({ type: now ? type : 'DELETED', object })}\n`);
    }
  }
}

function kubeconfigOf(server: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'test', cluster: { server } }],
    users: [{ name: 'test', user: {} }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
  };
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function statusBody(code: number, message: string): object {
  return { kind: 'Status', code, message };
}

async function bodyOf(request: IncomingMessage): Promise<Tree> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text === '' ? {} : (JSON.parse(text) as Tree);
}

/** Of a collection the last part is a plural, after the version or the namespace. */
function isCollectionPath(path: string): boolean {
  return /^\/(api\/v1|apis\/[^/]+\/[^/]+)\/(namespaces\/[^/]+\/)?[^/]+$/.test(path);
}

function selects(selector: string, { metadata }: TestObject): boolean {
  const labels = (metadata['labels'] ?? {}) as Readonly<Record<string, string>>;
  return selector
    .split(',')
    .filter((part) => part !== '')
    .every((part) => labels[part.split('=')[0]!] === part.split('=')[1]);
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Without what changes by itself. */
function contentOf({ metadata, ...rest }: Tree): unknown {
  const { uid: _uid, resourceVersion: _version, generation: _generation, ...meta } = metadata as Tree;
  return ordered({ ...rest, metadata: meta });
}

function ordered(value: unknown): unknown {
  if (!isTree(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .toSorted()
      .map((key) => [key, ordered(value[key])]),
  );
}

function merge(base: unknown, over: unknown): unknown {
  if (!isTree(base) || !isTree(over)) return over;
  const merged: Tree = { ...base };
  for (const [key, value] of Object.entries(over)) merged[key] = merge(merged[key], value);
  return merged;
}

/** The tree without the leaves that were applied and are not in `next`. */
function without(tree: unknown, applied: unknown, next: unknown): unknown {
  if (!isTree(tree) || !isTree(applied)) return tree;
  const kept: Tree = { ...tree };
  for (const key of Object.keys(applied)) {
    const after = isTree(next) ? next[key] : undefined;
    if (isTree(kept[key]) && isTree(applied[key])) kept[key] = without(kept[key], applied[key], after ?? {});
    else if (after === undefined) delete kept[key];
  }
  return kept;
}
