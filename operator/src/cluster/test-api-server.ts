// An API server for tests, over real HTTP: lists by pages, watches with bookmarks, server-side apply with owned fields, updates that
// conflict. It keeps what it was asked, and breaks as it is told: refusals, answers cut in half, lost history, silent watches.

import { createLogger } from '@flotilla/chassis';
import type { Logger } from '@flotilla/chassis';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from './api-client.ts';
import { isIn, statusBody, TestObjectStore } from './test-object-store.ts';
import type { Answer, TestEvent, TestObject } from './test-object-store.ts';
import type { Tree } from './test-trees.ts';

/** What becomes of a request instead of its answer. */
export interface Refusal {
  /** 0 closes the connection without one. */
  readonly status: number;
  readonly message?: string;
  readonly retryAfterSeconds?: number;
  /** Serves it, but only half of the answer. */
  readonly isHalf?: boolean;
}

export interface TestRequest {
  /** `PATCH /apis/apps/v1/…/statefulsets/scraper-main-0` */
  readonly line: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
}

interface Watcher {
  readonly collection: string;
  readonly selector: string;
  readonly response: ServerResponse;
}

interface Continued {
  readonly items: readonly TestObject[];
  readonly version: number;
}

export const testLog: Logger = createLogger({ name: 'test', level: 'error', write: () => {} });

export class TestApiServer {
  readonly store = new TestObjectStore((event) => this.#tell(event));
  /** Without lists and watches. */
  requests: string[] = [];
  /** Called before a request is served. */
  refuse: (request: TestRequest) => Refusal | undefined = () => undefined;
  /** Watches hear nothing while it is set, and nothing of that time later. */
  isMute = false;
  /** Takes requests and answers none. */
  isStalled = false;
  /** Plurals of kinds that do not exist. */
  readonly uninstalled = new Set<string>();
  /** Who has which token. */
  readonly tokens = new Map<string, { readonly username: string; readonly audiences: readonly string[] }>();
  readonly #watchers = new Set<Watcher>();
  readonly #pages = new Map<string, Continued>();
  readonly #server: Server;
  readonly #clients: ApiClient[] = [];
  #compactedTo = 0;

  constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  /** Of one who may do everything. */
  async open(log: Logger = testLog): Promise<ApiClient> {
    if (!this.#server.listening)
      await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    const folder = await mkdtemp(join(tmpdir(), 'flotilla-api-'));
    const kubeconfig = join(folder, 'kubeconfig');
    await writeFile(kubeconfig, JSON.stringify(kubeconfigOf(`http://127.0.0.1:${port}`)));
    const client = await ApiClient.open({ kubeconfig, userAgent: 'test', log });
    await rm(folder, { recursive: true });
    this.#clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) await client.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get watches(): number {
    return this.#watchers.size;
  }

  /** Names of all objects of a kind. */
  names(plural: string): string[] {
    return [...new Set(this.store.since(0).map(({ collection }) => collection))]
      .filter((collection) => collection.endsWith(`/${plural}`))
      .flatMap((collection) => this.store.list(collection))
      .map(({ metadata }) => metadata.name)
      .toSorted();
  }

  /** Everything that happened is forgotten: watches from before it, and lists that were begun, expire. */
  compact(): void {
    this.#compactedTo = this.store.version;
    this.#pages.clear();
  }

  bookmark(): void {
    const metadata = { resourceVersion: String(this.store.version) };
    for (const { response } of this.#watchers)
      writeLine(response, { type: 'BOOKMARK', object: { metadata } });
  }

  /** Tells all watches an event that is an error. */
  failWatches(code: number): void {
    const line = { type: 'ERROR', object: statusBody(code, 'told to fail') };
    for (const { response } of this.#watchers) writeLine(response, line);
  }

  /** As at the end of their time. */
  endWatches(): void {
    for (const { response } of this.#takeWatchers()) response.end();
  }

  /** In the middle of a line. */
  cutWatches(): void {
    for (const { response } of this.#takeWatchers())
      response.write('{"type":"ADDED","object":{"metadata":{"na', () => response.destroy());
  }

  #takeWatchers(): Watcher[] {
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    return watchers;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, 'http://test');
    const { searchParams: query } = url;
    const isCollection = query.has('watch') || query.has('limit');
    const line = `${request.method!} ${url.pathname}`;
    if (!isCollection) this.requests.push(line);
    const body = await bodyOf(request);
    const refusal = this.refuse({ line, query, headers: request.headers });
    if (this.isStalled) return;
    if (refusal !== undefined && refusal.isHalf !== true) return refuse(response, refusal);
    if (this.uninstalled.has(url.pathname.split('/').at(-1)!)) return notFound(response);
    if (query.get('watch') === 'true') return this.#watch(url, response);
    const [status, result] = this.#handle(request, url, body);
    send(response, status, result, refusal?.isHalf === true);
  }

  #handle({ method, headers }: IncomingMessage, { pathname, searchParams: query }: URL, body: Tree): Answer {
    switch (method) {
      case 'POST':
        return pathname.endsWith('/tokenreviews') ? this.#review(body) : this.store.create(pathname, body);
      case 'PUT':
        return this.store.replace(pathname, body);
      case 'PATCH':
        return headers['content-type']?.includes('apply') === true
          ? this.store.apply(pathname, body, query.get('fieldManager')!, query.get('force') === 'true')
          : this.store.merge(pathname, body);
      case 'DELETE':
        return this.store.delete(pathname, body);
      default:
        return this.#read(pathname, query);
    }
  }

  #read(path: string, query: URLSearchParams): Answer {
    const object = this.store.get(path);
    if (object !== undefined) return [200, object];
    if (!isCollectionPath(path)) return [404, statusBody(404, 'not found')];
    const place = query.get('continue');
    if (place !== null) return this.#page(this.#pages.get(place), query);
    const selector = query.get('labelSelector') ?? '';
    const items = this.store.list(path).filter((one) => selects(selector, one));
    return this.#page({ items, version: this.store.version }, query);
  }

  /** Later pages are of the time of the first one. */
  #page(list: Continued | undefined, query: URLSearchParams): Answer {
    if (list === undefined) return [410, statusBody(410, 'the provided continue parameter is too old')];
    const size = Number(query.get('limit') ?? Infinity);
    const rest = list.items.slice(size);
    const place = `${list.version}-${rest.length}-${this.#pages.size}`;
    if (rest.length > 0) this.#pages.set(place, { ...list, items: rest });
    const metadata = { resourceVersion: String(list.version), ...(rest.length > 0 && { continue: place }) };
    return [200, { metadata, items: list.items.slice(0, size) }];
  }

  #review({ spec }: Tree): Answer {
    const { token, audiences } = spec as { token: string; audiences: string[] };
    const known = this.tokens.get(token);
    const shared = known?.audiences.filter((one) => audiences.includes(one)) ?? [];
    if (known === undefined || shared.length === 0) return [201, { status: { authenticated: false } }];
    const user = { username: known.username };
    return [201, { status: { authenticated: true, audiences: shared, user } }];
  }

