// Inflates a gzip body into reused memory, up to the size limit: a bomb stops there, while it is being inflated.
//
// On this thread: it takes as long as handing the body to another one, whose results are memory that nobody has touched,
// and work for V8's collector. What takes longer than a slice lets others go first.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { Inflater } from '@flotilla/kernel';
import { BodyCollector, type BodyMemory } from './body-memory.ts';
import { GzipReader } from './gzip-reader.ts';
import { BodySizeError } from './scrape-error.ts';

const sliceMs = 5;

/** Those that nobody uses: one, unless bodies that take slices come together. */
const idle: Inflater[] = [];
const idleMax = 2;

export interface GunzipOptions {
  readonly memory: BodyMemory;
  /** A result of this size or more fails. */
  readonly sizeMax: number;
  /** The expected size of the result. */
  readonly sizeHint: number;
  /** Throws when there is no use in going on. */
  readonly mustGoOn: () => void;
}

/**
 * At once, or a promise if it takes more than a slice; `bytes` must last until then. The caller releases what it gets.
 * Throws BodySizeError, or ScrapeError for bytes that are no gzip.
 */
export function gunzipBody(bytes: Buffer, options: GunzipOptions): BodyCollector | Promise<BodyCollector> {
  const inflation = new Inflation(bytes, options);
  return inflation.runSlice() ? inflation.body : inflation.finish();
}

class Inflation {
  readonly body: BodyCollector;
  readonly #options: GunzipOptions;
  readonly #inflater: Inflater;
  readonly #reader: GzipReader;

  constructor(bytes: Buffer, options: GunzipOptions) {
    this.#options = options;
    this.#inflater = idle.pop() ?? new Inflater();
    this.#reader = new GzipReader(this.#inflater, bytes);
    this.body = new BodyCollector(options.memory, options.sizeHint);
  }

  /** Whether that was the last one. Then, and when it throws, all but the body is given back. */
  runSlice(): boolean {
    try {
      this.#inflate();
    } catch (err) {
      this.body.release();
      this.#end();
      throw err;
    }
    if (this.#reader.isDone) this.#end();
    return this.#reader.isDone;
  }

  async finish(): Promise<BodyCollector> {
    do await nextTurn();
    while (!this.runSlice());
    return this.body;
  }

  #inflate(): void {
    const { sizeMax, mustGoOn } = this.#options;
    const endMs = performance.now() + sliceMs;
    mustGoOn();
    do {
      const piece = this.#reader.read(sizeMax - this.body.length);
      if (this.body.length + piece.length >= sizeMax) throw new BodySizeError();
      this.body.push(piece);
    } while (!this.#reader.isDone && performance.now() < endMs);
  }

  #end(): void {
    this.#inflater.forget();
    if (idle.length < idleMax) idle.push(this.#inflater);
    else this.#inflater.close();
  }
}
