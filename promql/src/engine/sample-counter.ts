// Samples that operators look at, counted as Prometheus counts them: what is evaluated once counts at every step, and of
// a subquery its windows count instead of what its own steps looked at.

import type { Grid } from './grid.ts';
import type { SamplesPerStep } from './result.ts';
import { NOTHING } from './tile.ts';

/** What a subquery reads at its own steps, and how its parent looks at these. */
interface SubqueryReads {
  readonly counter: SampleCounter;
  readonly inner: Grid;
  readonly outer: Grid;
  readonly offsetMs: number;
  readonly rangeMs: number;
}

export class SampleCounter {
  private readonly steps: number;
  /** Samples of operators at this counter's own steps. */
  private own = 0;
  private readonly bySteps: Float64Array | undefined;
  /** Of these, those that no earlier step has looked at. */
  private readonly reads: Float64Array | undefined;
  private readonly subqueries: SubqueryReads[] = [];
  /** Counters of parts that are evaluated once for all steps. */
  private readonly once: SampleCounter[] = [];
  /** Counters of parts with the same steps. */
  private readonly same: SampleCounter[] = [];

  /** `steps` is how often what is evaluated once counts. */
  constructor(steps: number, isByStep: boolean) {
    this.steps = steps;
    this.bySteps = isByStep ? new Float64Array(steps) : undefined;
    this.reads = isByStep ? new Float64Array(steps) : undefined;
  }

  /** The counter of a part that is evaluated at the first step, for all of them. */
  ofOnce(): SampleCounter {
    const counter = new SampleCounter(1, this.bySteps !== undefined);
    this.once.push(counter);
    return counter;
  }

  /** The counter of a part that is evaluated at the same steps. */
  beside(): SampleCounter {
    const counter = new SampleCounter(this.steps, this.bySteps !== undefined);
    this.same.push(counter);
    return counter;
  }

  /** The counter of a subquery: what is looked at in it does not count, but is read. */
  ofSubquery(inner: Grid, outer: Grid, offsetMs: number, rangeMs: number): SampleCounter {
    const counter = new SampleCounter(inner.steps, this.reads !== undefined);
    this.subqueries.push({ counter, inner, outer, offsetMs, rangeMs });
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

  /** Samples read for each step; undefined if they are not counted. */
  readPerStep({ startMs, stepMs }: Grid): SamplesPerStep | undefined {
    const samples = this.readsByStep();
    return samples && { startMs, stepMs, samples };
  }

  private readsByStep(): Float64Array | undefined {
    if (this.reads === undefined || this.steps === 0) return this.reads;
    const sum = this.reads.slice();
    for (const counter of this.same) counter.readsByStep()?.forEach((count, step) => (sum[step]! += count));
    for (const counter of this.once) sum[0]! += totalOf(counter.readsByStep());
    for (const one of this.subqueries) addReads(sum, one, one.counter.readsByStep());
    return sum;
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
    for (let step = 0; step < bySteps.length; step++) {
      if (valid[at + step] === NOTHING) continue;
      bySteps[step]!++;
      this.reads![step]!++;
    }
  }

  /** The samples of windows [lo[step], hi[step]), `count` of them together; those of a subquery are read there. */
  addWindows(count: number, lo: Int32Array, hi: Int32Array, isStored: boolean): void {
    this.own += count;
    const { bySteps } = this;
    if (bySteps === undefined) return;
    for (let step = 0; step < bySteps.length; step++) {
      const end = hi[step]!;
      bySteps[step]! += end - lo[step]!;
      const seen = step === 0 ? 0 : hi[step - 1]!;
      if (isStored) this.reads![step]! += Math.max(0, end - Math.max(lo[step]!, seen));
    }
  }
}

function totalOf(counts: Float64Array | undefined): number {
  return counts?.reduce((sum, count) => sum + count, 0) ?? 0;
}

/** Each step of a subquery is read for the first outer step at or after it; what is between two windows is for none. */
function addReads(into: Float64Array, subquery: SubqueryReads, reads: Float64Array | undefined): void {
  const { inner, outer, offsetMs, rangeMs } = subquery;
  if (into.length === 1) {
    into[0]! += totalOf(reads);
    return;
  }
  reads?.forEach((count, step) => {
    const timeMs = inner.startMs + step * inner.stepMs + offsetMs;
    const later = Math.max(0, Math.ceil((timeMs - outer.startMs) / outer.stepMs));
    const at = Math.min(later, into.length - 1);
    if (timeMs > outer.startMs + at * outer.stepMs - rangeMs) into[at]! += count;
  });
}
