// The biggest of many counts, without an object or a name for each of the others.

import type { NamedCount } from '../api.ts';

export class TopCounts {
  private readonly limit: number;
  private rows: NamedCount[] = [];
  /** What is smaller is not among the biggest. */
  private least = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** `name` is called only for a count that may be among the biggest. */
  offer(value: number, name: () => string): void {
    if (value < this.least) return;
    this.rows.push({ name: name(), value });
    if (this.rows.length >= 2 * this.limit + 64) this.shrink();
  }

  /** Descending; equal ones by name. */
  list(): NamedCount[] {
    this.shrink();
    return this.rows;
  }

  private shrink(): void {
    this.rows = this.rows
      .toSorted((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1))
      .slice(0, this.limit);
    if (this.rows.length === this.limit) this.least = this.rows.at(-1)?.value ?? 0;
  }
}
