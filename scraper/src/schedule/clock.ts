// Time as the scheduler sees it: the wall clock, since slots are points on it. Tests pass their own.

export interface Clock {
  /** Unix time in ms. */
  nowMs(): number;
  /** Calls `wake` once after about `delayMs`; the returned function takes that back. */
  wakeAfter(delayMs: number, wake: () => void): () => void;
}

/**
 * Wakes lie on multiples of this: with thousands of targets, what falls due close together starts together. To wake a
 * process costs more than sending a request and taking its answer. A target's shift is the same at each of its slots.
 */
const grainMs = 20;

export const wallClock: Clock = {
  nowMs: () => Date.now(),
  wakeAfter: (delayMs, wake) => {
    const nowMs = Date.now();
    const timer = setTimeout(wake, Math.ceil((nowMs + delayMs) / grainMs) * grainMs - nowMs);
    return () => clearTimeout(timer);
  },
};
