// Sums and averages of many native histograms, with compensated counts.

import type { FloatHistogram } from './histogram.ts';
import { type Compensated, joined, plus } from './histogram-plus.ts';
import { RunningSum } from './histogram-running-sum.ts';

/** What came of adding one: `reconciled` if custom bounds differed; nothing was added if it is incompatible. */
export type AddOutcome = 'added' | 'reconciled' | 'incompatible';

function scaled({ value, rest }: Compensated, factor: number): Compensated {
  return { value: value.times(factor), rest: rest.times(factor) };
}

function divided({ value, rest }: Compensated, divisor: number): Compensated {
  return { value: value.over(divisor), rest: rest.over(divisor) };
}

export class HistogramSum {
  private running: RunningSum;

  constructor(first: FloatHistogram) {
    this.running = new RunningSum(first);
  }

  add(other: FloatHistogram): AddOutcome {
    if (this.running.tryAdd(other)) return 'added';
    const next = plus(this.running.state(), other);
    if (next === undefined) return 'incompatible';
    this.running = new RunningSum(next.value, next.rest);
    return next.reconciled ? 'reconciled' : 'added';
  }

  /** The sum; nothing may be added after. */
  result(): FloatHistogram {
    return this.running.finish(1);
  }
}

/** The average: of a sum, or once that overflows a running mean. */
export class HistogramMean {
  private running: RunningSum;
  /** The mean so far, once there is no sum any more. */
  private mean: Compensated | undefined;
  private count = 1;

  constructor(first: FloatHistogram) {
    this.running = new RunningSum(first);
  }

  add(other: FloatHistogram): AddOutcome {
    this.count++;
    if (this.mean === undefined) {
      if (this.running.staysFinite(other) && this.running.tryAdd(other)) return 'added';
      const sum = this.running.state();
      const next = plus(sum, other);
      if (next === undefined) return 'incompatible';
      if (!next.value.hasOverflow()) {
        this.running = new RunningSum(next.value, next.rest);
        return next.reconciled ? 'reconciled' : 'added';
      }
      this.mean = divided(sum, this.count - 1);
    }
    const share = (this.count - 1) / this.count;
    const next = plus(scaled(this.mean, share), other.over(this.count));
    if (next === undefined) return 'incompatible';
    this.mean = next;
    return next.reconciled ? 'reconciled' : 'added';
  }

  /** The average; nothing may be added after. */
  result(): FloatHistogram {
    return this.mean === undefined ? this.running.finish(this.count) : joined(this.mean);
  }
}
