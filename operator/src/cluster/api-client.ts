// Requests to the Kubernetes API server.
//
// Own requests instead of a generated client's: those drop fields that they do not know, do not retry, and open a connection for
// each call. What fails for a moment is repeated where that is safe; every try has a deadline.

import type { Logger, Registry } from '@flotilla/chassis';
import { Counter, errorCode, errorText, Histogram } from '@flotilla/chassis';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import type { Dispatcher } from 'undici';
import { ApiCredentials } from './api-credentials.ts';
import { ListDecoder } from './list-decoder.ts';

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

/** For callers that have a deadline of their own. */
export interface CallLimits {
  /** Of each try. */
  readonly timeoutMs?: number;
  /** 1 never repeats. */
  readonly tries?: number;
  /** Ends the call, and the wait between two tries. */
  readonly signal?: AbortSignal;
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
    super(
      `${where}: ${status}${body.reason ? ` ${body.reason}` : ''}${body.message ? `: ${body.message}` : ''}`,
    );
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
  readonly limits?: CallLimits;
}

type Read = (response: Dispatcher.ResponseData) => Promise<unknown>;

interface ClientMetrics {
  readonly requests: Counter<'verb' | 'code'>;
  readonly durations: Histogram<'verb'>;
}

const timeoutMsDefault = 15_000;
const triesDefault = 4;
const backoffMs = 250;
const retryAfterMaxMs = 30_000;
const bodyBytesMax = 256 << 20;
const errorBytesMax = 64 << 10;
const errorBodyMs = 5000;
const retryableStatus: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);
/** Nothing was sent, so that even a create can be repeated. */
const refusedCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const brokenCodes: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'UND_ERR_SOCKET']);

export class ApiClient {
  readonly #credentials: ApiCredentials;
  readonly #userAgent: string;
  readonly #metrics: ClientMetrics | undefined;
  readonly #closing = new AbortController();

  private constructor(credentials: ApiCredentials, options: ApiClientOptions) {
    this.#credentials = credentials;
    this.#userAgent = options.userAgent;
    this.#metrics = options.metrics === undefined ? undefined : clientMetrics(options.metrics);
  }

  /** Reads the configuration; connects later. Throws when there is none. */
  static async open(options: ApiClientOptions): Promise<ApiClient> {
    const credentials = await ApiCredentials.open(options.kubeconfig);
    options.log.info('Kubernetes API server', { server: credentials.server });
    return new ApiClient(credentials, options);
  }

