// A kept-alive HTTP/1.1 connection to one origin, with or without TLS: one GET at a time.
//
// Hot: a scrape is a few reads of 64 KiB and more. All sockets read into one buffer, whose content is taken before the next
// read, so that neither a read nor a waiting connection costs memory. There are no timers: the caller has a deadline, and
// aborts.

import { connect, isIP, type NetConnectOpts, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { NameCache } from './name-cache.ts';
import { MalformedResponse } from './malformed-response.ts';
import type { KnownHead } from './known-head.ts';
import type { ResponseHead, ResponseHeaders } from './response-head.ts';
import { ResponseReader, type ResponseSink } from './response-reader.ts';
import type { TlsMaterial } from './tls-material.ts';

/** Of the process: so is the resolver behind it. */
const names = new NameCache();

/** What a connection can be told to do while an exchange lasts. */
export interface ExchangeController {
  /** Ends the exchange, with onResponseError(), and the connection. */
  abort(err: Error): void;
}

/** Takes the answer of one request. Nothing is called after an end or an error. */
export interface ExchangeHandler {
  onRequestStart(controller: ExchangeController): void;
  onResponseStart(
    controller: ExchangeController,
    status: number,
    headers: ResponseHeaders,
    text?: string,
    /** Of the body; NaN where the head does not say, absent where only `headers` do. */
    length?: number,
  ): void;
  /** A view, valid for this call. */
  onResponseData(controller: ExchangeController, bytes: Buffer): void;
  onResponseEnd(controller: ExchangeController): void;
  onResponseError(controller: ExchangeController, err: Error): void;
}

/** The peer closed before its answer ended. */
export class ClosedConnection extends Error {
  readonly code = 'CONNECTION_CLOSED';
}

const readBytes = 256 << 10;
let shared: Buffer | undefined;

function readBuffer(): Buffer {
  shared ??= Buffer.allocUnsafeSlow(readBytes);
  return shared;
}

export class HttpConnection implements ExchangeController, ResponseSink {
  readonly #origin: URL;
  readonly #tls: TlsMaterial | undefined;
  readonly #unixSocket: string | undefined;
  #socket: Socket | undefined;
  /** Of the last TLS connection, so that the next one is cheap. */
  #session: Buffer | undefined;
  /** Both are set while an exchange lasts. */
  #handler: ExchangeHandler | undefined;
  #reader: ResponseReader | undefined;
  #knownHead: KnownHead | undefined;
  /** The request that was sent last, and what it was made of. */
  #request: Buffer | undefined;
  #path = '';
  #headers: Readonly<Record<string, string>> | undefined;

  /** Connects when it is asked for something. `tls` is of use for https; `unixSocket` stands for host and port. */
  constructor(origin: URL, tls: TlsMaterial | undefined, unixSocket?: string) {
    this.#origin = origin;
    this.#tls = tls;
    this.#unixSocket = unixSocket;
  }

  /**
   * `path` and `headers` are checked: what could end a line throws. The same headers in the same object cost nothing.
   */
  get(path: string, headers: Readonly<Record<string, string>>, handler: ExchangeHandler): void {
    const request = this.#requestOf(path, headers);
    this.#handler = handler;
    this.#reader = new ResponseReader(this, this.#knownHead);
    handler.onRequestStart(this);
    if (this.#handler !== handler) return; // Aborted already.
    this.#socket ??= this.#connect();
    this.#socket.write(request);
  }

  #requestOf(path: string, headers: Readonly<Record<string, string>>): Buffer {
    if (this.#request === undefined || path !== this.#path || headers !== this.#headers) {
      this.#request = Buffer.from(requestHead(this.#origin.host, path, headers), 'latin1');
      this.#path = path;
      this.#headers = headers;
    }
    return this.#request;
  }

  /** For the reader. */
  onHead({ status, statusText, headers }: ResponseHead, length: number): void {
    const handler = this.#handler!;
    handler.onResponseStart(this, status, headers, statusText, length);
    this.#mustRun(handler);
  }

  /** For the reader. */
  onData(bytes: Buffer): void {
    const handler = this.#handler!;
    handler.onResponseData(this, bytes);
    this.#mustRun(handler);
  }

  abort(err: Error): void {
    const handler = this.#handler;
    this.destroy();
    handler?.onResponseError(this, err);
  }

  /** Ends the connection, silently; the next request makes a new one. */
  destroy(): void {
    this.#handler = undefined;
    this.#reader = undefined;
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #connect(): Socket {
    const { hostname, port, protocol } = this.#origin;
    const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
    const tcp = { host, port: Number(port || (protocol === 'https:' ? 443 : 80)), lookup: names.lookup };
    const options = {
      ...(this.#unixSocket === undefined ? tcp : { path: this.#unixSocket }),
      noDelay: true,
      onread: { buffer: readBuffer(), callback: (count: number): boolean => this.#take(socket, count) },
    };
    const socket = protocol === 'https:' ? connectTls(this.#secured(options, host)) : connect(options);
    socket.on('session', (session: Buffer) => void (this.#session = session));
    socket.on('error', (err) => this.#ended(socket, err));
    socket.on('end', () => this.#ended(socket));
    socket.on('close', () => this.#ended(socket));
    return socket;
  }

  #secured(options: NetConnectOpts, host: string): ConnectionOptions {
    const servername = this.#tls?.servername ?? (isIP(host) === 0 ? host : '');
    return { ...options, ALPNProtocols: ['http/1.1'], ...this.#tls, servername, session: this.#session };
  }

  #take(socket: Socket, count: number): boolean {
    if (socket !== this.#socket) return false;
    const reader = this.#reader;
    if (reader === undefined) {
      this.destroy(); // It talks without being asked.
      return false;
    }
    try {
      reader.push(readBuffer().subarray(0, count));
    } catch (err) {
      if (this.#reader === reader) this.abort(err as Error);
      return false;
    }
    if (reader.isDone) this.#finish(reader);
    return true;
  }

  #finish(reader: ResponseReader): void {
    const handler = this.#handler!;
    this.#handler = undefined;
    this.#reader = undefined;
    this.#knownHead = reader.knownHead;
    if (!reader.isReusable) this.destroy();
    handler.onResponseEnd(this);
  }

  #ended(socket: Socket, err?: Error): void {
    if (socket !== this.#socket) return;
    const reader = this.#reader;
    if (reader === undefined) this.destroy();
    else if (err === undefined && reader.end()) this.#finish(reader);
    else this.abort(err ?? new ClosedConnection('connection closed'));
  }

  /** Stops the reader when its exchange was ended by what it read. */
  #mustRun(handler: ExchangeHandler): void {
    if (this.#handler !== handler) throw new MalformedResponse('exchange ended');
  }
}

const forbidden = /[^\t\x20-\x7e\x80-\xff]/;

function requestHead(host: string, path: string, headers: Readonly<Record<string, string>>): string {
  let head = `GET ${path} HTTP/1.1\r\nhost: ${host}\r\n`;
  for (const [name, value] of Object.entries(headers)) {
    if (forbidden.test(value)) throw new TypeError(`header ${name}: a character that no header may have`);
    head += `${name}: ${value}\r\n`;
  }
  return `${head}\r\n`;
}
