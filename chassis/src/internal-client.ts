// HTTP to the other parts of the fleet: pooled connections, the internal token, deadlines, errors with method and URL.
//
// Unavailable means: try again, here or elsewhere (no connection, too slow, cut off, 429, 502–504).
// Token and certificates are looked at on each call.

import { Unavailable } from '@flotilla/model';
import { Agent as TlsAgent } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import { FreshFiles } from './fresh-files.ts';
import {
  plainAgent,
  sendCall,
  whereOf,
  type ConnectionPool,
  type HttpCall,
  type StreamResponse,
} from './http-call.ts';
import { internalFetchHeaders } from './internal-auth.ts';

export interface InternalClientOptions {
  /** undefined or '': no Authorization header. */
  readonly tokenFile?: string | undefined;
  /** From the call to the headers of the answer. */
  readonly timeoutMs: number;
  /** Longest pause between two chunks of a body; timeoutMs by default. */
  readonly idleTimeoutMs?: number;
  /** For a new connection, 5 s by default; a host that is gone does not refuse one, it is silent. */
  readonly connectTimeoutMs?: number;
  /** Trust and client certificate for https; '' is as good as none. */
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  /** Connections to one origin; 64 by default, more requests wait. */
  readonly connectionsMax?: number;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of the client's. */
  readonly timeoutMs?: number;
  readonly idleTimeoutMs?: number;
  /** A chunk of the body is gone when the next one is asked for; else it stays. */
  readonly transient?: boolean;
}

export interface InternalClient {
  /** Parsed JSON of a 2xx answer, undefined if it is empty; throws UpstreamError or Unavailable for the rest. The shape is the caller's promise. */
  getJson<T = unknown>(url: string, options?: CallOptions): Promise<T>;
  postJson<T = unknown>(url: string, body: unknown, options?: CallOptions): Promise<T>;
  /** Any status is an answer here. */
  get(url: string, options?: CallOptions): Promise<StreamResponse>;
  /** As get(). The body is `application/x-protobuf` unless headers say otherwise. */
  postBytes(url: string, body: Uint8Array, options?: CallOptions): Promise<StreamResponse>;
  /** Cuts what is in progress. */
  close(): Promise<void>;
}

/** Another part answered, with a status that says no. `text` is its envelope's `error` or the start of its body. */
export class UpstreamError extends Error {
  readonly status: number;
  readonly text: string;
  constructor(where: string, status: number, text: string) {
    super(`${where}: status ${status}${text === '' ? '' : `: ${text}`}`);
    this.name = 'UpstreamError';
    this.status = status;
    this.text = text;
  }
}

const jsonBytesMax = 256 << 20;
const errorBytesMax = 4096;

export function createInternalClient(options: InternalClientOptions): InternalClient {
  const pool = connectionPool(options);
  const send = (
    method: HttpCall['method'],
    url: string,
    call: CallOptions = {},
    body: Payload = noPayload,
  ): Promise<StreamResponse> => sendCall(pool, httpCall(options, { method, url, call, body }));
  return {
    getJson: async <T>(url: string, call?: CallOptions) =>
      (await readJson('GET', url, await send('GET', url, call))) as T,
    postJson: async <T>(url: string, value: unknown, call?: CallOptions) => {
      const body = { type: 'application/json', bytes: JSON.stringify(value) };
      return (await readJson('POST', url, await send('POST', url, call, body))) as T;
    },
    get: (url, call) => send('GET', url, call),
    postBytes: (url, bytes, call) => send('POST', url, call, { type: 'application/x-protobuf', bytes }),
    close: () => {
      pool.plain.destroy();
      pool.tls.destroy();
      return Promise.resolve();
    },
  };
}

interface Payload {
  readonly type: string | undefined;
  readonly bytes: string | Uint8Array | null;
}
const noPayload: Payload = { type: undefined, bytes: null };

function httpCall(
  options: InternalClientOptions,
  { method, url, call, body }: { method: HttpCall['method']; url: string; call: CallOptions; body: Payload },
): HttpCall {
  return {
    method,
    url,
    headers: {
      ...(body.type !== undefined && { 'content-type': body.type }),
      ...internalFetchHeaders(options.tokenFile),
      ...call.headers,
    },
    body: body.bytes,
    signal: call.signal,
    timeoutMs: call.timeoutMs ?? options.timeoutMs,
    idleMs: call.idleTimeoutMs ?? options.idleTimeoutMs ?? options.timeoutMs,
    transient: call.transient ?? false,
  };
}

/** Of the certificates as they are on disk now. Throws when they cannot be read at start. */
function connectionPool(options: InternalClientOptions): ConnectionPool {
  const { caFile, certFile, keyFile, connectTimeoutMs = 5000, connectionsMax = 64 } = options;
  const credentials = new FreshFiles((read): SecureContextOptions => {
    const text = (path = ''): string | undefined => (path === '' ? undefined : read(path));
    const [ca, cert, key] = [text(caFile), text(certFile), text(keyFile)];
    return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  });
  const limits = { keepAlive: true, maxSockets: connectionsMax };
  return {
    plain: plainAgent(limits),
    tls: new TlsAgent(limits),
    credentials: () => credentials.get(),
    connectTimeoutMs,
  };
}

async function readJson(method: HttpCall['method'], url: string, response: StreamResponse): Promise<unknown> {
  const where = whereOf({ method, url });
  if (response.status < 200 || response.status > 299) {
    const text = await readText(response, errorBytesMax);
    throw statusError(where, response.status, text);
  }
  const text = await readText(response, jsonBytesMax + 1);
  if (text.length > jsonBytesMax)
    throw new Error(`${where}: body too large, want at most ${jsonBytesMax} bytes`);
  return text === '' ? undefined : parseJson(where, text);
}

/** At most the first `maxBytes` of the body. */
async function readText({ body }: StreamResponse, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes >= maxBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, maxBytes).toString('utf8');
}

function parseJson(where: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (err) {
    throw new Error(`${where}: answer is no JSON`, { cause: err });
  }
}

const retryable: ReadonlySet<number> = new Set([429, 502, 503, 504]);

function statusError(where: string, status: number, body: string): Error {
  const err = new UpstreamError(where, status, envelopeError(body) ?? body.trim().slice(0, 200));
  return retryable.has(status) ? new Unavailable(err.message, { cause: err }) : err;
}

function envelopeError(body: string): string | undefined {
  try {
    const { error } = JSON.parse(body) as { error?: unknown };
    return typeof error === 'string' ? error : undefined;
  } catch {
    return undefined;
  }
}
