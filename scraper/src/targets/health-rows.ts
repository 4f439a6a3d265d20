// Hot: the health of all targets, a row of numbers for each. A scrape writes one row; a heartbeat reads all of them every two
// seconds, which is several for each scrape: so they lie beside each other, and not wherever the targets' objects are.

import type { HeartbeatWriter, TargetHealth } from '@flotilla/wire';

const STRIDE = 8;
const ID = 0;
const LAST_SCRAPE_MS = 1;
const SCRAPES = 2;
const UP = 3;
const LAST_DURATION_MS = 4;
const SAMPLES = 5;
const FREE = -1;

/** What one scrape says. */
export type ScrapeHealth = Pick<TargetHealth, 'lastScrapeMs' | 'up' | 'lastDurationMs' | 'samples' | 'error'>;

type Changeable = { -readonly [K in keyof TargetHealth]: TargetHealth[K] };

const unknown: TargetHealth = {
  id: 0,
  lastScrapeMs: 0,
  scrapes: 0,
  up: false,
  lastDurationMs: 0,
  samples: 0,
  error: '',
};

export class HealthRows {
  #numbers = new Float64Array(16 * STRIDE);
  /** Of those that have one. */
  readonly #errors = new Map<number, string>();
  readonly #free: number[] = [];
  #used = 0;

  /** A row for a target that was not scraped yet. */
  take(id: number): number {
    const row = this.#free.pop() ?? this.#used++;
    if (this.#used * STRIDE > this.#numbers.length) this.#grow();
    this.#numbers.fill(0, row * STRIDE, (row + 1) * STRIDE);
    this.#numbers[row * STRIDE + ID] = id;
    return row;
  }

  release(row: number): void {
    this.#numbers[row * STRIDE + ID] = FREE;
    this.#errors.delete(row);
    this.#free.push(row);
  }

  note(row: number, { lastScrapeMs, up, lastDurationMs, samples, error }: ScrapeHealth): void {
    const numbers = this.#numbers;
    const at = row * STRIDE;
    numbers[at + LAST_SCRAPE_MS] = lastScrapeMs;
    if (up) numbers[at + SCRAPES]! += 1;
    numbers[at + UP] = up ? 1 : 0;
    numbers[at + LAST_DURATION_MS] = lastDurationMs;
    numbers[at + SAMPLES] = samples;
    if (error !== '') this.#errors.set(row, error);
    else if (this.#errors.size > 0) this.#errors.delete(row);
  }

  read(row: number): TargetHealth {
    return this.#readInto({ ...unknown }, row);
  }

  all(): TargetHealth[] {
    const all: TargetHealth[] = [];
    for (let row = 0; row < this.#used; row++) if (!this.#isFree(row)) all.push(this.read(row));
    return all;
  }

  /** All of it. */
  writeTo(writer: Pick<HeartbeatWriter, 'target'>): void {
    const one = { ...unknown };
    for (let row = 0; row < this.#used; row++)
      if (!this.#isFree(row)) writer.target(this.#readInto(one, row));
  }

  #isFree(row: number): boolean {
    return this.#numbers[row * STRIDE + ID] === FREE;
  }

  #readInto(health: Changeable, row: number): Changeable {
    const numbers = this.#numbers;
    const at = row * STRIDE;
    health.id = numbers[at + ID]!;
    health.lastScrapeMs = numbers[at + LAST_SCRAPE_MS]!;
    health.scrapes = numbers[at + SCRAPES]!;
    health.up = numbers[at + UP] === 1;
    health.lastDurationMs = numbers[at + LAST_DURATION_MS]!;
    health.samples = numbers[at + SAMPLES]!;
    health.error = this.#errors.size === 0 ? '' : (this.#errors.get(row) ?? '');
    return health;
  }

  #grow(): void {
    const larger = new Float64Array(2 * this.#numbers.length);
    larger.set(this.#numbers);
    this.#numbers = larger;
  }
}
