// Secrets and ConfigMaps that somebody has asked for by name. Who may read one may not thereby list all.

import { errorText } from '@flotilla/chassis';
import type { Logger } from '@flotilla/chassis';
import { hash } from 'node:crypto';
import type { AnyObject, ObjectOf } from '../objects/kinds.ts';
import { parseObject } from '../objects/parse-object.ts';
import { KubeApiError } from './api-client.ts';
import type { ApiClient } from './api-client.ts';
import { resourcePath, RESOURCES } from './resources.ts';

export type NamedKind = 'Secret' | 'ConfigMap';

interface Named {
  readonly kind: NamedKind;
  readonly namespace: string;
  readonly name: string;
  object: AnyObject | undefined;
  /** Of `object`, to tell a change of content from one of bookkeeping. */
  content: string;
  isFailing: boolean;
  /** False until it has been answered once, well or not. */
  isTried: boolean;
  isOpen: boolean;
  dueMs: number;
}

/** How often they are looked at again. */
export interface NamedPace {
  readonly refreshMs: number;
  readonly missingMs: number;
}

const paceDefault: NamedPace = { refreshMs: 15_000, missingMs: 5000 };
const tickMaxMs = 1000;
const atOnceMax = 8;

export class NamedObjects {
  readonly #client: ApiClient;
  readonly #log: Logger;
  readonly #onChange: () => void;
  readonly #pace: NamedPace;
  readonly #named = new Map<string, Named>();
  #timer: NodeJS.Timeout | undefined;
  #pending = 0;
  #open = 0;
  #isStopped = false;

  constructor(client: ApiClient, log: Logger, onChange: () => void, pace: Partial<NamedPace> = {}) {
    this.#client = client;
    this.#log = log;
    this.#onChange = onChange;
    this.#pace = { ...paceDefault, ...pace };
  }

  /** Whether one has been asked for that has not been tried yet: it is unknown, not missing. */
  get isPending(): boolean {
    return this.#pending > 0;
  }

  start(): void {
    const tickMs = Math.min(tickMaxMs, this.#pace.missingMs, this.#pace.refreshMs);
    this.#timer = setInterval(() => this.#fetchDue(), tickMs).unref();
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
  }

  /** undefined when there is none, or when it has not been tried yet. */
  get<K extends NamedKind>(kind: K, namespace: string, name: string): ObjectOf<K> | undefined {
    const key = `${kind}/${namespace}/${name}`;
    let named = this.#named.get(key);
    if (named === undefined) {
      named = {
        kind,
        namespace,
        name,
        object: undefined,
        content: '',
        isFailing: false,
        isTried: false,
        isOpen: false,
        dueMs: 0,
      };
      this.#named.set(key, named);
      this.#pending++;
      setImmediate(() => this.#fetchDue());
    }
    return named.object as ObjectOf<K> | undefined;
  }

  #fetchDue(): void {
    const nowMs = performance.now();
    for (const named of this.#named.values()) {
      if (this.#open >= atOnceMax || this.#isStopped) return;
      if (!named.isOpen && named.dueMs <= nowMs) void this.#fetch(named);
    }
  }

  async #fetch(named: Named): Promise<void> {
    named.isOpen = true;
    this.#open++;
    const { content, isTried } = named;
    try {
      this.#take(named, await this.#read(named));
      named.isFailing = false;
      this.#settle(named);
    } catch (error) {
      this.#failed(named, error);
    }
    named.isOpen = false;
    this.#open--;
    const { missingMs, refreshMs } = this.#pace;
    named.dueMs = performance.now() + (named.object === undefined ? missingMs : refreshMs);
    if (this.#isStopped) return;
    if (content !== named.content || isTried !== named.isTried) this.#onChange();
    this.#fetchDue();
  }

  #failed(named: Named, error: unknown): void {
    const { kind, namespace, name } = named;
    if (!named.isFailing)
      this.#log.warn('not fetched, what is known holds', { kind, namespace, name, err: errorText(error) });
    named.isFailing = true;
    if (isRefusal(error)) this.#settle(named);
  }

  #settle(named: Named): void {
    if (!named.isTried) this.#pending--;
    named.isTried = true;
  }

  /** The same object while its content is the same. */
  #take(named: Named, object: AnyObject | undefined): void {
    const content = object === undefined ? '' : contentOf(object);
    if (content === named.content) return;
    named.object = object;
    named.content = content;
  }

  /** undefined when there is none. */
  async #read({ kind, namespace, name }: Named): Promise<AnyObject | undefined> {
    try {
      const raw = await this.#client.get<object>(resourcePath(RESOURCES[kind], { namespace, name }));
      return parseObject({ ...raw, apiVersion: 'v1', kind }, { file: '', line: 0 }).object;
    } catch (error) {
      if (error instanceof KubeApiError && error.status === 404) return undefined;
      throw error;
    }
  }
}

/** A digest: what is secret is not kept twice. */
function contentOf(object: AnyObject): string {
  return hash('sha256', JSON.stringify(object), 'base64');
}

/** The API server says that this one is not for us: as good as missing. */
function isRefusal(error: unknown): boolean {
  return error instanceof KubeApiError && error.status === 403;
}
