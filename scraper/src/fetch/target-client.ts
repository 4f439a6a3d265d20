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
import { BodyCollector, type BodyMemory } from './body-memory.ts';
import { basicAuthorization } from './basic-authorization.ts';
import type { Credentials } from './credentials.ts';
import { Deadline } from './deadline.ts';
import { type Answer, Exchange, type ExchangeOwner } from './exchange.ts';
import { gunzipBody } from './gunzip-body.ts';
import { directLink, type Link, linkTo } from './links.ts';
import { headerOf } from './response-head.ts';
import { deadlineError, DEADLINE_TEXT, ScrapeError, shownUrl, transportError } from './scrape-error.ts';
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

/** What a fetch came to. */
export interface Page {
  /** Valid until onPage() returns. */
  readonly body: Buffer;
  readonly contentType: string;
}

/** Is called back once per fetch, with one of both, which may be before fetch() returns. Must not throw. */
export interface PageSink {
  onPage(page: Page): void;
  /** ScrapeError, unless it is a fault of ours. */
  onFailure(err: unknown): void;
}

type Headers = Readonly<Record<string, string>>;

export class TargetClient implements ExchangeOwner {
  readonly #context: FetchContext;
  /** Or why every fetch fails: Prometheus makes URLs by text, and not every text is one. */
  readonly #url: URL | ScrapeError;
  readonly #unixSocket: string | undefined;
  readonly #settings: FetchSettings;
  readonly #intervalMs: number;
  readonly #bodyBytesMax: number;
  readonly #deadline = new Deadline();
  #sink: PageSink | undefined;
  #link: Link | undefined;
  #tls: TlsMaterial | undefined;
  #running: Exchange | undefined;
  #isClosed = false;
  #reused = false;
  /** Headers that are the same for each fetch of this timeout. */
  #fixed: { readonly timeoutMs: number; readonly headers: Headers } | undefined;
  /** With credentials that came after them: the same object as long as nothing changes. */
  #sent: { readonly fixed: Headers; readonly headers: Headers } | undefined;
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

  /** One at a time. */
  fetch(timeoutMs: number, sink: PageSink): void {
    this.#sink = sink;
    this.#deadline.start(timeoutMs);
    try {
      if (this.#url instanceof ScrapeError) throw this.#url;
      const fixed = this.#headers(timeoutMs);
      const given = this.#authorization(this.#url);
      if (given instanceof Promise) void this.#getSlowly(this.#url, fixed, given);
      else this.#get(this.#url, this.#withAuthorization(fixed, given));
    } catch (err) {
      this.#fail(err);
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

  #fail(err: unknown): void {
    this.#ended()?.onFailure(err);
  }

  /** Ends the fetch: gives whom to tell. */
  #ended(): PageSink | undefined {
    const sink = this.#sink;
    this.#sink = undefined;
    this.#running = undefined;
    this.#deadline.clear();
    return sink;
  }

  async #getSlowly(url: URL, fixed: Headers, given: Promise<string>): Promise<void> {
    try {
      this.#get(url, this.#withAuthorization(fixed, await this.#race(given, url)));
    } catch (err) {
      this.#fail(err);
    }
  }

