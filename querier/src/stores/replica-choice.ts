// Which replica of a shard to ask first, and when to ask another one as well.
//
// Sticky: the lowest replica that has not failed lately. A replica that fails steps back for a while: it is asked last, and not at
// all for what the first one lacks, so that a dead one does not cost every query its timeout. A replica that is slow is hedged:
// the next one is asked too, the first answer wins.

import { errorText } from '@flotilla/chassis/thread';
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
  readonly #failures = new Map<string, { readonly atMs: number; readonly error: string }>();
  readonly #onResult: (store: StoreAddress, good: boolean) => void;

  constructor(onResult: (store: StoreAddress, good: boolean) => void = () => undefined) {
    this.#onResult = onResult;
  }

  /** Stores in the order in which to ask them. */
  order(stores: readonly StoreAddress[], nowMs: number): StoreAddress[] {
    const hasFailed = (store: StoreAddress): number =>
      nowMs - (this.#failures.get(store.name)?.atMs ?? -Infinity) < stepBackMs ? 1 : 0;
    return stores.toSorted((a, b) => hasFailed(a) - hasFailed(b) || a.replica - b.replica);
  }

  /** Why a store that is stepping back failed; '' for one that is not, or that was only slower than another. */
  failureOf(store: StoreAddress, nowMs: number): string {
    const failure = this.#failures.get(store.name);
    return failure !== undefined && nowMs - failure.atMs < stepBackMs ? failure.error : '';
  }

  /** Asks one store after the other until one answers; a silent one is hedged. Rejects only when the signal aborts. */
  ask<T>(
    stores: readonly StoreAddress[],
    signal: AbortSignal,
    call: (store: StoreAddress, signal: AbortSignal) => Promise<T>,
  ): Promise<AskResult<T>> {
    const note = (store: StoreAddress, error: string): void => this.#note(store, error);
    const beaten = (store: StoreAddress): void =>
      void this.#failures.set(store.name, { atMs: Date.now(), error: '' });
    return new Ask(this.order(stores, Date.now()), signal, call, note, beaten).run();
  }

  /** `error` is '' for an answer. */
  #note(store: StoreAddress, error: string): void {
    if (error === '') this.#failures.delete(store.name);
    else this.#failures.set(store.name, { atMs: Date.now(), error });
    this.#onResult(store, error === '');
  }
}

class Ask<T> {
  readonly #waiting: StoreAddress[];
  readonly #signal: AbortSignal;
  readonly #call: (store: StoreAddress, signal: AbortSignal) => Promise<T>;
  readonly #note: (store: StoreAddress, error: string) => void;
  /** One that was hedged and lost: it may be dead without saying so, so it steps back too. */
  readonly #beaten: (store: StoreAddress) => void;
  /** Aborted with the query's signal, and for the others when one has answered. */
  readonly #ends = new AbortController();
  readonly #failures: { store: StoreAddress; error: string }[] = [];
  readonly #done = Promise.withResolvers<AskResult<T>>();
  #running = 0;
  #finished = false;
  #hedge: NodeJS.Timeout | undefined;

  constructor(
    stores: StoreAddress[],
    signal: AbortSignal,
    call: (store: StoreAddress, signal: AbortSignal) => Promise<T>,
    note: (store: StoreAddress, error: string) => void,
    beaten: (store: StoreAddress) => void,
  ) {
    this.#waiting = stores;
    this.#signal = signal;
    this.#call = call;
    this.#note = note;
    this.#beaten = beaten;
  }

  async run(): Promise<AskResult<T>> {
    const end = (): void => this.#ends.abort(this.#signal.reason);
    if (this.#signal.aborted) end();
    this.#signal.addEventListener('abort', end, { once: true });
    try {
      this.#next();
      return await this.#done.promise;
    } finally {
      this.#signal.removeEventListener('abort', end);
    }
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
      const value = await this.#call(store, this.#ends.signal);
      this.#note(store, '');
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
      this.#note(store, errorText(error));
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
    if (this.#running > 1) this.#ends.abort(new Error('another replica answered first'));
  }

  #abort(): void {
    this.#finished = true;
    clearTimeout(this.#hedge);
    this.#done.reject(this.#signal.reason as Error);
  }
}
