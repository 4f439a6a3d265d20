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
  /** Counters of parts that are evaluated once for all steps. */
  private readonly once: SampleCounter[] = [];
  /** Counters of parts with the same steps. */
  private readonly same: SampleCounter[] = [];

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

  /** The counter of a part that is evaluated at the same steps. */
  beside(): SampleCounter {
    const counter = new SampleCounter(this.steps, this.bySteps !== undefined);
    this.same.push(counter);
    return counter;
  }

  /** Counts what another counter does, which is one that beside() made here or elsewhere. */
  alsoCount(counter: SampleCounter): void {
    this.same.push(counter);
  }

  get total(): number {
    return this.own + this.ofOnceTotal() * this.steps + this.same.reduce((sum, { total }) => sum + total, 0);
  }

  /** Undefined if they are not counted. */
  perStep({ startMs, stepMs }: Grid): SamplesPerStep | undefined {
    const samples = this.countsByStep();
    return samples && { startMs, stepMs, samples };
  }

  private countsByStep(): Float64Array | undefined {
    const parts = this.same.map((counter) => counter.countsByStep());
    const once = this.ofOnceTotal();
    return this.bySteps?.map((count, step) =>
      parts.reduce((sum, part) => sum + (part?.[step] ?? 0), count + once),
    );
  }

  private ofOnceTotal(): number {
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