  async get<T>(
    path: string,
    query: Readonly<Record<string, string>> = {},
    limits: CallLimits = {},
  ): Promise<T> {
    return (await this.#json({ method: 'GET', path, query, limits })) as T;
  }

  /**
   * A list, item by item while it comes; resolves to what is around the items. Each try begins anew: what came of one that failed
   * counts for nothing.
   */
  async list<L>(
    path: string,
    query: Readonly<Record<string, string>>,
    begin: () => (item: unknown) => void,
    limits: CallLimits = {},
  ): Promise<L> {
    return (await this.#repeated({ method: 'GET', path, query, limits }, async ({ body }) => {
      const decoder = new ListDecoder(begin());
      for await (const bytes of body as AsyncIterable<Uint8Array>) decoder.push(bytes);
      return decoder.end();
    })) as L;
  }

  async create<T>(path: string, body: object, limits: CallLimits = {}): Promise<T> {
    return (await this.#json({ method: 'POST', path, body, limits })) as T;
  }

  /** Replaces; the body carries the resourceVersion that it replaces. A conflict is the caller's. */
  async update<T>(path: string, body: object, limits: CallLimits = {}): Promise<T> {
    return (await this.#json({ method: 'PUT', path, body, limits })) as T;
  }

  /** Server-side apply. */
  async apply<T>(path: string, body: object, { fieldManager, force = false }: ApplyOptions): Promise<T> {
    const query = { fieldManager, force: String(force) };
    const contentType = 'application/apply-patch+yaml';
    return (await this.#json({ method: 'PATCH', path, query, body, contentType })) as T;
  }

  /** JSON merge patch. */
  async patch<T>(path: string, body: object): Promise<T> {
    return (await this.#json({
      method: 'PATCH',
      path,
      body,
      contentType: 'application/merge-patch+json',
    })) as T;
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
    const call: Call = { method: 'GET', path, query };
    try {
      const response = await this.#send(call, signal, idleTimeoutMs);
      if (response.statusCode !== 200) throw await apiError(call, response);
      return response.body as AsyncIterable<Uint8Array>;
    } catch (error) {
      throw failureOf(call, error);
    }
  }

  /** Ends every call that is open. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('API client closed'));
    await this.#credentials.close();
  }

  #json(call: Call): Promise<unknown> {
    return this.#repeated(call, async (response) => {
      const text = await readText(response, bodyBytesMax);
      return text === '' ? undefined : JSON.parse(text);
    });
  }

  async #repeated(call: Call, read: Read): Promise<unknown> {
    const { tries = triesDefault, signal } = call.limits ?? {};
    const ending = anyOf(this.#closing.signal, signal);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(call, read, ending);
      } catch (error) {
        if (attempt >= tries || ending.aborted || !isRetryable(call.method, error))
          throw failureOf(call, error);
        const retryAfterMs = error instanceof KubeApiError ? error.retryAfterMs : 0;
        await sleep(retryAfterMs + Math.random() * backoffMs * 2 ** attempt, undefined, { signal: ending });
      }
    }
  }

  async #once(call: Call, read: Read, ending: AbortSignal): Promise<unknown> {
    const { timeoutMs = timeoutMsDefault } = call.limits ?? {};
    const signal = anyOf(AbortSignal.timeout(timeoutMs), ending);
    const response = await this.#send(call, signal, timeoutMs);
    if (response.statusCode < 200 || response.statusCode > 299) throw await apiError(call, response);
    return await read(response);
  }

  async #send(call: Call, signal: AbortSignal, bodyTimeout: number): Promise<Dispatcher.ResponseData> {
    const { method, path, query = {}, body, contentType = 'application/json' } = call;
    const { dispatcher, headers } = await this.#credentials.current();
    const search = new URLSearchParams(query).toString();
    const end = this.#metrics?.durations.startTimer({ verb: method });
    let code = '<error>';
    try {
      const response = await request(this.#credentials.server + path + (search && `?${search}`), {
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
        headersTimeout: timeoutMsDefault,
        bodyTimeout,
      });
      response.body.on('error', () => undefined); // One that nobody reads any more must not end the process.
      code = String(response.statusCode);
      return response;
    } finally {
      end?.();
      this.#metrics?.requests.inc({ verb: method, code });
    }
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

function whereOf({ method, path }: Call): string {
  return `${method} ${path}`;
}

/** Everything but a create can be repeated without harm; a create only when the server has not begun it. */
function isRetryable(method: Method, error: unknown): boolean {
  if (error instanceof KubeApiError) {
    if (method === 'POST') return error.status === 429;
    return retryableStatus.has(error.status);
  }
  const code = errorCode(error);
  return refusedCodes.has(code) || (method !== 'POST' && brokenCodes.has(code));
}

/** What is thrown: says where, and keeps what happened as its cause. */
function failureOf(call: Call, error: unknown): Error {
  if (error instanceof KubeApiError) return error;
  const isLate = (error as { name?: unknown } | undefined)?.name === 'TimeoutError';
  const text = isLate ? 'no answer in time' : errorText(error);
  return new Error(`${whereOf(call)}: ${text}`, { cause: error });
}

function anyOf(...signals: readonly (AbortSignal | undefined)[]): AbortSignal {
  return AbortSignal.any(signals.filter((signal) => signal !== undefined));
}

async function apiError(call: Call, response: Dispatcher.ResponseData): Promise<KubeApiError> {
  const late = setTimeout(() => response.body.destroy(), errorBodyMs);
  const text = await readText(response, errorBytesMax).catch(() => '');
  clearTimeout(late);
  const seconds = Number(response.headers['retry-after'] ?? 0);
  const retryAfterMs = Number.isFinite(seconds) ? Math.min(Math.max(0, seconds) * 1000, retryAfterMaxMs) : 0;
  return new KubeApiError(whereOf(call), response.statusCode, statusBody(text), retryAfterMs);
}

function statusBody(text: string): StatusBody {
  try {
    return (JSON.parse(text) ?? {}) as StatusBody;
  } catch {
    return { message: text.trim().slice(0, 200) };
  }
}

async function readText(response: Dispatcher.ResponseData, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    sizeBytes += chunk.length;
    if (sizeBytes > bytesMax) throw new Error(`answer too large, want at most ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
