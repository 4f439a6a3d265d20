// Samples that operators look at, counted as Prometheus counts them: what is evaluated once counts at every step, and of
// a subquery its windows count instead of what its own steps looked at.

import type { Grid } from './grid.ts';
import type { SamplesPerStep } from './result.ts';
import { NOTHING } from './tile.ts';

export class SampleCounter {
  private readonly steps: number;
  /** Samples of operators at this counter's own steps. */
  private own = 0;
  private readonly bySteps: Float64Array | undefined;
  /** Counters of parts that are evaluated once. */
  private readonly once: SampleCounter[] = [];

  /** `steps` is how often what is evaluated once counts. */
  constructor(steps: number, isByStep: boolean) {
    this.steps = steps;
    this.bySteps = isByStep ? new Float64Array(steps) : undefined;
  }

  /** The counter of a part that is evaluated at the first step, for all of them. */
  ofOnce(): SampleCounter {
    const counter = new SampleCounter(1, false);
    this.once.push(counter);
    return counter;
  }

  get total(): number {
    return this.own + this.ofParts() * this.steps;
  }

  /** Undefined if they are not counted. */
  perStep({ startMs, stepMs }: Grid): SamplesPerStep | undefined {
    const parts = this.ofParts();
    return this.bySteps && { startMs, stepMs, samples: this.bySteps.map((count) => count + parts) };
  }

  private ofParts(): number {
    return this.once.reduce((sum, counter) => sum + counter.total, 0);
  }

  /** One for each cell of a row that holds a sample; `count` is how many do. */
  addCells(count: number, valid: Uint8Array, at: number): void {
    this.own += count;
    const { bySteps } = this;
    if (bySteps === undefined) return;
    for (let step = 0; step < bySteps.length; step++) if (valid[at + step] !== NOTHING) bySteps[step]!++;
  }

  /** The samples of windows [lo[step], hi[step]), `count` of them together. */
  addWindows(count: number, lo: Int32Array, hi: Int32Array): void {
    this.own += count;
    const { bySteps } = this;
    if (bySteps === undefined) return;
    for (let step = 0; step < bySteps.length; step++) bySteps[step]! += hi[step]! - lo[step]!;
  }
}
