// Runs a group at its slots: phase + k·interval on the wall clock, the same for both replicas. A slot that passes while the
// evaluation before it still runs is counted and skipped, never doubled.

import type { GroupEvaluator } from './group-evaluator.ts';
import type { RulerCounters } from './ruler-counters.ts';

export class GroupLoop {
  readonly evaluator: GroupEvaluator;
  readonly #counters: RulerCounters;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(evaluator: GroupEvaluator, counters: RulerCounters) {
    this.evaluator = evaluator;
    this.#counters = counters;
    this.#schedule(this.#slotAfter(Date.now()));
  }

  /** Resolves when no evaluation runs. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #slotAfter(timeMs: number): number {
    const { phaseMs, intervalMs } = this.evaluator.schedule;
    return (Math.floor((timeMs - phaseMs) / intervalMs) + 1) * intervalMs + phaseMs;
  }

  #schedule(slotMs: number): void {
    this.#timer = setTimeout(
      () => {
        this.#running = this.#run(slotMs);
      },
      Math.max(0, slotMs - Date.now()),
    );
  }

  async #run(slotMs: number): Promise<void> {
    this.#counters.iterations++;
    await this.evaluator.evaluate(slotMs);
    if (this.#stopped) return;
    const next = this.#slotAfter(Math.max(slotMs, Date.now() - 1));
    this.#counters.missed += Math.max(0, Math.round((next - slotMs) / this.evaluator.intervalMs) - 1);
    this.#schedule(next);
  }
}
