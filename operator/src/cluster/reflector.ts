// Keeps a picture of all objects of a kind: a list by pages, then a watch, then again when the watch has lost its place.
//
// Memory is the cost: each object is projected as it is decoded, and nothing of the rest is kept. While the API server does not
// answer, the picture stays as it was; only a whole list replaces it, so that a list cut short never looks like removals.

import { errorCode, errorText, pause } from '@flotilla/chassis';
import type { Logger } from '@flotilla/chassis';
import { KubeApiError } from './api-client.ts';
import type { ApiClient } from './api-client.ts';
import { LineSplitter } from './line-splitter.ts';
import { resourcePath } from './resources.ts';
import type { Resource } from './resources.ts';

export interface ReflectorOptions<T> {
  readonly client: ApiClient;
  readonly resource: Resource;
  /** All when absent. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** What is kept of an object; undefined keeps nothing. */
  readonly project: (raw: RawObject, before: T | undefined) => T | undefined;
  /** Called after each change of the picture. */
  readonly onChange: () => void;
  readonly log: Logger;
  /** A kind that is not installed counts as having no objects, and is asked for again. */
  readonly optional?: boolean;
  readonly pace?: Partial<ReflectorPace>;
}

/** How often and how long; all but the first in ms. */
export interface ReflectorPace {
  readonly pageSize: number;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** Between two looks for an optional kind. */
  readonly notInstalledMs: number;
  /** A place that is lost again sooner after a list is a failure, to be backed off from. */
  readonly relistMinMs: number;
  /** A watch without a byte for this long is begun anew: bookmarks come about once a minute. */
  readonly idleMs: number;
  /** How long a kind with objects must be missing until it is believed: its objects go first. */
  readonly goneMs: number;
}

/** An object as the API server sends it. */
export interface RawObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
  };
}

export interface ReflectorCounters {
  lists: number;
  watches: number;
  failures: number;
}

/** A page of a list, without its items. */
interface ListPage {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
}

interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: RawObject & { readonly code?: number; readonly message?: string };
}

const paceDefault: ReflectorPace = {
  pageSize: 500,
  backoffMinMs: 800,
  backoffMaxMs: 30_000,
  notInstalledMs: 60_000,
  relistMinMs: 10_000,
  idleMs: 150_000,
  goneMs: 60_000,
};
const watchMinSeconds = 240;
const watchMaxSeconds = 360;
const eventBytesMax = 16 << 20;
const pageTimeoutMs = 60_000;

/** The place of the watch is gone: only a new list helps. */
class ExpiredError extends Error {
  override readonly name = 'ExpiredError';
}