  /** Asks the target itself. */
  #get(target: URL, headers: Headers): void {
    this.#exchange(this.#connected(target), target, headers, this);
  }

  onAnswer(answer: Answer): void {
    this.#reused = true;
    if (this.#isRedirect(answer)) void this.#redirected(answer);
    else this.#finish(answer);
  }

  onFailure(err: unknown, exchange: Exchange): void {
    const url = this.#url as URL;
    const mayBeStale = this.#reused && isStale(exchange, err) && this.#sent !== undefined;
    if (!mayBeStale) return this.#fail(transportError(url, err));
    this.#reused = false;
    try {
      this.#get(url, this.#sent!.headers);
    } catch (failure) {
      this.#fail(failure);
    }
  }

  #isRedirect({ status, headers }: Answer): boolean {
    return redirects.has(status) && this.#settings.followRedirects && headerOf(headers, 'location') !== '';
  }

  async #redirected(first: Answer): Promise<void> {
    try {
      this.#finish(await this.#follow(first, this.#url as URL));
    } catch (err) {
      this.#fail(err);
    }
  }

  async #follow(first: Answer, target: URL): Promise<Answer> {
    const headers = this.#fixed!.headers;
    let answer = first;
    let url = target;
    for (let hop = 0; this.#isRedirect(answer); hop++) {
      if (hop === redirectsMax)
        throw new ScrapeError(`Get "${shownUrl(url)}": stopped after ${redirectsMax} redirects`);
      url = redirectTarget(headerOf(answer.headers, 'location'), url);
      answer =
        url === target || url.origin === target.origin
          ? await this.#getAgain(url, target, headers)
          : await this.#getElsewhere(url, target, headers);
    }
    return answer;
  }

  async #getAgain(url: URL, target: URL, headers: Headers): Promise<Answer> {
    const wasReused = this.#reused;
    const sent = await this.#authorized(url, headers);
    const link = this.#connected(target);
    let exchange: Exchange | undefined;
    try {
      const answer = await this.#answer(link, url, sent, (one) => (exchange = one));
      this.#reused = true;
      return answer;
    } catch (err) {
      if (!wasReused || exchange === undefined || !isStale(exchange, err)) throw transportError(url, err);
    }
    this.#reused = false;
    return this.#getAgain(url, target, headers);
  }

  /** Another host of a redirect: a connection of its own, without our credentials. */
  async #getElsewhere(url: URL, target: URL, headers: Headers): Promise<Answer> {
    const isSameHost = url.hostname === target.hostname && url.protocol === 'https:';
    const tls = this.#context.credentials.tls(this.#settings.auth);
    const link = this.#connect(url, isSameHost ? tls : trustOnly(tls));
    try {
      return await this.#answer(link, url, isSameHost ? await this.#authorized(url, headers) : headers);
    } catch (err) {
      throw transportError(url, err);
    } finally {
      link.destroy();
    }
  }

  #answer(link: Link, url: URL, headers: Headers, onBegun?: (exchange: Exchange) => void): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const onAnswer = (answer: Answer): void => {
        try {
          answer.body?.keep();
          resolve(answer);
        } catch (err) {
          reject(err);
        }
      };
      const onFailure = (err: unknown, exchange: Exchange): void => {
        onBegun?.(exchange);
        reject(err);
      };
      this.#exchange(link, url, headers, { onAnswer, onFailure });
    });
  }

  #exchange(link: Link, url: URL, headers: Headers, owner: ExchangeOwner): void {
    const exchange = new Exchange(
      { memory: this.#context.memory, bodyBytesMax: this.#bodyBytesMax, sizeHint: this.#wireBytesHint },
      owner,
    );
    this.#running = exchange;
    this.#deadline.onExpiry(() => {
      exchange.abort(exchange.hasBegun ? new ScrapeError(DEADLINE_TEXT) : deadlineError(url));
      if (link === this.#link) this.#disconnect();
    });
    try {
      link.get(url, headers, exchange);
    } catch (err) {
      exchange.abort(transportError(url, err));
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

  #headers(timeoutMs: number): Headers {
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

  #withAuthorization(fixed: Headers, authorization: string | undefined): Headers {
    const sent = this.#sent;
    if (sent?.fixed === fixed && sent.headers['authorization'] === authorization) return sent.headers;
    const headers = authorization === undefined ? fixed : { ...fixed, authorization };
    this.#sent = { fixed, headers };
    return headers;
  }

  #authorization(url: URL): string | undefined | Promise<string> {
    return this.#context.credentials.authorization(this.#settings.auth) ?? urlAuthorization(url);
  }

  async #authorized(url: URL, headers: Headers): Promise<Headers> {
    const given = this.#authorization(url);
    if (given === undefined) return headers;
    return { ...headers, authorization: typeof given === 'string' ? given : await this.#race(given, url) };
  }

  /** What comes first: the promise, or the end of the time for `url`. */
  #race<T>(promise: Promise<T>, url: URL): Promise<T> {
    const expired = new Promise<never>((_, reject) => {
      this.#deadline.onExpiry(() => reject(deadlineError(url)));
    });
    return Promise.race([promise, expired]);
  }

  #finish(answer: Answer): void {
    try {
      const collector = checked(answer).body!;
      const encoding = headerOf(answer.headers, 'content-encoding').toLowerCase();
      this.#wireBytesHint = collector.length + (collector.length >> 3);
      if (encoding === 'gzip') return this.#inflate(collector, answer);
      if (encoding !== '' && encoding !== 'identity')
        throw new ScrapeError(`unexpected content encoding "${encoding}", want gzip`);
      this.#give(collector.bytes(), answer);
      collector.release();
    } catch (err) {
      answer.body?.release();
      this.#fail(err);
    }
  }

  /** At once, unless the body takes too long for that. */
  #inflate(collector: BodyCollector, answer: Answer): void {
    collector.keep();
    const body = gunzipBody(collector.bytes(), {
      memory: this.#context.memory,
      sizeMax: this.#bodyBytesMax,
      sizeHint: this.#pageBytesHint,
      mustGoOn: () => this.#mustGoOn(),
    });
    if (body instanceof BodyCollector) {
      this.#giveInflated(body, answer);
      collector.release();
    } else void this.#giveLater(body, collector, answer);
  }

  async #giveLater(
    inflating: Promise<BodyCollector>,
    collector: BodyCollector,
    answer: Answer,
  ): Promise<void> {
    try {
      this.#giveInflated(await inflating, answer);
    } catch (err) {
      this.#fail(err);
    } finally {
      collector.release();
    }
  }

  #mustGoOn(): void {
    if (this.#deadline.isExpired) throw new ScrapeError(DEADLINE_TEXT);
    if (this.#isClosed) throw new ScrapeError('scraping stopped');
  }

  #giveInflated(body: BodyCollector, answer: Answer): void {
    this.#pageBytesHint = body.length + (body.length >> 3);
    this.#give(body.bytes(), answer);
    body.release();
  }

  #give(body: Buffer, { headers }: Answer): void {
    this.#ended()?.onPage({ body, contentType: headerOf(headers, 'content-type') });
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

/** Whether the server closed the connection before it answered anything. */
function isStale(exchange: Exchange, err: unknown): boolean {
  return !exchange.hasBegun && !(err instanceof ScrapeError) && isClosedConnection(err);
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
