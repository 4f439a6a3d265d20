// Which series of a target end: those whose lines the last successful scrape had and this one has not.
//
// The line cache knows them as long as it lasts, and those of lines that it does not learn are kept here. What the cache is
// about to forget (it is cleared, the scrape failed, the target's rules change) waits here for the transaction that writes
// the markers. Series of lines with timestamps of their own end without a marker, unless the job says otherwise.

import type { LineCache } from '@flotilla/kernel';

/** Refs of a page, as far as ends depend on them. */
export interface PageSeries {
  /** Lines that the last successful scrape had and this one has not. */
  readonly missing: Uint32Array;
  /** Of lines that the cache took for another's. */
  readonly doubtful: readonly number[];
  /** With a time of their own, that go on: all or none, by the job. */
  readonly stamped: readonly number[];
  /** With a time of their own, of lines that the cache knows: they end if the last scrape had them without one. */
  readonly mayEnd: readonly number[];
  /** Without a time of their own; asked for in rare cases. */
  readonly untimed: () => Iterable<number>;
}

const none: ReadonlySet<number> = new Set();

export class SeriesEnds {
  readonly #lines: LineCache;
  #waiting: ReadonlySet<number>;
  #unmarked: ReadonlySet<number> = new Set();
  /** Of lines that the cache does not learn. */
  #unlearned: ReadonlySet<number> = new Set();
  /** Whether what the cache knows was there in the last scrape, and has not ended since. */
  #isPresent = false;

  /** `waiting`: refs that an older ingest of the same target left. */
  constructor(lines: LineCache, waiting: Iterable<number>) {
    this.#lines = lines;
    this.#waiting = new Set(waiting);
  }

  /** Whether the last scrape succeeded and the cache knows all that it had. */
  get isSettled(): boolean {
    const unknown = this.#waiting.size + this.#unlearned.size + this.#unmarked.size;
    return this.#isPresent && unknown === 0;
  }

  /** Whether the last successful scrape had it, though the cache does not know. */
  wasPresent(ref: number): boolean {
    return this.#waiting.has(ref) || this.#unlearned.has(ref);
  }

  /** Takes everything that was there out of the cache; its lines stay known. */
  takeAll(): void {
    const absent = this.#lines.takeAbsent();
    this.#isPresent = false;
    this.#waiting = new Set([...this.#waiting, ...this.#marked(absent), ...this.#unlearned]);
    this.#unlearned = none;
  }

  /**
   * Refs to end with a page: what its scan misses, what waits or is doubtful, less what is there in another way. One that was
   * there without a time of its own and has one now ends, too, as in Prometheus, and goes on unmarked.
   */
  endedBy({ missing, doubtful, stamped, mayEnd, untimed }: PageSeries): Uint32Array {
    const stampedRefs = new Set(stamped);
    // Those of missing lines that have a sample at this time all the same get none: it would be no newer.
    const ended = this.#marked(missing).filter((ref) => !stampedRefs.has(ref));
    const present = this.#isPresent ? this.#marked(Uint32Array.from([...doubtful, ...mayEnd])) : [];
    if (this.#waiting.size === 0 && this.#unlearned.size === 0 && present.length === 0) return ended;
    const kept = new Set([...untimed(), ...stamped]);
    const others = new Set([...this.#waiting, ...this.#unlearned, ...present]);
    return Uint32Array.from([...ended, ...[...others].filter((ref) => !kept.has(ref))]);
  }

  /** All that waits. */
  all(): Uint32Array {
    return Uint32Array.from(this.#waiting);
  }

  /** The markers of all that waited are committed. */
  ended(): void {
    this.#waiting = new Set();
  }

  /**
   * The scrape is committed; `unmarked` are the series of its page that end without a marker, `unlearned` those that the
   * cache will not know.
   */
  written(unmarked: readonly number[], unlearned: readonly number[]): void {
    this.#isPresent = true;
    if (this.#waiting.size > 0) this.#waiting = new Set();
    if (unmarked.length > 0 || this.#unmarked.size > 0) this.#unmarked = new Set(unmarked);
    this.#unlearned = unlearned.length === 0 ? none : new Set(this.#marked(Uint32Array.from(unlearned)));
  }

  #marked(refs: Uint32Array): Uint32Array {
    const unmarked = this.#unmarked;
    return unmarked.size === 0 ? refs : refs.filter((ref) => !unmarked.has(ref));
  }
}
