// Hot: the memory of a query's columns: slabs that many series share, which go from query to query.

const SLAB_MIN = 1 << 10;
const SLAB_MAX = 1 << 15;

/** As many as a query of some thousand series of native histograms has: as garbage they would have V8 mark its whole heap. */
const IDLE_MAX = 192;
/** What no query needed for so long goes back to the system. */
const PERIOD_MS = 3000;
const idle: Float64Array<ArrayBuffer>[] = [];
/** Slabs that arenas have, those that nobody released included, and the most of this period. */
let lent = 0;
let mostLent = 0;
let trimming: NodeJS.Timeout | undefined;

function trimEachPeriod(): void {
  trimming ??= setTimeout(() => {
    trimming = undefined;
    for (const slab of idle.splice(0, Math.max(0, lent + idle.length - mostLent))) slab.buffer.transfer(0);
    mostLent = lent;
    if (idle.length > 0) trimEachPeriod();
  }, PERIOD_MS).unref();
}

/** Columns that end together: those of one query. Their slabs go to the next arena. */
export class ColumnArena {
  #isReleased = false;
  readonly #slabs: Float64Array<ArrayBuffer>[] = [];
  #slab: Float64Array = new Float64Array(0);
  #used = 0;

  /** A column with anything in it. Throws after release(). */
  column(length: number): Float64Array {
    if (this.#isReleased) throw new Error('columns: their query is over');
    if (this.#used + length > this.#slab.length) {
      const next = Math.min(SLAB_MAX, Math.max(SLAB_MIN, 2 * this.#slab.length));
      this.#slab = this.#take(Math.max(length, next));
      this.#used = 0;
    }
    return this.#slab.subarray(this.#used, (this.#used += length));
  }

  #take(length: number): Float64Array<ArrayBuffer> {
    const isWhole = length === SLAB_MAX;
    if (isWhole) mostLent = Math.max(mostLent, ++lent);
    const slab = (isWhole ? idle.pop() : undefined) ?? new Float64Array(length);
    this.#slabs.push(slab);
    return slab;
  }

  /** Nobody reads the columns any more. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    for (const slab of this.#slabs) {
      const isWhole = slab.length === SLAB_MAX;
      if (isWhole) lent--;
      if (isWhole && idle.length < IDLE_MAX) idle.push(slab);
      else slab.buffer.transfer(0); // At once: memory outside of the heap makes V8 look for garbage.
    }
    if (idle.length > 0) trimEachPeriod();
  }
}
