// Secrets and ConfigMaps that somebody has asked for by name. Who may read one may not thereby list all.

import { errorText } from '@flotilla/chassis';
import type { Logger } from '@flotilla/chassis';
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
  resourceVersion: string;
  /** False until it has been answered once, well or not. */
  isTried: boolean;
  isOpen: boolean;
  dueMs: number;
}

const refreshMs = 30_000;
const missingMs = 5000;
const tickMs = 1000;
const atOnceMax = 8;

export class NamedObjects {
  readonly #client: ApiClient;
  readonly #log: Logger;
  readonly #onChange: () => void;
  readonly #named = new Map<string, Named>();
  #timer: NodeJS.Timeout | undefined;
  #pending = 0;
  #open = 0;

  constructor(client: ApiClient, log: Logger, onChange: () => void) {
    this.#client = client;
    this.#log = log;
    this.#onChange = onChange;
  }

  /** Whether one has been asked for that has not been tried yet: it is unknown, not missing. */
  get isPending(): boolean {
    return this.#pending > 0;
  }

  start(): void {
    this.#timer = setInterval(() => this.#fetchDue(), tickMs).unref();
  }

  stop(): void {
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
        resourceVersion: '',
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
      if (this.#open >= atOnceMax) return;
      if (!named.isOpen && named.dueMs <= nowMs) void this.#fetch(named);
    }
  }

  async #fetch(named: Named): Promise<void> {
    named.isOpen = true;
    this.#open++;
    const wasTried = named.isTried;
    let isChanged = false;
    try {
      isChanged = await this.#read(named);
      this.#settle(named);
    } catch (error) {
      this.#log.warn('not fetched, what is known holds', {
        kind: named.kind,
        namespace: named.namespace,
        name: named.name,
        err: errorText(error),
      });
      if (isRefusal(error)) this.#settle(named);
    }
    named.isOpen = false;
    this.#open--;
    named.dueMs = performance.now() + (named.object === undefined ? missingMs : refreshMs);
    if (isChanged || named.isTried !== wasTried) this.#onChange();
    if (this.#pending > 0) this.#fetchDue();
  }

  #settle(named: Named): void {
    if (!named.isTried) this.#pending--;
    named.isTried = true;
  }

  /** True when it changed. */
  async #read(named: Named): Promise<boolean> {
    const { kind, namespace, name } = named;
    try {
      const raw = await this.#client.get<{ metadata: { resourceVersion: string } }>(
        resourcePath(RESOURCES[kind], { namespace, name }),
      );
      if (raw.metadata.resourceVersion === named.resourceVersion) return false;
      const { object } = parseObject({ ...raw, apiVersion: 'v1', kind }, { file: '', line: 0 });
      named.object = object;
      named.resourceVersion = raw.metadata.resourceVersion;
      return true;
    } catch (error) {
      if (!(error instanceof KubeApiError && error.status === 404)) throw error;
      const wasThere = named.object !== undefined;
      named.object = undefined;
      named.resourceVersion = '';
      return wasThere;
    }
  }
}

/** The API server says that this one is not for us: as good as missing. */
function isRefusal(error: unknown): boolean {
  return error instanceof KubeApiError && error.status === 403;
}
