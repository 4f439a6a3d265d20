// Keeps the rules folder equal to what the operator serves. The folder is on the ruler's own disk, so that it evaluates on
// while no operator answers, over restarts too. Only a whole answer changes anything.

import { errorText, pause, writeFileAtomic } from '@flotilla/chassis';
import type { InternalClient, Logger } from '@flotilla/chassis';
import { RULES_PATH } from '@flotilla/wire';
import type { RuleFile } from '@flotilla/wire';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

export interface RuleFeedOptions {
  readonly client: InternalClient;
  readonly operatorUrl: string;
  readonly folder: string;
  readonly log: Logger;
  readonly pollMs?: number;
}

const pollMs = 2000;
const answerBytesMax = 64 << 20;
const filesMax = 20_000;

const feedSchema = z.object({
  version: z.literal(1),
  files: z
    .array(z.object({ file: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,500}\.yaml$/), text: z.string() }))
    .max(filesMax),
});

export class RuleFeed {
  readonly #options: RuleFeedOptions;
  readonly #stopping = new AbortController();
  #etag = '';
  #isFailing = false;
  #running: Promise<void> | undefined;

  constructor(options: RuleFeedOptions) {
    this.#options = options;
    mkdirSync(options.folder, { recursive: true });
  }

  /** Resolves after the first answer of the operator; at once if an earlier run has left rules. */
  async start(): Promise<void> {
    const hasRules = readdirSync(this.#options.folder).length > 0;
    let answered: () => void = () => {};
    const first = new Promise<void>((resolve) => (answered = resolve));
    this.#running = this.#poll(answered);
    if (!hasRules) await first;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #poll(answered: () => void): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#fetch();
        this.#isFailing = false;
        answered();
      } catch (error) {
        this.#failed(error);
      }
      await pause(this.#options.pollMs ?? pollMs, this.#stopping.signal);
    }
    answered();
  }

  #failed(error: unknown): void {
    if (this.#isFailing || this.#stopping.signal.aborted) return;
    this.#isFailing = true;
    this.#options.log.warn('rules cannot be fetched, those that are known hold', { err: errorText(error) });
  }

  async #fetch(): Promise<void> {
    const { client, operatorUrl } = this.#options;
    const url = operatorUrl + RULES_PATH;
    const response = await client.get(url, {
      signal: this.#stopping.signal,
      headers: this.#etag === '' ? {} : { 'if-none-match': this.#etag },
    });
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    for await (const chunk of response.body) {
      sizeBytes += chunk.length;
      if (sizeBytes > answerBytesMax) throw new Error(`GET ${url}: more than ${answerBytesMax} bytes`);
      chunks.push(chunk);
    }
    if (response.status === 304) return;
    const text = Buffer.concat(chunks).toString('utf8');
    if (response.status !== 200)
      throw new Error(`GET ${url}: status ${response.status}: ${text.slice(0, 200).trim()}`);
    const { files } = feedSchema.parse(JSON.parse(text));
    await this.#write(files);
    this.#etag = String(response.headers['etag'] ?? '');
  }

  async #write(files: readonly RuleFile[]): Promise<void> {
    const { folder } = this.#options;
    const wanted = new Map(files.map(({ file, text }) => [file, text]));
    for (const name of readdirSync(folder)) if (!wanted.has(name)) rmSync(join(folder, name));
    for (const [file, text] of wanted) {
      const path = join(folder, file);
      if (!existsSync(path) || readFileSync(path, 'utf8') !== text) await writeFileAtomic(path, text);
    }
  }
}
