// Fetches the metrics page of one target, over its own kept-alive connection.
//
// One deadline covers the whole scrape: connect, redirects, body, inflating. Redirects are followed up to ten times;
// credentials stay with the target's host. A kept-alive connection that the server closed in the meantime costs one
// silent second try, as in Go.

import { STATUS_CODES } from 'node:http';
import { VERSION } from '@flotilla/chassis';
import { formatFloat } from '@flotilla/model';
import type { Job, Target } from '@flotilla/wire';
import { acceptHeader, type ProtocolSettings } from './accept-header.ts';
import type { BodyMemory } from './body-memory.ts';
import { basicAuthorization } from './basic-authorization.ts';
import type { Credentials } from './credentials.ts';
import { type Answer, Exchange } from './exchange.ts';
import { gunzipBody } from './gunzip-body.ts';
import { directLink, type Link, linkTo } from './links.ts';
import { headerOf } from './response-head.ts';
import {
  BodySizeError,
  deadlineError,
  DEADLINE_TEXT,
  ScrapeError,
  shownUrl,
  transportError,
} from './scrape-error.ts';
import { sameTls, type TlsMaterial, trustOnly } from './tls-material.ts';

const redirectsMax = 10;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** What targets share. */
export interface FetchContext {
  readonly credentials: Credentials;
  readonly memory: BodyMemory;
  /** Bound of every body, whatever its job says. */
  readonly bodyBytesMax: number;
}

export type FetchSettings = ProtocolSettings &
  Pick<Job, 'auth' | 'enableCompression' | 'followRedirects' | 'limits'>;

export type FetchTarget = Pick<Target, 'url' | 'unixSocket' | 'intervalMs'>;

/** A page. Call release() when `body` has been read. */
export interface Page {
  readonly body: Buffer;
  readonly contentType: string;
  readonly release: () => void;
}

export class TargetClient {
  readonly #context: FetchContext;
  /** Or why every fetch fails: Prometheus makes URLs by text, and not every text is one. */
  readonly #url: URL | ScrapeError;
  readonly #unixSocket: string | undefined;
  readonly #settings: FetchSettings;
  readonly #intervalMs: number;
  readonly #bodyBytesMax: number;
  #link: Link | undefined;
  #tls: TlsMaterial | undefined;
  #running: Exchange | undefined;
  #isClosed = false;
  #reused = false;
  /** Headers that are the same for each fetch of this timeout. */
  #fixed: { readonly timeoutMs: number; readonly headers: Readonly<Record<string, string>> } | undefined;
  #wireBytesHint = 0;
  #pageBytesHint = 0;

  constructor(context: FetchContext, target: FetchTarget, settings: FetchSettings) {
    const { url, unixSocket, intervalMs } = target;
    this.#context = context;
    this.#url = parseTargetUrl(url);
    this.#unixSocket = unixSocket;
    this.#settings = settings;
    this.#intervalMs = intervalMs;
    const { bodySizeBytes } = settings.limits;
    this.#bodyBytesMax =
      bodySizeBytes > 0 ? Math.min(bodySizeBytes, context.bodyBytesMax) : context.bodyBytesMax;
  }

  /** The page, or a ScrapeError. One call at a time. */
  async fetch(timeoutMs: number): Promise<Page> {
    const deadline = new Deadline(timeoutMs);
    try {
      const answer = await this.#follow(deadline, timeoutMs);
      return await this.#page(answer, deadline);
    } finally {
      deadline.clear();
    }
  }

  /** Ends a fetch that runs, too. */
  close(): void {
    this.#isClosed = true;
    this.#running?.abort(new ScrapeError('scraping stopped'));
    this.#disconnect();
  }