export class Reflector<T> {
  readonly counters: ReflectorCounters = { lists: 0, watches: 0, failures: 0 };
  readonly #options: ReflectorOptions<T>;
  readonly #pace: ReflectorPace;
  readonly #path: string;
  readonly #stopping = new AbortController();
  #items: Map<string, T> = new Map();
  #resourceVersion = '';
  #synced = false;
  #isInstalled = true;
  #failingSinceMs: number | undefined;
  #missingSinceMs: number | undefined;
  #lastContactMs = 0;
  #failures = 0;
  #listedAtMs = -Infinity;
  #running: Promise<void> = Promise.resolve();

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    const { resource, namespace } = options;
    this.#pace = { ...paceDefault, ...options.pace };
    this.#path = resourcePath(resource, namespace === undefined ? {} : { namespace });
  }

  /** Whether there has been one whole list. */
  get synced(): boolean {
    return this.#synced;
  }

  /** False while an optional kind does not exist. */
  get isInstalled(): boolean {
    return this.#isInstalled;
  }

  /** Since when the API server has not been answering, by performance.now(); undefined while it does. */
  get failingSinceMs(): number | undefined {
    return this.#failingSinceMs;
  }

  /** Of the last byte from the API server, by Date.now(); 0 for never. */
  get lastContactMs(): number {
    return this.#lastContactMs;
  }

  /** By `namespace/name`, or `name` for kinds without namespaces. */
  items(): ReadonlyMap<string, T> {
    return this.#items;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        if (this.#resourceVersion === '') await this.#list();
        if (this.#isInstalled) await this.#watch();
        else await pause(this.#pace.notInstalledMs, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ExpiredError) this.#resourceVersion = '';
        if (!(error instanceof ExpiredError) || performance.now() - this.#listedAtMs < this.#pace.relistMinMs)
          await this.#failed(error);
      }
    }
  }

  async #failed(error: unknown): Promise<void> {
    this.counters.failures++;
    this.#failures++;
    if (this.#failingSinceMs === undefined)
      this.#options.log.warn('list or watch failed, trying again', {
        kind: this.#options.resource.kind,
        err: errorText(error),
      });
    this.#failingSinceMs ??= performance.now();
    const { backoffMinMs, backoffMaxMs } = this.#pace;
    const ceilingMs = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(this.#failures - 1, 10));
    const retryAfterMs = error instanceof KubeApiError ? error.retryAfterMs : 0;
    await pause(Math.max(retryAfterMs, backoffMinMs + Math.random() * ceilingMs), this.#stopping.signal);
  }

  /** True when that is news. */
  #heard(): boolean {
    this.#lastContactMs = Date.now();
    if (this.#failingSinceMs === undefined) return false;
    const { kind } = this.#options.resource;
    this.#options.log.info('list or watch works again', { kind });
    this.#failingSinceMs = undefined;
    return true;
  }

  /** All pages, or nothing. A page whose place has expired begins the list anew. */
  async #list(): Promise<void> {
    this.counters.lists++;
    this.#listedAtMs = performance.now();
    const before = this.#items;
    const items = new Map<string, T>();
    let place = '';
    do {
      let kept = new Map<string, T>();
      const page = await this.#page(place, () => {
        kept = new Map();
        return (raw) => this.#keep(kept, raw as RawObject, before);
      });
      if (page === undefined) return this.#listed(new Map(), '');
      this.#lastContactMs = Date.now();
      for (const [key, item] of kept) items.set(key, item);
      place = page.metadata.continue ?? '';
      if (place === '') this.#listed(items, page.metadata.resourceVersion);
    } while (place !== '');
  }

  /** `resourceVersion` is where to watch from, '' when there is nothing to watch. */
  #listed(items: Map<string, T>, resourceVersion: string): void {
    this.#isInstalled = resourceVersion !== '';
    this.#missingSinceMs = undefined;
    this.#items = items;
    this.#resourceVersion = resourceVersion;
    this.#synced = true;
    this.#heard();
    this.#options.onChange();
  }

  /** undefined when the kind is not installed and need not be. */
  async #page(place: string, begin: () => (raw: unknown) => void): Promise<ListPage | undefined> {
    const query = {
      ...this.#selection(),
      limit: String(this.#pace.pageSize),
      ...(place && { continue: place }),
    };
    try {
      const limits = { timeoutMs: pageTimeoutMs, signal: this.#stopping.signal };
      return await this.#options.client.list<ListPage>(this.#path, query, begin, limits);
    } catch (error) {
      if (!(error instanceof KubeApiError)) throw error;
      if (error.status === 410) throw new ExpiredError(error.message, { cause: error });
      if (error.status === 404 && this.#options.optional === true && this.#isGone()) return undefined;
      throw error;
    }
  }

  /** An API server that is starting does not know its kinds yet, either. */
  #isGone(): boolean {
    if (this.#items.size === 0) return true;
    this.#missingSinceMs ??= performance.now();
    return performance.now() - this.#missingSinceMs > this.#pace.goneMs;
  }

  #selection(): Record<string, string> {
    const { labelSelector, fieldSelector } = this.#options;
    return { ...(labelSelector && { labelSelector }), ...(fieldSelector && { fieldSelector }) };
  }

  /** Returns when the server has ended the watch in its time, or has gone silent. */
  async #watch(): Promise<void> {
    this.counters.watches++;
    const seconds = Math.round(watchMinSeconds + Math.random() * (watchMaxSeconds - watchMinSeconds));
    const query = {
      ...this.#selection(),
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: this.#resourceVersion,
      timeoutSeconds: String(seconds),
    };
    const startedMs = performance.now();
    const body = await this.#open(query);
    if (this.#heard()) this.#options.onChange();
    try {
      await this.#follow(body);
    } catch (error) {
      if (errorCode(error) !== 'UND_ERR_BODY_TIMEOUT') throw error;
    }
    // One that ends at once, again and again, must not become a storm of requests.
    if (performance.now() - startedMs < 1000) await pause(this.#pace.backoffMinMs, this.#stopping.signal);
  }

  async #follow(body: AsyncIterable<Uint8Array>): Promise<void> {
    const lines = new LineSplitter(eventBytesMax);
    for await (const bytes of body) {
      this.#lastContactMs = Date.now();
      let changed = false;
      try {
        for (const line of lines.push(bytes)) changed = this.#takeEvent(line) || changed;
      } finally {
        if (changed) this.#options.onChange();
      }
      this.#failures = 0;
    }
  }

  async #open(query: Readonly<Record<string, string>>): Promise<AsyncIterable<Uint8Array>> {
    const { signal } = this.#stopping;
    try {
      return await this.#options.client.stream(this.#path, query, signal, this.#pace.idleMs);
    } catch (error) {
      if (error instanceof KubeApiError && (error.status === 410 || error.status === 404))
        throw new ExpiredError(error.message, { cause: error });
      throw error;
    }
  }

  /** True when the picture changed. */
  #takeEvent(line: string): boolean {
    const { type, object } = this.#decode(line);
    if (type === 'ERROR') {
      if (object.code === 410) throw new ExpiredError(object.message ?? 'expired');
      throw new Error(`watch ${this.#path}: ${object.code ?? ''} ${object.message ?? ''}`);
    }
    this.#resourceVersion = object.metadata.resourceVersion;
    if (type === 'BOOKMARK') return false;
    if (type === 'DELETED') return this.#items.delete(keyOf(object));
    const before = this.#items.get(keyOf(object));
    this.#keep(this.#items, object, this.#items);
    return this.#items.get(keyOf(object)) !== before;
  }

  /** What is not an event would come again with the same place: a list leads past it. */
  #decode(line: string): WatchEvent {
    try {
      return JSON.parse(line) as WatchEvent;
    } catch (error) {
      throw new ExpiredError(`watch ${this.#path}: not an event: ${line.slice(0, 100)}`, { cause: error });
    }
  }

  /** An object that cannot be projected is left out, and costs no other. */
  #keep(items: Map<string, T>, raw: RawObject, before: ReadonlyMap<string, T>): void {
    const key = keyOf(raw);
    let projected: T | undefined;
    try {
      projected = this.#options.project(raw, before.get(key));
    } catch (error) {
      const { kind } = this.#options.resource;
      this.#options.log.error('object not understood', { kind, object: key, err: errorText(error) });
    }
    if (projected === undefined) items.delete(key);
    else items.set(key, projected);
  }
}

function keyOf({ metadata: { namespace, name } }: RawObject): string {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}
