// Stale markers of a target's series. One of a series of native histograms is a histogram, too: a float would cut its chunk.

import { type Appender, type NativeHistogram, staleHistogram } from '@flotilla/tsdb';
import type { ExposedExemplar } from '../parse/exemplar.ts';

/** A native histogram on its way to the store. */
export interface HistogramSample {
  readonly ref: number;
  readonly histogram: NativeHistogram;
  /** undefined: the time of its scrape. */
  readonly timestampMs: number | undefined;
  readonly exemplars: readonly ExposedExemplar[];
}

export class StaleMarkers {
  /** Series whose last sample was a histogram, and whether its counts were floats. */
  #isFloat: ReadonlyMap<number, boolean> = new Map();

  /** The last successful scrape had these. */
  written(histograms: readonly HistogramSample[]): void {
    if (histograms.length === 0 && this.#isFloat.size === 0) return;
    this.#isFloat = new Map(histograms.map(({ ref, histogram }) => [ref, histogram.isFloat]));
  }

  append(appender: Appender, refs: Uint32Array, timeMs: number): void {
    if (this.#isFloat.size === 0) {
      appender.appendStale(refs, timeMs);
      return;
    }
    appender.appendStale(
      refs.filter((ref) => !this.#isFloat.has(ref)),
      timeMs,
    );
    for (const ref of refs) {
      const isFloat = this.#isFloat.get(ref);
      if (isFloat !== undefined) appender.appendHistogram(ref, timeMs, staleHistogram(isFloat));
    }
  }
}
