// For tests.

import type { Clock } from './clock.ts';

/** A clock that stands still until it is told to go on. */
export class TestClock implements Clock {
  now: number;
  #wakes: { atMs: number; wake: () => void }[] = [];

  constructor(now: number) {
    this.now = now;
  }

  nowMs(): number {
    return this.now;
  }

  wakeAfter(delayMs: number, wake: () => void): () => void {
    const entry = { atMs: this.now + delayMs, wake };
    this.#wakes.push(entry);
    return () => void (this.#wakes = this.#wakes.filter((other) => other !== entry));
  }

  /** Lets time pass, with every wake at its time. */
  advance(ms: number): void {
    const endMs = this.now + ms;
    for (;;) {
      const next = this.#wakes.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#wakes = this.#wakes.filter((other) => other !== next);
      this.now = Math.max(this.now, next.atMs);
      next.wake();
    }
    this.now = endMs;
  }

  /** Time passes and nothing gets to run: a blocked process, a stepped clock. */
  jump(ms: number): void {
    this.now += ms;
    for (const entry of this.#wakes) entry.atMs = ms < 0 ? entry.atMs + ms : Math.max(entry.atMs, this.now);
  }
}