  #watch({ pathname, searchParams: query }: URL, response: ServerResponse): void {
    const since = Number(query.get('resourceVersion'));
    if (since < this.#compactedTo) return send(response, 410, statusBody(410, 'too old resource version'));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const selector = query.get('labelSelector') ?? '';
    const watcher: Watcher = { collection: pathname, selector, response };
    for (const event of this.store.since(since)) tellOne(watcher, event);
    this.#watchers.add(watcher);
    response.on('close', () => this.#watchers.delete(watcher));
  }

  #tell(event: TestEvent): void {
    if (this.isMute) return;
    for (const watcher of this.#watchers) tellOne(watcher, event);
  }
}

/** One that comes into the selection is added, one that leaves it deleted. */
function tellOne({ collection, selector, response }: Watcher, event: TestEvent): void {
  if (!isIn(event.collection, collection)) return;
  const isNow = event.type !== 'DELETED' && selects(selector, event.object);
  const wasThere = event.before !== undefined && selects(selector, event.before);
  if (!isNow && !wasThere) return;
  const type = isNow ? (wasThere ? 'MODIFIED' : 'ADDED') : 'DELETED';
  writeLine(response, { type, object: event.object });
}

function writeLine(response: ServerResponse, line: object): void {
  response.write(`${JSON.stringify(line)}\n`);
}

function refuse(response: ServerResponse, { status, message = '', retryAfterSeconds }: Refusal): void {
  if (status === 0) {
    response.destroy();
    return;
  }
  if (retryAfterSeconds !== undefined) response.setHeader('retry-after', String(retryAfterSeconds));
  send(response, status, statusBody(status, message));
}

function send(response: ServerResponse, status: number, body: object, isHalf = false): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json' });
  if (isHalf) response.write(text.slice(0, text.length / 2), () => response.destroy());
  else response.end(text);
}

/** Of a path that nobody serves. */
function notFound(response: ServerResponse): void {
  response.writeHead(404, { 'content-type': 'text/plain' });
  response.end('404 page not found\n');
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
