// One request and its answer, as undici's dispatcher calls back. The body is collected only if it may be of use: that
// of an error or a redirect is thrown away, so that the connection can go on, or cut if it is long.

import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { BodyCollector, type BodyMemory } from './body-memory.ts';
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
  readonly headers: IncomingHttpHeaders;
  /** Set for status 200 only. The receiver releases it. */
  readonly body: BodyCollector | undefined;
}

export class Exchange implements Dispatcher.DispatchHandler {
  readonly answer: Promise<Answer>;
  /** Whether the server sent anything. */
  hasBegun = false;

  readonly #options: ExchangeOptions;
  #resolve!: (answer: Answer) => void;
  #reject!: (err: Error) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #aborted: Error | undefined;
  #status = 0;
  #statusText = '';
  #headers: IncomingHttpHeaders = {};
  #body: BodyCollector | undefined;
  #discarded = 0;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Ends the exchange with `err`. */
  abort(err: Error): void {
    this.#aborted = err;
    this.#controller?.abort(err);
    this.#fail(err);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#aborted !== undefined) controller.abort(this.#aborted);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    text = '',
  ): void {
    this.hasBegun = true;
    if (status < 200) return;
    this.#status = status;
    this.#statusText = text;
    this.#headers = headers;
    if (status !== 200) return;
    const declaredBytes = Number(headers['content-length'] ?? 0);
    if (declaredBytes >= this.#options.bodyBytesMax) {
      controller.abort(new BodySizeError());
      return;
    }
    this.#guarded(controller, () => {
      // What is declared is not yet sent: memory for a large body comes as the body does.
      const expectedBytes = Math.max(Math.min(declaredBytes, eagerBytesMax), this.#options.sizeHint);
      this.#body = new BodyCollector(this.#options.memory, expectedBytes);
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const body = this.#body;
    if (this.#aborted !== undefined) return;
    if (body === undefined) {
      this.#discarded += chunk.length;
      if (this.#discarded <= discardedBytesMax) return;
      this.onResponseEnd();
      controller.abort(new Error('the rest is of no use'));
    } else if (body.length + chunk.length >= this.#options.bodyBytesMax) {
      controller.abort(new BodySizeError());
    } else {
      this.#guarded(controller, () => body.push(chunk));
    }
  }

  onResponseEnd(): void {
    if (this.#aborted !== undefined) return;
    const body = this.#body;
    this.#body = undefined;
    this.#resolve({ status: this.#status, statusText: this.#statusText, headers: this.#headers, body });
  }

  onResponseError(_controller: Dispatcher.DispatchController, err: Error): void {
    this.#fail(err);
  }

  #fail(err: Error): void {
    this.#body?.release();
    this.#body = undefined;
    this.#reject(err);
  }

  #guarded(controller: Dispatcher.DispatchController, step: () => void): void {
    try {
      step();
    } catch (err) {
      controller.abort(err as Error);
    }
  }
}
