// The client of the operator's assignment stream: connects, resumes with the version that is applied, hands over frames
// one by one, and begins again after silence or any fault. While it cannot connect, nothing changes.

import { errorText, type InternalClient, type Logger, pause } from '@flotilla/chassis';
import { type AssignmentFrame, decodeAssignmentFrame, FrameDecoder } from '@flotilla/wire';

export interface StreamOptions {
  readonly client: InternalClient;
  readonly operatorUrl: string;
  readonly fleet: string;
  readonly shard: number;
  readonly replica: number;
  readonly log: Logger;
  /** The version that is applied, '' for none. */
  readonly version: () => string;
  /** Takes one frame; the next one waits for it. 'resync' asks for a snapshot. */
  readonly onFrame: (frame: AssignmentFrame) => Promise<'applied' | 'resync'>;
  readonly backoffMinMs?: number;
  readonly backoffMaxMs?: number;
}

/** Keepalives come every 5 s. */
const silenceMaxMs = 15_000;
const backoffMinMs = 200;
const backoffMaxMs = 5000;

export class AssignmentStream {
  readonly #options: StreamOptions;
  #resync = false;
  #connected = false;
  #failures = 0;

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  /** Whether frames come in now. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Follows the stream until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#follow(signal);
      } catch (err) {
        if (!signal.aborted) this.#logLoss(err);
      }
      this.#connected = false;
      await this.#backOff(signal);
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { client, onFrame, version } = this.#options;
    const since = this.#resync ? '' : version();
    const response = await client.get(this.#url(since), { signal, idleTimeoutMs: silenceMaxMs });
    if (response.status !== 200)
      throw new Error(`status ${response.status}: ${await readStart(response.body)}`);
    const decoder = new FrameDecoder();
    for await (const bytes of response.body) {
      for (const payload of decoder.push(bytes)) {
        this.#resync = (await onFrame(decodeAssignmentFrame(payload))) === 'resync';
        if (this.#resync) return;
        this.#noteFrame();
      }
    }
    throw new Error('the operator ended the stream');
  }

  #noteFrame(): void {
    if (!this.#connected)
      this.#options.log.info('Follows the assignment', { operator: this.#options.operatorUrl });
    this.#connected = true;
    this.#failures = 0;
  }

  #url(version: string): string {
    const { operatorUrl, fleet, shard, replica } = this.#options;
    const query = new URLSearchParams({ fleet, shard: String(shard), replica: String(replica), version });
    return `${operatorUrl}/assignment/v1/stream?${query.toString()}`;
  }

  #logLoss(err: unknown): void {
    this.#failures++;
    if (this.#failures === 1) {
      this.#options.log.warn('Lost the assignment stream, scraping goes on', { reason: errorText(err) });
    }
  }

  /** Doubles from failure to failure, up to the maximum; at random, so that a fleet does not knock at once. */
  async #backOff(signal: AbortSignal): Promise<void> {
    const min = this.#options.backoffMinMs ?? backoffMinMs;
    const max = Math.min(this.#options.backoffMaxMs ?? backoffMaxMs, min * 2 ** Math.min(this.#failures, 16));
    await pause(min + Math.random() * (max - min), signal);
  }
}

async function readStart(body: AsyncIterable<Uint8Array>): Promise<string> {
  for await (const bytes of body) return Buffer.from(bytes).toString('utf8', 0, 200).trim();
  return '';
}
