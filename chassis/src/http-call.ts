// One HTTP call to another part: a deadline for the headers, then one for each chunk of the body.
//
// The body is watched from the start: one that nobody reads for `idleMs` is cut too, so that a forgotten
// answer holds no connection.

import { freeMemory, Unavailable } from '@flotilla/model';
import { Agent, type AgentOptions, type IncomingMessage, request as requestHttp } from 'node:http';
import { type Agent as TlsAgent, request as requestHttps } from 'node:https';
import type { OnReadOpts, Socket } from 'node:net';
import { TLSSocket, type SecureContextOptions } from 'node:tls';
import { errorText } from './error-text.ts';

/** An answer as it comes. Read `body` to its end, break out of it, or discard(): each frees the connection. */
export interface StreamResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Throws Unavailable when the sender stops or pauses too long, and the signal's reason after an abort. */
  readonly body: AsyncIterable<Uint8Array>;
  discard(): void;
}

export interface HttpCall {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array | null;
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  readonly idleMs: number;
  /** Whether a chunk of the body is gone when the next one is asked for. */
  readonly transient: boolean;
}

/** `POST http://host:port/path`: no query, no credentials. */
export function whereOf({ method, url }: Pick<HttpCall, 'method' | 'url'>): string {
  const { origin, pathname } = new URL(url);
  return `${method} ${origin}${pathname}`;
}

/** The connections of one client. */
export interface ConnectionPool {
  readonly plain: Agent;
  readonly tls: TlsAgent;
  /** What a new connection is made with; other credentials never share one. */
  readonly credentials: () => SecureContextOptions;
  readonly connectTimeoutMs: number;
}

const readBytes = 1 << 16;

/**
 * An agent whose sockets all read into one buffer: the parser of HTTP copies what is a body, and as garbage outside of the
 * heap a buffer for each read would have the whole heap marked every few megabytes.
 */
export function plainAgent(options: AgentOptions): Agent {
  const onread: OnReadOpts = { buffer: new Uint8Array(readBytes), callback: emitData };
  return new Agent({ ...options, onread } as AgentOptions);
}

function emitData(this: Socket, bytes: number, buffer: Uint8Array): boolean {
  this.emit('data', Buffer.from(buffer.buffer, 0, bytes));
  return true;
}

export async function sendCall(pool: ConnectionPool, call: HttpCall): Promise<StreamResponse> {
  call.signal?.throwIfAborted();
  const watch = new CallWatch(call);
  watch.expect(call.timeoutMs, 'no answer');
  try {
    const response = await responseOf(pool, call, watch.signal);
    watch.expect(call.idleMs, 'no data');
    return {
      status: response.statusCode!,
      headers: response.headers,
      body: readBody(response, watch, call),
      discard: () => freeBody(response, watch),
    };
  } catch (err) {
    watch.end();
    throw watch.failure(err);
  }
}

/** Resolves with the headers. What breaks the call later breaks the response's body. */
function responseOf(pool: ConnectionPool, call: HttpCall, signal: AbortSignal): Promise<IncomingMessage> {
  const { method, headers, body, url } = call;
  return new Promise((resolve, reject) => {
    const request = url.startsWith('https:')
      ? requestHttps(url, { method, headers, agent: pool.tls, ...pool.credentials() })
      : requestHttp(url, { method, headers, agent: pool.plain });
    signal.addEventListener('abort', () => request.destroy(signal.reason as Error), { once: true });
    request.once('socket', (socket) => limitConnecting(socket, pool.connectTimeoutMs));
    request.once('response', (response) => {
      // An abort of a body that nobody reads must not be an uncaught error.
      response.on('error', () => undefined);
      signal.addEventListener('abort', () => response.destroy(signal.reason as Error), { once: true });
      resolve(response);
    });
    request.on('error', reject);
    request.end(body ?? undefined);
  });
}

function limitConnecting(socket: Socket, withinMs: number): void {
  if (!socket.connecting) return;
  const late = (): void => void socket.destroy(new Error(`no connection in ${withinMs} ms`));
  const timer = setTimeout(late, withinMs);
  socket.once('close', () => clearTimeout(timer));
  socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => clearTimeout(timer));
}

/** So many chunks may wait for a reader before the sender has to. */
const waitingMax = 4;

async function* readBody(
  body: IncomingMessage,
  watch: CallWatch,
  { idleMs, transient }: HttpCall,
): AsyncGenerator<Uint8Array> {
  try {
    // Its events are over, so that nobody would hear of it.
    if (body.destroyed) throw body.errored ?? new Error('the connection has ended');
    const arrivals = new Arrivals(body);
    for (;;) {
      const chunk = await arrivals.next();
      if (chunk === undefined) break;
      watch.rest(); // The time that the reader takes is not the sender's.
      yield chunk;
      if (transient) freeMemory(chunk);
      watch.expect(idleMs, 'no data');
    }
    if (!body.complete) throw new Error('the connection ended within the body');
  } catch (err) {
    throw watch.failure(err);
  } finally {
    freeBody(body, watch);
  }
}

/** What of a body has come and nobody has taken. Small, as each call has one: the queues of events.on() are 32 KB. */
class Arrivals {
  readonly #body: IncomingMessage;
  readonly #waiting: Uint8Array[] = [];
  #isOver = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(body: IncomingMessage) {
    this.#body = body;
    const over = (error?: Error): void => {
      this.#error ??= error;
      this.#isOver = true;
      this.#wake?.();
    };
    body
      .on('data', (chunk: Uint8Array) => {
        if (this.#waiting.push(chunk) === waitingMax) body.pause();
        this.#wake?.();
      })
      .once('error', over)
      .once('end', over)
      .once('close', over);
  }

  /** The next chunk; undefined at the end. Throws what broke the body, once all that came is taken. */
  async next(): Promise<Uint8Array | undefined> {
    while (this.#waiting.length === 0 && !this.#isOver)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    const chunk = this.#waiting.shift();
    if (chunk === undefined && this.#error !== undefined) throw this.#error;
    if (this.#waiting.length === 0 && this.#body.isPaused()) this.#body.resume();
    return chunk;
  }
}

function freeBody(body: IncomingMessage, watch: CallWatch): void {
  watch.end();
  body.destroy();
}

/** Ends a call when its deadline passes or its caller gives up, and knows which of them it was. */
class CallWatch {
  readonly #where: string;
  readonly #caller: AbortSignal | undefined;
  readonly #abort = new AbortController();
  readonly #cancel = (): void => this.#abort.abort(this.#caller?.reason);
  #timer: NodeJS.Timeout | undefined;

  constructor(call: HttpCall) {
    this.#where = whereOf(call);
    this.#caller = call.signal;
    this.#caller?.addEventListener('abort', this.#cancel, { once: true });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  expect(withinMs: number, what: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#abort.abort(new Error(`${what} in ${withinMs} ms`)), withinMs);
  }

  rest(): void {
    clearTimeout(this.#timer);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener('abort', this.#cancel);
  }

  /** A cancelled call throws the reason of its signal; everything else that breaks a call may work next time. */
  failure(err: unknown): unknown {
    if (this.#caller?.aborted === true) return this.#caller.reason;
    const cause: unknown = this.#abort.signal.aborted ? this.#abort.signal.reason : err;
    return new Unavailable(`${this.#where}: ${errorText(cause)}`, { cause });
  }
}
