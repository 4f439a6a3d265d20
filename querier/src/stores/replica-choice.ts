// Which replica of a shard to ask first, and when to ask another one as well.
//
// Sticky: the lowest replica that has not failed lately. A replica that fails steps back for a while, so that a dead
// one does not cost every query its timeout. A replica that is slow is hedged: the next one is asked too, the first answer wins.

import { errorText } from '@flotilla/chassis';
import type { StoreAddress } from '@flotilla/wire';

const stepBackMs = 3000;
const hedgeAfterMs = 500;

export interface Attempt<T> {
  readonly store: StoreAddress;
  readonly value: T;
}

export interface AskResult<T> {
  readonly answer: Attempt<T> | undefined;
  readonly failures: readonly { readonly store: StoreAddress; readonly error: string }[];
}

export class ReplicaChoice {
  readonly #failedAtMs = new Map<string, number>();
  readonly #onResult: (store: StoreAddress, good: boolean) => void;

  constructor(onResult: (store: StoreAddress, good: boolean) => void = () => undefined) {
    this.#onResult = onResult;
  }

  /** Stores in the order in which to ask them. */
  order(stores: readonly StoreAddress[], nowMs: number): StoreAddress[] {
    const hasFailed = (store: StoreAddress): number =>
      nowMs - (this.#failedAtMs.get(store.name) ?? -Infinity) < stepBackMs ? 1 : 0;
    return stores.toSorted((a, b) => hasFailed(a) - hasFailed(b) || a.replica - b.replica);
  }

  /** Asks one store after the other until one answers; a silent one is hedged. Rejects only when the signal aborts. */
  ask<T>(
    stores: readonly StoreAddress[],
    signal: AbortSignal,
    call: (store: StoreAddress, signal: AbortSignal) => Promise<T>,
  ): Promise<AskResult<T>> {
    const note = (store: StoreAddress, good: boolean): void => this.#note(store, good);
    const beaten = (store: StoreAddress): void => void this.#failedAtMs.set(store.name, Date.now());
    return new Ask(this.order(stores, Date.now()), signal, call, note, beaten).run();
  }

  #note(store: StoreAddress, good: boolean): void {
    if (good) this.#failedAtMs.delete(store.name);
    else this.#failedAtMs.set(store.name, Date.now());
    this.#onResult(store, good);
  }
}

class Ask<T> {
  readonly #waiting: StoreAddress[];
  readonly #signal: AbortSignal;
  readonly #call: (store: StoreAddress, signal: AbortSignal) => Promise<T>;
  readonly #note: (store: StoreAddress, good: boolean) => void;
  /** One that was hedged and lost: it may be dead without saying so, so it steps back too. */
  readonly #beaten: (store: StoreAddress) => void;
  readonly #losers = new AbortController();
  readonly #failures: { store: StoreAddress; error: string }[] = [];
  readonly #done = Promise.withResolvers<AskResult<T>>();
  #running = 0;
  #finished = false;
  #hedge: NodeJS.Timeout | undefined;

  constructor(
    stores: StoreAddress[],
    signal: AbortSignal,
    call: (store: StoreAddress, signal: AbortSignal) => Promise<T>,
    note: (store: StoreAddress, good: boolean) => void,
    beaten: (store: StoreAddress) => void,
  ) {
    this.#waiting = stores;
    this.#signal = signal;
    this.#call = call;
    this.#note = note;
    this.#beaten = beaten;
  }

  run(): Promise<AskResult<T>> {
    this.#next();
    return this.#done.promise;
  }

  #next(): void {
    clearTimeout(this.#hedge);
    const store = this.#waiting.shift();
    if (store === undefined) {
      if (this.#running === 0) this.#finish(undefined);
      return;
    }
    this.#running++;
    void this.#attempt(store);
    if (this.#waiting.length > 0) this.#hedge = setTimeout(() => this.#next(), hedgeAfterMs);
  }

  async #attempt(store: StoreAddress): Promise<void> {
    try {
      const value = await this.#call(store, AbortSignal.any([this.#signal, this.#losers.signal]));
      this.#note(store, true);
      this.#finish({ store, value });
    } catch (error) {
      if (this.#finished) {
        this.#beaten(store);
        return;
      }
      if (this.#signal.aborted) {
        this.#abort();
        return;
      }
      this.#note(store, false);
      this.#failures.push({ store, error: errorText(error) });
      this.#running--;
      this.#next();
    }
  }

  #finish(answer: Attempt<T> | undefined): void {
    if (this.#finished) return;
    this.#finished = true;
    clearTimeout(this.#hedge);
    this.#done.resolve({ answer, failures: this.#failures });
    this.#losers.abort(new Error('another replica answered first'));
  }

  #abort(): void {
    this.#finished = true;
    clearTimeout(this.#hedge);
    this.#done.reject(this.#signal.reason as Error);
  }
}
