// How punctually targets are scraped, as they see it themselves, which is fair to both sides.

export interface Lateness {
  readonly scrapes: number;
  /** Scrapes that began more than `lateMs` later than an interval after the one before. */
  readonly late: number;
  /** Scrapes that should have been and were not. */
  readonly missed: number;
}

const lateMs = 100;

export class Punctuality {
  readonly #intervalMs: number;
  readonly #lastMs = new Map<string, number>();
  #counts = { scrapes: 0, late: 0, missed: 0 };

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  note(target: string, nowMs: number): void {
    const gapMs = nowMs - (this.#lastMs.get(target) ?? nowMs - this.#intervalMs);
    this.#lastMs.set(target, nowMs);
    this.#counts.scrapes++;
    this.#counts.missed += Math.max(0, Math.round(gapMs / this.#intervalMs) - 1);
    if (gapMs > this.#intervalMs + lateMs) this.#counts.late++;
  }

  /** What happened since the last call. */
  take(): Lateness {
    const counts = this.#counts;
    this.#counts = { scrapes: 0, late: 0, missed: 0 };
    return counts;
  }
}
