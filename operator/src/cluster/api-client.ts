// Requests to the Kubernetes API server.
//
// @kubernetes/client-node gives kubeconfig and credentials, no more: its generated client drops fields that it does not know, does
// not retry, and opens a new connection for each call. It is loaded on demand: a fleet on one machine never pays for it.

import type { Logger, Registry } from '@flotilla/chassis';
import { Counter, errorCode, errorText, Histogram } from '@flotilla/chassis';
import type { KubeConfig } from '@kubernetes/client-node';
import type { RequestOptions } from 'node:https';
import { Agent, request } from 'undici';
import type { Dispatcher } from 'undici';

export interface ApiClientOptions {
  /** Path; '' uses the pod's ServiceAccount. */
  readonly kubeconfig: string;
  readonly userAgent: string;
  readonly log: Logger;
  readonly metrics?: Registry;
}

export interface ApplyOptions {
  readonly fieldManager: string;
  /** Takes fields over that others own. */
  readonly force?: boolean;
}

export interface DeleteOptions {
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  /** Deletes this very object only. */
  readonly uid?: string;
}

/** The API server answered with a status that says no. */
export class KubeApiError extends Error {
  override readonly name = 'KubeApiError';
  readonly status: number;
  /** Of the Status object: `NotFound`, `Conflict`, `Expired`, …; '' when there is none. */
  readonly reason: string;
  readonly details: unknown;
  /** 0 when the answer does not ask to wait. */
  readonly retryAfterMs: number;
  constructor(where: string, status: number, body: StatusBody, retryAfterMs: number) {
    super(`${where}: ${status}${body.reason ? ` ${body.reason}` : ''}${body.message ? `: ${body.message}` : ''}`);
    this.status = status;
    this.reason = body.reason ?? '';
    this.details = body.details;
    this.retryAfterMs = retryAfterMs;
  }
}

interface StatusBody {
  readonly reason?: string;
  readonly message?: string;
  readonly details?: unknown;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

interface Call {
  readonly method: Method;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly contentType?: string;
}

interface ClientMetrics {
  readonly requests: Counter<'verb' | 'code'>;
  readonly durations: Histogram<'verb'>;
}

const timeoutMs = 15_000;
const tries = 4;
const backoffMs = 250;
const retryAfterMaxMs = 30_000;
const bodyBytesMax = 256 << 20;
const errorBytesMax = 64 << 10;
const retryableStatus: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);
/** Nothing was sent, so that even a create can be repeated. */
const refusedCodes: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']);

export class ApiClient {
  readonly #config: KubeConfig;
  readonly #server: string;
  readonly #userAgent: string;
  readonly #metrics: ClientMetrics | undefined;
  #agent: { readonly key: string; readonly dispatcher: Dispatcher } | undefined;

  private constructor(config: KubeConfig, server: string, options: ApiClientOptions) {
    this.#config = config;
    this.#server = server;
    this.#userAgent = options.userAgent;
    this.#metrics = options.metrics === undefined ? undefined : clientMetrics(options.metrics);
  }

  /** Reads the configuration; connects later. Throws when there is none. */
  static async open(options: ApiClientOptions): Promise<ApiClient> {
    const { KubeConfig } = await import('@kubernetes/client-node');
    const config = new KubeConfig();
    if (options.kubeconfig === '') config.loadFromCluster();
    else config.loadFromFile(options.kubeconfig);
    const cluster = config.getCurrentCluster();
    if (cluster === null)
      throw new Error(`kubeconfig ${options.kubeconfig || '(in cluster)'}: no current cluster, want one`);
    options.log.info('Kubernetes API server', { server: cluster.server });
    return new ApiClient(config, cluster.server.replace(/\/+$/, ''), options);
  }

  async get<T>(path: string, query?: Readonly<Record<string, string>>): Promise<T> {
    return (await this.#json({ method: 'GET', path, ...(query && { query }) })) as T;
  }

  async create<T>(path: string, body: object): Promise<T> {
    return (await this.#json({ method: 'POST', path, body })) as T;
  }

  /** Replaces; the body carries the resourceVersion that it replaces. A conflict is the caller's. */
  async update<T>(path: string, body: object): Promise<T> {
    return (await this.#json({ method: 'PUT', path, body })) as T;
  }

  /** Server-side apply. */
  async apply<T>(path: string, body: object, { fieldManager, force = false }: ApplyOptions): Promise<T> {
    const query = { fieldManager, force: String(force) };
    const contentType = 'application/apply-patch+yaml';
    return (await this.#json({ method: 'PATCH', path, query, body, contentType })) as T;
  }

  /** JSON merge patch. */
  async patch<T>(path: string, body: object): Promise<T> {
    return (await this.#json({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' })) as T;
  }

  /** An object that is not there is deleted. */
  async delete(path: string, { propagationPolicy, uid }: DeleteOptions = {}): Promise<void> {
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      ...(propagationPolicy !== undefined && { propagationPolicy }),
      ...(uid !== undefined && { preconditions: { uid } }),
    };
    try {
      await this.#json({ method: 'DELETE', path, body });
    } catch (error) {
      if (!(error instanceof KubeApiError && error.status === 404)) throw error;
    }
  }

  /**
   * The body of a GET as it comes. Not retried. Ends with an error after `idleTimeoutMs` without a byte and when `signal`
   * aborts.
   */
  async stream(
    path: string,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
    idleTimeoutMs: number,
  ): Promise<AsyncIterable<Uint8Array>> {
    const response = await this.#send({ method: 'GET', path, query }, signal, idleTimeoutMs);
    if (response.statusCode !== 200) throw await apiError({ method: 'GET', path }, response);
    return response.body as AsyncIterable<Uint8Array>;
  }

  async close(): Promise<void> {
    await this.#agent?.dispatcher.destroy();
  }

  async #json(call: Call): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(call);
      } catch (error) {
        if (attempt === tries || !isRetryable(call.method, error)) throw error;
        const retryAfterMs = error instanceof KubeApiError ? error.retryAfterMs : 0;
        await sleep(Math.max(retryAfterMs, Math.random() * backoffMs * 2 ** attempt));
      }
    }
  }

  async #once(call: Call): Promise<unknown> {
    const response = await this.#send(call, AbortSignal.timeout(timeoutMs), timeoutMs);
    if (response.statusCode < 200 || response.statusCode > 299) throw await apiError(call, response);
    const text = await readText(response, bodyBytesMax, whereOf(call));
    return text === '' ? undefined : JSON.parse(text);
  }

