// How the API server is reached: a connection pool for the credentials of the moment. A new one only when certificates differ.

import { Agent } from 'undici';
import type { Dispatcher } from 'undici';
import { openAccess } from './kubeconfig.ts';
import type { ApiAccess, Credentials } from './kubeconfig.ts';

export interface Connection {
  readonly dispatcher: Dispatcher;
  readonly headers: Readonly<Record<string, string>>;
}

const connectMs = 5000;
/** Below the idle time after which load balancers in between forget a connection. */
const keepAliveInitialDelay = 30_000;

export class ApiCredentials {
  readonly #access: ApiAccess;
  readonly #isBare: boolean;
  #agent: { readonly key: string; readonly dispatcher: Dispatcher } | undefined;

  private constructor(access: ApiAccess) {
    this.#access = access;
    // As kubectl does: nothing secret goes over plain HTTP, unless insecure-skip-tls-verify says that it may.
    this.#isBare = access.server.startsWith('http:') && !access.skipsVerify;
  }

  /** `kubeconfig` is a path, or '' for the pod's ServiceAccount. Throws when there is no cluster in it. */
  static async open(kubeconfig: string): Promise<ApiCredentials> {
    return new ApiCredentials(await openAccess(kubeconfig));
  }

  /** `https://host:port`. */
  get server(): string {
    return this.#access.server;
  }

  /** That of this moment. */
  async current(): Promise<Connection> {
    const credentials = this.#isBare ? {} : await this.#access.credentials();
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(credentials.headers ?? {}))
      headers[name] = String(value).trim();
    const { auth } = credentials;
    if (auth) headers['Authorization'] = `Basic ${Buffer.from(auth).toString('base64')}`;
    return { dispatcher: this.#dispatcher(credentials), headers };
  }

  async close(): Promise<void> {
    await this.#agent?.dispatcher.destroy();
  }

  #dispatcher({ ca, cert, key, rejectUnauthorized, servername }: Credentials): Dispatcher {
    const tls = { ca, cert, key, rejectUnauthorized, servername };
    const tlsKey = JSON.stringify(tls);
    if (this.#agent?.key === tlsKey) return this.#agent.dispatcher;
    const before = this.#agent?.dispatcher;
    const known = Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
    // HTTP/1.1: over one shared connection a stalled watch or a lost packet would hold up every other request.
    const dispatcher = new Agent({
      allowH2: false,
      connect: { ...known, timeout: connectMs, keepAlive: true, keepAliveInitialDelay },
    });
    this.#agent = { key: tlsKey, dispatcher };
    void before?.close(); // Its watches run to their end.
    return dispatcher;
  }
}
