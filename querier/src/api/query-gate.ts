// At most so many queries evaluate at once; the others wait their turn, in order, until their client goes or their time is up.

import { ApiError } from '@flotilla/chassis';

interface Waiter {
  readonly enter: () => void;
}

export class QueryGate {
  readonly max: number;
  readonly #waiting: Waiter[] = [];
  #running = 0;

  constructor(max: number) {
    this.max = max;
  }

  get running(): number {
    return this.#running;
  }

  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#enter(signal);
    try {
      return await work();
    } finally {
      this.#running--;
      this.#waiting.shift()?.enter();
    }
  }

  #enter(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw aborted(signal);
    if (this.#running < this.max) {
      this.#running++;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(aborted(signal));
      };
      const waiter: Waiter = {
        enter: () => {
          signal.removeEventListener('abort', leave);
          this.#running++;
          resolve();
        },
      };
      this.#waiting.push(waiter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}

function aborted(signal: AbortSignal): ApiError {
  const timedOut = (signal.reason as Error | undefined)?.name === 'TimeoutError';
  return timedOut
    ? new ApiError('timeout', 'query timed out in query queue')
    : new ApiError('canceled', 'query was canceled in query queue');
}
