// One request and its answer, as a connection or undici's dispatcher calls back. The body is collected only if it may be of
// use: that of an error or a redirect is thrown away, so that the connection can go on, or cut if it is long.

import { BodyCollector, type BodyMemory } from './body-memory.ts';
import type { ExchangeController, ExchangeHandler } from './http-connection.ts';
import { headerOf, type ResponseHeaders } from './response-head.ts';
import { BodySizeError } from './scrape-error.ts';

const discardedBytesMax = 64 << 10;
const eagerBytesMax = 1 << 20;

export interface ExchangeOptions {
  readonly memory: BodyMemory;
  /** A body of this size or more fails. */
  readonly bodyBytesMax: number;
  readonly sizeHint: number;
}

export interface Answer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: ResponseHeaders;
  /** Set for status 200 only. The receiver releases it. */
  readonly body: BodyCollector | undefined;
}

/** Is called back once, with one of both. */
export interface ExchangeOwner {
  /** To be read, or kept with its keep(), before this returns. Must not throw. */
  onAnswer(answer: Answer, exchange: Exchange): void;
  onFailure(err: unknown, exchange: Exchange): void;
}

export class Exchange implements ExchangeHandler {
  /** Whether the server sent anything. */
  hasBegun = false;

  readonly #options: ExchangeOptions;
  readonly #owner: ExchangeOwner;
  #isOver = false;
  #controller: ExchangeController | undefined;
  #aborted: Error | undefined;
  #status = 0;
  #statusText = '';
  #headers: ResponseHeaders = {};
  #declaredBytes = NaN;
  #body: BodyCollector | undefined;
  #discarded = 0;

  constructor(options: ExchangeOptions, owner: ExchangeOwner) {
    this.#options = options;
    this.#owner = owner;
  }

  /** Ends the exchange with `err`. */
  abort(err: Error): void {
    this.#aborted = err;
    this.#controller?.abort(err);
    this.#fail(err);
  }

  onRequestStart(controller: ExchangeController): void {
    this.#controller = controller;
    if (this.#aborted !== undefined) controller.abort(this.#aborted);
  }

  onResponseStart(
    controller: ExchangeController,
    status: number,
    headers: ResponseHeaders,
    text = '',
    length = Number(headerOf(headers, 'content-length')),
  ): void {
    this.hasBegun = true;
    if (status < 200) return;
    this.#status = status;
    this.#statusText = text;
    this.#headers = headers;
    if (status !== 200) return;
    this.#declaredBytes = length;
    if (this.#declaredBytes >= this.#options.bodyBytesMax) controller.abort(new BodySizeError());
    // What is declared is not yet sent: memory for a large body comes as the body does.
    else this.#body = new BodyCollector(this.#options.memory, this.#expectedBytes);
  }

  get #expectedBytes(): number {
    return Math.max(Math.min(this.#declaredBytes || 0, eagerBytesMax), this.#options.sizeHint);
  }

  onResponseData(controller: ExchangeController, chunk: Buffer): void {
    const body = this.#body;
    if (this.#aborted !== undefined) return;
    if (body === undefined) {
      this.#discarded += chunk.length;
      if (this.#discarded <= discardedBytesMax) return;
      this.onResponseEnd();
      controller.abort(new Error('the rest is of no use'));
    } else if (body.length + chunk.length >= this.#options.bodyBytesMax) {
      controller.abort(new BodySizeError());
    } else if (chunk.length === this.#declaredBytes && body.length === 0) {
      body.borrow(chunk);
    } else {
      this.#guarded(controller, () => body.push(chunk));
    }
  }

  onResponseEnd(): void {
    if (this.#aborted !== undefined || this.#isOver) return;
    this.#isOver = true;
    const body = this.#body;
    this.#body = undefined;
    this.#owner.onAnswer(
      { status: this.#status, statusText: this.#statusText, headers: this.#headers, body },
      this,
    );
  }

  onResponseError(_controller: ExchangeController, err: Error): void {
    this.#fail(err);
  }

  #fail(err: Error): void {
    this.#body?.release();
    this.#body = undefined;
    if (this.#isOver) return;
    this.#isOver = true;
    this.#owner.onFailure(err, this);
  }

  #guarded(controller: ExchangeController, step: () => void): void {
    try {
      step();
    } catch (err) {
      controller.abort(err as Error);
    }
  }
}
