// Time as the scheduler sees it: the wall clock, since slots are points on it. Tests pass their own.

export interface Clock {
  /** Unix time in ms. */
  nowMs(): number;
  /** Calls `wake` once after about `delayMs`; the returned function takes that back. */
  wakeAfter(delayMs: number, wake: () => void): () => void;
}

export const wallClock: Clock = {
  nowMs: () => Date.now(),
  wakeAfter: (delayMs, wake) => {
    const timer = setTimeout(wake, delayMs);
    return () => clearTimeout(timer);
  },
};
