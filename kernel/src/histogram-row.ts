// Hot: where the kernel takes samples of native histograms from.

import type { KernelInstance } from './instance.ts';

/** The numbers of a sample; counts that are no floats are safe integers, not negative. */
export interface HistogramNumbers {
  readonly isStale: boolean;
  readonly count: number;
  readonly zeroCount: number;
  readonly sum: number;
  readonly positive: readonly number[];
  readonly negative: readonly number[];
}

const COUNTS = 2;
const BUCKETS = 3;

/** One per kernel. */
export class HistogramRow {
  readonly #kernel: KernelInstance;
  #columns = -1;
  #at = 0;

  constructor(kernel: KernelInstance) {
    this.#kernel = kernel;
  }

  /** Puts a sample there; throws RangeError, unless it is a stale marker, if it has not so many columns: both counts and the buckets. */
  put(sample: HistogramNumbers, columns: number): void {
    if (columns > this.#columns) {
      this.#at = this.#kernel.exports.histogramRow(columns) >>> 3;
      this.#columns = columns;
    }
    const { floats } = this.#kernel;
    const { isStale, positive, negative } = sample;
    let at = this.#at;
    floats[at] = isStale ? 0 : sample.count;
    floats[at + 1] = isStale ? 0 : sample.zeroCount;
    floats[at + 2] = sample.sum;
    if (isStale) return;
    const buckets = positive.length + negative.length;
    if (COUNTS + buckets !== columns)
      throw new RangeError(`histogram: ${buckets} buckets, want ${columns - COUNTS}`);
    at += BUCKETS;
    for (let i = 0; i < positive.length; i++) floats[at++] = positive[i]!;
    for (let i = 0; i < negative.length; i++) floats[at++] = negative[i]!;
  }
}
