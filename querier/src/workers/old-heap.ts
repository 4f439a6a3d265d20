// The garbage that queries of large results leave in a thread's old heap. Queries of small results add little to it, so V8 would
// not look for it again: 1000 native histograms by 240 steps left 130 MiB until the thread's end.
//
// While such queries come one after the other the heap is left alone but for once in a while: a collection after each
// would only have V8 grow it again, which takes a third of their time. How long that is, collections themselves say.

/** Garbage that is not worth a collection; some of it is what a nursery holds. */
const GARBAGE_BYTES = 8 << 20;
/** How long garbage is left alone: 50 times what the last collection took, so that they take a fiftieth of the thread's time at most. */
const WAIT_PER_COLLECTION = 50;
const WAIT_MS_MIN = 2000;

export interface OldHeapOptions {
  readonly usedBytes: () => number;
  readonly collect: () => void;
}

export class OldHeap {
  readonly #options: OldHeapOptions;
  #running = 0;
  /** What lived after the last collection, and the most that was used since: V8 keeps pages that it has emptied by itself. */
  #liveBytes = 0;
  #mostBytes = 0;
  #waitMs = WAIT_MS_MIN;
  #timer: NodeJS.Timeout | undefined;
  #isDue = false;

  constructor(options: OldHeapOptions) {
    this.#options = options;
  }

  begin(): void {
    this.#running++;
  }

  end(): void {
    this.#running--;
    this.#mostBytes = Math.max(this.#mostBytes, this.#options.usedBytes());
    if (this.#isDue) this.#collectBetween();
    else if (this.#timer === undefined && this.#hasGarbage()) this.#wait();
  }

  #hasGarbage(): boolean {
    return this.#mostBytes >= this.#liveBytes + GARBAGE_BYTES;
  }

  #wait(): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#isDue = true;
      this.#collectBetween();
    }, this.#waitMs);
    this.#timer.unref();
  }

  /** Between queries: what those that run hold would be moved for nothing. */
  #collectBetween(): void {
    if (this.#running > 0) return;
    this.#isDue = false;
    const begunMs = performance.now();
    this.#options.collect();
    this.#waitMs = Math.max(WAIT_MS_MIN, WAIT_PER_COLLECTION * (performance.now() - begunMs));
    this.#liveBytes = this.#options.usedBytes();
    this.#mostBytes = this.#liveBytes;
  }
}