  #disconnect(): void {
    this.#link?.destroy();
    this.#link = undefined;
  }

  async #follow(deadline: Deadline, timeoutMs: number): Promise<Answer> {
    if (this.#url instanceof ScrapeError) throw this.#url;
    const headers = this.#headers(timeoutMs);
    const target = this.#url;
    let url = target;
    for (let hop = 0; ; hop++) {
      const answer =
        url === target || url.origin === target.origin
          ? await this.#get(url, target, headers, deadline)
          : await this.#getElsewhere(url, target, headers, deadline);
      const location = headerOf(answer.headers, 'location');
      const isRedirect = this.#settings.followRedirects && redirects.has(answer.status) && location !== '';
      if (!isRedirect) return checked(answer);
      if (hop === redirectsMax)
        throw new ScrapeError(`Get "${shownUrl(url)}": stopped after ${redirectsMax} redirects`);
      url = redirectTarget(location, url);
    }
  }

  async #get(
    url: URL,
    target: URL,
    headers: Readonly<Record<string, string>>,
    deadline: Deadline,
  ): Promise<Answer> {
    const wasReused = this.#reused;
    const sent = { ...headers, ...(await this.#authorization(url, deadline)) };
    const link = this.#connected(target);
    try {
      const answer = await this.#exchange(link, url, sent, deadline);
      this.#reused = true;
      return answer;
    } catch (err) {
      const mayBeStale = wasReused && err instanceof StaleConnection;
      if (!mayBeStale) throw err instanceof StaleConnection ? transportError(url, err.cause) : err;
    }
    this.#reused = false;
    return this.#get(url, target, headers, deadline);
  }

  /** Another host of a redirect: a connection of its own, without our credentials. */
  async #getElsewhere(
    url: URL,
    target: URL,
    headers: Readonly<Record<string, string>>,
    deadline: Deadline,
  ): Promise<Answer> {
    const isSameHost = url.hostname === target.hostname && url.protocol === 'https:';
    const tls = this.#context.credentials.tls(this.#settings.auth);
    const link = this.#connect(url, isSameHost ? tls : trustOnly(tls));
    try {
      const sent = isSameHost ? { ...headers, ...(await this.#authorization(url, deadline)) } : headers;
      return await this.#exchange(link, url, sent, deadline);
    } catch (err) {
      throw err instanceof StaleConnection ? transportError(url, err.cause) : err;
    } finally {
      link.destroy();
    }
  }

  async #exchange(
    link: Link,
    url: URL,
    headers: Record<string, string>,
    deadline: Deadline,
  ): Promise<Answer> {
    const exchange = new Exchange({
      memory: this.#context.memory,
      bodyBytesMax: this.#bodyBytesMax,
      sizeHint: this.#wireBytesHint,
    });
    deadline.onExpiry(() => {
      exchange.abort(exchange.hasBegun ? new ScrapeError(DEADLINE_TEXT) : deadlineError(url));
      if (link === this.#link) this.#disconnect();
    });
    this.#running = exchange;
    try {
      link.get(url, headers, exchange);
      return await exchange.answer;
    } catch (err) {
      if (err instanceof ScrapeError) throw err;
      if (!exchange.hasBegun && isClosedConnection(err)) throw new StaleConnection(err);
      throw transportError(url, err);
    }
  }

  /** The connection to the target itself, made anew when certificates have changed. */
  #connected(target: URL): Link {
    const tls = this.#context.credentials.tls(this.#settings.auth);
    if (this.#link !== undefined && sameTls(tls, this.#tls)) return this.#link;
    if (this.#isClosed) throw new ScrapeError('scraping stopped');
    this.#disconnect();
    this.#reused = false;
    this.#tls = tls;
    this.#link = this.#connect(target, tls);
    return this.#link;
  }

  #connect(url: URL, tls: TlsMaterial | undefined): Link {
    // What a target behind a socket redirects to is asked for there, too, as in Prometheus.
    if (this.#unixSocket !== undefined) return directLink(url, tls, this.#unixSocket);
    const proxy = this.#context.credentials.proxy(this.#settings.auth.proxy, url);
    return linkTo(url, tls, proxy, 2 * this.#intervalMs + 10_000);
  }

  #headers(timeoutMs: number): Readonly<Record<string, string>> {
    if (this.#fixed?.timeoutMs !== timeoutMs) {
      const headers = {
        accept: acceptHeader(this.#settings),
        'accept-encoding': this.#settings.enableCompression ? 'gzip' : 'identity',
        'user-agent': `Flotilla/${VERSION}`,
        'x-prometheus-scrape-timeout-seconds': formatFloat(timeoutMs / 1000),
      };
      this.#fixed = { timeoutMs, headers };
    }
    return this.#fixed.headers;
  }

  async #authorization(url: URL, deadline: Deadline): Promise<{ authorization?: string }> {
    const given = this.#context.credentials.authorization(this.#settings.auth) ?? urlAuthorization(url);
    if (given === undefined) return {};
    return { authorization: typeof given === 'string' ? given : await deadline.race(given, url) };
  }

  async #page(answer: Answer, deadline: Deadline): Promise<Page> {
    const collector = answer.body!;
    const contentType = headerOf(answer.headers, 'content-type');
    const encoding = headerOf(answer.headers, 'content-encoding').toLowerCase();
    this.#wireBytesHint = collector.length + (collector.length >> 3);
    if (encoding === '' || encoding === 'identity') {
      return { body: collector.bytes(), contentType, release: () => collector.release() };
    }
    try {
      if (encoding !== 'gzip') throw new ScrapeError(`unexpected content encoding "${encoding}", want gzip`);
      const body = await gunzipBody(collector.bytes(), this.#bodyBytesMax, this.#pageBytesHint);
      if (body.length >= this.#bodyBytesMax) throw new BodySizeError();
      if (deadline.isExpired) throw new ScrapeError(DEADLINE_TEXT);
      this.#pageBytesHint = body.length;
      return { body, contentType, release: () => undefined };
    } finally {
      collector.release();
    }
  }
}

function parseTargetUrl(text: string): URL | ScrapeError {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  const shown = text.replace(/\/\/[^/]*@/, '//xxxxx@');
  return new ScrapeError(
    url === undefined
      ? `parse ${JSON.stringify(shown)}: not a URL`
      : `Get ${JSON.stringify(shown)}: unsupported protocol scheme ${JSON.stringify(url.protocol.slice(0, -1))}`,
  );
}

/** The server closed the connection before it answered anything. */
class StaleConnection extends Error {
  constructor(cause: unknown) {
    super('connection closed', { cause });
  }
}

function isClosedConnection(err: unknown): boolean {
  const { code } = err as { code?: string };
  return (
    code === 'CONNECTION_CLOSED' || code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE'
  );
}

function checked(answer: Answer): Answer {
  if (answer.status === 200) return answer;
  const text = answer.statusText || (STATUS_CODES[answer.status] ?? '');
  throw new ScrapeError(`server returned HTTP status ${answer.status} ${text}`.trimEnd());
}

function redirectTarget(text: string, from: URL): URL {
  const url = URL.canParse(text, from.href) ? new URL(text, from) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new ScrapeError(`Get "${shownUrl(from)}": unsupported redirect to "${text.slice(0, 200)}"`);
}

function urlAuthorization(url: URL): string | undefined {
  if (url.username === '') return undefined;
  return basicAuthorization(decodeURIComponent(url.username), decodeURIComponent(url.password));
}

/** One timer for a whole scrape. */
class Deadline {
  isExpired = false;
  readonly #timer: NodeJS.Timeout;
  #expire: () => void = () => undefined;

  constructor(timeoutMs: number) {
    this.#timer = setTimeout(() => {
      this.isExpired = true;
      this.#expire();
    }, timeoutMs);
  }

  /** Replaces what happens at expiry; at once if it has passed. */
  onExpiry(expire: () => void): void {
    this.#expire = expire;
    if (this.isExpired) expire();
  }

  /** What comes first: the promise, or the end of the time for `url`. */
  race<T>(promise: Promise<T>, url: URL): Promise<T> {
    const expired = new Promise<never>((_, reject) => this.onExpiry(() => reject(deadlineError(url))));
    return Promise.race([promise, expired]);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#expire = () => undefined;
  }
}
