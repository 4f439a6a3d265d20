// A kept-alive HTTP/1.1 connection to one origin, with or without TLS: one GET at a time.
//
// Hot: a scrape is a few reads of 64 KiB and more. All sockets read into one buffer, whose content is taken before the next
// read, so that neither a read nor a waiting connection costs memory. There are no timers: the caller has a deadline, and
// aborts.

import { connect, isIP, type NetConnectOpts, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { NameCache } from './name-cache.ts';
import { MalformedResponse } from './malformed-response.ts';
import type { ResponseHeaders } from './response-head.ts';
import { ResponseReader } from './response-reader.ts';
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

interface Exchange {
  readonly handler: ExchangeHandler;
  readonly reader: ResponseReader;
}

export class HttpConnection implements ExchangeController {
  readonly #origin: URL;
  readonly #tls: TlsMaterial | undefined;
  readonly #unixSocket: string | undefined;
  #socket: Socket | undefined;
  /** Of the last TLS connection, so that the next one is cheap. */
  #session: Buffer | undefined;
  #exchange: Exchange | undefined;

  /** Connects when it is asked for something. `tls` is of use for https; `unixSocket` stands for host and port. */
  constructor(origin: URL, tls: TlsMaterial | undefined, unixSocket?: string) {
    this.#origin = origin;
    this.#tls = tls;
    this.#unixSocket = unixSocket;
  }

  /** `path` and `headers` are checked: what could end a line throws. */
  get(path: string, headers: Readonly<Record<string, string>>, handler: ExchangeHandler): void {
    const head = requestHead(this.#origin.host, path, headers);
    const reader = new ResponseReader({
      onHead: ({ status, statusText, headers: received }) => {
        handler.onResponseStart(this, status, received, statusText);
        this.#mustRun(reader);
      },
      onData: (bytes) => {
        handler.onResponseData(this, bytes);
        this.#mustRun(reader);
      },
    });
    this.#exchange = { handler, reader };
    handler.onRequestStart(this);
    if (this.#exchange?.reader !== reader) return; // Aborted already.
    this.#socket ??= this.#connect();
    this.#socket.write(head, 'latin1');
  }

  abort(err: Error): void {
    const exchange = this.#exchange;
    this.destroy();
    exchange?.handler.onResponseError(this, err);
  }

  /** Ends the connection, silently; the next request makes a new one. */
  destroy(): void {
    this.#exchange = undefined;
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
    const exchange = this.#exchange;
    if (exchange === undefined) {
      this.destroy(); // It talks without being asked.
      return false;
    }
    try {
      exchange.reader.push(readBuffer().subarray(0, count));
    } catch (err) {
      if (this.#exchange === exchange) this.abort(err as Error);
      return false;
    }
    if (exchange.reader.isDone) this.#finish(exchange);
    return true;
  }

  #finish({ handler, reader }: Exchange): void {
    this.#exchange = undefined;
    if (!reader.isReusable) this.destroy();
    handler.onResponseEnd(this);
  }

  #ended(socket: Socket, err?: Error): void {
    if (socket !== this.#socket) return;
    const exchange = this.#exchange;
    if (exchange === undefined) this.destroy();
    else if (err === undefined && exchange.reader.end()) this.#finish(exchange);
    else this.abort(err ?? new ClosedConnection('connection closed'));
  }

  /** Stops the reader when its exchange was ended by what it read. */
  #mustRun(reader: ResponseReader): void {
    if (this.#exchange?.reader !== reader) throw new MalformedResponse('exchange ended');
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
