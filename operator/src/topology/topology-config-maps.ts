// The state and the topology as ConfigMaps of the Fleet's namespace. No object owns them: they say who has old data, and
// must outlive a Fleet that is deleted and made again.
//
// The state is saved only over the resourceVersion that was seen last, so that an operator that lost its lease without knowing
// cannot undo what the next one did.

import { serializeTopology } from '@flotilla/wire';
import type { Topology } from '@flotilla/wire';
import { KubeApiError } from '../cluster/api-client.ts';
import type { ApiClient } from '../cluster/api-client.ts';
import { resourcePath, RESOURCES } from '../cluster/resources.ts';
import type { TopologyState } from './resize.ts';
import { parseState, StaleStateError } from './topology-store.ts';
import type { TopologyStore } from './topology-store.ts';

interface ConfigMap {
  readonly metadata: { readonly resourceVersion: string };
  readonly data?: Readonly<Record<string, string>>;
}

interface ConfigMapBody {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly data: Readonly<Record<string, string>>;
}

const stateKey = 'state.json';
const topologyKey = 'topology.json';
/** The topology is applied again this often, in case somebody has changed it. */
const repairMs = 30_000;
const fieldManager = 'flotilla-operator';

export class TopologyConfigMaps implements TopologyStore {
  readonly #client: ApiClient;
  readonly #namespace: string;
  readonly #fleet: string;
  #resourceVersion = '';
  #published = '';
  #publishedMs = 0;

  constructor(client: ApiClient, namespace: string, fleet: string) {
    this.#client = client;
    this.#namespace = namespace;
    this.#fleet = fleet;
  }

  async load(): Promise<TopologyState | undefined> {
    const name = this.#stateName;
    try {
      const { metadata, data } = await this.#client.get<ConfigMap>(this.#path(name));
      this.#resourceVersion = metadata.resourceVersion;
      const text = data?.[stateKey];
      if (text === undefined) throw new Error(`ConfigMap ${name}: no key ${stateKey}`);
      return parseState(text, `ConfigMap ${name}`);
    } catch (error) {
      if (!(error instanceof KubeApiError && error.status === 404)) throw error;
      this.#resourceVersion = '';
      return undefined;
    }
  }

  async save(state: TopologyState): Promise<void> {
    const body = this.#configMap(this.#stateName, { [stateKey]: JSON.stringify(state) });
    try {
      const saved = await this.#write(body);
      this.#resourceVersion = saved.metadata.resourceVersion;
    } catch (error) {
      if (!(error instanceof KubeApiError && (error.status === 409 || error.status === 404))) throw error;
      throw new StaleStateError(`ConfigMap ${this.#stateName}: changed by another operator`, {
        cause: error,
      });
    }
  }

  #write(body: ConfigMapBody): Promise<ConfigMap> {
    const resourceVersion = this.#resourceVersion;
    if (resourceVersion === '') return this.#client.create<ConfigMap>(this.#path(), body);
    const metadata = { ...body.metadata, resourceVersion };
    return this.#client.update<ConfigMap>(this.#path(body.metadata.name), { ...body, metadata });
  }

  async publish(topology: Topology): Promise<void> {
    const text = serializeTopology(topology);
    if (text === this.#published && Date.now() - this.#publishedMs < repairMs) return;
    const name = `${this.#fleet}-topology`;
    const body = this.#configMap(name, { [topologyKey]: text });
    await this.#client.apply(this.#path(name), body, { fieldManager, force: true });
    this.#published = text;
    this.#publishedMs = Date.now();
  }

  get #stateName(): string {
    return `${this.#fleet}-operator-state`;
  }

  #path(name?: string): string {
    return resourcePath(RESOURCES.ConfigMap, {
      namespace: this.#namespace,
      ...(name !== undefined && { name }),
    });
  }

  #configMap(name: string, data: Readonly<Record<string, string>>): ConfigMapBody {
    const labels = {
      'app.kubernetes.io/name': 'flotilla',
      'app.kubernetes.io/component': 'operator',
      'flotilla.dev/fleet': this.#fleet,
    };
    return {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: this.#namespace, labels },
      data,
    };
  }
}
