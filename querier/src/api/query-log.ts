// The query log: every query as a line of JSON in a file, in Prometheus's shape; and a warning for each query that was slow.

import { errorText } from '@flotilla/chassis';
import type { Logger, Request } from '@flotilla/chassis';
import type { QueryStats } from '@flotilla/promql';
import { createWriteStream } from 'node:fs';
import type { WriteStream } from 'node:fs';
import type { Span } from '../evaluation/jobs.ts';
import { statsJson } from '../evaluation/query-json.ts';

export interface QueryLogOptions {
  /** '' for none. */
  readonly file: string;
  /** Queries that took so long are told in the log; 0 for none. */
  readonly slowMs: number;
  readonly log: Logger;
}

export interface LoggedQuery extends Span {
  readonly query: string;
}

/** Characters of a query in the log: enough to find it, too few to fill a disk. */
const queryLengthMax = 4096;
/** Lines that wait for a slow disk; more are dropped. */
const pendingBytesMax = 1 << 20;

export class QueryLog {
  readonly #options: QueryLogOptions;
  readonly #file: WriteStream | undefined;
  #failed = false;

  constructor(options: QueryLogOptions) {
    this.#options = options;
    if (options.file === '') return;
    this.#file = createWriteStream(options.file, { flags: 'a' });
    this.#file.on('error', (error) => {
      this.#failed = true;
      options.log.error('query log not written', { file: options.file, err: errorText(error) });
    });
  }

  /** `tookMs` counts from the request, waiting included. */
  ended(
    request: Request,
    query: LoggedQuery,
    tookMs: number,
    stats: QueryStats | undefined,
    error: string,
  ): void {
    const text = query.query.slice(0, queryLengthMax);
    const { slowMs, log } = this.#options;
    if (slowMs > 0 && tookMs >= slowMs) {
      const seconds = tookMs / 1000;
      const samples = stats === undefined ? {} : { samples: stats.samples, peakSamples: stats.peakSamples };
      const span = { start: iso(query.startMs), end: iso(query.endMs), step: query.stepMs / 1000 };
      log.warn('slow query', {
        query: text,
        ...span,
        seconds,
        ...samples,
        ...(error !== '' && { err: error }),
      });
    }
    if (this.#file === undefined || this.#failed || this.#file.writableLength > pendingBytesMax) return;
    this.#file.write(`${JSON.stringify(lineOf(request, { ...query, query: text }, stats, error))}\n`);
  }

  async close(): Promise<void> {
    const file = this.#file;
    if (file === undefined || this.#failed) return;
    await new Promise<void>((resolve) => file.end(resolve));
  }
}

function lineOf(
  request: Request,
  { query, startMs, endMs, stepMs }: LoggedQuery,
  stats: QueryStats | undefined,
  error: string,
): unknown {
  return {
    time: new Date().toISOString(),
    msg: 'promql query logged',
    params: { end: iso(endMs), query, start: iso(startMs), step: Math.round(stepMs / 1000) },
    ...(stats !== undefined && { stats: statsJson(stats) }),
    ...(error !== '' && { error }),
    httpRequest: {
      clientIP: request.socket.remoteAddress ?? '',
      method: request.method,
      path: request.originalUrl.split('?', 1)[0],
    },
  };
}

function iso(timeMs: number): string {
  const date = new Date(timeMs);
  return Number.isNaN(date.getTime()) ? String(timeMs / 1000) : date.toISOString();
}
