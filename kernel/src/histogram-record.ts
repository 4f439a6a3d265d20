// Hot: one WAL record of native histograms with whole counts, once per ingested sample.

import type { EncodedLayout } from './histogram-chunks.ts';
import type { HistogramNumbers, HistogramRow } from './histogram-row.ts';
import type { KernelInstance } from './instance.ts';

const COUNTS = 2;

export class HistogramRecord {
  readonly #kernel: KernelInstance;
  readonly #row: HistogramRow;
  #layoutAt = 0;
  #layoutBytes = 0;
  #last: EncodedLayout | undefined;

  constructor(kernel: KernelInstance, row: HistogramRow) {
    this.#kernel = kernel;
    this.#row = row;
  }

  clear(): void {
    this.#kernel.exports.clearHistogramRecord();
  }

  /** Adds a sample of the layout that is no stale marker; `hint` as the record has it. */
  add(ref: number, timeMs: number, hint: number, layout: EncodedLayout, sample: HistogramNumbers): void {
    const columns = COUNTS + layout.positiveBuckets + layout.negativeBuckets;
    const { logged } = layout;
    this.#row.put(sample, columns);
    if (layout !== this.#last) this.#take(layout);
    this.#kernel.exports.recordHistogram(
      ref,
      timeMs,
      hint,
      logged.length,
      layout.loggedSplit,
      columns,
      layout.positiveBuckets,
    );
  }

  #take(layout: EncodedLayout): void {
    const { logged } = layout;
    if (logged.length > this.#layoutBytes) {
      this.#layoutAt = this.#kernel.exports.recordLayout(logged.length) >>> 0;
      this.#layoutBytes = logged.length;
    }
    this.#kernel.bytes.set(logged, this.#layoutAt);
    this.#last = layout;
  }

  /** Adds the record to the frames of the log, if it has a sample. */
  frame(pageOffset: number): void {
    this.#kernel.exports.frameHistogramRecord(pageOffset);
  }
}
