// Heartbeats to the operator: regularly, and soon after something that it waits for. A lost one is not repeated: the
// next says more. One at a time, so that they arrive in order.
//
// Every operator replica hears them: whichever leads next knows the fleet at once. The replicas are the addresses that the
// operator's name has.

import type { InternalClient } from '@flotilla/chassis';
import { replicaUrls } from './replica-urls.ts';

export interface HeartbeatOptions {
  readonly client: InternalClient;
  readonly operatorUrl: string;
  /** What is to be said now; valid until it is called again. */
  readonly encode: () => Uint8Array;
  readonly intervalMs?: number;
}

const intervalMs = 2000;
const coalesceMs = 200;

export class HeartbeatSender {
  readonly #options: HeartbeatOptions;
  #timer: NodeJS.Timeout | undefined;
  #dueMs = Infinity;
  #sending: Promise<void> | undefined;
  #stopped = false;
  /** Heartbeats that the operator did not take. */
  failures = 0;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  start(): void {
    this.#sendAfter(0);
  }

  /** Sends one soon, with all that happens until then. */
  soon(): void {
    this.#sendAfter(coalesceMs);
  }

  /** After a last heartbeat, which says `stopping`. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#sending;
    await this.#send();
  }

  #sendAfter(delayMs: number): void {
    const dueMs = performance.now() + delayMs;
    if (this.#stopped || dueMs >= this.#dueMs) return;
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    this.#timer = setTimeout(() => {
      this.#dueMs = Infinity;
      this.#sendInTurn();
    }, delayMs);
  }

  #sendInTurn(): void {
    if (this.#sending !== undefined) {
      this.#sendAfter(coalesceMs);
      return;
    }
    this.#sending = this.#send().finally(() => {
      this.#sending = undefined;
      this.#sendAfter(this.#options.intervalMs ?? intervalMs);
    });
  }

  /** Never rejects. */
  async #send(): Promise<void> {
    try {
      const bytes = this.#options.encode();
      const urls = await replicaUrls(this.#options.operatorUrl);
      await Promise.all(urls.map((url) => this.#sendTo(url, bytes)));
    } catch {
      this.failures++;
    }
  }

  async #sendTo(url: string, bytes: Uint8Array): Promise<void> {
    try {
      const response = await this.#options.client.postBytes(`${url}/assignment/v1/heartbeat`, bytes);
      for await (const _ of response.body); // Frees the connection.
      if (response.status >= 300) this.failures++;
    } catch {
      this.failures++;
    }
  }
}
