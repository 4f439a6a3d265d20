// The garbage that queries of large results leave in a thread's old heap. Queries of small results add little to it, so V8 would
// not look for it again: 1000 native histograms by 240 steps left 130 MiB until the thread's end.
//
// While such queries come one after the other the heap is left alone: they would only have V8 grow it again, which
// takes a third of their time.

/** Garbage that is not worth a collection, which blocks the thread for some 0.1 s. */
const GARBAGE_BYTES = 48 << 20;
/** A query that takes less leaves little. */
const LONG_MS = 200;

export interface OldHeapOptions {
  readonly usedBytes: () => number;
  readonly collect: () => void;
  /** How long no long query must have ended. */
  readonly quietMs: number;
}

export class OldHeap {
  readonly #options: OldHeapOptions;
  #running = 0;
  /** What lived after the last collection. */
  #liveBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #isDue = false;

  constructor(options: OldHeapOptions) {
    this.#options = options;
  }

  begin(): void {
    this.#running++;
  }

  /** A query ended that took so long. */
  end(tookMs: number): void {
    this.#running--;
    if (this.#isDue) this.#collectBetween();
    else if (this.#hasGarbage() && (this.#timer === undefined || tookMs >= LONG_MS)) this.#wait();
  }

  #hasGarbage(): boolean {
    return this.#options.usedBytes() >= 2 * this.#liveBytes + GARBAGE_BYTES;
  }

  #wait(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#isDue = true;
      this.#collectBetween();
    }, this.#options.quietMs);
    this.#timer.unref();
  }

  /** Between queries: what those that run hold would be moved for nothing. */
  #collectBetween(): void {
    if (this.#running > 0) return;
    this.#isDue = false;
    if (!this.#hasGarbage()) return;
    this.#options.collect();
    this.#liveBytes = this.#options.usedBytes();
  }
}
