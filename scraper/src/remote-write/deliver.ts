// Brings one request to its destination: tries again what may succeed later, gives up what never will, and counts both.

import { type Logger, pause } from '@flotilla/chassis';
import type { RemoteWrite } from '@flotilla/wire';
import { addCounts, type Counts, noCounts, type SendStats } from './send-stats.ts';
import type { WriteAnswer, WriteClient } from './write-client.ts';

export interface DeliveryOptions {
  readonly config: RemoteWrite;
  readonly client: WriteClient;
  readonly stats: SendStats;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly observe: (durationMs: number) => void;
}

/** A destination that is down is told of this often. */
const LOG_INTERVAL_MS = 30_000;

export class Delivery {
  readonly #options: DeliveryOptions;
  #loggedMs = -Infinity;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the request is taken or given up, or when the signal aborts: then nothing is known. True: it was refused for
   * something in it, and the rest of it may be taken alone; not so unless `maySplit`.
   */
  async send(body: Uint8Array, counts: Readonly<Counts>, maySplit = false): Promise<boolean> {
    const { config, client, stats, signal, observe } = this.#options;
    let backoffMs = config.queue.minBackoffMs;
    for (let attempt = 0; !signal.aborted; attempt++) {
      const startedMs = performance.now();
      const answer = await client.post(body, attempt, signal);
      if (signal.aborted) return false;
      observe(performance.now() - startedMs);
      if (answer.status === 400 && maySplit) return true;
      if (!this.#mayRetry(answer)) {
        this.#settle(answer, body, counts, attempt);
        return false;
      }
      addCounts(stats.retried, counts);
      this.#warn('Remote write failed, is tried again', { reason: answer.reason, attempt });
      await pause(Math.max(backoffMs, answer.retryAfterMs ?? 0), signal);
      backoffMs = Math.min(2 * backoffMs, config.queue.maxBackoffMs);
    }
    return false;
  }

  /** A redirect is an error of the configuration: nothing is lost while it is put right. */
  #mayRetry({ status }: WriteAnswer): boolean {
    if (status === 429) return this.#options.config.queue.retryOnRateLimit;
    return status === 0 || status >= 500 || (status >= 300 && status < 400);
  }

  #settle(answer: WriteAnswer, body: Uint8Array, counts: Readonly<Counts>, attempt: number): void {
    const { config, stats } = this.#options;
    const isTaken = answer.status >= 200 && answer.status < 300;
    const written = takenOf(answer, counts, config);
    addCounts(stats.sent, counts);
    addCounts(stats.failed, {
      samples: Math.max(0, counts.samples - written.samples),
      histograms: Math.max(0, counts.histograms - written.histograms),
      exemplars: Math.max(0, counts.exemplars - written.exemplars),
    });
    stats.bytes += body.length;
    if (!isTaken) this.#warn('Remote write refused', { reason: answer.reason, attempt, ...counts });
    else if (config.messageVersion === '2.0' && answer.written === undefined)
      this.#warn('Remote write 2.0 taken without a word of what was written: want messageVersion V1.0', {});
  }

  #warn(message: string, fields: Record<string, unknown>): void {
    const nowMs = performance.now();
    if (nowMs - this.#loggedMs < LOG_INTERVAL_MS) return;
    this.#loggedMs = nowMs;
    this.#options.log.warn(message, fields);
  }
}

/** 2.0 says how many it wrote, also when it refused others; 1.0 takes a request whole. */
function takenOf(
  { status, written }: WriteAnswer,
  counts: Readonly<Counts>,
  config: RemoteWrite,
): Readonly<Counts> {
  if (config.messageVersion === '2.0') return written ?? noCounts();
  return status >= 200 && status < 300 ? counts : noCounts();
}
