// Serves pages by case and round to some systems at once, each at its own pace: /SYSTEM/CASE. Refuses all until it is opened.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RoundsCase } from './mutations.ts';

/** What a system has asked for, by case. */
export interface Progress {
  readonly refused: number[];
  readonly served: number[];
  /** By case, the scrapes that did not read the page to its end. */
  readonly broken: Set<number>[];
  /** By case and round: when the page was asked for, Unix ms, and how many ms later all of it was in the socket. */
  readonly answers: { readonly askedMs: number; writtenMs?: number }[][];
}

export class RoundsServer {
  readonly #cases: readonly RoundsCase[];
  readonly #rounds: number;
  readonly #systems = new Map<string, Progress>();
  readonly #server: Server;
  #isOpen = false;
  address = '';

  constructor(cases: readonly RoundsCase[], rounds: number, systems: readonly string[]) {
    this.#cases = cases;
    this.#rounds = rounds;
    for (const system of systems)
      this.#systems.set(system, {
        refused: cases.map(() => 0),
        served: cases.map(() => 0),
        broken: cases.map(() => new Set()),
        answers: cases.map(() => []),
      });
    // A connection that ends between scrapes may cost a second try.
    this.#server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
      const [, system = '', number = ''] = request.url!.split('/');
      const progress = this.#systems.get(system)!;
      const index = Number(number);
      if (!this.#isOpen) {
        progress.refused[index]!++;
        response.statusCode = 503;
        response.end();
        return;
      }
      const { contentType, body } = this.#cases[index]!;
      const scrape = progress.served[index]!++;
      const answer: Progress['answers'][number][number] = { askedMs: Date.now() };
      progress.answers[index]!.push(answer);
      response.on('finish', () => (answer.writtenMs = Date.now() - answer.askedMs));
      response.on('close', () => {
        if (!response.writableFinished) progress.broken[index]!.add(scrape);
      });
      response.setHeader('content-type', contentType);
      response.end(body(Math.min(scrape, this.#rounds - 1)));
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    this.address = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  progress(system: string): Progress {
    return this.#systems.get(system)!;
  }

  /** Whether each system has asked for each case. */
  get isKnown(): boolean {
    return [...this.#systems.values()].every(({ refused }) => refused.every((count) => count > 0));
  }

  open(): void {
    this.#isOpen = true;
  }

  /** Whether each case was served in all rounds, and once more. */
  get isDone(): boolean {
    return [...this.#systems.values()].every(({ served }) => served.every((count) => count > this.#rounds));
  }

  /** The least and the most rounds that a system is in, and which cases are behind. */
  get state(): string {
    return [...this.#systems]
      .map(([name, { served }]) => {
        const behind = served.flatMap((count, i) => (count <= this.#rounds ? [`${i}: ${count}`] : []));
        const shown = `${name} ${Math.min(...served)}..${Math.max(...served)}`;
        return `${shown}, ${behind.length} behind: ${behind.slice(0, 10).join(', ')}`;
      })
      .join('; ');
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
