// Posts requests to one destination. Credentials are those of scraping: looked at for each request, never shown.

import { STATUS_CODES } from 'node:http';
import { VERSION } from '@flotilla/chassis';
import { type RemoteWrite, remoteWriteContentTypes, remoteWriteVersionHeaders } from '@flotilla/wire';
import { type Dispatcher, Pool, ProxyAgent } from 'undici';
import { basicAuthorization } from '../fetch/basic-authorization.ts';
import type { Credentials } from '../fetch/credentials.ts';
import { sameTls, type TlsMaterial } from '../fetch/tls-material.ts';

/** What became of a request. */
export interface WriteAnswer {
  /** 0: there was no answer. */
  readonly status: number;
  /** Why it was not taken; '' if it was. */
  readonly reason: string;
  /** How long the receiver asks to wait, undefined if it does not. */
  readonly retryAfterMs: number | undefined;
  /** What the receiver says that it has written; undefined if it says nothing. */
  readonly written:
    | { readonly samples: number; readonly histograms: number; readonly exemplars: number }
    | undefined;
}

const SHOWN_TEXT_MAX = 512;
const ANSWER_BYTES_MAX = 64 << 10;
const RETRY_AFTER_MAX_MS = 10 * 60_000;

export class WriteClient {
  readonly #config: RemoteWrite;
  readonly #credentials: Credentials;
  readonly #url: URL;
  #dispatcher: Dispatcher | undefined;
  #tls: TlsMaterial | undefined;

  constructor(config: RemoteWrite, credentials: Credentials) {
    this.#config = config;
    this.#credentials = credentials;
    this.#url = new URL(config.url);
  }

  /** Never rejects. `body` is snappy; `attempt` counts from 0. */
  async post(body: Uint8Array, attempt: number, signal: AbortSignal): Promise<WriteAnswer> {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(this.#config.timeoutMs)]);
    try {
      return await this.#post(body, attempt, deadline);
    } catch (err) {
      return { status: 0, reason: this.#reasonOf(err), retryAfterMs: undefined, written: undefined };
    }
  }

  async #post(body: Uint8Array, attempt: number, signal: AbortSignal): Promise<WriteAnswer> {
    const headers = await this.#headers(attempt);
    const { origin, pathname, search } = this.#url;
    const dispatcher = this.#connected();
    const path = pathname + search;
    const answer = await dispatcher.request({ origin, path, method: 'POST', headers, body, signal });
    const text = await shownText(answer.body);
    const { statusCode: status } = answer;
    const isTaken = status >= 200 && status < 300;
    return {
      status,
      reason: isTaken ? '' : `server returned HTTP status ${status} ${STATUS_CODES[status] ?? ''}: ${text}`,
      retryAfterMs: retryAfter(answer.headers['retry-after']),
      written: writtenOf(answer.headers),
    };
  }

  async #headers(attempt: number): Promise<Record<string, string>> {
    const { messageVersion, headers, auth } = this.#config;
    const authorization = (await this.#credentials.authorization(auth)) ?? urlAuthorization(this.#url);
    return {
      ...Object.fromEntries(headers),
      'content-encoding': 'snappy',
      'content-type': remoteWriteContentTypes[messageVersion],
      'user-agent': `Flotilla/${VERSION}`,
      'x-prometheus-remote-write-version': remoteWriteVersionHeaders[messageVersion],
      ...(attempt > 0 && { 'retry-attempt': `${attempt}` }),
      ...(authorization !== undefined && { authorization }),
    };
  }

  /** Made anew when certificates have changed. */
  #connected(): Dispatcher {
    const { auth, queue } = this.#config;
    const tls = this.#credentials.tls(auth);
    if (this.#dispatcher !== undefined && sameTls(tls, this.#tls)) return this.#dispatcher;
    this.close();
    this.#tls = tls;
    const options = {
      connections: queue.maxShards,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 60_000,
    };
    const proxy = this.#credentials.proxy(auth.proxy, this.#url);
    this.#dispatcher =
      proxy === undefined
        ? new Pool(this.#url.origin, { ...options, ...(tls && { connect: tls }) })
        : new ProxyAgent({
            ...options,
            uri: proxy.url,
            headers: proxy.headers,
            ...(tls && { requestTls: tls }),
          });
    return this.#dispatcher;
  }

  #reasonOf(err: unknown): string {
    const { name, message, cause } = err as Error & { cause?: Error };
    if (name === 'TimeoutError') return `no answer in ${this.#config.timeoutMs} ms`;
    return cause?.message === undefined ? message : `${message}: ${cause.message}`;
  }

  close(): void {
    void this.#dispatcher?.destroy().catch(() => undefined);
    this.#dispatcher = undefined;
  }
}

function urlAuthorization({ username, password }: URL): string | undefined {
  if (username === '') return undefined;
  return basicAuthorization(decodeURIComponent(username), decodeURIComponent(password));
}

/** The first line of an answer. What is too long is not read. */
async function shownText(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) break;
    chunks.push(chunk);
  }
  const [line = ''] = Buffer.concat(chunks).toString('utf8').trim().split('\n');
  return line.slice(0, SHOWN_TEXT_MAX);
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Seconds or a date (RFC 9110 §10.2.3), bounded. */
function retryAfter(header: string | string[] | undefined): number | undefined {
  if (typeof header !== 'string') return undefined;
  const waitMs = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(waitMs) ? undefined : Math.min(RETRY_AFTER_MAX_MS, Math.max(0, waitMs));
}

function writtenOf(headers: Headers): WriteAnswer['written'] {
  const [samples, histograms, exemplars] = ['samples', 'histograms', 'exemplars'].map((what) => {
    const header = headers[`x-prometheus-remote-write-${what}-written`];
    return typeof header === 'string' && /^\d+$/.test(header) ? Number(header) : undefined;
  });
  if (samples === undefined && histograms === undefined && exemplars === undefined) return undefined;
  return { samples: samples ?? 0, histograms: histograms ?? 0, exemplars: exemplars ?? 0 };
}