  async #send(call: Call, signal: AbortSignal, idleTimeoutMs: number): Promise<Dispatcher.ResponseData> {
    const { method, path, query, body, contentType = 'application/json' } = call;
    const { dispatcher, headers } = await this.#credentials();
    const search = query === undefined ? '' : `?${new URLSearchParams(query).toString()}`;
    const end = this.#metrics?.durations.startTimer({ verb: method });
    try {
      const response = await request(this.#server + path + search, {
        dispatcher,
        method,
        headers: {
          ...headers,
          accept: 'application/json',
          'user-agent': this.#userAgent,
          ...(body !== undefined && { 'content-type': contentType }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal,
        headersTimeout: timeoutMs,
        bodyTimeout: idleTimeoutMs,
      });
      response.body.on('error', () => undefined); // One that nobody reads any more must not end the process.
      this.#metrics?.requests.inc({ verb: method, code: String(response.statusCode) });
      return response;
    } catch (error) {
      this.#metrics?.requests.inc({ verb: method, code: '<error>' });
      throw new Error(`${whereOf(call)}: ${errorText(error)}`, { cause: error });
    } finally {
      end?.();
    }
  }

  /** Tokens and certificates are looked at each time; a new agent only when the certificates differ. */
  async #credentials(): Promise<{ dispatcher: Dispatcher; headers: Record<string, string> }> {
    const options: RequestOptions = {};
    await this.#config.applyToHTTPSOptions(options);
    const { ca, cert, key, rejectUnauthorized, servername, auth } = options;
    const tls = { ca, cert, key, rejectUnauthorized, servername };
    const tlsKey = JSON.stringify(tls);
    if (this.#agent?.key !== tlsKey) {
      const connect = Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
      const before = this.#agent?.dispatcher;
      this.#agent = { key: tlsKey, dispatcher: new Agent({ connect: { ...connect, timeout: 5000 } }) };
      void before?.close();
    }
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(options.headers ?? {})) headers[name] = String(value);
    if (auth) headers['Authorization'] = `Basic ${Buffer.from(auth).toString('base64')}`;
    return { dispatcher: this.#agent.dispatcher, headers };
  }
}

function clientMetrics(registry: Registry): ClientMetrics {
  return {
    requests: new Counter({
      name: 'flotilla_kubernetes_client_requests_total',
      help: 'Requests to the API server.',
      labelNames: ['verb', 'code'],
      registers: [registry],
    }),
    durations: new Histogram({
      name: 'flotilla_kubernetes_client_request_duration_seconds',
      help: 'Time from a request to the headers of its answer.',
      labelNames: ['verb'],
      buckets: [0.005, 0.025, 0.1, 0.5, 1, 5, 15],
      registers: [registry],
    }),
  };
}

function whereOf({ method, path }: Pick<Call, 'method' | 'path'>): string {
  return `${method} ${path}`;
}

/** Everything but a create can be repeated without harm; a create only when the server has not begun it. */
function isRetryable(method: Method, error: unknown): boolean {
  if (error instanceof KubeApiError) {
    if (method === 'POST') return error.status === 429;
    return retryableStatus.has(error.status);
  }
  const cause = error instanceof Error ? error.cause : undefined;
  return refusedCodes.has(errorCode(cause)) || (method !== 'POST' && errorCode(cause) === 'ECONNRESET');
}

async function apiError(call: Pick<Call, 'method' | 'path'>, response: Dispatcher.ResponseData): Promise<KubeApiError> {
  const text = await readText(response, errorBytesMax, whereOf(call)).catch(() => '');
  const seconds = Number(response.headers['retry-after'] ?? 0);
  const retryAfterMs = Number.isFinite(seconds) ? Math.min(seconds * 1000, retryAfterMaxMs) : 0;
  return new KubeApiError(whereOf(call), response.statusCode, statusBody(text), retryAfterMs);
}

function statusBody(text: string): StatusBody {
  try {
    return JSON.parse(text) as StatusBody;
  } catch {
    return { message: text.trim().slice(0, 200) };
  }
}

async function readText(response: Dispatcher.ResponseData, bytesMax: number, where: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    sizeBytes += chunk.length;
    if (sizeBytes > bytesMax) throw new Error(`${where}: answer too large, want at most ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
