// How the API server is reached and who asks: what a kubeconfig or the pod's ServiceAccount says, looked at for each request, so
// that rotated tokens and certificates are taken up.
//
// @kubernetes/client-node is loaded on demand and does this alone: a fleet on one machine never pays for it.

import type { KubeConfig } from '@kubernetes/client-node';
import type { RequestOptions } from 'node:https';
import { Agent } from 'undici';
import type { Dispatcher } from 'undici';

export interface Credentials {
  readonly dispatcher: Dispatcher;
  readonly headers: Readonly<Record<string, string>>;
}

const connectMs = 5000;
/** Below the idle time after which load balancers in between forget a connection. */
const keepAliveInitialDelay = 30_000;

export class ApiCredentials {
  /** `https://host:port`. */
  readonly server: string;
  readonly #config: KubeConfig;
  readonly #isBare: boolean;
  #agent: { readonly key: string; readonly dispatcher: Dispatcher } | undefined;

  private constructor(config: KubeConfig, server: string, isBare: boolean) {
    this.#config = config;
    this.server = server;
    this.#isBare = isBare;
  }

  /** `kubeconfig` is a path, or '' for the pod's ServiceAccount. Throws when there is no cluster in it. */
  static async open(kubeconfig: string): Promise<ApiCredentials> {
    const { KubeConfig } = await import('@kubernetes/client-node');
    const config = new KubeConfig();
    if (kubeconfig === '') config.loadFromCluster();
    else config.loadFromFile(kubeconfig);
    const cluster = config.getCurrentCluster();
    const where = `kubeconfig ${kubeconfig || '(in cluster)'}`;
    if (cluster === null) throw new Error(`${where}: no current cluster, want one`);
    if (!URL.canParse(cluster.server)) throw new Error(`${where}: server ${cluster.server}, want a URL`);
    // As kubectl does: nothing secret goes over plain HTTP, unless insecure-skip-tls-verify says that it may.
    const isBare = cluster.server.startsWith('http:') && !cluster.skipTLSVerify;
    return new ApiCredentials(config, cluster.server.replace(/\/+$/, ''), isBare);
  }

  /** Those of this moment; a new agent only when the certificates differ. */
  async current(): Promise<Credentials> {
    const options: RequestOptions = {};
    if (!this.#isBare) await this.#config.applyToHTTPSOptions(options);
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(options.headers ?? {})) headers[name] = String(value).trim();
    const { auth } = options;
    if (auth) headers['Authorization'] = `Basic ${Buffer.from(auth).toString('base64')}`;
    return { dispatcher: this.#dispatcher(options), headers };
  }

  async close(): Promise<void> {
    await this.#agent?.dispatcher.destroy();
  }

  #dispatcher({ ca, cert, key, rejectUnauthorized, servername }: RequestOptions): Dispatcher {
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
