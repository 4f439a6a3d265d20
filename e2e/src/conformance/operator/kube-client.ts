// The test's own requests to the API server, as an administrator: small, so that neither side under test lends it code.

import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
  readonly status?: unknown;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

const plurals: Readonly<Record<string, string>> = {
  Ingress: 'ingresses',
  Prometheus: 'prometheuses',
  NetworkPolicy: 'networkpolicies',
};
const clusterScoped = new Set([
  'Node',
  'Namespace',
  'CustomResourceDefinition',
  'IngressClass',
  'ClusterRole',
  'ClusterRoleBinding',
]);
const inFlightMax = 48;

/** The server closed a kept connection before it took this request. */
class StaleConnection extends Error {}

export class KubeClient {
  readonly #url: string;
  readonly #agent: Agent;

  constructor(server: {
    readonly url: string;
    readonly caFile: string;
    readonly certFile: string;
    readonly keyFile: string;
  }) {
    this.#url = server.url;
    this.#agent = new Agent({
      ca: readFileSync(server.caFile),
      cert: readFileSync(server.certFile),
      key: readFileSync(server.keyFile),
      keepAlive: true,
      maxSockets: inFlightMax,
    });
  }

  /** Resolves to the body's text; fails with it when the status says no. */
  async send(method: Method, path: string, body?: unknown, contentType?: string): Promise<string> {
    try {
      return await this.#sendOnce(method, path, body, contentType);
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw error;
      return this.#sendOnce(method, path, body, contentType);
    }
  }

  #sendOnce(method: Method, path: string, body?: unknown, contentType = 'application/json'): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': contentType };
      const sent = request(`${this.#url}${path}`, { method, headers, agent: this.#agent }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('error', reject).on('end', () => {
          const { statusCode = 0 } = response;
          if (statusCode < 300) resolve(text);
          else reject(new Error(`${method} ${path}: ${statusCode}: ${text.slice(0, 2000)}`));
        });
      });
      sent.on('error', (error) => {
        const isStale = sent.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
        reject(isStale ? new StaleConnection(path, { cause: error }) : error);
      });
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  async get<T>(path: string): Promise<T> {
    return JSON.parse(await this.send('GET', path)) as T;
  }

  /** Creates the object; one with a status gets that, too. */
  async create(object: KubeObject): Promise<void> {
    const path = pathOf(object);
    await this.send('POST', path, object);
    if (object.status === undefined) return;
    const status = { status: object.status };
    await this.send(
      'PATCH',
      `${path}/${object.metadata.name}/status`,
      status,
      'application/merge-patch+json',
    );
  }

  /** Creates all; in flight together, in no order. */
  async createAll(objects: readonly KubeObject[]): Promise<void> {
    const queue = [...objects];
    const work = async (): Promise<void> => {
      for (let object = queue.pop(); object !== undefined; object = queue.pop()) await this.create(object);
    };
    await Promise.all(Array.from({ length: inFlightMax }, work));
  }

  /** Creates the object, or gives the one of its name this spec. */
  async put(object: KubeObject): Promise<void> {
    const path = `${pathOf(object)}/${object.metadata.name}`;
    const present = await this.get<KubeObject>(path).catch((error: unknown) => {
      if (String(error).includes(': 404: ')) return undefined;
      throw error;
    });
    if (present === undefined) await this.create(object);
    else await this.send('PUT', path, { ...present, spec: object.spec });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** The path of the object's collection. */
export function pathOf({ apiVersion, kind, metadata }: KubeObject): string {
  const plural = plurals[kind] ?? `${kind.toLowerCase()}s`;
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return clusterScoped.has(kind)
    ? `${root}/${plural}`
    : `${root}/namespaces/${metadata.namespace ?? 'default'}/${plural}`;
}
